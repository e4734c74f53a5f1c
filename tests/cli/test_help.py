"""`qcode help`: pages that are true, and a manual that a formatter reads."""

import re
import shutil
import subprocess

import pytest

from qcode.cli.args import parser
from qcode.cli.help import TOPICS, main, manual, page
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


def test_the_page_of_exit_codes_has_all_of_them() -> None:
    told = {int(code) for code in re.findall(r"(?:^ +|; )(\d+)\b", page("exit-codes"), re.M)}
    assert told == {int(code) for code in ExitCode}


@pytest.mark.parametrize("topic", TOPICS)
def test_every_flag_of_a_page_is_one(topic: str) -> None:
    known = set(parser().flags())
    said = set(re.findall(r"(?<!\w)--[a-z-]+[a-z]", page(topic)))
    assert said <= known, said - known
    assert all(len(row) <= 108 for row in page(topic).splitlines())


def test_the_manual_has_every_flag_and_formats() -> None:
    text = manual()
    shown = [flag for flag in ("--print", "--json-schema", "--resume") if flag in parser().flags()]
    assert all(flag.replace("-", "\\-") in text for flag in shown)
    if groff := shutil.which("groff"):
        done = subprocess.run(
            [groff, "-man", "-Tutf8", "-ww"], input=text, capture_output=True, text=True, check=True
        )
        assert done.stderr == ""
        assert "JSON SCHEMA" in done.stdout.upper().replace("\N{HYPHEN}", " ").replace("-", " ")
