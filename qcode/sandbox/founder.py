"""Makes the network that the commands of a session share. Runs as `python -I -S`, outside of qcode.

Handed over as `launcher` is. It makes the namespaces and a listening socket in them, sends all
three to qcode, and ends: sockets belong to the namespace in which they were made, whoever holds
them. `lend` is run only when a port is opened to the person: it makes sockets in there on demand.
"""

from __future__ import annotations

import _socket  # the half of `socket` that is C: the other half costs 6 ms
import os
import struct

TYPE_CHECKING = False  # `typing` is not imported: 5 ms
if TYPE_CHECKING:
    from typing import BinaryIO

    from qcode.sandbox.kernel import NEWNET, join, loopback_up, unshare

WAITING = 128
"""Connections that the kernel keeps until qcode takes them."""


def found(told: BinaryIO, wire: int, ports: tuple[int, ...]) -> None:
    """Make namespaces and send what `show` does; or a sentence."""
    try:
        unshare(NEWNET)
        loopback_up()
    except OSError as error:
        _fail(_socket.socket(fileno=wire), error)
    else:
        show(told, wire, ports)


def show(told: BinaryIO, wire: int, ports: tuple[int, ...]) -> None:
    """Send a dot with the user namespace, the network and the listener; or a sentence.

    `ports`: the first that may be taken.
    """
    told.close()
    out = _socket.socket(fileno=wire)
    try:
        listener = _socket.socket(_socket.AF_INET, _socket.SOCK_STREAM)
        listener.setsockopt(_socket.SOL_SOCKET, _socket.SO_REUSEADDR, 1)
        _bind(listener, *ports)
        listener.listen(WAITING)
        spaces = [os.open(f"/proc/self/ns/{name}", os.O_RDONLY) for name in ("user", "net")]
        _send(out, *spaces, listener.fileno())
    except OSError as error:
        _fail(out, error)


def _bind(listener: _socket.socket, port: int, *others: int) -> None:
    try:
        listener.bind(("127.0.0.1", port))
    except PermissionError:
        if not others:
            raise
        _bind(listener, *others)


def _fail(out: _socket.socket, error: OSError) -> None:
    at = f" at {error.filename}" if error.filename else ""
    out.send(f"{error.strerror}{at}".encode("utf-8", "replace"))


def lend(told: BinaryIO, wire: int, user: int, network: int) -> None:
    """For each byte a socket: `6` = of version 6, else of 4. Ends when nobody can ask any more."""
    told.close()
    out = _socket.socket(fileno=wire)
    join(user, network)
    while asked := out.recv(1):
        family = _socket.AF_INET6 if asked == b"6" else _socket.AF_INET
        try:
            made = _socket.socket(family, _socket.SOCK_STREAM)
        except OSError as error:
            out.send(str(error.strerror).encode())
            continue
        _send(out, made.fileno())
        made.close()


def _send(out: _socket.socket, *descriptors: int) -> None:
    data = struct.pack(f"{len(descriptors)}i", *descriptors)
    out.sendmsg([b"."], [(_socket.SOL_SOCKET, _socket.SCM_RIGHTS, data)])
