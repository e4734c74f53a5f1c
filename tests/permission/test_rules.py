"""Rules: what they match, what wins, and what they refuse to mean."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qcode.permission.rules import STRICTNESS, Rule, decide, split_rules
from qcode.protocol.access import Access, AccessKind, Answer, Place
from qcode.protocol.errors import ConfigError
from tests.permission.ground import rule, shell

COMMANDS = (
    "git status", "git push origin", "ls -la", "rm -rf build", "git status && ls", "ls; rm x",
    "echo $(rm x)", "timeout 5 git push", "npm test", "cat < f", "A=1 ls", "", "'", "sh -c 'rm x'",
)  # fmt: skip
RULES = (
    "Bash", "Bash(git status:*)", "Bash(git:*)", "Bash(ls:*)", "Bash(rm:*)", "Bash(npm test)",
    "Bash(echo:*)", "Edit", "Edit(src/**)", "Edit(*.py)", "Read(~/**)", "Read(//etc/**)", "Read",
    "WebFetch(domain:example.com)", "WebFetch(domain:*.example.com)", "WebFetch", "Task",
    "Edit(.git/**)",
)  # fmt: skip
PATHS = ("src/a.py", "a.py", ".git/config", "src/.git/hooks/x", "docs/x.md", "/etc/passwd", ".")
HOSTS = ("example.com", "a.example.com", "evil.com", "notexample.com")

answers = st.sampled_from(("allow", "ask", "deny"))
rules = st.builds(rule, answers, st.sampled_from(RULES))


@st.composite
def accesses(draw: st.DrawFn) -> Access:
    """Any access: a command, a path of some place, a host."""
    kind: AccessKind = draw(st.sampled_from(("read", "edit", "shell", "network")))
    if kind == "shell":
        return shell(draw(st.sampled_from(COMMANDS)))
    if kind == "network":
        return Access(kind, draw(st.sampled_from(HOSTS)))
    place: Place = draw(st.sampled_from(("workspace", "protected", "outside")))
    return Access(kind, draw(st.sampled_from(PATHS)), place)


def strictness(access: Access, given_rules: list[Rule], default: Answer) -> int:
    return STRICTNESS[decide(access, given_rules, default).answer]


@given(accesses(), st.lists(rules, max_size=6), answers, st.sampled_from(RULES))
def test_one_more_deny_never_allows_more(
    access: Access, some: list[Rule], default: Answer, text: str
) -> None:
    more = [*some, rule("deny", text)]
    assert strictness(access, more, default) >= strictness(access, some, default)


@given(accesses(), st.lists(rules, max_size=6), answers, st.sampled_from(RULES))
def test_one_more_allow_never_denies_more_than_the_mode(
    access: Access, some: list[Rule], default: Answer, text: str
) -> None:
    more = [*some, rule("allow", text)]
    assert strictness(access, more, default) <= strictness(access, some, default)


@given(accesses(), st.lists(rules, max_size=6), answers, st.randoms())
def test_the_order_of_rules_changes_nothing(
    access: Access, some: list[Rule], default: Answer, random: object
) -> None:
    shuffled = sorted(some, key=lambda _: random.random())  # type: ignore[attr-defined]  # Random
    assert decide(access, shuffled, default).answer == decide(access, some, default).answer


@given(accesses(), st.lists(rules, min_size=1, max_size=6), answers)
def test_deny_beats_ask_beats_allow(access: Access, some: list[Rule], default: Answer) -> None:
    said = {each.answer for each in some if each.answer != "allow" and each.touches(access)}
    if said:
        strictest = max(said, key=lambda answer: STRICTNESS[answer])
        assert decide(access, some, default).answer == strictest


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("Bash(git status:*)", "git status"),
        ("Bash(git status:*)", "git status -s src"),
        ("Bash(git status *)", "git status -s"),
        ("Bash(git status:*)", "'git' sta\\tus"),
        ("Bash(npm test)", "npm  test"),
        ("Bash(npm test:*)", "timeout 60 npm test -- -x"),
        ("Bash(npm test:*)", "npm test 2>&1"),
        ("Bash(npm test:*)", "npm test > /dev/null"),
        ("Bash(npm test:*)", "bash -c 'npm test'"),
        ("Bash(make > build.log)", "make > build.log"),
        ("Bash(line:rm *.o)", "rm *.o"),
        ("Bash(ls:*)", "ls $HOME"),
        ("Bash", "anything | goes > here"),
        ("shell(ls)", "ls"),
    ],
)
def test_an_allow_rule_covers_its_command(text: str, line: str) -> None:
    verdict = decide(shell(line), [rule("allow", text)], "ask")
    assert verdict.answer == "allow"
    assert verdict.because == f"user config: allow {text}"


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("Bash(git status:*)", "git statusx"),
        ("Bash(git status:*)", "git stat*"),
        ("Bash(git status:*)", "git $sub"),
        ("Bash(git status:*)", "./git status"),
        ("Bash(git status:*)", "git status; ls"),
        ("Bash(npm test)", "npm test --x"),
        ("Bash(npm test)", "sudo npm test"),
        ("Bash(ls:*)", "ls > f"),
        ("Bash(make > build.log)", "make > build.log; ls"),
        ("Bash(line:rm *.o)", "rm a.o"),
        ("Edit", "touch x"),
    ],
)
def test_an_allow_rule_covers_nothing_else(text: str, line: str) -> None:
    assert decide(shell(line), [rule("allow", text)], "ask").answer == "ask"


def test_each_command_may_be_allowed_by_another_rule() -> None:
    some = [rule("allow", "Bash(git log:*)"), rule("allow", "Bash(head:*)", "this session")]
    verdict = decide(shell("git log --oneline | head -5"), some, "ask")
    assert verdict.answer == "allow"
    assert verdict.because == (
        "user config: allow Bash(git log:*); this session: allow Bash(head:*)"
    )


@pytest.mark.parametrize(
    "line",
    [
        "rm x", "ls; rm x", "/bin/rm x", "RM x", "r''m x", "r\\m x", "$'\\x72m' x", "sudo rm x",
        "timeout 5 rm x", "xargs rm", "find . -exec rm {} +", "sh -c 'rm x'",
        "sh -c 'sh -c \"rm\"'", "echo $(rm x)", "echo `rm x`", "cat <(rm x)", "a=rm; $a x",
        "time A=1 rm x", "f() { rm x; }; f", "r\\\nm x", "if true; then rm x; fi",
        "rm$IFS-rf$IFS/", "{rm,-rf,/}", "eval rm x", "env -S 'rm x'", "cat <<E | sh\nrm x\nE",
        "ls >/dev/null; rm", "A=1 rm x", "trap 'rm x' EXIT", "! rm x",
        "for i in a; do rm $i; done", "case a in a) rm x;; esac", "exec rm x", "r\u200bm x",
        "git -c alias.z='!rm x' z", "watch rm x", "ls # it\nrm x", "echo a\nrm x",
        ("ls;" * 60) + "rm x", "ls " + "x" * 20_000 + "; rm x", "coproc rm x", "time rm x",
        "busybox rm x", "rm", "ls & rm x", "taskset 1 rm x", "setpriv rm x", "vim -c '!rm x' f",
        "uv run rm x", "uv run --with y rm x", "uv --offline run rm x", "npx rm", "uvx rm",
        "docker exec -it c rm x", "docker exec -u root c sh -c 'ls; rm x'", "uv run sudo rm x",
        "docker compose exec web rm x", "kubectl exec -it p -- rm x", "poetry run rm x",
        "uv run uv run rm x", "docker exec --weird c rm x",
    ],
)  # fmt: skip
def test_a_deny_rule_finds_its_command_wherever_it_hides(line: str) -> None:
    verdict = decide(shell(line), [rule("deny", "Bash(rm:*)"), rule("allow", "Bash")], "allow")
    assert verdict.answer == "deny"
    assert verdict.because == "user config: deny Bash(rm:*)"


@pytest.mark.parametrize(
    "line",
    [
        "echo rm",
        "git commit -m 'rm x'",
        "ls rm",
        "grep -rn 'rm -rf' src",
        "rmdir x",
        "uv run echo rm",
        "docker rm x",
        "uv add rm",
        "docker exec rm ls",
    ],
)
def test_a_deny_rule_leaves_words_that_are_no_command(line: str) -> None:
    assert decide(shell(line), [rule("deny", "Bash(rm:*)")], "allow").answer == "allow"


@pytest.mark.parametrize("line", ["git push", "git -C x push", "git --no-pager push origin main"])
def test_a_deny_rule_of_two_words_looks_past_options(line: str) -> None:
    assert decide(shell(line), [rule("deny", "Bash(git push:*)")], "allow").answer == "deny"


@pytest.mark.parametrize(
    ("text", "target", "place"),
    [
        ("Edit(src/**)", "src/a/b.py", "workspace"),
        ("Edit(./src/**)", "src/a.py", "workspace"),
        ("Edit(/src/**)", "src/a.py", "workspace"),
        ("Write(src/)", "src/a/b.py", "workspace"),
        ("edit(*.py)", "deep/er/a.py", "workspace"),
        ("Edit(~/notes/**)", "/home/ann/notes/x.md", "outside"),
        ("Edit(//tmp/x)", "/tmp/x", "outside"),
        ("Edit(.git/hooks/*)", ".git/hooks/x", "protected"),
        ("Edit(AGENTS.md)", "docs/AGENTS.md", "protected"),
        ("Edit", "a.py", "workspace"),
    ],
)
def test_a_path_rule_covers_what_it_says(text: str, target: str, place: Place) -> None:
    assert decide(Access("edit", target, place), [rule("allow", text)], "ask").answer == "allow"


@pytest.mark.parametrize(
    ("text", "target", "place"),
    [
        ("Edit(src/**)", "srcs/a.py", "workspace"),
        ("Edit(src/**)", "a/src/b.py", "workspace"),
        ("Edit(src/*.py)", "src/a/b.py", "workspace"),
        ("Edit(src/**)", "src/../.bashrc", "workspace"),
        ("Edit(src/**)", "src/.git/config", "protected"),
        ("Edit(**)", ".git/config", "protected"),
        ("Edit", ".git/config", "protected"),
        ("Edit", "/etc/passwd", "outside"),
        ("Edit(**)", "/etc/passwd", "outside"),
        ("Edit(~/notes/**)", "/home/ann/notes2/x", "outside"),
        ("Read", "a.py", "workspace"),
    ],
)
def test_a_path_rule_covers_nothing_else(text: str, target: str, place: Place) -> None:
    assert decide(Access("edit", target, place), [rule("allow", text)], "ask").answer == "ask"


@pytest.mark.parametrize(
    ("text", "target"),
    [
        ("Read(~/**)", "a.py"),
        ("Read(.env)", "sub/.ENV"),
        ("Read(/etc/passwd)", "/etc/passwd"),
        ("Read(secret/**)", "x/../secret/y"),
        ("Read(secret/**)", "secret"),
        ("Read(secret/)", "secret"),
        ("Read(//etc/**)", "/etc"),
        ("Read", "/etc/passwd"),
    ],
)
def test_a_deny_rule_reads_paths_widely(text: str, target: str) -> None:
    access = Access("read", target, "outside")
    assert decide(access, [rule("deny", text)], "allow").answer == "deny"


@pytest.mark.parametrize(
    ("text", "target"),
    [("Read(?)", "a.py"), ("Read(src/*.pem)", "src"), ("Read(/a/**)", "b/a"), ("Read(a/**)", "aa")],
)
def test_a_deny_rule_leaves_other_paths(text: str, target: str) -> None:
    assert decide(Access("read", target), [rule("deny", text)], "allow").answer == "allow"


@pytest.mark.parametrize(
    ("text", "host", "answer"),
    [
        ("WebFetch(domain:example.com)", "example.com", "allow"),
        ("WebFetch(domain:example.com)", "EXAMPLE.com.", "allow"),
        ("WebFetch(domain:example.com)", "a.example.com", "ask"),
        ("WebFetch(domain:*.example.com)", "a.example.com", "allow"),
        ("WebFetch(domain:*.example.com)", "notexample.com", "ask"),
        ("WebFetch(domain:*.example.com)", "evil.com\0.example.com", "ask"),
        ("WebFetch(domain:example.com)", "example.com.evil.com", "ask"),
        ("fetch", "any.host", "allow"),
    ],
)
def test_a_host_rule_compares_labels(text: str, host: str, answer: Answer) -> None:
    assert decide(Access("network", host), [rule("allow", text)], "ask").answer == answer


def test_a_deny_rule_for_a_host_holds_for_those_below_it() -> None:
    some = [rule("deny", "WebFetch(domain:evil.com)")]
    for host in ("evil.com", "a.evil.com", "evil.com\0.good.com"):
        assert decide(Access("network", host), some, "allow").answer == "deny"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("Bsh(ls)", "Did you mean Bash?"),
        ("Zzz", "The names are"),
        ("Bash(git * main)", "`*` elsewhere"),
        ("Bash($x:*)", "plain words"),
        ("Bash(a && b:*)", "plain words"),
        ("Bash($(x):*)", "substitution"),
        ("Edit(!x)", "no leading"),
        ("Edit(a\\)", "backslash at its end"),
        ("Edit(../x)", "no `..`"),
        ("WebFetch(domain:a b)", "is not a host"),
        ("a b c", "is not a rule"),
        ("", "is not a rule"),
    ],
)
def test_a_bad_rule_is_refused_with_a_sentence(text: str, sentence: str) -> None:
    with pytest.raises(ConfigError) as caught:
        rule("deny", text, "config.toml:3")
    assert sentence in str(caught.value)
    assert str(caught.value).startswith("config.toml:3: ")


@pytest.mark.parametrize("text", ["Task", "TodoWrite", "mcp__server__tool", "WebSearch"])
def test_tools_that_qcode_lacks_are_taken_and_match_nothing(text: str) -> None:
    assert decide(shell("ls"), [rule("deny", text)], "allow").answer == "allow"


def test_a_flag_is_divided_outside_of_brackets() -> None:
    assert split_rules("Bash(git log:*, x),Edit Read(a b) Bash(echo (a, b))") == (
        "Bash(git log:*, x)",
        "Edit",
        "Read(a b)",
        "Bash(echo (a, b))",
    )
