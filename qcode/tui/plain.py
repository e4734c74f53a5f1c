"""`--plain`: lines in, lines out. No alternate screen, no cursor moved, nothing said twice: for
screen readers, for braille, for terminals that can do nothing else."""

import asyncio
import contextlib
import signal
import sys
import time
from collections.abc import Sequence

import msgspec

from qcode.protocol.errors import QcodeError
from qcode.protocol.events import AnyEvent
from qcode.protocol.inputs import Begin, Input, Prompt
from qcode.tui.chat.signals import let_go_of_terminal
from qcode.tui.home import Home, Wanted
from qcode.tui.plain_commands import PlainCommands
from qcode.tui.plain_input import heeded, read_lines
from qcode.tui.plain_talk import PlainTalk
from qcode.tui.plain_voice import Voice
from qcode.tui.prompt.sending import Command, Shell, Unknown, Words, meant

TICK_SECONDS = 1.0
TWICE_SECONDS = 2.0
"""A second Ctrl+C on an idle prompt within this quits."""
CLOSE_SECONDS = 5.0


async def run_plain(home: Home, wanted: Wanted | None = None, first: Prompt | None = None) -> int:
    """Talk until the person leaves; the exit code. Raises QcodeError: no session was opened."""
    return await _Loop(home, Voice(sys.stdout)).run(wanted or Wanted(), first or Begin())


class _Line(msgspec.Struct, frozen=True):
    text: str | None
    """None = there will be no more."""


class _Tick:
    pass


class _Going(msgspec.Struct):
    """Where things go from here."""

    code: int | None = None
    """Of the exit; None = on."""
    wanted: Wanted | None = None
    """Another session in place of this one."""
    examines: str | None = None
    """The server is to be examined; what was said with it."""
    ended: bool = False
    """No line will come any more."""
    pressed: float = float("-inf")
    """When Ctrl+C was pressed last on an idle prompt."""
    lines: list[str] = msgspec.field(default_factory=list)
    """The beginning of a prompt of several lines."""
    held: list[str] = msgspec.field(default_factory=list)
    """Lines of a pipe that nobody has asked for yet."""


