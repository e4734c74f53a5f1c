"""Keeps tests off the network: this process may connect to loopback addresses only.

An audit hook of the interpreter refuses the connection, so nothing is replaced or patched, and
whatever library opens the socket is covered. Other processes are not: tests start those with
loopback addresses in their settings.
"""

import ipaddress
import socket
import sys
from typing import Any

attempts: list[str] = []
"""Addresses outside that were asked for; whoever runs a test empties it and looks afterwards."""


def install() -> None:
    """From now on, to the end of the process: audit hooks cannot be taken back."""
    sys.addaudithook(_refuse)


def _refuse(event: str, arguments: tuple[Any, ...]) -> None:
    if event == "socket.connect":
        opened, address = arguments
        outside = opened.family in (socket.AF_INET, socket.AF_INET6) and not _is_loopback(
            address[0]
        )
        target = address
    elif event == "socket.getaddrinfo":
        target = arguments[0]
        outside = not _is_loopback(target)
    else:
        return
    if outside:
        attempts.append(str(target))
        raise PermissionError(f"tests may not leave this machine: {target}")


def _is_loopback(host: str | bytes | None) -> bool:
    name = host.decode() if isinstance(host, bytes) else host or ""
    try:
        return ipaddress.ip_address(name.partition("%")[0]).is_loopback
    except ValueError:
        return name in ("", "localhost", socket.gethostname())
