"""The network of a session: found once, held by descriptors, gone with the last of them.

Commands of the session share its loopback, so that what one serves another one reaches. Nothing
leads out of it but the listener, whose connections qcode itself takes (`proxy`).
"""

import asyncio
import os
import socket
import subprocess
import sys

import msgspec

from qcode.sandbox.handed import compiled, words

PORT = 808
"""Below 1024: no command may bind there, so none can be in the way, or answer in its place."""
OTHER_PORT = 48_808
"""Where that one is not to be had: it is taken before any command runs."""
FILES = ("kernel.py", "founder.py")
SECONDS = 20.0
"""How long the founder may take; it needs 20 ms on an idle machine."""


class Network(msgspec.Struct, frozen=True):
    """What is held of it."""

    user: int
    """Descriptor of its user namespace, which owns the network."""
    net: int
    listener: socket.socket
    """On 127.0.0.1 inside; accepted from outside."""

    @property
    def port(self) -> int:
        """Of the listener."""
        return int(self.listener.getsockname()[1])

    def spaces(self) -> tuple[int, int]:
        """Copies of both namespaces, for a process that is to join. Raises OSError."""
        user = os.dup(self.user)
        try:
            return user, os.dup(self.net)
        except OSError:
            os.close(user)
            raise

    def close(self) -> None:
        """It is gone when no process is in it either."""
        os.close(self.user)
        os.close(self.net)
        self.listener.close()


def found(within: tuple[str, ...] = ()) -> Network:
    """Make one. Blocks for some 20 ms. Raises OSError.

    `within`: words of a program that makes the namespaces, to be followed by what runs in them.
    """
    deed = "show" if within else "found"
    helper = start(f"['{deed}'](f,{{wire}},({PORT},{OTHER_PORT}))", within=within)
    try:
        user, net, listener = helper.receive(3)
    finally:
        helper.end()
    return Network(user, net, socket.socket(fileno=listener))


def lender(network: Network) -> "Helper":
    """Makes sockets inside on demand: `Helper.ask`. Raises OSError."""
    user, net = network.spaces()
    return start(f"['lend'](f,{{wire}},{user},{net})", user, net)


class Helper(msgspec.Struct, frozen=True):
    """A process that sends descriptors. It ends when its wire does, so also with qcode."""

    process: subprocess.Popen[bytes]
    wire: socket.socket

    async def ask(self, word: bytes) -> socket.socket:
        """A socket of the other side. Not to be cancelled: the next one would get the answer.

        Raises OSError.
        """
        self.wire.send(word)
        loop, answered = asyncio.get_running_loop(), asyncio.Event()
        loop.add_reader(self.wire, answered.set)
        try:
            async with asyncio.timeout(SECONDS):
                await answered.wait()
        finally:
            loop.remove_reader(self.wire)
        (number,) = self.receive(1)
        return socket.socket(fileno=number)

    def receive(self, count: int) -> list[int]:
        """Descriptors that it sends. Blocks. Raises OSError with what it says instead."""
        said, descriptors, _, _ = socket.recv_fds(self.wire, 4096, count)
        if len(descriptors) == count:
            return descriptors
        for descriptor in descriptors:
            os.close(descriptor)
        why = said.decode(errors="replace") or "the process for it ended"
        raise OSError(f"the session's network could not be made: {why}")

    def end(self) -> None:
        """At once."""
        self.wire.close()
        self.process.kill()
        self.process.wait()


def start(call: str, *inherited: int, within: tuple[str, ...] = ()) -> Helper:
    """Run `call` of the founder's code; closes `inherited` here. Raises OSError."""
    held = list(inherited)
    try:
        if sys.platform != "linux":
            raise OSError("there are no namespaces on this system")
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        held.append(theirs.detach())
        try:
            ours.settimeout(SECONDS)
            reading, writing = os.pipe()
            held.append(reading)
            with os.fdopen(writing, "wb") as told:
                told.write(compiled(FILES))  # 5 KB: it fits into the pipe
            line = (*within, *words(reading, FILES, call.format(wire=held[-2])))
            return Helper(_process(line, tuple(held)), ours)
        except BaseException:
            ours.close()
            raise
    finally:
        for descriptor in held:
            os.close(descriptor)


def _process(line: tuple[str, ...], inherited: tuple[int, ...]) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        line,
        env={},
        cwd="/",
        pass_fds=inherited,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
