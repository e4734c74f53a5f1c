"""Ports that the person opens by hand (`/port`), from the inside of the fence to themselves."""

import asyncio
from collections.abc import Callable

from qcode.engine.say import Say
from qcode.protocol.errors import SessionNotSaved
from qcode.protocol.events import Connected, Notice
from qcode.protocol.inputs import ClosePort, ListPorts, OpenPort
from qcode.sandbox.base import NotOpened, Runner

HIGHEST = 65_535
OPENED = "opened into the sandbox (/port)"
CLOSED = "closed again (/port)"

Given = OpenPort | ClosePort | ListPorts


class Ports:
    """Opens and closes them, one after the other; what came of it is said in a Notice."""

    def __init__(
        self, runner: Runner, say: Say, is_served: Callable[[int], bool] = lambda port: False
    ) -> None:
        """`is_served`: whether it is the port of the model's server."""
        self._runner = runner
        self._say = say
        self._is_served = is_served
        self._last: asyncio.Task[None] | None = None
        self._opened: dict[int, int] = {}
        """Inside -> the port by which the person reaches it."""

    def take(self, given: Given) -> None:
        """Do it, behind what was said before."""
        self._last = asyncio.get_running_loop().create_task(self._do(given, self._last))

    async def close(self) -> None:
        """Wait for what is being done; the runner closes the ports themselves."""
        if self._last is not None:
            await asyncio.gather(self._last, return_exceptions=True)

    async def _do(self, given: Given, before: "asyncio.Task[None] | None") -> None:
        if before is not None:
            await asyncio.gather(before, return_exceptions=True)
        try:
            notice = await self._done(given)
        except NotOpened as error:
            notice = Notice("warning", str(error))
        except SessionNotSaved as error:
            notice = Notice("error", f"The port stays closed: {error}")
        try:
            self._say(notice)
        except SessionNotSaved as error:  # it was done, and is shown all the same
            self._say(Notice("error", str(error)))

    async def _done(self, given: Given) -> Notice:
        match given:
            case OpenPort(port):
                return await self._open(port)
            case ClosePort(port):
                return await self._close(port)
            case _:
                return Notice("info", self._listed())

    async def _open(self, port: int) -> Notice:
        if not 0 < port <= HIGHEST:
            return Notice("warning", f"{port} is no port: they go from 1 to {HIGHEST}.")
        if not self._runner.fenced:
            return Notice("info", f"There is no fence here: {_url(port)} is open as it is.")
        if self._is_served(port):
            return Notice("warning", f"{port} is the port of the model's server: it stays closed.")
        self._opened[port] = await self._runner.open_port(port)
        await self._tell(port)
        return Notice("info", self._open_words(port))

    async def _tell(self, port: int) -> None:
        """For `qcode audit`. What no log can tell of is not done: then it is closed again, and
        SessionNotSaved raised."""
        try:
            self._say(Connected("127.0.0.1", self._opened[port], "user", "allow", OPENED))
        except SessionNotSaved:
            await self._shut(port)
            raise

    async def _close(self, port: int) -> Notice:
        """Closed first: that no log can tell of it is no reason to leave it open."""
        if port not in self._runner.ports():
            return Notice("warning", f"Port {port} is not open. {self._listed()}")
        outside = await self._shut(port)
        said = f"Port {port} is closed again."
        try:
            self._say(Connected("127.0.0.1", outside, "user", "closed", CLOSED))
        except SessionNotSaved as error:
            return Notice("error", f"{said} The log does not tell it: {error}")
        return Notice("info", said)

    async def _shut(self, port: int) -> int:
        """The port by which it was reached."""
        await self._runner.close_port(port)
        return self._opened.pop(port, port)

    def _listed(self) -> str:
        ports = self._runner.ports()
        if not ports:
            return "No port is open. /port 3001 opens one on which a command listens."
        return " ".join(self._open_words(port) for port in ports)

    def _open_words(self, port: int) -> str:
        return f"Port {port} of the sandbox is open to you: {_url(self._opened.get(port, port))}"


def _url(port: int) -> str:
    return f"http://127.0.0.1:{port}/"
