"""`--offline`: this process connects to the endpoints of its settings, and to nothing else.

An audit hook of the interpreter sees every connection and every look-up of a name before it is
made, whatever library or thread makes it, and cannot be taken away again. One gap is Python's own:
a name that is given to `socket.connect` itself, as asyncio, `httpx2` and `create_connection` never
do, is looked up before the hook hears of it; the connection is refused all the same. Other
processes are not its business: commands are kept from the network by the fence.
"""

import ipaddress
import socket
import sys
import threading
from collections.abc import Iterable
from contextlib import suppress
from typing import Any, NoReturn

from qcode.config.model import Config
from qcode.config.profiles import base_urls
from qcode.protocol.hosts import origin
from qcode.protocol.text import one_line
from qcode.server.endpoint import PORTS

_TO_ADDRESS = ("socket.connect", "socket.sendto", "socket.sendmsg")
_TO_NAME = ("socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr")


class Offline(OSError):
    """A connection that `--offline` does not let through."""


class _Allowed:
    """What may be connected to."""

    def __init__(self) -> None:
        self.named: set[tuple[str, int]] = set()
        """Endpoints by host, as the settings have them."""
        self.found: set[tuple[str, int]] = set()
        """Their addresses, once somebody has looked up the name."""
        self.ports = set(PORTS)
        """On this machine."""
        self._busy = threading.local()

    def add(self, urls: Iterable[str]) -> None:
        for url in urls:
            host, port = origin(url)
            self.named.add((_plain(host), port))
            if _is_here(host):
                self.ports.add(port)

    def name(self, host: object) -> None:
        """Before a look-up. Raises Offline."""
        text = _plain(_text(host))
        if _is_here(text) or _is_address(text):  # nobody is asked; the connection is judged
            return
        if text not in {name for name, _ in self.named}:
            self._refuse(text)
        self._look_up(text)

    def address(self, family: int, address: object) -> None:
        """Before a connection. Raises Offline."""
        if family == getattr(socket, "AF_UNIX", None) or address is None:
            return
        if family not in (socket.AF_INET, socket.AF_INET6) or not isinstance(address, tuple):
            self._refuse(f"a socket of another kind ({one_line(repr(address))})")
        host, port = _plain(_text(address[0])), address[1]
        if _is_here(host) and port in self.ports:
            return
        if (host, port) not in self.named | self.found:
            if not _is_address(host):
                self.name(host)
            for name in [name for name, its in self.named if its == port]:
                self._look_up(name)  # a name may have another address by now
        if (host, port) not in self.named | self.found:
            self._refuse(f"{host}:{port}")

    def _look_up(self, name: str) -> None:
        """Learn the addresses of an endpoint. What is looked up here passes this way again."""
        if getattr(self._busy, "now", False) or _is_address(name):
            return
        self._busy.now = True
        try:
            with suppress(OSError, UnicodeError):  # whoever asked will be told the same
                for *_, address in socket.getaddrinfo(name, None):
                    host = _plain(str(address[0]))
                    self.found |= {(host, port) for its, port in self.named if its == name}
        finally:
            self._busy.now = False

    def _refuse(self, what: str) -> NoReturn:
        known = ", ".join(sorted(f"{host}:{port}" for host, port in self.named))
        raise Offline(
            f"qcode is offline and does not connect to {one_line(what)}: only to "
            f"{known or 'local servers'}"
        )


_allowed = _Allowed()
_installed = threading.Lock()


def keep(config: Config) -> None:
    """Keep this process to the endpoints of `config`, where it says so; call it before anything
    connects. For good: what was kept stays so, and more endpoints may be added."""
    if config.agent.offline != "on":
        return
    _allowed.add(base_urls(config))
    if _installed.acquire(blocking=False):
        sys.addaudithook(_judge)


def _judge(event: str, arguments: tuple[Any, ...]) -> None:
    if not event.startswith("socket."):
        return
    if event in _TO_ADDRESS:
        _allowed.address(arguments[0].family, arguments[1])
    elif event in _TO_NAME:
        _allowed.name(arguments[0])
    elif event == "socket.getnameinfo":
        _allowed.name(arguments[0][0])


def _text(host: object) -> str:
    return host.decode("ascii", "replace") if isinstance(host, bytes) else str(host or "")


def _plain(host: str) -> str:
    """One form for each address; a name in lower case."""
    with suppress(ValueError):
        found = ipaddress.ip_address(host.partition("%")[0].strip("[]"))
        mapped = getattr(found, "ipv4_mapped", None)
        return str(mapped or found)
    return host.lower().removesuffix(".")


def _is_address(host: str) -> bool:
    with suppress(ValueError):
        return bool(ipaddress.ip_address(host))
    return False


def _is_here(host: str) -> bool:
    """This machine; the empty host is what listens everywhere."""
    with suppress(ValueError):
        found = ipaddress.ip_address(host)
        return found.is_loopback or found.is_unspecified
    return host in ("", "localhost")
