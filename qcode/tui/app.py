"""The app: themes, screens, the worker that reads events; nothing else."""

import asyncio
import logging
import os
import signal
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.theme import BUILTIN_THEMES

from qcode.protocol.errors import QcodeError
from qcode.protocol.events import (
    AnyEvent,
    NotBegun,
    Notice,
    Returned,
    SessionStarted,
    ShellFinished,
    ToolCallFinished,
    TurnFinished,
)
from qcode.protocol.inputs import Begin, Cancel, Input, Prompt, SetModel, Unqueue
from qcode.tui import themes
from qcode.tui.acting import Hands
from qcode.tui.chat import habits, signals, terminal
from qcode.tui.chat.alt import read_alt
from qcode.tui.chat.attention import Attention, title
from qcode.tui.chat.farewell import farewell
from qcode.tui.chat.glimpse import glimpse
from qcode.tui.chat.holding import Holder
from qcode.tui.chat.keys import APP
from qcode.tui.chat.talk import Talk, replayed
from qcode.tui.chat.wishes import Wish, Wishes
from qcode.tui.home import Held, Home, NotServedError, UnforeseenError, Wanted
from qcode.tui.palette import Palette, depth
from qcode.tui.screens.chat import ChatScreen

LOG = logging.getLogger(__name__)
CHANGES_FILES = (SessionStarted, TurnFinished, ShellFinished)
"""Behind these git is looked at."""
CRASHES, CRASH_SECONDS = 3, 10.0
"""So many failures of the screen within this time, and the app gives up."""


