"""The app: themes, screens, the worker that reads events; nothing else."""

import asyncio
import contextlib
import logging
import os
import signal
import time
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from pathlib import Path
from typing import ClassVar, TypeVar

from textual.app import App
from textual.binding import BindingType
from textual.message import Message
from textual.screen import Screen
from textual.theme import BUILTIN_THEMES

from qcode.protocol.errors import InputError, QcodeError
from qcode.protocol.events import AnyEvent, Notice, SessionStarted, ShellFinished, TurnFinished
from qcode.protocol.inputs import Begin, Input, Prompt
from qcode.tui import themes
from qcode.tui.acts.table import WHERE, find
from qcode.tui.chat import signals, terminal
from qcode.tui.chat.farewell import farewell
from qcode.tui.chat.frames import Frames
from qcode.tui.chat.standing import standing
from qcode.tui.chat.talk import Talk
from qcode.tui.commands import COMMANDS, Action, built, meant
from qcode.tui.home import Engine, Held, Home, Opened, Wanted
from qcode.tui.palette import Palette, depth
from qcode.tui.prompt.messages import CommandWanted
from qcode.tui.prompt.sending import CommandRow
from qcode.tui.screens.chat import ChatScreen
from qcode.tui.widgets.notice import Level
from qcode.tui.widgets.onboarding import OnboardingStrip

T = TypeVar("T")
LOG = logging.getLogger(__name__)
CLOSE_SECONDS = 5.0
"""What runs has so long to end when the app is left."""
LOOK_AT_GIT = (SessionStarted, TurnFinished, ShellFinished)
CRASHES, CRASH_SECONDS = 3, 10.0
"""So many failures of the screen within this time, and the app gives up."""


