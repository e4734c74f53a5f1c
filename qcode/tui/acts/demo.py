"""The demo inside the app: a project with a bug, and a script that answers in a model's place."""

import asyncio
import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from qcode.demo import project
from qcode.demo.playback import playback
from qcode.demo.script import bug_fix
from qcode.protocol.inputs import Prompt
from qcode.tui.acts.hands import Acts, Hands
from qcode.tui.home import Wanted
from qcode.tui.widgets.header import short_folder

ANNOUNCED = (
    "This is a demo: a script answers, and no model. It was written by hand for the one bug of a "
    "project in a temporary folder. The agent, its tools, the edit and the tests are real. "
    "/new ends it."
)


OVER = "That was the demo. /new begins a session of your own in"
LOOK_SECONDS = 0.1


async def watch(hands: Hands, _: str) -> None:
    """Open the demo's session and send its one prompt. It lasts until another is opened."""
    folder, base_url = await hands.keep(_stage())
    await hands.open(Wanted(base_url=base_url, demo=folder))
    hands.tell(ANNOUNCED)
    hands.submit(Prompt(project.prompt()))
    talk = hands.talk
    while hands.talk is talk and talk.running:  # noqa: ASYNC110 - a talk tells nobody of its end
        await asyncio.sleep(LOOK_SECONDS)
    if hands.talk is talk:
        hands.tell(f"{OVER} {short_folder(hands.home.folder)}.")


@asynccontextmanager
async def _stage() -> AsyncIterator[tuple[Path, str]]:
    """The project, and the address of the script."""
    home = await asyncio.to_thread(_home)
    try:
        folder = home / "hotel"
        await asyncio.to_thread(_write, folder)
        async with playback(bug_fix()) as base_url:
            yield folder, base_url
    finally:
        await asyncio.to_thread(shutil.rmtree, home, ignore_errors=True)


def _home() -> Path:
    return Path(tempfile.mkdtemp(prefix="qcode-demo-")).resolve()


def _write(folder: Path) -> None:
    folder.mkdir()
    project.write(folder)


ACTS: Acts = {"demo": watch}