class QcodeApp(Hands):
    """`run` it; then `failure` says why it ended before its time, `farewell` what to print."""

    ENABLE_COMMAND_PALETTE = False
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(key, f"do('{what}')", words, show=False) for key, what, words in APP
    ]
    CSS = "Screen { background: $background; }"

    def __init__(
        self, home: Home, wanted: Wanted | None = None, first: Prompt | None = None
    ) -> None:
        # else Textual, which looks before there is a theme, makes the terminal's own colours black
        super().__init__(ansi_color=True if os.environ.get("NO_COLOR") else None)
        read_alt()
        self.home = home
        self.failure: QcodeError | None = None
        self.talk = Talk()
        self.held = Held()
        self._given = [first] if first else []
        """Words of the command line."""
        self.holder = Holder(home, self.show, self._given)
        if first is not None:
            self.talk.hear(first, home.clock())
        self._wanted = wanted or Wanted()
        self._wishes = Wishes()
        self._attention = Attention()
        self._titled = ""
        self._early: list[events.Key | events.Paste] | None = []
        """Keys from before there was a prompt; None = it is there."""
        self._crashes: list[float] = []
        theme = themes.of_home(home.state, home.themes)
        self.palette = Palette(theme.colours, depth(self.console.color_system, os.environ))
        self.register_theme(themes.textual_theme(theme, self.palette.depth))
        self.theme = theme.name

    def get_theme_variable_defaults(self) -> dict[str, str]:
        """What Textual's own style sheets ask of a theme of terminal colours."""
        return BUILTIN_THEMES["ansi-dark"].variables

    # -- from the first paint to the first event

    def on_mount(self) -> None:
        # Textual's, from Python 3.12 on, has tasks begin at once: the engine is written for the
        # loop's own order, and asyncio's race of addresses breaks by it (3.13.0).
        asyncio.get_running_loop().set_task_factory(None)
        signals.heed(self._leave_by)
        if not self.is_headless:
            signals.come_back_only_from_suspension(self._driver)
        self.chat = self._chat()
        self.push_screen(self.chat)
        self.write_terminal(terminal.KEEP_TITLE)
        self.call_after_refresh(lambda: self.run_worker(self._first(), name="first session"))

    def _chat(self) -> ChatScreen:
        screen = ChatScreen(self.home, self.talk, self.palette, self.command_rows)
        if habits.vim(self.home.state):
            screen.prompt.use_vim("on")
        return screen

    async def _first(self) -> None:
        try:
            await self.first(self._wanted)
        except (NotServedError, UnforeseenError) as error:
            self._cannot_begin(error)
        except QcodeError as error:
            if self.home.ahead is not None or self.holder.waits(self._given):
                return self._cannot_begin(error)
            self.failure = error  # nothing to show yet: it is told where qcode was started
            self.exit(1)

    async def _again(self) -> None:
        try:
            await self.open(self._wanted)
        except QcodeError as error:
            self._cannot_begin(error)

    def _cannot_begin(self, error: QcodeError) -> None:  # what was said meanwhile is kept
        kind = error.kind if isinstance(error, NotServedError) else type(error).__name__
        self.show([NotBegun(str(error), kind)])

    async def open(self, wanted: Wanted) -> None:
        """Another session in place of this one. Raises QcodeError, and then nothing has changed."""
        with self._wishes.one() as wish:
            try:
                await self._open_or_stay(wanted, wish)
            except QcodeError as error:
                if wish.stands_for_others:
                    self._cannot_begin(error)
                raise

    async def _open_or_stay(self, wanted: Wanted, wish: Wish) -> None:
        before = self.talk
        try:
            await self._open(wanted, wish)
        except NotServedError:  # what can be seen is what will begin
            raise
        except QcodeError:
            self._begin(before)
            raise
        except Exception as error:
            LOG.exception("a session could not be opened")
            self._begin(before)
            raise UnforeseenError.of(error) from error

    async def _open(self, wanted: Wanted, wish: Wish) -> None:
        # not while another is open, whose events go on
        if seen := None if self.holder.is_open else await glimpse(self.home.peek, wanted):
            self._begin(seen)
        told = await self.stand(wanted)
        if not self._wishes.take(wish):
            return
        opened, talk = await self.holder.open(wanted, lambda found: replayed(found.past, seen))
        talk.session_id = opened.session_id
        self.held = opened.held
        self._begin(talk)
        early = self.holder.follow(opened)
        self.show([Notice("info", text) for text in (*told, *opened.notices)])
        for given in early:
            self.submit(given)

    def _begin(self, talk: Talk) -> None:
        if talk is not self.talk:
            self.talk = talk
            self.chat.begin(talk)

    # -- events and inputs

    def show(self, said: Sequence[AnyEvent]) -> None:
        """What the engine said since the last frame."""
        try:
            now, before = self.home.clock(), self.talk.status
            self.chat.take(self.talk.take(said, now))
            if news := self._attention.news(before, self.talk.status, now):
                self.write_terminal(terminal.notification(news))
            self._look_behind(said)
        except Exception as error:  # noqa: BLE001 - whatever breaks, the session goes on
            self._handle_exception(error)

    def _look_behind(self, said: Sequence[AnyEvent]) -> None:
        for event in said:
            if isinstance(event, ToolCallFinished):
                for path in event.edited:
                    self.chat.prompt.index.touch(path)
            if isinstance(event, SessionStarted):
                self.chat.prompt.commands = self.command_rows
        if any(isinstance(event, CHANGES_FILES) for event in said):
            self.run_worker(self.look_at_git(), group="git", exclusive=True)
        self._entitle()

    def submit(self, given: Input) -> None:
        """Say it to the engine, or once there is one."""
        if isinstance(given, Begin) and not self.holder.is_open:
            self.run_worker(self._again(), group="again", exclusive=True)
        elif isinstance(given, Cancel | Unqueue) and not self.holder.is_open:
            self.show([Returned(self.holder.take_back(given))])
        else:
            self.holder.submit(given)
        if isinstance(given, SetModel):
            here = self.held.addresses.get(given.model, self.held.base_url)
            self.held = replace(self.held, base_url=given.base_url or here)
        self.chat.take(self.talk.hear(given, self.home.clock()))
        self._entitle()

    # -- the terminal

    def _entitle(self) -> None:
        wanted = title(self.talk.status, Path(self.talk.folder or self.home.folder))
        if wanted != self._titled:
            self._titled = wanted
            self.write_terminal(terminal.title(wanted))

    async def on_event(self, event: events.Event) -> None:
        """See `App`; where the person looks is noted."""
        if self._early is not None and isinstance(event, events.Key | events.Paste):
            self._early.append(event)
            return
        match event:
            case events.Key():
                self._attention.last_key = self.home.clock()
                self.chat.last_key = time.monotonic()
                if self.screen is self.chat and self.chat.hear(event):
                    return
            case events.AppFocus():
                self._attention.focus = "here"
            case events.AppBlur():
                self._attention.focus = "elsewhere"
        await super().on_event(event)

    async def on_chat_screen_ready(self) -> None:
        """The prompt is there: what was typed before goes to it."""
        early, self._early = self._early, None
        for event in early or ():
            await super().on_event(event)

    # -- the end

    async def action_leave(self) -> None:
        """Close the session; it can be resumed."""
        await self._leave(0)

    async def action_quit(self) -> None:
        """Textual's own way out."""
        await self._leave(0)

    def _leave_by(self, number: signal.Signals) -> None:
        if number.name == "SIGHUP":
            signals.let_go_of_terminal()
        self.run_worker(self._leave(signals.TERMINATED), name="leaving")

    async def _leave(self, code: int) -> None:
        self.say("closing the session …")
        await self.holder.leave()
        self.write_terminal(terminal.BRING_BACK_TITLE)
        self.exit(code)

    async def on_unmount(self) -> None:
        """However the app ends, the session is closed."""
        if self._standing is not None:
            self._standing.cancel()
        await self.holder.leave()

    def farewell(self) -> str:
        """What stays on the normal screen."""
        talk, width = self.talk, self.size.width or 80
        return farewell(talk.blocks, talk.session_id, width, self.home.again())

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
        for group in ("act", "review"):  # they may wait for a screen that is gone
            self.workers.cancel_group(self, group)
            self.workers.cancel_group(self.chat, group)
        while self.screen is not self.chat:
            await self.pop_screen()
        self.chat = self._chat()
        await self.switch_screen(self.chat)
        self.chat.prompt.write(draft)
        self.show([Notice("error", f"The screen failed and was drawn anew ({what}).")])