class QcodeApp(App[int]):
    """`run` it; then `failure` says why it ended before its time, `farewell` what to print."""

    ENABLE_COMMAND_PALETTE = False
    BINDINGS: ClassVar[list[BindingType]] = []
    CSS = "Screen { background: $background; }"

    def __init__(
        self, home: Home, wanted: Wanted | None = None, first: Prompt | None = None
    ) -> None:
        super().__init__()
        self.home = home
        self.failure: QcodeError | None = None
        self.talk = Talk()
        self.engine: Engine | None = None
        self._wanted = wanted or Wanted()
        self._early: list[Input] = [first] if first else []
        """Said before there was an engine."""
        self._reading: asyncio.Task[None] | None = None
        self._kept = contextlib.AsyncExitStack()
        """What the open session stands on …"""
        self._keeping = contextlib.AsyncExitStack()
        """… and the one that is opened next."""
        self.held = Held()
        self._crashes: list[float] = []
        theme = self._theme()
        self.palette = Palette(theme.colours, depth(self.console.color_system, os.environ))
        self.register_theme(themes.textual_theme(theme, self.palette.depth))
        self.theme = theme.name

    def _theme(self) -> themes.Theme:
        name = themes.chosen(self.home.state) or themes.usual(os.environ)
        found = themes.load(self.home.themes)
        return found.get(name) or found.themes[0]

    # -- from the first paint to the first event

    def on_mount(self) -> None:
        signals.heed(self._leave_by)
        self.commands = built(COMMANDS, self._can)
        self.chat = self._chat()
        self.push_screen(self.chat)
        self.write_terminal(terminal.KEEP_TITLE + terminal.title(f"qcode {self.home.folder.name}"))
        self.call_after_refresh(self._open_first)

    def _can(self, name: str) -> bool:
        return name in WHERE or any(hasattr(one, f"action_{name}") for one in (self, ChatScreen))

    def _chat(self) -> ChatScreen:
        rows = [CommandRow(row.name, row.hint, row.help) for row in self.commands]
        return ChatScreen(self.home, self.talk, self.palette, rows)

    def _open_first(self) -> None:
        self.run_worker(self._first(), name="first session")

    async def _first(self) -> None:
        try:
            await self.open(self._wanted)
        except QcodeError as error:  # nothing to show yet: it is told where qcode was started
            self.failure = error
            self.exit(1)

    async def open(self, wanted: Wanted) -> None:
        """Another session in place of this one. Raises QcodeError, and then nothing has changed."""
        try:
            opened = await asyncio.to_thread(self.home.open, wanted)
        except QcodeError:
            await self._keeping.aclose()
            raise
        await self._close_engine()
        await self._kept.aclose()
        self._kept, self._keeping = self._keeping, contextlib.AsyncExitStack()
        self.talk = Talk(session_id=opened.session_id)
        self.talk.replay(opened.past)
        self.held = opened.held
        self._follow(opened)

    def _follow(self, opened: Opened) -> None:
        self.engine = opened.engine
        self._reading = asyncio.create_task(
            Frames(opened.engine.events(), self._show).run(), name="events"
        )
        self.chat.begin(self.talk)
        self._show([Notice("info", text) for text in opened.notices])
        early, self._early = self._early, []
        for given in early or [Begin()]:
            self.submit(given)

    # -- events and inputs

    def _show(self, events: Sequence[AnyEvent]) -> None:
        try:
            self.chat.take(self.talk.take(events, time.monotonic()))
            if any(isinstance(event, LOOK_AT_GIT) for event in events):
                self._look_at_git()
        except Exception as error:  # noqa: BLE001 - whatever breaks, the session goes on
            self._handle_exception(error)

    def submit(self, given: Input) -> None:
        """Say it to the engine, or once there is one."""
        if self.engine is None:
            self._early.append(given)
        else:
            self.engine.submit(given)
        self.chat.take(self.talk.hear(given, time.monotonic()))

    # -- acts: what commands and keys ask for beyond an input

    def on_prompt_command_wanted(self, event: CommandWanted) -> None:
        """A command of the table."""
        try:
            row, does = meant(
                event.name, event.argument, self.commands, self.talk.settings.max_tokens
            )
        except InputError as error:
            self.say(str(error), "warning")
            return
        if row.when == "idle" and self.talk.running:
            self.say(f"/{row.name} waits for the end of the turn; Esc ends it", "warning")
        elif isinstance(does, Action):
            self.do(does.name, does.argument)
        else:
            self.submit(does)

    def do(self, name: str, argument: str = "") -> None:
        """An act by its name, or what a key of the chat does."""
        if name in WHERE:
            self.run_worker(self._act(name, argument), group="act")
        elif hasattr(self, f"action_{name}"):
            self.run_worker(self.run_action(f"app.{name}"))
        else:
            self.run_worker(self.run_action(name, self.chat))

    async def _act(self, name: str, argument: str) -> None:
        try:
            await (await find(name))(self, argument)
        except QcodeError as error:
            self.say(str(error), "warning")

    def on_onboarding_strip_wanted(self, event: OnboardingStrip.Wanted) -> None:
        """What to do without a server."""
        self.do(event.what, event.address)

    def on_chat_screen_rewind_wanted(self) -> None:
        self.do("rewind")

    def say(self, text: str, level: Level = "info") -> None:
        """See `Hands`."""
        self.chat.say(text, level)

    def tell(self, text: str) -> None:
        """See `Hands`."""
        self._show([Notice("info", text)])

    def write(self, text: str) -> None:
        """See `Hands`."""
        self.chat.prompt.write(text)

    async def ask(self, screen: Screen[T | None]) -> T | None:
        """See `Hands`."""
        return await self.push_screen_wait(screen)

    async def keep(self, what: AbstractAsyncContextManager[T]) -> T:
        """See `Hands`."""
        return await self._keeping.enter_async_context(what)

    @property
    def themed(self) -> str:
        """See `Hands`."""
        return self.theme

    def wear(self, theme: themes.Theme) -> None:
        """See `Hands`."""
        self.palette.become(theme.colours, self.palette.depth)
        self.register_theme(themes.textual_theme(theme, self.palette.depth))
        self.theme = theme.name
        self.chat.repaint()

    def get_theme_variable_defaults(self) -> dict[str, str]:
        """What Textual's own style sheets ask of a theme of terminal colours."""
        return BUILTIN_THEMES["ansi-dark"].variables

    def on_theme_picker_tried(self, event: Message) -> None:
        """A theme is at hand in the list."""
        self.wear(event.theme)  # type: ignore[attr-defined] # its module loads when it is wanted

    def on_chat_screen_said(self, event: ChatScreen.Said) -> None:
        self.submit(event.given)

    def _look_at_git(self) -> None:
        self.run_worker(self._git(), group="git", exclusive=True)

    async def _git(self) -> None:
        branch, changes = await standing(Path(self.talk.folder or self.home.folder))
        self.talk.status = replace(self.talk.status, branch=branch, changes=changes)
        self.chat.take(())

    # -- the end

    async def action_leave(self) -> None:
        """Close the session; it can be resumed."""
        await self._close_all_of_it()
        self.exit(0)

    def _leave_by(self, number: signal.Signals) -> None:
        if number.name == "SIGHUP":
            signals.let_go_of_terminal()
        self.run_worker(self._end_by_signal(), name="leaving")

    async def _end_by_signal(self) -> None:
        await self._close_all_of_it()
        self.exit(signals.TERMINATED)

    async def _close_all_of_it(self) -> None:
        await self._close_engine()
        await self._kept.aclose()
        await self._keeping.aclose()

    async def _close_engine(self) -> None:
        engine, self.engine = self.engine, None
        if engine is not None:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(CLOSE_SECONDS):
                    await engine.close()
        if self._reading is not None:
            self._reading.cancel()
            self._reading = None

    def farewell(self) -> str:
        """What stays on the normal screen."""
        return farewell(self.talk.blocks, self.talk.session_id, self.size.width or 80)

    # -- the terminal

    def write_terminal(self, sequence: str) -> None:
        """A sequence that Textual has no word for."""
        if self._driver is not None and not self.is_headless:
            self._driver.write(sequence)

    # -- failures

    def _handle_exception(self, error: Exception) -> None:
        """A screen that broke is made anew; the session is not the screen's."""
        LOG.error("the screen failed", exc_info=error)
        now = time.monotonic()
        self._crashes = [at for at in self._crashes if now - at < CRASH_SECONDS] + [now]
        if not self.is_running or len(self._crashes) > CRASHES or self._exit:
            super()._handle_exception(error)
            return
        self.call_later(self._renew, f"{type(error).__name__}: {error}")

    async def _renew(self, what: str) -> None:
        draft = self.chat.prompt.writing
        self.chat = self._chat()
        await self.switch_screen(self.chat)
        self.chat.prompt.write(draft)
        self.chat.take(())
        self._show([Notice("error", f"The screen failed and was drawn anew ({what}).")])
