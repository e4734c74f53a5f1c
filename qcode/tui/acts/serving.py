"""A model's file, served by qcode itself, where no server answers."""

import asyncio
import threading
from contextlib import suppress

from qcode.protocol.errors import InputError, QcodeError
from qcode.protocol.events import NotBegun, ServerState
from qcode.tui.acts.hands import Acts, Hands
from qcode.tui.home import Wanted
from qcode.tui.screens.model_files import of_model_file
from qcode.tui.screens.pickers import Picker


class _GivenUpError(Exception):
    """The person does not wait any longer."""


async def model_file(hands: Hands, words: str) -> None:
    """Choose one, wait until it is loaded, and begin with it. Esc ends the waiting."""
    if hands.home.serve is None:
        raise InputError("Models are served on Linux and macOS. On Windows use WSL.")
    model = words or await hands.ask(Picker(of_model_file(), hands.palette))
    if model is None:
        return
    hands.close_strip()
    hands.show([ServerState("loading")])
    try:
        name = await _loaded(hands, model)
    except _GivenUpError:
        hands.show([NotBegun(f"{model} is not waited for any longer.", "ServerGone")])
    except QcodeError as error:
        hands.show([NotBegun(str(error), type(error).__name__)])
    else:
        await hands.open(Wanted())
        hands.tell(f"{name} is served by qcode itself, until the app ends.")


async def _loaded(hands: Hands, model: str) -> str:
    serve, loop, given_up = hands.home.serve, asyncio.get_running_loop(), threading.Event()
    assert serve is not None  # looked at by whoever calls

    def say(text: str) -> None:
        with suppress(RuntimeError):  # the app has ended meanwhile
            loop.call_soon_threadsafe(hands.tell, text)

    def loads(_: str) -> None:
        if given_up.is_set():
            raise _GivenUpError

    hands.stopped_by(given_up.set)
    try:
        return await asyncio.to_thread(serve, model, say, loads)
    finally:
        given_up.set()
        hands.stopped_by(None)


ACTS: Acts = {"model_file": model_file}
