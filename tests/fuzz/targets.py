"""Readers of what somebody else wrote, and what must hold whatever it is.

Each target takes bytes and raises where something does not hold. `test_fuzz` feeds it what
hypothesis thinks of, `__main__` what a fuzzer finds that sees which branches were taken. Command
lines are compared with bash itself in tests/permission/test_shell.py.
"""

import io
import re
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path

import msgspec

from qcode.config.files import ProjectFile, project
from qcode.permission.readonly import is_read_only
from qcode.permission.rules import decide, parse_rule
from qcode.permission.shell import split
from qcode.protocol.access import Access
from qcode.protocol.hosts import plain_host
from qcode.protocol.text import one_line, plain, well_formed
from qcode.sandbox.head import BadHead, parse
from qcode.server.failures import Cut, Refusal, Unusable, read_body
from qcode.server.reader import Reader
from qcode.session.envelope import NewerVersion
from qcode.session.reading import read_from
from qcode.tools.address import Unfit, place
from qcode.tools.markdown import markdown
from qcode.tui.drawing.visible import safe, visible
from qcode.tui.drawing.wrap import wrap_text
from qcode.workspace.diff import DoesNotApply, apply, counts, unified
from qcode.workspace.patches import hunks_of
from qcode.workspace.wildcards import NOTHING, path_regex
from tests.permission.ground import GROUND

SLOW_SECONDS = 5.0
_STEERS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_ALLOWED = [parse_rule(f"Bash({name}:*)", "allow", "fuzz", GROUND) for name in ("ls", "git", "rg")]


def commands(data: bytes) -> None:
    """A line that a prefix rule allows is one that was understood, sign by sign."""
    line = data.decode("utf-8", "replace")
    found = split(line)
    if decide(Access("shell", line), _ALLOWED, "ask").answer == "allow":
        assert not found.unclear
        assert all(command.words[0].text in ("ls", "git", "rg") for command in found.commands)
        assert not re.search(r"[`\x00-\x08\x0b-\x1f]|\$\(|<\(", _unquoted(line)), line
    if is_read_only(found):
        assert found.commands
        assert not found.unclear


def _unquoted(line: str) -> str:
    """Without what stands in single quotes, or behind a backslash or a number sign."""
    return re.sub(r"\\.|'[^']*'|(?:^|(?<=[\s;&|()]))#[^\n]*", "", line, flags=re.DOTALL)


def sanitiser(data: bytes) -> None:
    """Nothing that steers a terminal is left, and nothing is left to be taken twice."""
    text = data.decode("utf-8", "surrogateescape")
    for made in (plain(text), one_line(text), safe(text), visible(text)):
        assert not _STEERS.search(made), made
    well_formed(text).encode()
    assert plain(plain(text)) == plain(text)
    for line in wrap_text(safe(text), 40):
        assert "\n" not in line.text


def patches(data: bytes) -> None:
    """What is no patch says so; one of our own, applied, gives what it was made of."""
    text = data.decode("utf-8", "surrogateescape")
    try:
        hunks_of(text)
        counts(text)
        apply("one\ntwo\n", text)
    except (ValueError, DoesNotApply):
        pass  # that is how it says so
    before, _, after = text.partition("\0")
    assert apply(before, unified(before, after, "a.txt")) == after


def log(data: bytes) -> None:
    """A log that is cut, torn or strange gives what can be read of it."""
    with suppress(NewerVersion, OSError, ValueError):
        read_from(io.BytesIO(data))


def stream(data: bytes) -> None:
    """However the bytes are cut, the answer is the same, or the same refusal."""
    whole = _answered([data])
    half = data[:1] and data[0] % (len(data) or 1)
    assert _answered([data[: half or 0], data[half or 0 :]]) == whole
    read_body(data)


def _answered(pieces: list[bytes]) -> object:
    reader = Reader(id_prefix="x")
    try:
        for piece in pieces:
            reader.feed(piece)
        found = reader.finish()
    except (Unusable, Refusal, Cut) as error:
        return type(error)
    return msgspec.json.encode(found.message)


def settings(data: bytes) -> None:
    """A project's file never stops qcode, and never sets what is not its business."""
    notices: list[str] = []
    found = project(ProjectFile(Path("/p/.qcode/config.toml"), data, ""), notices)
    assert set(found) <= {"agent.thinking", "agent.sampling", "agent.exclude", "agent.verify"}
    assert len(notices) <= 12
    assert not any(_STEERS.search(notice) for notice in notices)


def hosts(data: bytes) -> None:
    """A host in its plain form stays as it is; a page's address is that of one host."""
    text = data.decode("utf-8", "replace")
    if host := plain_host(text):
        assert plain_host(host) == host
        assert re.fullmatch(r"[a-z0-9._:-]+", host)
    try:
        found = place(text)
    except Unfit:
        return
    assert plain_host(found.host) == found.host
    assert place(found.url) == found


def proxy(data: bytes) -> None:
    """What goes to a server is one request, for the host that was judged."""
    try:
        wanted = parse(data if data.endswith(b"\r\n\r\n") else data + b"\r\n\r\n")
    except BadHead:
        return
    assert plain_host(wanted.host) == wanted.host
    assert wanted.first.count(b"\r\n\r\n") == bool(wanted.first)
    assert b"\n" not in wanted.first.replace(b"\r\n", b"")


def page(data: bytes) -> None:
    """HTML to Markdown: always something, never long, soon."""
    text = data.decode("utf-8", "replace")
    began = time.monotonic()
    markdown(text, "http://example.com/")
    assert time.monotonic() - began < SLOW_SECONDS


def patterns(data: bytes) -> None:
    """A pattern of a repository is understood or matches nothing, and takes no time."""
    pattern, _, path = data.decode("utf-8", "replace").partition("\0")
    began = time.monotonic()
    made = path_regex(pattern)
    if made != NOTHING:
        re.compile(made, re.DOTALL).fullmatch(path)
    assert time.monotonic() - began < SLOW_SECONDS


TARGETS: Mapping[str, Callable[[bytes], None]] = {
    each.__name__: each
    for each in (
        *(commands, sanitiser, patches, log, stream, settings, hosts, proxy, page, patterns),
    )
}
