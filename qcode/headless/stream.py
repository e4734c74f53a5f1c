"""`--output-format stream-json`: a line of JSON for each thing that happens, and lines back.

With `--input-format stream-json` the run goes on from prompt to prompt until stdin ends; a message
that comes while a turn runs steers it. Stdout is this form's alone. `json-array` is the same as one
list at the end.
"""

import asyncio
import sys
from collections.abc import Callable

from qcode.headless import json as json_form
from qcode.headless.ends import Ends
from qcode.headless.exits import ExitCode
from qcode.headless.frames import Frames
from qcode.headless.host import Host
from qcode.headless.opening import StreamForm
from qcode.headless.run import Engine
from qcode.headless.signals import Caught
from qcode.headless.talk import talk
from qcode.headless.writer import Array, Writer
from qcode.protocol.inputs import Prompt


async def run(make: Callable[[], Engine], prompt: Prompt | None, form: StreamForm) -> ExitCode:
    """Run until the turn ends, or until stdin does. `make`: the engine, once the first line is
    given out, for it takes a while; it is closed when this returns. Whatever fails ends in a
    `result`: this raises only what keeps the list of `json-array` from being given out."""
    loop, gone = asyncio.get_running_loop(), asyncio.Event()
    writer: Writer | Array
    if form.output == "json-array":
        writer = Array(json_form.put)
    else:
        writer = Writer(sys.stdout.fileno(), lambda: _from_thread(loop, gone))
    frames = Frames(form.opening, form.shape, asks=form.asks)
    ends = Ends(frames, writer.write, form.last_message)
    with Caught() as caught:  # before the engine is there: a signal is heard when it is
        for frame in (frames.init(), *frames.warnings()):
            writer.write(frame)
        try:
            await _drive(Host(make(), ends, form), caught, prompt, gone)
        except Exception as error:  # noqa: BLE001 - each ends in a sentence, on these lines, too
            why = form.sentence(error)
            ends.fail(error, why)
            talk(why)
        finally:
            if isinstance(writer, Writer):
                await asyncio.to_thread(writer.close, lambda: caught.code is not None)
    if isinstance(writer, Array):  # blocks where nobody reads: outside, Ctrl+C ends that too
        writer.close()
    elif writer.is_lost:
        talk(f"{writer.why}, so the run was ended.")
        return caught.code or ends.code or ExitCode.FAILED  # a result that nobody has is none
    return caught.code or ends.code


async def _drive(host: Host, caught: Caught, prompt: Prompt | None, gone: asyncio.Event) -> None:
    caught.cancel = host.interrupt
    try:
        await host.talk(prompt, gone)
    finally:
        host.control.close()
        await host.engine.close()


def _from_thread(loop: asyncio.AbstractEventLoop, gone: asyncio.Event) -> None:
    try:
        loop.call_soon_threadsafe(gone.set)
    except RuntimeError:  # the run is over
        return
