"""A model's file, served by qcode itself: as the flags say, or where no server answers."""

import asyncio
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import TypeVar

from qcode.protocol.errors import InputError, QcodeError
from qcode.protocol.events import NotBegun, ServerState
from qcode.tui.acts.hands import Acts, Hands
from qcode.tui.home import NotServedError, Wanted
from qcode.tui.screens.model_files import of_model_file
from qcode.tui.screens.pickers import Picker

T = TypeVar("T")
Told = Callable[[str], None]
Serves = Callable[[Told, Told], T]
"""Hears `say` and `loads` of `Home.serve`."""


class _GivenUpError(Exception):
    """The person does not wait any longer."""


async def stand(hands: Hands) -> Sequence[str]:
    """Until that is served on which the first session stands; what the person was told meanwhile.
    Esc ends the waiting. Raises NotServedError."""
    ahead, told = hands.home.ahead, list[str]()
    if ahead is None:
        return told

    def tell(text: str) -> None:
        told.append(text)
        hands.tell(text)

    try:
        await _loaded(hands, ahead, tell)
    except _GivenUpError:
        raise NotServedError("The model is not waited for any longer.", "ServerGone") from None
    except QcodeError as error:
        raise NotServedError(str(error), type(error).__name__) from error
    return told


async def model_file(hands: Hands, words: str) -> None:
    """Choose one, wait until it is loaded, and begin with it. Esc ends the waiting."""
    serve = hands.home.serve
    if serve is None:
        raise InputError("Models are served on Linux and macOS. On Windows use WSL.")
    model = words or await hands.ask(Picker(of_model_file(), hands.palette))
    if model is None:
        return
    hands.close_strip()
    hands.show([ServerState("loading")])
    try:
        name = await _loaded(hands, lambda say, loads: serve(model, say, loads), hands.tell)
    except _GivenUpError:
        hands.show([NotBegun(f"{model} is not waited for any longer.", "ServerGone")])
    except QcodeError as error:
        hands.show([NotBegun(str(error), type(error).__name__)])
    else:
        await hands.open(Wanted())
        hands.tell(f"{name} is served by qcode itself, until the app ends.")


async def _loaded(hands: Hands, serves: Serves[T], tell: Told) -> T:
    """What comes of it. Raises _GivenUpError when the person does not wait, and QcodeError."""
    loop, given_up, loading = asyncio.get_running_loop(), threading.Event(), threading.Event()

    def later(call: Callable[[], None]) -> None:
        with suppress(RuntimeError):  # the app has ended meanwhile
            loop.call_soon_threadsafe(call)

    def loads(_: str) -> None:
        if given_up.is_set():
            raise _GivenUpError
        if not loading.is_set():
            loading.set()
            later(lambda: hands.show([ServerState("loading")]))

    with hands.stopped_by(given_up.set):
        try:
            return await asyncio.to_thread(serves, lambda text: later(lambda: tell(text)), loads)
        finally:
            given_up.set()


ACTS: Acts = {"model_file": model_file}
