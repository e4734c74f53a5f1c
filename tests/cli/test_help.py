"""`qcode help`: pages that are true, and a manual that a formatter reads."""

import argparse
import re
import shutil
import subprocess
from collections.abc import Iterator

import msgspec
import pytest

from qcode.cli.args import EPILOG, parser
from qcode.cli.completion import levels, parsers
from qcode.cli.dispatch import SUBCOMMANDS
from qcode.cli.help import main, manual
from qcode.cli.pages import TOPICS, page
from qcode.config.load import ENVIRONMENT
from qcode.config.model import Config
from qcode.headless.exits import ExitCode
from qcode.protocol.errors import InputError


def test_without_a_topic_all_are_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 0
    out = capsys.readouterr().out
    assert all(f"qcode help {topic}" in out for topic in TOPICS)
    assert len(TOPICS) >= 5


def test_a_page_is_printed_and_one_that_is_none_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["rules"]) == 0
    assert "Bash(git status:*)" in capsys.readouterr().out
    with pytest.raises(InputError, match="There are: "):
        main(["nonsense"])


def test_a_subcommand_without_a_page_has_its_help(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        main(["sessions"])
    assert end.value.code == 0
    assert "usage: qcode sessions" in capsys.readouterr().out


def test_the_help_names_every_subcommand_page_and_code() -> None:
    assert set(re.findall(r"^  qcode (\w+)  ", EPILOG, re.M)) == set(SUBCOMMANDS)
    told = re.search(r"exit codes:((?:.|\n)*?)\n\n", EPILOG)
    assert told
    codes = {int(code) for code in re.findall(r"\b\d+\b", told[1])}
    assert codes == {int(code) for code in ExitCode}
    pages = re.search(r"qcode help +pages: ((?:.*,\n)*.*)", EPILOG)
    assert pages
    assert re.split(r",\s+", pages[1]) == list(TOPICS)


def test_the_page_of_exit_codes_has_all_of_them() -> None:
    told = {int(code) for code in re.findall(r"(?:^ +|; )(\d+)\b", page("exit-codes"), re.M)}
    assert told == {int(code) for code in ExitCode}


@pytest.mark.parametrize("topic", TOPICS)
def test_every_flag_of_a_page_is_one(topic: str) -> None:
    known = set(parser().flags())
    known |= {name for level in levels() for flag in level.flags for name in flag.spellings}
    said = set(re.findall(r"(?<!\w)--[a-z-]+[a-z]", page(topic)))
    assert said <= known, said - known
    assert all(len(row) <= 80 for row in page(topic).splitlines())


def all_parsers(
    name: str, made: argparse.ArgumentParser
) -> Iterator[tuple[str, argparse.ArgumentParser]]:
    """With those of the words below it."""
    yield name, made
    for action in made._actions:
        if isinstance(action, argparse._SubParsersAction):
            for word, inner in action.choices.items():
                yield from all_parsers(f"{name} {word}", inner)


def test_every_help_fits_a_terminal_of_eighty_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    found = dict(all_parsers("qcode", parser()))
    for name, made in parsers()[0].items():
        found |= dict(all_parsers(name, made))
    assert {"serve", "models pull", "bench tasks", "config show", "completion"} <= set(found)
    long = {
        name: rows
        for name, made in found.items()
        if (rows := [row for row in made.format_help().splitlines() if len(row) > 80])
    }
    assert not long


def test_what_no_variable_sets_is_named() -> None:
    """The page says of all other settings that they have one."""
    told = " ".join(page("environment").split())
    sections = msgspec.to_builtins(Config())
    keys = {f"{name}.{key}" for name, values in sections.items() for key in values}
    without = keys - set(ENVIRONMENT.values())
    lists = {"agent.exclude", *(f"permission.{word}" for word in ("allow", "ask", "deny"))}
    assert "lists, rules" in told
    unsaid = [key for key in without - lists if not key.startswith("sandbox.") and key not in told]
    assert not unsaid
    assert set(re.findall(r"\b(?:agent|serve)\.[a-z_]+", told)) - without == {"agent.max_steps"}


def test_the_manual_has_every_flag_and_formats() -> None:
    text = manual()
    shown = [flag for flag in ("--print", "--json-schema", "--resume") if flag in parser().flags()]
    assert all(flag.replace("-", "\\-") in text for flag in shown)
    for name in SUBCOMMANDS:
        assert f".SS qcode {name}" in text, name
    if groff := shutil.which("groff"):
        done = subprocess.run(
            [groff, "-man", "-Tutf8", "-ww"], input=text, capture_output=True, text=True, check=True
        )
        assert done.stderr == ""
        assert "JSON SCHEMA" in done.stdout.upper().replace("\N{HYPHEN}", " ").replace("-", " ")