class _Loop:
    """Everything that comes in, one after another."""

    def __init__(self, home: Home, voice: Voice) -> None:
        self._home = home
        self._voice = voice
        self._come: asyncio.Queue[AnyEvent | _Line | _Tick | signal.Signals] = asyncio.Queue()
        self._going = _Going()
        self._types = sys.stdin.isatty()
        self._reading: asyncio.Task[None] | None = None

    async def run(self, wanted: Wanted, first: Input) -> int:
        await self._open(wanted, first)
        with heeded(self._come.put_nowait):
            read_lines(sys.stdin.fileno(), lambda line: self._come.put_nowait(_Line(line)))
            ticking = asyncio.create_task(self._tick())
            try:
                while self._going.code is None:
                    await self._next()
            finally:
                ticking.cancel()
                await self._close()
        if id_ := self._plain.talk.session_id:
            self._voice.line(f"Go on with: qcode --resume {id_}{self._home.again()}", "dim")
        return self._going.code

    async def _open(self, wanted: Wanted, first: Input) -> None:
        opened = await asyncio.to_thread(self._home.open, wanted)
        await self._close()
        self._more()  # what the session before said at its end is its own
        self._plain = PlainTalk(opened, self._voice)
        self._commands = PlainCommands(self._home, self._plain, self._voice, self._leave)
        self._reading = asyncio.create_task(self._read(), name="events")
        self._plain.submit(first)
        self._plain.next()

    async def _close(self) -> None:
        reading, self._reading = self._reading, None
        if reading is None:
            return
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(CLOSE_SECONDS):
                await self._plain.engine.close()
        reading.cancel()

    async def _read(self) -> None:
        async for event in self._plain.engine.events():
            self._come.put_nowait(event)

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(TICK_SECONDS)
            if self._plain.talk.busy:
                self._come.put_nowait(_Tick())

    async def _next(self) -> None:
        """One thing that came, and the events that came with it."""
        come = await self._come.get()
        match come:
            case _Line(text):
                self._hear(text)
            case _Tick():
                self._plain.tick()
            case signal.Signals():
                self._signal(come)
            case _:
                self._plain.take([come, *self._more()])
        self._ask()
        if (wanted := self._going.wanted) is not None:
            self._going.wanted = None
            await self._turn_to(wanted)
        if (words := self._going.examines) is not None:
            await self._examine(words)

    async def _examine(self, words: str) -> None:
        """What came meanwhile comes behind it."""
        from qcode.tui.plain_doctor import examine  # noqa: PLC0415 - seldom wanted

        plain = self._plain
        model = plain.talk.status.model
        others = await examine(self._home, plain.held, model, words, self._voice, self._come)
        self._going.examines = None
        for one in others:
            self._come.put_nowait(one)
        self._ask()

    def _more(self) -> Sequence[AnyEvent]:
        events: list[AnyEvent] = []
        others: list[_Line | _Tick | signal.Signals] = []
        while not self._come.empty():
            one = self._come.get_nowait()
            if isinstance(one, _Line | _Tick | signal.Signals):
                others.append(one)
            else:
                events.append(one)
        for other in others:
            self._come.put_nowait(other)
        return events

    async def _turn_to(self, wanted: Wanted) -> None:
        try:
            await self._open(wanted, Begin())
        except QcodeError as error:
            self._voice.line(str(error), "error")
            self._ask()

    def _ask(self) -> None:
        """What is to be asked; of a pipe, the lines that answer it."""
        if self._is_leaving:
            return
        self._plain.next()
        while self._going.held and self._plain.wants != "nothing":
            self._voice.answered()
            self._line(self._going.held.pop(0))
            if self._is_leaving:
                return
            self._plain.next()
        if self._going.ended and not self._going.held:
            self._end_of_input()

    @property
    def _is_leaving(self) -> bool:
        """The session, or the talk for a while: no line is asked for."""
        going = self._going
        return not (going.code is None and going.wanted is None and going.examines is None)

    def _end_of_input(self) -> None:
        self._plain.give_up()
        if not self._plain.talk.busy:
            self._going.code = 0

    def _hear(self, text: str | None) -> None:
        if text is None:
            self._going.ended = True
        elif self._types:
            self._voice.answered()
            self._line(text)
        else:
            self._going.held.append(text)

    def _line(self, text: str) -> None:
        if self._plain.talk.waiting:
            self._plain.answer(text)
            return
        if text.endswith("\\"):
            self._going.lines.append(text[:-1])
            return
        whole = "\n".join([*self._going.lines, text])
        self._going.lines.clear()
        self._mean(whole)

    def _mean(self, text: str) -> None:
        match meant(text, self._commands.names):
            case Words(words):
                self._plain.say(words)
            case Shell(command, share):
                self._plain.run(command, share)
            case Command("rewind", argument) if argument:
                self._commands.rewind(argument)
            case Command(name, argument):
                self._commands.do(name, argument)
            case Unknown(sentence):
                self._voice.line(sentence, "warning")

    def _signal(self, number: signal.Signals) -> None:
        if number.name != "SIGINT":
            if number.name == "SIGHUP":
                let_go_of_terminal()
            self._going.code = 128 + number
        elif self._plain.talk.busy:
            self._plain.cancel()
        elif time.monotonic() - self._going.pressed < TWICE_SECONDS:
            self._going.code = 0
        else:
            self._going.pressed = time.monotonic()
            self._going.lines.clear()
            self._voice.line("Ctrl+C again quits.", "dim")

    def _leave(self, what: str, argument: str) -> None:
        match what:
            case "leave":
                self._going.code = 0
            case "new_session":
                self._going.wanted = Wanted()
            case "doctor":
                self._going.examines = argument
            case _:
                self._going.wanted = Wanted(argument, what == "fork")
