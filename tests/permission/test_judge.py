"""The verdict on a whole call: rules on top of the mode, the strictest access first."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qcode.permission.explain import explain
from qcode.permission.judge import Policy, judge
from qcode.permission.modes import TABLE, Fence, Mode
from qcode.permission.rules import STRICTNESS, decide
from qcode.permission.suggest import narrowest
from qcode.protocol.access import Access
from tests.permission.ground import rule, shell

ACCESSES = (
    Access("read", "a"),
    Access("edit", "a b*[1].py"),
    Access("edit", ".git/hooks/x", "protected"),
    Access("read", "/etc/x y!", "outside"),
    Access("network", "example.com"),
    shell("make"),
    shell("rm -rf *.o > log; x"),
    shell("echo :*"),
)


@given(
    st.lists(st.sampled_from(ACCESSES), min_size=1, max_size=4),
    st.sampled_from(list(TABLE)),
    st.sampled_from(["holds", "none", "off"]),
)
def test_the_strictest_access_decides(accesses: list[Access], mode: Mode, fence: Fence) -> None:
    policy = Policy(mode, fence)
    whole = STRICTNESS[judge(accesses, policy).answer]
    assert whole == max(STRICTNESS[judge([access], policy).answer] for access in accesses)


def test_a_call_that_touches_nothing_is_allowed() -> None:
    assert judge([], Policy("plan", "none")).answer == "allow"


def test_a_rule_stands_above_the_mode() -> None:
    deny = Policy("auto", "off", (rule("deny", "Bash(git push:*)"),))
    assert judge([shell("git push")], deny).because == "user config: deny Bash(git push:*)"
    allow = Policy("plan", "none", (rule("allow", "Edit(docs/**)"),))
    assert judge([Access("edit", "docs/a.md")], allow).answer == "allow"


def test_dont_ask_denies_every_question() -> None:
    verdict = judge([shell("make")], Policy("ask", "none", asks="deny"))
    assert verdict.answer == "deny"
    assert "dontAsk" in verdict.because
    assert judge([Access("read", "a")], Policy("ask", "none", asks="deny")).answer == "allow"


@pytest.mark.parametrize(
    ("line", "because"),
    [
        ("make", "ask mode asks before commands without a sandbox; no rule allows `make`"),
        ("ls; make", "ask mode asks before commands without a sandbox; no rule allows `make`"),
        (
            "ls > f",
            "ask mode asks before commands without a sandbox; "
            "no prefix rule allows a line when it writes f",
        ),
    ],
)
def test_the_verdict_says_what_is_missing(line: str, because: str) -> None:
    policy = Policy("ask", "none", (rule("allow", "Bash(ls:*)"),))
    assert judge([shell(line)], policy).because == because


@pytest.mark.parametrize("access", ACCESSES)
def test_the_suggested_rule_allows_just_that(access: Access) -> None:
    suggested = rule("allow", narrowest(access))
    assert decide(access, [suggested], "ask").answer == "allow"
    for other in ACCESSES:
        if other != access:
            assert decide(other, [suggested], "ask").answer == "ask"


def test_an_explanation_names_every_command_and_its_rule() -> None:
    policy = Policy(
        "ask",
        "none",
        (rule("allow", "Bash(git:*)"), rule("deny", "Bash(rm:*)", "flag --disallowed-tools")),
    )
    found = explain("timeout 5 git log; rm x; make", policy)
    assert found.answer == "deny"
    assert [(part.command, part.answer, part.source) for part in found.commands] == [
        ("git log", "allow", "user config"),
        ("rm x", "deny", "flag --disallowed-tools"),
        ("make", None, ""),
    ]
    assert found.wrappers == ("timeout 5 git log",)
    assert found.commands[0].reads_only
