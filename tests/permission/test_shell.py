"""Command lines: nothing that runs is overlooked, and what cannot be told is said to be so."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qcode.permission.rules import decide
from qcode.permission.shell import Line, split
from qcode.permission.words import Word, names
from tests.permission.corpus import BENIGN, HOSTILE
from tests.permission.ground import rule, shell

USUAL = [
    rule("allow", f"Bash({name}:*)")
    for name in names(
        ". '[' alias awk bash busybox cat cd command compgen declare docker echo env eval exec "
        "export file find git go grep hash head jobs less let ls make man nice node nohup npm "
        "perl printf poetry pypy pytest python python3 python3.11 read rg sed set sh sort source "
        "ssh tar taskset tee test time timeout trap true unset uv uvx npx vim watch wc xargs x=1"
        " apt cc cmake cross-env ctest fd g++ gcc gh gradle hyperfine ip julia kubectl mvn perf pip"
        " psql Rscript run-parts sdiff split sqlite3 tcpdump"
        " cargo eslint jest mypy prettier pylint rspec"
    )
] + [
    rule("allow", f"Bash({command}:*)")
    for command in (
        *("uv run", "uv run pytest", "uv run --frozen ruff", "uv run python a.py", "npx tsc"),
        *("npx -y prettier", "docker exec web ls", "docker compose exec web ls", "docker run"),
        *("docker exec", "poetry run", "poetry run pytest"),
    )
]
"""A person who allowed all of these by prefix. Each hostile line begins with one of them."""


@pytest.mark.parametrize("line", HOSTILE)
def test_a_hostile_line_is_never_allowed_by_prefix_rules(line: str) -> None:
    assert decide(shell(line), USUAL, "ask").answer == "ask"


@pytest.mark.parametrize("line", BENIGN)
def test_its_benign_twin_is_allowed(line: str) -> None:
    verdict = decide(shell(line), USUAL, "ask")
    assert verdict.answer == "allow", split(line)


def test_the_corpus_is_large_enough() -> None:
    assert len(set(HOSTILE)) >= 60
    assert len(set(BENIGN)) >= 60


@pytest.mark.parametrize(
    ("line", "commands"),
    [
        ("git status && ls -la | wc -l", ["git status", "ls -la", "wc -l"]),
        ("if a; then b; else c; fi", ["a", "b", "c"]),
        ("(a; { b; }) & ! c", ["a", "b", "c"]),
        ("while a; do b; done", ["a", "b"]),
        ("a >/dev/null b", ["a b"]),
        ("timeout -k 5 10 nice -n 3 a b", ["a b"]),
        ("sudo -u x a", ["sudo -u x a", "a"]),
        ("find . -exec a {} \\; -exec b {} +", None),
        ("bash -c 'a; b'", ["a", "b"]),
        ("echo 'a;b' \"c|d\" e\\;f", ["echo 'a;b' 'c|d' 'e;f'"]),
        ("a # b; c\nd", ["a", "d"]),
        ("é ü", ["'é' 'ü'"]),
        ("uv run --with x a b && npx -y c", ["uv run --with x a b", "npx -y c"]),
    ],
)
def test_a_line_is_split_into_its_commands(line: str, commands: list[str] | None) -> None:
    found = split(line)
    assert not found.unclear
    if commands is None:
        assert [str(command).split()[0] for command in found.commands] == ["find", "a", "b"]
    else:
        assert [str(command) for command in found.commands] == commands


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("a " + "x" * 10_000, "longer than 10,000"),
        (";".join("a" * 51), "more than 50 parts"),
        ('sh -c "sh -c \'sh -c \\"sh -c \\\\\\"sh -c a\\\\\\"\\"\'"', ""),
        ("(" * 4000 + ")" * 4000, "does not parse"),
        ("echo $(a)", "substitution"),
        ("echo ${a@P}", "beyond a plain $name"),
        ("a <<E\nE", "here-document"),
        ("a\u202eb", "invisible"),
        ("a \\\n b", "continuation"),
        ("", "no command"),
    ],
)
def test_what_cannot_be_told_has_a_reason(line: str, reason: str) -> None:
    assert any(reason in each for each in split(line).unclear)


WORDS = st.sampled_from(
    ["a", "b", "c", "'a b'", '"b;c"', "a\\ b", "-x", "$v", "it''s", "x=1", "{}", "#", "a#b", '"$v"']
)
SIMPLE = st.lists(WORDS, max_size=3).map(lambda words: " ".join(["one", *words]))


@given(st.lists(SIMPLE, min_size=1, max_size=8), st.data())
def test_splitting_loses_no_command(commands: list[str], data: st.DataObject) -> None:
    named = [command.replace("one", f"cmd{index}", 1) for index, command in enumerate(commands)]
    line = ""
    for command in named:
        if line and "#" in line.rsplit("\n", 1)[-1].split():
            line += "\n"  # only a new line ends a comment
        elif line:
            line += data.draw(st.sampled_from([";", "&&", "||", "|", "\n", " & ", "|&"]))
        line += data.draw(st.sampled_from(["", "! ", "timeout 5 "])) + command
    found = split(line)
    # It may be said to be unclear where grammar and bash part (a comment after a pipe; `a|b|c`,
    # then a new line and `d&&e`): that asks, and nothing is lost.
    assert [command.words[0].text for command in found.commands] == [
        f"cmd{index}" for index in range(len(named))
    ]


@given(st.text(max_size=200))
def test_any_text_gets_an_answer(text: str) -> None:
    found = split(text)
    assert found.commands or found.unclear


PLAIN = (
    "a ", "b x", "c -y ", "a", " b ", ";", " && ", " || ", " | ", "\n", " 'q;a' ", '"r|b"', "\\ ",
    "$v ", "#", '"$v" ', ">/dev/null ", " 2>&1 ", "! ", "(", ")", "if a", "; then ", "; fi", "{ ",
    "; }", " & ", "sh -c 'a; b z'", "\t", "while ! a; do b; done", "time ", "command ",
    "time a=b ",
)  # fmt: skip
ODD = (
    "'", '"', "\\", "$(a)", "`b`", "\\\n", "=", "é", "&", "$", "`", "$(", ",", "{a,b}", "}", "<",
    "<<E", "\nE\n", "$'", "$'a'", "else ", "[[ ", "\r", "function ", "()", "coproc ", "exec ", "1",
    "eval ", "\u00a0", "-", "&>", ">&", "|&", "case a in a) ", ";; esac", "~", "!", "%", "^", "@",
    "builtin ", "then", "do", "${v}", "$1", "a=b ", "((", "))", "<(a)", ">", "trap a EXIT",
)  # fmt: skip
PIECES = st.one_of(*[st.sampled_from(PLAIN)] * 6, st.sampled_from(ODD))
RECORDER = """
record() { local IFS=$'\\037'; printf '%s\\036' "$*" >>"$LOG"; }
a() { record a "$@"; }; b() { record b "$@"; }; c() { record c "$@"; }
export -f a b c record
set -f +m
eval "$LINE"
wait
"""


def executed(line: str, folder: Path) -> set[tuple[str, ...]]:
    """The argument lists with which bash really runs `a`, `b` and `c`."""
    bash = shutil.which("bash") or ""
    log = folder / "log"
    log.unlink(missing_ok=True)
    subprocess.run(
        [bash, "--norc", "--noprofile", "-c", RECORDER],
        cwd=folder,
        env={"LINE": line, "LOG": str(log), "PATH": "/nonexistent", "v": "V", "HOME": "~"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        timeout=20,
        check=False,
    )
    data = log.read_bytes().decode("utf-8", "replace") if log.exists() else ""
    return {tuple(row.split("\x1f")) for row in data.split("\x1e")[:-1]}


def told(line: Line) -> set[tuple[str, ...]]:
    """The same, as `split` says it, with `$v` set to `V` and no other variable set."""
    words = [[_expanded(word) for word in command.words] for command in line.commands]
    return {tuple(text for text in texts if text is not None) for texts in words}


def _expanded(word: Word) -> str | None:
    """What bash makes of it; None = nothing at all."""
    if word.kind != "computed":
        return word.text
    return re.sub(r"\$(\w+)", lambda found: "V" if found[1] == "v" else "", word.text) or None


BLURRED = re.compile(r"\$\w+[\"'\\]+[\w|]")
"""`$v"x"`: without its quotes it reads like `$vx`, so that `told` cannot say what bash would."""


@pytest.mark.skipif(shutil.which("bash") is None, reason="needs bash to compare with")
@settings(max_examples=300)
@given(pieces=st.lists(PIECES, min_size=1, max_size=10))
def test_bash_runs_nothing_that_a_clear_line_does_not_tell(
    pieces: list[str], tmp_path_factory: pytest.TempPathFactory
) -> None:
    line = split("".join(pieces))
    if line.unclear or BLURRED.search(line.text):
        return
    folder = tmp_path_factory.getbasetemp() / "bash"
    folder.mkdir(exist_ok=True)
    assert executed(line.text, folder) <= told(line)
