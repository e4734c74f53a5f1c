"""The profile for macOS, as text: a trial decides on a Mac whether the system takes it."""

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qcode.sandbox.ground import Ground
from qcode.sandbox.names import NAMES
from qcode.sandbox.seatbelt import profile, quoted

GOLDEN = Path(__file__).with_name("seatbelt.sb")
HOME, WORKSPACE, TMP = Path("/Users/ann"), Path("/Users/ann/project"), Path("/private/var/x/own")
GROUND = Ground((WORKSPACE,), HOME, own=(HOME / "Library/qcode",), shown=(HOME / "long",))


def read(text: str) -> list[object]:
    """Lists, words and strings, as Scheme reads them; raises where a bracket is open."""
    stack: list[list[object]] = [[]]
    for string, bracket, word in re.findall(r'"((?:\\.|[^"\\])*)"|([()])|([^\s()"]+)', text):
        if bracket == "(":
            stack.append([])
        elif bracket:
            done = stack.pop()
            stack[-1].append(done)
        else:
            stack[-1].append(word or re.sub(r"\\(.)", r"\1", string))
    (rules,) = stack
    return rules


def fits(path: str, one: object) -> bool:
    """Whether a filter names `path`."""
    assert isinstance(one, list)
    match one:
        case ["literal", str(value)]:
            return path == value
        case ["subpath", str(value)]:
            return path == value or path.startswith(f"{value}/")
        case ["regex", str(value)]:
            return re.search(value, path) is not None
        case ["require-all", *several]:
            return all(fits(path, it) for it in several)
        case _:
            return False


def allowed(rules: list[object], operation: str, path: str) -> bool:
    """What the last rule that fits says, as the system reads a profile."""
    verdict = False
    for rule in rules:
        assert isinstance(rule, list)
        names = [word for word in rule[1:] if isinstance(word, str)]
        filters = [it for it in rule[1:] if isinstance(it, list)]
        if rule[0] in ("allow", "deny") and any(_names(name, operation) for name in names):
            fit = not filters or any(fits(path, it) for it in filters)
            verdict = rule[0] == "allow" if fit else verdict
    return verdict


def _names(name: str, operation: str) -> bool:
    whole = name.endswith("*") and operation.startswith(name[:-1])
    return whole or name in ("default", operation)


RULES = read(profile(GROUND, TMP))


def test_the_profile_is_as_it_was() -> None:
    """Whoever changes it on purpose writes it anew, and tries it on a Mac."""
    assert profile(GROUND, TMP) == GOLDEN.read_text()


@pytest.mark.parametrize(
    ("operation", "path", "verdict"),
    [
        ("file-read-data", "/usr/bin/git", True),
        ("file-read-data", "/Users/ann/notes", True),
        ("file-read-data", "/Users/ann/.ssh/id", False),
        ("file-read-data", "/Users/ann/.netrc", False),
        ("file-read-data", "/Users/ann/Library/qcode/log", False),
        ("file-read-data", "/Users/ann/long/output", True),
        ("file-read-data", "/Users/ann/Library/Keychains/login.keychain-db", False),
        ("file-read-data", "/private/tmp/theirs", False),
        ("file-read-metadata", "/private/tmp", True),
        ("file-write-create", "/Users/ann/project/src/a.py", True),
        ("file-write-data", "/Users/ann/project/.git/index", True),
        ("file-write-create", "/private/var/x/own/file", True),
        ("file-write-data", "/Users/ann/notes", False),
        ("file-write-create", "/private/tmp/new", False),
        ("file-write-create", "/Users/ann/projects/evil", False),
        ("file-write-data", "/dev/null", True),
        ("file-write-data", "/dev/ttys003", False),
        ("network-outbound", "/var/run/docker.sock", False),
        ("network-bind", "/private/var/x/own/s", True),
        ("mach-lookup", "com.apple.SecurityServer", False),
        ("appleevent-send", "Finder", False),
    ],
)
def test_what_it_allows(operation: str, path: str, verdict: bool) -> None:  # noqa: FBT001 - a row
    assert allowed(RULES, operation, path) is verdict


@pytest.mark.parametrize("name", NAMES)
def test_protected_names_are_neither_written_nor_made_nor_moved_away(name: str) -> None:
    path = f"{WORKSPACE}/{name}"
    for it in (path, f"{path}/below", f"{WORKSPACE}/{name.upper()}"):
        for operation in ("file-write-create", "file-write-data", "file-write-unlink"):
            assert not allowed(RULES, operation, it)
    for parent in Path(name).parents[:-1]:
        assert not allowed(RULES, "file-write-unlink", f"{WORKSPACE}/{parent}")
    assert allowed(RULES, "file-write-create", f"{path}-other")


TEXT = st.text(st.characters(exclude_categories=("C", "Z")) | st.just(" "))


@given(TEXT)
def test_what_is_quoted_is_read_as_it_was(text: str) -> None:
    assert read(f"(subpath {quoted(text)})") == [["subpath", text]]


@given(TEXT)
def test_a_workspace_of_any_name_keeps_to_itself(name: str) -> None:
    name = name.replace("/", "") or "x"
    folder = HOME / f"w{name}"
    rules = read(profile(Ground((folder,), HOME), TMP))
    assert len(rules) == len(RULES)
    assert allowed(rules, "file-write-create", f"{folder}/a")
    assert not allowed(rules, "file-write-create", f"{folder}/.git/hooks/a")
    assert not allowed(rules, "file-write-create", f"{HOME}/elsewhere")


@pytest.mark.parametrize("text", ["a\nb", "a\0b", "a\x1bb", "a\u202eb"])
def test_what_it_cannot_hold_is_refused(text: str) -> None:
    with pytest.raises(OSError, match="cannot name"):
        quoted(text)
