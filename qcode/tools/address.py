"""The address of a page, read strictly: what is judged is what is connected to."""

import re
from typing import Literal
from urllib.parse import quote, urljoin, urlsplit

import msgspec

from qcode.protocol.hosts import plain_host

MOST_CHARACTERS = 4_096

_SIGN = re.compile(r"[\x00-\x20\x7f\\]")
"""`urlsplit` takes line breaks away and browsers take a backslash for a slash: neither is guessed
at here."""
_NETLOC = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[^\[\]:@]+)(?::([0-9]{1,5}))?")
_PORTS = {"http": 80, "https": 443}
_LEFT_AS_IT_IS = "/%:@!$&'()*+,;=~-._?[]"


class Unfit(ValueError):
    """What is no address of a page; `str(error)` is a clause that says why."""


class Place(msgspec.Struct, frozen=True):
    """Where a page is."""

    scheme: Literal["http", "https"]
    host: str
    """In the one form of `plain_host`."""
    port: int
    target: str
    """Path and query, ASCII; begins with `/`."""

    @property
    def authority(self) -> str:
        """Host and port as they stand in a URL."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _PORTS[self.scheme] else f"{host}:{self.port}"

    @property
    def url(self) -> str:
        """All of it."""
        return f"{self.scheme}://{self.authority}{self.target}"


def place(url: str) -> Place:
    """The place that `url` names; without a scheme https is meant. Raises Unfit."""
    text = url.strip(" ")
    if len(text) > MOST_CHARACTERS:
        raise Unfit(f"it is longer than {MOST_CHARACTERS:,} characters")
    if _SIGN.search(text):
        raise Unfit("it holds blanks, control characters or a backslash")
    try:
        parts = urlsplit(text if "://" in text else f"https://{text}")
    except ValueError as error:
        raise Unfit(str(error)) from None
    if parts.scheme not in ("http", "https"):
        raise Unfit(f"only http and https are fetched, not {parts.scheme}")
    host, port = _host_and_port(parts.netloc, parts.scheme)
    target = quote(parts.path or "/", safe=_LEFT_AS_IT_IS)
    query = f"?{quote(parts.query, safe=_LEFT_AS_IT_IS)}" if parts.query else ""
    return Place("https" if parts.scheme == "https" else "http", host, port, target + query)


def _host_and_port(netloc: str, scheme: str) -> tuple[str, int]:
    if "@" in netloc:
        raise Unfit("it holds a user name or a password")
    found = _NETLOC.fullmatch(netloc)
    host = plain_host(found[1]) if found else None
    if found is None or host is None:
        raise Unfit("its host is not written plainly, such as example.com or xn--bcher-kva.example")
    port = int(found[2]) if found[2] else _PORTS[scheme]
    if port not in _PORTS.values() and not 1024 <= port <= 65_535:
        raise Unfit(f"port {port} is none of web pages")
    return host, port


def beside(here: Place, reference: str) -> Place:
    """Where a redirection from `here` leads. Raises Unfit."""
    if _SIGN.search(reference):
        raise Unfit("the redirection holds blanks, control characters or a backslash")
    try:
        return place(urljoin(here.url, reference))
    except ValueError as error:  # what urljoin cannot read; Unfit is one, too
        raise Unfit(str(error)) from None
