"""Keys, and what qcode keeps of its own: closed unless a rule of the user's names them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qcode.permission.judge import Policy, Reached, judge
from qcode.permission.modes import TABLE, Fence, Mode
from qcode.permission.patterns import Ground
from qcode.permission.rules import Rule, parse_rule
from qcode.permission.suggest import lasting, narrowest
from qcode.protocol.access import Access, AccessKind

SECRETS = ("/home/ann/.ssh", "/home/ann/.config/gh", "/srv/a b/own", "/home/ann/project/state")
GROUND = Ground("/home/ann/project", "/home/ann", SECRETS)
KEY = Access("read", "/home/ann/.ssh/id", "secret")


def allowing(*texts: str, ground: Ground = GROUND) -> tuple[Rule, ...]:
    return tuple(parse_rule(text, "allow", "user config", ground) for text in texts)


def answer(access: Access, *texts: str, mode: Mode = "auto", fence: Fence = "holds") -> str:
    return judge([access], Policy(mode, fence, allowing(*texts))).answer


@pytest.mark.parametrize("mode", TABLE)
@pytest.mark.parametrize("fence", ["holds", "none", "off"])
@pytest.mark.parametrize("kind", ["read", "edit"])
def test_no_mode_and_no_fence_opens_them(mode: Mode, fence: Fence, kind: AccessKind) -> None:
    access = Access(kind, KEY.target, "secret")
    verdict = judge([access], Policy(mode, fence))
    assert verdict.answer == "deny"
    assert "closed to tools" in verdict.because
    assert narrowest(access) in verdict.because


@pytest.mark.parametrize(
    "text",
    [
        *("Read", "Read(*)", "Read(**)", "Read(//**)", "Read(~/**)", "Read(~)", "Read(~/.s*/**)"),
        *("Read(~/.*)", "Read(//home/**/id)", "Read(id)", "Read(.ssh/**)", "Read(~/.[s]sh/**)"),
        *("Read(~/.ss)", "Read(~/.sshd/**)", "Edit(~/.ssh/**)", "Read(~/.ssh/other)"),
    ],
)
def test_a_rule_that_does_not_name_the_place_leaves_it_closed(text: str) -> None:
    assert answer(KEY, text) == "deny"


@pytest.mark.parametrize(
    "text", ["Read(~/.ssh/**)", "Read(~/.ssh)", "Read(~/.ssh/id)", "Read(//home/ann/.ssh/i*)"]
)
def test_a_rule_that_names_it_opens_it(text: str) -> None:
    assert answer(KEY, text) == "allow"


@pytest.mark.parametrize(
    ("target", "text", "expected"),
    [
        ("/home/ann/.config/gh/hosts.yml", "Read(~/.config/**)", "deny"),
        ("/home/ann/.config/gh/hosts.yml", "Read(~/.config/gh/**)", "allow"),
        ("/srv/a b/own/s.jsonl", r"Read(//srv/a\ b/own/s.jsonl)", "allow"),
        ("/srv/a b/own/s.jsonl", "Read(//srv/**)", "deny"),
        ("state/s.jsonl", "Read(/**)", "deny"),
        ("state/s.jsonl", "Read(/state/**)", "allow"),
        ("/proc/12/environ", "Read(//proc/**)", "deny"),
        ("/proc/12/environ", "Read(//proc/12/**)", "allow"),
        ("/proc/13/environ", "Read(//proc/12/**)", "deny"),
    ],
)
def test_the_place_is_named_by_fixed_folders(target: str, text: str, expected: str) -> None:
    assert answer(Access("read", target, "secret"), text) == expected


def test_a_deny_rule_beats_the_one_that_names_it() -> None:
    rules = (*allowing("Read(~/.ssh/**)"), parse_rule("Read(~/**)", "deny", "flag", GROUND))
    assert judge([KEY], Policy("auto", "holds", rules)).answer == "deny"


def test_the_rule_that_a_denial_tells_of_opens_just_that_file() -> None:
    rule = narrowest(KEY)
    assert answer(KEY, rule) == "allow"
    assert answer(Access("read", "/home/ann/.ssh/id2", "secret"), rule) == "deny"


def test_no_approval_that_would_last_is_offered() -> None:
    assert lasting([KEY]) == ()
    assert lasting([Access("read", "/home/ann/notes", "outside")]) != ()


def test_rules_that_were_read_without_the_list_open_nothing() -> None:
    rules = allowing("Read(~/.ssh/**)", ground=Ground("/home/ann/project", "/home/ann"))
    assert judge([KEY], Policy("auto", "holds", rules)).answer == "deny"


@given(
    st.lists(st.sampled_from(["Read(~/**)", "Read", "Read(//**)", "Edit(~/**)"]), max_size=4),
    st.sampled_from(SECRETS),
    st.sampled_from(["", "/a", "/a/b", "/.git/config"]),
)
def test_no_number_of_wide_rules_opens_one(texts: list[str], place: str, rest: str) -> None:
    target = f"{place}{rest}".removeprefix("/home/ann/project/")
    assert answer(Access("read", target, "secret"), *texts) == "deny"


# Commands


LINE = Access("shell", "cat ../.ssh/id")
REACH = {LINE.target: Reached((KEY,), "proven")}


def shell(*texts: str, mode: Mode = "edit", fence: Fence = "none") -> str:
    return judge([LINE], Policy(mode, fence, allowing(*texts)), REACH).answer


def test_without_a_fence_a_rule_for_first_words_does_not_open_them() -> None:
    assert shell("Bash(cat:*)") == "ask"
    policy = Policy("edit", "none", allowing("Bash(cat:*)"))
    verdict = judge([LINE], policy, REACH)
    assert "a rule for a command's first words does not open /home/ann/.ssh/id" in verdict.because
    harmless = {LINE.target: Reached((Access("read", "/home/ann/notes", "outside"),), "proven")}
    assert judge([LINE], policy, harmless).answer == "allow"


@pytest.mark.parametrize(
    "texts",
    [
        ("Bash(cat:*)", "Read(~/.ssh/**)"),
        ("Bash(cat ../.ssh/id)",),
        ("Bash",),
    ],
)
def test_the_users_own_words_for_it_do(texts: tuple[str, ...]) -> None:
    assert shell(*texts) == "allow"


def test_behind_a_fence_it_is_hidden_from_commands_and_nobody_is_asked() -> None:
    assert shell("Bash(cat:*)", fence="holds") == "allow"
    assert shell(mode="auto", fence="holds") == "allow"


def test_who_gave_the_sandbox_up_is_not_asked_either() -> None:
    assert shell("Bash(cat:*)", mode="auto", fence="off") == "allow"


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        *((f"cat {word}", "ask") for word in ("$HOME/.ssh/id", '"$HOME"/.ssh/id', "$KEY")),
        *((f"cat {word}", "ask") for word in ("~+/../.ssh/id", "~ann/.ssh/id", "/proc/$PPID/mem")),
        ("cat if=~+/../.ssh/id", "ask"),
        ("echo $HOME", "allow"),
        ("cat '$HOME' a~b ~/notes HEAD~2", "allow"),
        ("echo a | xargs cat", "allow"),
    ],
)
def test_what_a_word_turns_into_may_be_one_of_them(line: str, expected: str) -> None:
    rules = allowing("Bash(cat:*)", "Bash(echo:*)")
    access = Access("shell", line)
    reach = {line: Reached((), "unproven")}
    assert judge([access], Policy("edit", "none", rules), reach).answer == expected
    assert judge([access], Policy("edit", "holds", rules), reach).answer == "allow"
    exact = Policy("edit", "none", allowing(f"Bash({line})"))
    assert judge([access], exact, reach).answer == "allow"


@pytest.mark.parametrize("text", ["Read", "Read(~/**)", "Read(//**)"])
def test_a_rule_that_asks_about_much_does_not_open_them(text: str) -> None:
    asks = parse_rule(text, "ask", "user config", GROUND)
    verdict = judge([KEY], Policy("auto", "holds", (asks,)))
    assert verdict.answer == "deny"
    assert "closed to tools" in verdict.because
    opened = (asks, *allowing("Read(~/.ssh/**)"))
    assert judge([KEY], Policy("auto", "holds", opened)).answer == "ask"


def test_a_rule_that_asks_about_the_place_asks() -> None:
    asks = parse_rule("Read(~/.ssh/**)", "ask", "user config", GROUND)
    assert judge([KEY], Policy("auto", "holds", (asks,))).answer == "ask"
