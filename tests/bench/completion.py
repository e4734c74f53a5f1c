"""`@` in a folder of 100,000 files: how soon files are offered, and what it costs who types."""

import random
import re
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median

from qcode.workspace.index import FileIndex
from tests.bench.figure import Figure, skipped
from tests.bench.ground import Ground
from tests.bench.qcode import program
from tests.bench.screen import KEY_SECONDS, PROMPT, SIGNS
from tests.bench.talk import LLAMA
from tests.support.scripted_server import ScriptedServer
from tests.support.terminal import Terminal

PARTS = ("account", "buffer", "cache", "filter", "index", "invoice", "network", "parser", "session")
FILES = 100_000
ASKED = (
    "o",
    "inv",
    "bufpars",
    "acc/net",
    "cache_parser_1",
    "networksessioninvoice",
    "accountbuffercachefilterindex_9",
    "parser_1/cachesess",
    "only.one.readme",
    "onlrdm",
)
"""The last two fit a single file."""
KEYS = 40
_STYLE = re.compile(rb"\x1b\[[0-9;:?]*[A-Za-z]")
_OFFERED = re.compile(rb"_\d+(/|\.py)|only\.one\.readme\.txt")


def completion(ground: Ground) -> Iterator[Figure]:
    """The index, the first files behind a key, the echo of keys meanwhile."""
    if sys.platform == "win32":
        yield skipped("completion", "Windows has no pseudo terminals of this kind")
        return
    folder = ground.folder("many")
    fill(folder)
    yield Figure("100,000 files: index for @, off the loop", _index_seconds(folder), "s", 2)
    with (
        ScriptedServer(about=LLAMA) as server,
        Terminal(
            [*program(), "--base-url", server.base_url],
            cwd=folder,
            env=ground.qcode.environment(),
        ) as terminal,
    ):
        terminal.wait_for(PROMPT)
        terminal.blind = True
        yield from _echo(terminal)
        _quiet(terminal, 5.0)
        taken = [seconds * 1000 for one in ASKED for seconds in _offered(terminal, one)]
    what = "100,000 files: first offered behind a key"
    yield Figure(f"{what}, median", median(taken), "ms", 50, digits=0)
    yield Figure(f"{what}, p95", sorted(taken)[int(len(taken) * 0.95)], "ms", 50, digits=0)


def fill(folder: Path) -> None:
    """100,000 files with names of several words, in folders of several words."""
    dice = random.Random(1)
    for number in range(FILES // 50):
        below = "/".join(dice.choices(PARTS, k=dice.randint(1, 5)))
        made = folder / f"{below}_{number}"
        made.mkdir(parents=True)
        for file in range(50):
            (made / f"{'_'.join(dice.choices(PARTS, k=2))}_{file}.py").touch()
    (folder / PARTS[0] / "only.one.readme.txt").touch()


def _index_seconds(folder: Path) -> float:
    """Beside a thread that wants the interpreter now and then, as the app's loop does."""
    index, done = FileIndex(folder), threading.Event()

    def wants() -> None:
        while not done.wait(0.005):
            pass

    beside = threading.Thread(target=wants)
    beside.start()
    began = time.monotonic()
    index.build()
    seconds = time.monotonic() - began
    done.set()
    beside.join()
    return seconds


def _echo(terminal: Terminal) -> Iterator[Figure]:
    """From the first paint on, while the folders are read."""
    dice, taken = random.Random(1), []
    for number in range(KEYS):
        _quiet(terminal, 0.02 + 0.03 * dice.random())
        taken.append(terminal.echo_seconds(SIGNS[number % len(SIGNS)]) * 1000)
    taken.sort()
    what = "100,000 files: key echo while they are read"
    yield Figure(f"{what}, median", median(taken), "ms", 10, digits=1)
    yield Figure(f"{what}, p95", taken[int(KEYS * 0.95)], "ms", 25, digits=1)


def _offered(terminal: Terminal, letters: str) -> Iterator[float]:
    """Seconds from each key to files on the screen that are the answer to it: their letters are
    marked, so that all are drawn again."""
    terminal.type("\x03")  # empties the prompt
    _quiet(terminal, 0.5)
    terminal.type("@")
    _quiet(terminal, 0.5)
    for letter in letters:
        came, began = b"", time.monotonic()
        terminal.type(letter)
        while not _OFFERED.search(_STYLE.sub(b"", came)):
            assert time.monotonic() < began + 5, f"nothing was offered for {letters}"
            came += terminal.pump(1.0)
        yield time.monotonic() - began
        _quiet(terminal, KEY_SECONDS)


def _quiet(terminal: Terminal, seconds: float) -> None:
    end = time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0:
        terminal.pump(left)
