"""The hands of the app: what acts do with it, and the way from a command or a key to its act."""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, contextmanager
from pathlib import Path
from typing import TypeVar

from msgspec.structs import replace
from textual.app import App
from textual.filter import LineFilter
from textual.message import Message
from textual.screen import Screen

from qcode.protocol.errors import InputError, QcodeError
from qcode.protocol.events import AnyEvent, Notice
from qcode.protocol.inputs import Begin, Cancel, Input
from qcode.tui import themes
from qcode.tui.acts.table import WHERE, find
from qcode.tui.chat import terminal
from qcode.tui.chat.holding import Holder
from qcode.tui.chat.standing import standing
from qcode.tui.chat.talk import Talk
from qcode.tui.commands import COMMANDS, Action, Command, built, meant
from qcode.tui.home import Held, Home, Wanted
from qcode.tui.paint import LOCK
from qcode.tui.palette import Palette
from qcode.tui.prompt.messages import CommandWanted
from qcode.tui.prompt.sending import CommandRow
from qcode.tui.prompt.widget import PromptBox
from qcode.tui.screens.chat import ChatScreen
from qcode.tui.widgets.notice import Level
from qcode.tui.widgets.onboarding import OnboardingStrip

T = TypeVar("T")


class Hands(App[int]):
    """See `acts.hands.Hands`. `open`, `submit` and `show` are the app's own."""

    home: Home
    talk: Talk
    held: Held
    palette: Palette
    chat: ChatScreen
    holder: Holder
    mouse_is_on = True
    _stops: tuple[Callable[[], None], ...] = ()
    """See `stopped_by`."""
    _standing: asyncio.Future[Sequence[str]] | None = None
    """See `stand`: all that wait, wait for the same."""
    _keeps_mouse = False
    """What comes back to the terminal is heard of."""

    async def open(self, wanted: Wanted) -> None:
        """Another session in place of this one. Raises QcodeError."""
        raise NotImplementedError

    async def first(self, wanted: Wanted) -> None:
        """The first session, once it is clear what the folder may configure. Raises QcodeError."""
        if self.home.configured is not None:
            from qcode.tui.acts.trusting import settled  # noqa: PLC0415 - few folders configure

            if not await settled(self, self.home.configured, lambda: self.chat.prompt.text):
                self.do("leave")
                return
        self.chat.take(self.talk.hear(Begin(), self.home.clock()))
        await self.open(wanted)

    async def stand(self, wanted: Wanted) -> Sequence[str]:
        """Until that is there on which a first session stands; what was told meanwhile, which is
        to be told again where that session begins. Raises NotServedError."""
        is_elsewhere = bool(wanted.base_url) or wanted.demo is not None
        if self.home.ahead is None or is_elsewhere or self.holder.is_open:
            return ()
        self.run_worker(self.look_at_git(), group="git", exclusive=True)
        from qcode.tui.acts.serving import stand  # noqa: PLC0415 - most have a server

        if self._standing is None or self._standing.done():
            self._standing = asyncio.ensure_future(stand(self))
        return await asyncio.shield(self._standing)

    def submit(self, given: Input) -> None:
        """Say it to the engine."""
        raise NotImplementedError

    def show(self, said: Sequence[AnyEvent]) -> None:
        """As if the engine had said them."""
        raise NotImplementedError

    async def look_at_git(self) -> None:
        """Branch and changes, for the header."""
        talk = self.talk
        branch, changes = await standing(Path(talk.folder or self.home.folder))
        talk.status = replace(talk.status, branch=branch, changes=changes)
        self.chat.take(())

    def on_chat_screen_said(self, event: ChatScreen.Said) -> None:
        """What the person wants of the engine, or of what is done in its place."""
        if self._stops and isinstance(event.given, Cancel):
            for stop in self._stops:
                stop()
        else:
            self.submit(event.given)

    @contextmanager
    def stopped_by(self, stop: Callable[[], None]) -> Iterator[None]:
        """See `acts.hands`."""
        self._stops = (*self._stops, stop)
        try:
            yield
        finally:
            self._stops = tuple(one for one in self._stops if one is not stop)

    # -- to the act

    def on_prompt_command_wanted(self, event: CommandWanted) -> None:
        """A command of the table."""
        self.command(event.name, event.argument)

    def command(self, name: str, argument: str = "") -> None:
        """See `acts.hands`."""
        most = self.talk.settings.max_tokens
        try:
            row, does = meant(name, argument, self.commands, most)
        except InputError as error:
            self.say(str(error), "warning")
            return
        if row.when == "idle" and self.talk.running:
            self.say(f"/{row.name} waits for the end of the turn; Esc ends it", "warning")
        elif isinstance(does, Action):
            self.do(does.name, does.argument)
        else:
            self.submit(does)

    def on_chat_screen_wanted(self, event: ChatScreen.Wanted) -> None:
        """A key of the chat."""
        self.do(event.name)

    def on_onboarding_strip_wanted(self, event: OnboardingStrip.Wanted) -> None:
        """What to do without a server."""
        self.do(event.what, event.address)

    @property
    def commands(self) -> tuple[Command, ...]:
        """Those whose act there is."""
        return built(COMMANDS, self.can, self.talk.status.fence)

    @property
    def command_rows(self) -> tuple[CommandRow, ...]:
        """The same, for the prompt."""
        return tuple(CommandRow(one.name, one.hint, one.help, one.aliases) for one in self.commands)

    @property
    def where(self) -> str:
        """See `acts.hands`."""
        if self.screen is not self.chat:
            return str(getattr(self.screen, "WHERE", "picker"))  # lists load when they are wanted
        return "approval" if self.chat.approval.calls else "chat"

    def can(self, name: str) -> bool:
        """Whether something stands behind a name."""
        lent = {"bug": self.home.report, "doctor": self.home.examine}
        if name in lent and lent[name] is None:
            return False
        places = (self, ChatScreen, PromptBox)
        return name in WHERE or any(hasattr(one, f"action_{name}") for one in places)

    def do(self, name: str, argument: str = "") -> None:
        """An act, an action of the app, or one of the chat or its prompt."""
        if name in WHERE:
            self.run_worker(self._act(name, argument), group="act")
        elif hasattr(self, f"action_{name}"):
            self.run_worker(self.run_action(f"app.{name}"), group="act")
        else:
            chats = hasattr(ChatScreen, f"action_{name}")
            there = self.chat if chats else self.chat.prompt
            self.run_worker(self.run_action(name, there), group="act")

    def action_do(self, name: str) -> None:
        """A key of the whole app."""
        self.do(name)

    async def _act(self, name: str, argument: str) -> None:
        try:
            await (await find(name))(self, argument)
        except QcodeError as error:
            self.say(str(error), "warning")

    # -- what acts do

    def say(self, text: str, level: Level = "info") -> None:
        """See `acts.hands`."""
        self.chat.say(text, level)

    def tell(self, text: str) -> None:
        """See `acts.hands`."""
        self.show([Notice("info", text)])

    def close_strip(self) -> None:
        """See `acts.hands`."""
        self.chat.close_strip()

    def toggle_vim(self) -> str:
        """See `acts.hands`."""
        prompt = self.chat.prompt
        prompt.use_vim("on" if prompt.vim == "off" else "off")
        return "off" if prompt.vim == "off" else "on"

    def interrupt(self) -> bool:
        """See `acts.hands`."""
        return self.chat.interrupt()

    def write(self, text: str) -> None:
        """See `acts.hands`."""
        self.chat.prompt.write(text)

    async def ask(self, screen: Screen[T | None]) -> T | None:
        """See `acts.hands`."""
        return await self.push_screen_wait(screen)

    async def keep(self, what: AbstractAsyncContextManager[T]) -> T:
        """See `acts.hands`."""
        return await self.holder.keep(what)

    @property
    def themed(self) -> str:
        """See `acts.hands`."""
        return self.theme

    def wear(self, theme: themes.Theme) -> None:
        """See `acts.hands`."""
        self.palette.become(theme.colours, self.palette.depth)
        self.register_theme(themes.textual_theme(theme, self.palette.depth))
        self.theme = theme.name
        self.chat.repaint()

    def on_theme_picker_tried(self, event: Message) -> None:
        """A theme is at hand in the list."""
        self.wear(event.theme)  # type: ignore[attr-defined] # its module loads when it is wanted

    # -- the terminal

    def get_line_filters(self) -> Sequence[LineFilter]:
        """See `App`."""
        return (*super().get_line_filters(), LOCK)

    def write_terminal(self, sequence: str) -> None:
        """A sequence that Textual has no word for."""
        if self._driver is not None and not self.is_headless:
            self._driver.write(sequence)

    def action_mouse(self) -> None:
        """With the mouse off the terminal itself selects."""
        self.mouse_is_on = not self.mouse_is_on
        self.write_terminal(terminal.MOUSE_ON if self.mouse_is_on else terminal.MOUSE_OFF)
        if not self._keeps_mouse:
            self._keeps_mouse = True
            self.app_resume_signal.subscribe(self, lambda _: self._mouse_as_it_was())
        self.say("mouse on" if self.mouse_is_on else "mouse off: the terminal selects")

    def _mouse_as_it_was(self) -> None:
        """Textual turns it on whenever it takes the terminal back: after Ctrl+Z, or an editor."""
        if not self.mouse_is_on:
            self.write_terminal(terminal.MOUSE_OFF)
