"""`qcode help`: pages that are true, and a manual that a formatter reads."""

import re
import shutil
import subprocess

import pytest

from qcode.cli.args import EPILOG, parser
from qcode.cli.completion import levels
from qcode.cli.dispatch import SUBCOMMANDS
from qcode.cli.help import main, manual
from qcode.cli.pages import TOPICS, page
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
    pages = re.search(r"qcode help +pages: (.*)", EPILOG)
    assert pages
    assert pages[1].split(", ") == list(TOPICS)


def test_the_page_of_exit_codes_has_all_of_them() -> None:
    told = {int(code) for code in re.findall(r"(?:^ +|; )(\d+)\b", page("exit-codes"), re.M)}
    assert told == {int(code) for code in ExitCode}


@pytest.mark.parametrize("topic", TOPICS)
def test_every_flag_of_a_page_is_one(topic: str) -> None:
    known = set(parser().flags())
    known |= {name for level in levels() for flag in level.flags for name in flag.spellings}
    said = set(re.findall(r"(?<!\w)--[a-z-]+[a-z]", page(topic)))
    assert said <= known, said - known
    assert all(len(row) <= 108 for row in page(topic).splitlines())


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
