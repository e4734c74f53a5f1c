"""Where a download connects to: told before it does, judged when it does.

The library follows the hub's redirections by itself, and a hub may send one anywhere. So each
request is told by its host before it leaves, and each connection is judged by the address that it
is really made to (a name could mean another machine by then): the interpreter's audit hook sees
them all. Only what the library does in this thread is looked at.
"""

import socket
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any
from urllib.parse import urlsplit
from urllib.request import getproxies

import msgspec

from qcode.protocol.errors import InputError
from qcode.protocol.hosts import is_address, origin, plain_host, why_not_public
from qcode.protocol.text import one_line


class Way(msgspec.Struct, frozen=True):
    """A host that is connected to, or was refused."""

    host: str
    port: int
    because: str = ""
    """Why it was refused, a clause; empty = it is connected to."""

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == 443 else f"{host}:{self.port}"


Told = Callable[[Way], None]


class Ways:
    """Those of one hub."""

    def __init__(self, hub: str, told: Told) -> None:
        """`hub`: its URL; `told` hears of each host once, the hub's first."""
        self._hub, self._told = hub, told
        self._known: set[Way] = set()
        self._near: frozenset[str] | None = None

    @contextmanager
    def watched(self) -> Iterator[None]:
        """What is connected to inside is judged. Raises InputError where it is refused."""
        _install()
        before, _here.ways = getattr(_here, "ways", None), self
        try:
            yield
        finally:
            _here.ways = before

    def asked(self, request: Any) -> None:
        """Before each request, redirections too. Raises InputError."""
        self.ahead(str(request.url))

    def ahead(self, url: str) -> None:
        """It will be asked for. Raises InputError."""
        host, port = origin(url)
        if (host, port) == origin(self._hub):
            self._tell(Way(host, port))
            return
        if plain_host(host) is None:
            self._refuse(Way(one_line(host, 80), port, "it is no host in a plain form"))
        if (urlsplit(url).scheme, urlsplit(self._hub).scheme) == ("http", "https"):
            self._refuse(Way(host, port, "it would come without encryption"))
        if is_address(host):  # behind a proxy nobody sees the connection itself
            self._judge(host, Way(host, port))
        self._tell(Way(host, port))

    def connecting(self, address: str, port: int) -> None:
        """Before each connection. Raises InputError."""
        self._judge(address, Way(address, port))

    def _judge(self, address: str, way: Way) -> None:
        why = why_not_public(address.partition("%")[0])
        if why and address not in self._beside() and not self._is_made_up(address):
            self._refuse(Way(way.host, way.port, f"{address} is {why}"))

    def _is_made_up(self, address: str) -> bool:
        """Whether a tunnel of the person's own stands for it, as it does for the hub: some give
        every name an address of the network for benchmarks, and know themselves whose it is."""
        return _is_for_benchmarks(address) and any(map(_is_for_benchmarks, _addresses(self._hub)))

    def _beside(self) -> frozenset[str]:
        """Addresses of the hub and of proxies: the person's own choice, wherever they are."""
        if self._near is None:
            proxies = [url for kind, url in getproxies().items() if kind != "no"]  # hosts without
            urls = (self._hub, *(url if "://" in url else f"http://{url}" for url in proxies))
            self._near = frozenset(it for url in urls for it in _addresses(url))
        return self._near

    def _tell(self, way: Way) -> None:
        if way not in self._known:
            self._known.add(way)
            self._told(way)

    def _refuse(self, way: Way) -> None:
        self._tell(way)
        raise InputError(
            f"{urlsplit(self._hub).netloc} sends one to {Way(way.host, way.port)}, and nothing is "
            f"fetched from there: {way.because}."
        )


def _is_for_benchmarks(address: str) -> bool:
    """198.18.0.0/15, where no machine is."""
    return address.startswith(("198.18.", "198.19."))


def _addresses(url: str) -> set[str]:
    try:
        host, port = origin(url)
    except ValueError:  # no proxy could be meant by it
        return set()
    if plain_host(host) == host and is_address(host):
        return {host}
    with suppress(OSError, UnicodeError):  # who has none is not reached there
        return {str(row[4][0]) for row in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)}
    return set()


_here = threading.local()
_lock = threading.Lock()
_installed: list[bool] = []


def _install() -> None:
    """Once: it cannot be taken away again, and does nothing outside of `watched`."""
    with _lock:
        if not _installed:
            sys.addaudithook(_hear)
            _installed.append(True)


def _hear(event: str, arguments: tuple[Any, ...]) -> None:
    if event != "socket.connect":
        return
    ways: Ways | None = getattr(_here, "ways", None)
    if ways is not None and arguments[0].family in (socket.AF_INET, socket.AF_INET6):
        ways.connecting(str(arguments[1][0]), int(arguments[1][1]))
