"""What an act may do with the app."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from typing import Any, Protocol, TypeVar

from textual.screen import Screen

from qcode.protocol.events import AnyEvent
from qcode.protocol.inputs import Input
from qcode.tui.chat.talk import Talk
from qcode.tui.commands import Command
from qcode.tui.home import Held, Home, Wanted
from qcode.tui.palette import Palette
from qcode.tui.themes import Theme
from qcode.tui.widgets.notice import Level

T = TypeVar("T")


class Hands(Protocol):
    """The app, as far as acts see it."""

    home: Home
    talk: Talk
    held: Held
    palette: Palette

    @property
    def commands(self) -> tuple[Command, ...]:
        """Those that work."""
        ...

    @property
    def where(self) -> str:
        """The screen on top, as `keys.SCREENS` names it."""
        ...

    def can(self, name: str) -> bool:
        """Whether `do` has something behind that name."""
        ...

    def do(self, name: str, argument: str = "") -> None:
        """An act, or what a key of the chat does, by its name."""
        ...

    def command(self, name: str, argument: str = "") -> None:
        """As if it had been written."""
        ...

    @property
    def themed(self) -> str:
        """Name of the theme that is shown."""
        ...

    def wear(self, theme: Theme) -> None:
        """Show another theme."""
        ...

    async def keep(self, what: AbstractAsyncContextManager[T]) -> T:
        """Hold it open until the session is left that is opened next."""
        ...

    def submit(self, given: Input) -> None:
        """Say it to the engine."""
        ...

    async def open(self, wanted: Wanted) -> None:
        """Another session in place of this one. Raises QcodeError, and then nothing changed."""
        ...

    def say(self, text: str, level: Level = "info") -> None:
        """A glance's worth."""
        ...

    def tell(self, text: str) -> None:
        """A note in the conversation, for this screen only."""
        ...

    def show(self, said: Sequence[AnyEvent]) -> None:
        """As if the engine had said them."""
        ...

    def stopped_by(self, stop: Callable[[], None]) -> AbstractContextManager[None]:
        """What an interruption does within, in place of ending a turn, with all others of these."""
        ...

    def close_strip(self) -> None:
        """That no server answers is being seen to."""
        ...

    def toggle_vim(self) -> str:
        """`on` or `off`, as it is then."""
        ...

    def interrupt(self) -> bool:
        """End the turn that runs; False = none does."""
        ...

    def write(self, text: str) -> None:
        """Words into the prompt."""
        ...

    async def ask(self, screen: Screen[T | None]) -> T | None:
        """Show a screen over all others, until the person is done with it."""
        ...


Act = Callable[[Any, str], Awaitable[None]]
"""Hands, and the argument of the command; raises QcodeError with a sentence."""

Acts = Mapping[str, Act]
"""By the name that `commands` and `keys` have for them."""
