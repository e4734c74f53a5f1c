"""Modes: the table is what is done, and every word for a mode has its meaning."""

import pytest

from qcode.permission.modes import PRESETS, TABLE, Fence, Mode, default_answer, parse_mode, table
from qcode.protocol.access import Access, AccessKind, Answer, Place
from qcode.protocol.errors import ConfigError

# | mode | read | edit | protected, outside, network | shell fenced | shell unfenced |
WANTED = {
    "plan": ("allow", "deny", "deny", "deny", "ask"),
    "ask": ("allow", "ask", "ask", "ask", "ask"),
    "edit": ("allow", "allow", "ask", "ask", "ask"),
    "auto": ("allow", "allow", "ask", "allow", "ask"),
}


def answers(mode: Mode) -> tuple[Answer, ...]:
    """One row, as `default_answer` gives it."""
    beyond = {
        default_answer(mode, access, "holds")
        for access in (
            Access("read", ".git/config", "protected"),
            Access("edit", ".git/config", "protected"),
            Access("read", "/etc/passwd", "outside"),
            Access("edit", "/etc/passwd", "outside"),
            Access("network", "example.com"),
        )
    }
    assert len(beyond) == 1
    return (
        default_answer(mode, Access("read", "a"), "none"),
        default_answer(mode, Access("edit", "a"), "none"),
        beyond.pop(),
        default_answer(mode, Access("shell", "make"), "holds"),
        default_answer(mode, Access("shell", "make"), "none"),
    )


@pytest.mark.parametrize("mode", list(TABLE))
def test_each_mode_answers_as_the_table_says(mode: Mode) -> None:
    assert answers(mode) == WANTED[mode]


@pytest.mark.parametrize("fence", ["holds", "none", "off"])
def test_plan_lets_commands_run_that_only_read(fence: Fence) -> None:
    access = Access("shell", "git status && cat README.md | head -5")
    assert default_answer("plan", access, fence) == "allow"


@pytest.mark.parametrize(
    ("mode", "answer"), [("plan", "ask"), ("ask", "ask"), ("edit", "ask"), ("auto", "allow")]
)
def test_the_users_own_consent_frees_commands_in_auto_alone(mode: Mode, answer: Answer) -> None:
    assert default_answer(mode, Access("shell", "make"), "off") == answer


@pytest.mark.parametrize("kind", ["read", "edit"])
@pytest.mark.parametrize("place", ["protected", "outside"])
def test_consent_to_commands_is_none_to_protected_files(kind: AccessKind, place: Place) -> None:
    assert default_answer("auto", Access(kind, "x", place), "off") == "ask"


@pytest.mark.parametrize("mode", list(TABLE))
@pytest.mark.parametrize("path", ["AGENTS.md", "docs/agents.md", "CLAUDE.md"])
def test_what_agents_are_told_is_read_freely_and_changed_like_a_protected_name(
    mode: Mode, path: str
) -> None:
    assert default_answer(mode, Access("read", path), "off") == "allow"
    assert default_answer(mode, Access("edit", path), "off") == WANTED[mode][2]
    assert default_answer(mode, Access("edit", f"{path}/a"), "off") == WANTED[mode][1]


@pytest.mark.parametrize(
    ("word", "mode", "asks", "sandbox"),
    [
        ("plan", "plan", "ask", ""),
        ("default", "ask", "ask", ""),
        ("manual", "ask", "ask", ""),
        ("acceptEdits", "edit", "ask", ""),
        ("auto-edit", "edit", "ask", ""),
        ("auto", "auto", "ask", ""),
        ("dontAsk", "ask", "deny", ""),
        ("yolo", "auto", "ask", "off"),
        ("bypassPermissions", "auto", "ask", "off"),
    ],
)
def test_every_word_for_a_mode_is_known(word: str, mode: str, asks: str, sandbox: str) -> None:
    preset = parse_mode(word)
    assert (preset.mode, preset.asks, preset.sandbox) == (mode, asks, sandbox)


def test_an_unknown_word_is_answered_with_the_nearest() -> None:
    with pytest.raises(ConfigError, match="Did you mean acceptEdits"):
        parse_mode("acceptEdit")
    with pytest.raises(ConfigError, match="The words are plan, ask"):
        parse_mode("qqq")


def test_the_table_is_printed_as_it_was_agreed() -> None:
    assert table() == (
        "| mode (Claude's word; aliases) | read in workspace | edit in workspace | protected name, "
        "outside, network | shell, fence holds | shell, no fence |\n"
        "|---|---|---|---|---|---|\n"
        "| plan (`plan`) | allow | deny | deny | allow-listed read-only commands | allow-listed "
        "read-only commands, else ask |\n"
        "| ask (`default`; manual) | allow | ask | ask | ask | ask |\n"
        "| edit (`acceptEdits`; auto-edit) | allow | allow | ask | ask | ask |\n"
        "| auto (`auto`) | allow | allow | ask | allow: the fence is the boundary | ask |\n"
    )


def test_config_takes_every_word_and_no_other() -> None:
    from typing import get_args  # noqa: PLC0415 - beside the one use of another room

    from qcode.config.model import ModeWord  # noqa: PLC0415 - rooms meet only in tests

    assert set(get_args(ModeWord)) == set(PRESETS)
