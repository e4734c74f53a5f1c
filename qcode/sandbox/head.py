"""The first lines that a program sends to a proxy -> where it wants to go, and what to send there.

Pure. What is not exactly in the grammar is no request: nothing is guessed, nothing is echoed.
"""

import re
from collections.abc import Iterator

import msgspec

from qcode.protocol.hosts import plain_host

HIGHEST = 65_535
_LINE = re.compile(r"([A-Z]{1,20}) ([\x21-\x7e]+) (HTTP/1\.[01])")
_FIELD = re.compile(r"([A-Za-z0-9!#$%&'*+.^_`|~-]+):[ \t]*([^\x00-\x08\x0a-\x1f\x7f]*)")
_AUTHORITY = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(?::([1-9][0-9]{0,4}))?")
_URL = re.compile(r"[Hh][Tt][Tt][Pp]://([^/?#]*)([/?][^#]*)?")
_DROPPED = frozenset({"host", "connection", "keep-alive", "upgrade", "te", "proxy-connection"})
"""Of one hop only; what begins with `proxy-` is for the proxy itself."""


class BadHead(ValueError):
    """It is no request that a proxy can take. `str(error)` is the sentence."""


class Wanted(msgspec.Struct, frozen=True):
    """Where to."""

    host: str
    """In its plain form (`protocol.hosts`)."""
    port: int
    first: bytes
    """What goes there first; empty = a tunnel is wanted (CONNECT)."""


def parse(head: bytes) -> Wanted:
    """`head`: all lines, with the empty one at their end. Raises BadHead."""
    lines = head.decode("latin-1").removesuffix("\r\n\r\n").split("\r\n")
    asked = _LINE.fullmatch(lines[0])
    if asked is None:
        raise BadHead("The first line is no request to a proxy.")
    method, target, version = asked.groups()
    fields = list(_fields(lines[1:]))
    if method == "CONNECT":
        return Wanted(*_place(target, None), b"")
    url = _URL.fullmatch(target)
    if url is None:
        raise BadHead("A proxy takes CONNECT host:port, and http:// with a host.")
    host, port = _place(url[1], 80)
    path = url[2] or "/"
    path = path if path.startswith("/") else f"/{path}"
    return Wanted(host, port, _origin(f"{method} {path} {version}", host, port, fields))


def spelled(host: str, port: int) -> str:
    """As in a URL."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _place(authority: str, default: int | None) -> tuple[str, int]:
    found = _AUTHORITY.fullmatch(authority)
    port = int(found[2] or default or 0) if found else 0
    host = plain_host(found[1]) if found else None
    if host is None or not 0 < port <= HIGHEST:
        raise BadHead("The host is not in a form that is taken: a name or an address, and a port.")
    return host, port


def _fields(lines: list[str]) -> Iterator[tuple[str, str]]:
    for line in lines:
        field = _FIELD.fullmatch(line)
        if field is None:
            raise BadHead("A header line is not in its form.")
        yield field[1], field[2]


def _origin(line: str, host: str, port: int, fields: list[tuple[str, str]]) -> bytes:
    """As the server itself is asked; it closes behind its answer, for another request on the same
    connection could be meant for another host."""
    named = spelled(host, port).removesuffix(":80")
    rows = [line, f"Host: {named}", "Connection: close"]
    rows += (f"{name}: {value}" for name, value in fields if not _is_dropped(name.lower()))
    return ("\r\n".join(rows) + "\r\n\r\n").encode("latin-1")


def _is_dropped(name: str) -> bool:
    return name in _DROPPED or name.startswith("proxy-")
