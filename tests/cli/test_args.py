"""The flags of the main command."""

import pytest

from qcode.cli.args import duration, parse
from qcode.protocol.errors import UsageError


def test_a_prompt_stands_behind_the_flag_or_alone() -> None:
    assert parse(["-p", "fix it"]).prompt == "fix it"
    assert parse(["fix it", "-p"]).print
    assert parse(["-p", "--output-format", "json", "fix it"]).prompt == "fix it"
    assert parse(["-p", "-"]).prompt == "-"
    assert parse([]).prompt is None


def test_spellings_of_other_agents_are_taken() -> None:
    assert parse(["-p", "x", "--max-session-turns", "3"]).max_turns == 3
    assert parse(["-p", "x", "--approval-mode", "plan"]).permission_mode == "plan"
    assert parse(["-p", "x", "--yolo"]).permission_mode == "yolo"
    assert parse(["-p", "x", "--effort", "high"]).thinking == "high"


@pytest.mark.parametrize(("text", "seconds"), [("90", 90), ("90s", 90), ("1.5m", 90), ("2h", 7200)])
def test_times_have_units(text: str, seconds: float) -> None:
    assert duration(text) == seconds


@pytest.mark.parametrize(
    "argv",
    [
        ["--max-turns", "0"],
        ["--max-turns", "x"],
        ["--max-wall-time", "soon"],
        ["--max-wall-time", "0"],
        ["--output-format", "xml"],
        ["--permission", "plan"],  # no abbreviations: a new flag must not change an old script
        ["a", "b"],
    ],
)
def test_wrong_flags_are_a_sentence(argv: list[str]) -> None:
    with pytest.raises(UsageError, match="qcode --help"):
        parse(argv)


def test_a_mistyped_flag_names_the_one_that_was_meant() -> None:
    with pytest.raises(UsageError, match=r"Did you mean --max-turns\?"):
        parse(["-p", "x", "--max-turn=3"])


def test_a_prompt_without_quotes_is_recognised() -> None:
    with pytest.raises(UsageError, match="in quotes"):
        parse(["-p", "fix", "the", "test"])
