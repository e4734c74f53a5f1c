"""A connection to a host that was allowed: to no address but public ones, and to exactly the one
that was judged."""

import asyncio
import os
import socket
import threading
from collections.abc import Callable, Sequence
from ipaddress import ip_address

import msgspec

from qcode.protocol.hosts import why_not_public

RESOLVE_SECONDS = 20.0
CONNECT_SECONDS = 15.0
"""For each address."""


class NotReached(Exception):
    """There is no connection."""

    def __init__(self, status: str, clause: str) -> None:
        """`status`: of HTTP; `clause`: what stands behind `example.com:443`."""
        super().__init__(clause)
        self.status = status
        self.clause = clause


def resolved(host: str, port: int) -> Sequence[str]:
    """Addresses of a name, by the system. Blocks. Raises OSError."""
    rows = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return tuple(dict.fromkeys(str(row[4][0]) for row in rows))


def why_closed(address: str) -> str:
    """Why nothing inside a fence connects to it, a clause; empty = it may.

    An address of this machine may be public, and its model server listen there.
    """
    return why_not_public(address) or ("an address of this machine" if is_own(address) else "")


def is_own(address: str) -> bool:
    """Whether this machine has it."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.bind((address, 0))  # only one's own can be taken
    except OSError:
        return False
    return True


class Reach(msgspec.Struct, frozen=True):
    """What is reached; only tests have another one than this."""

    resolve: Callable[[str, int], Sequence[str]] = resolved
    why_closed: Callable[[str], str] = why_closed

    def refuses(self, host: str) -> str:
        """Why nobody need be asked about `host`, a clause; empty = it is a name that may be public,
        or an address that is."""
        if host == "localhost" or host.endswith(".localhost"):
            return self.why_closed("127.0.0.1")
        return self.why_closed(host) if _is_address(host) else ""

    async def connect(self, host: str, port: int) -> socket.socket:
        """Not blocking; the caller closes it. Raises NotReached."""
        failure: OSError | None = None
        for address in await self._addresses(host, port):
            try:
                return await _connected(address, port)
            except OSError as error:  # TimeoutError is one
                failure = error
        said = os.strerror(failure.errno) if failure and failure.errno else "no answer"
        raise NotReached("502 Bad Gateway", f"was not reached ({said})")

    async def _addresses(self, host: str, port: int) -> Sequence[str]:
        """All of them, if each is public."""
        found: Sequence[str] = (host,)
        if not _is_address(host):
            try:
                found = await _in_thread(lambda: self.resolve(host, port))
            except (OSError, UnicodeError) as error:
                said = getattr(error, "strerror", None) or "no answer"
                clause = f"was not found ({said})"
                raise NotReached("502 Bad Gateway", clause) from error
        for address in found:
            if why := self.why_closed(address):
                raise NotReached("403 Forbidden", f"was refused: it leads to {address}, {why}")
        return found


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


async def _connected(address: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    wire = socket.socket(family, socket.SOCK_STREAM)
    try:
        wire.settimeout(0)
        async with asyncio.timeout(CONNECT_SECONDS):
            await asyncio.get_running_loop().sock_connect(wire, (address, port))
    except BaseException:
        wire.close()
        raise
    wire.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return wire


async def _in_thread(look_up: Callable[[], Sequence[str]]) -> Sequence[str]:
    """In one that the end of qcode does not wait for: a name server may take half a minute."""
    loop = asyncio.get_running_loop()
    done: asyncio.Future[Sequence[str]] = loop.create_future()

    def look() -> None:
        try:
            result, error = look_up(), None
        except Exception as raised:  # noqa: BLE001 - handed on whole to the one who waits
            result, error = (), raised
        try:
            loop.call_soon_threadsafe(settle, result, error)
        except RuntimeError:  # nobody waits any more: the loop is closed
            return

    def settle(result: Sequence[str], error: Exception | None) -> None:
        if done.done():
            return
        if error is None:
            done.set_result(result)
        else:
            done.set_exception(error)

    threading.Thread(target=look, name="resolve", daemon=True).start()
    async with asyncio.timeout(RESOLVE_SECONDS):
        return await done
