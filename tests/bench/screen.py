"""The app in a pseudo terminal of 120x40: how soon it is there, how it answers while text streams,
what it takes."""

import random
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from statistics import median

from qcode.protocol.events import MessageCompleted, TurnFinished, TurnStarted
from qcode.protocol.messages import AssistantMessage, Text, UserMessage
from qcode.session.log import Log
from tests.bench.figure import Figure, counted, skipped
from tests.bench.ground import Ground
from tests.bench.prose import CHARACTERS, answer
from tests.bench.qcode import program
from tests.bench.talk import LLAMA
from tests.support.script import Pace, Reply, Usage
from tests.support.scripted_server import ScriptedServer
from tests.support.terminal import Terminal

STARTS = 7
IDLE_SECONDS = 10.0
KEYS = 80
KEY_SECONDS = 0.15
SIGNS = "жщюэыфвлд"
"""They stand in no escape sequence and in nothing that is streamed."""
PROMPT = "\N{HEAVY RIGHT-POINTING ANGLE QUOTATION MARK ORNAMENT}"
END = "That is all."
TOKENS, PER_SECOND = 4_000, 200
LONG_TOKENS = 20_000
MESSAGES = 5_000
MEGABYTE = 1_000_000


def screen(ground: Ground) -> Iterator[Figure]:
    """Every row of the table that the terminal app has to reach."""
    if sys.platform == "win32":
        yield skipped("the terminal app", "Windows has no pseudo terminals of this kind")
        return
    started = _start_seconds(ground)
    yield Figure("app: spawn to prompt visible, warm", started, "s", 0.7)
    yield counted("app: keys lost that were typed before that", _keys_lost(ground), "", 0)
    yield from _idle(ground)
    yield from _streaming(ground)
    yield from _echo_while_streaming(ground)
    yield from _long_answer(ground)
    yield from _long_session(ground, started)


@contextmanager
def _app(
    ground: Ground, replies: Sequence[Reply] = (), *arguments: str
) -> Iterator[tuple[Terminal, ScriptedServer]]:
    """Started, with a server that gives these replies."""
    folder, env = ground.folder("empty"), ground.qcode.environment()
    with ScriptedServer(*replies, about=LLAMA) as server:
        command = [*program(), "--base-url", server.base_url, *arguments]
        with Terminal(command, cwd=folder, env=env) as terminal:
            yield terminal, server


def _prompt_visible(terminal: Terminal) -> bool:
    return any(row.lstrip().startswith(PROMPT) for row in terminal.rows[-8:])


def _ready(terminal: Terminal) -> None:
    terminal.wait_until(_prompt_visible)
    terminal.settle(1.5)  # what loads behind the first paint is there then


def _start_seconds(ground: Ground) -> float:
    taken = []
    for _ in range(STARTS + 1):
        with _app(ground) as (terminal, _server):
            terminal.wait_until(_prompt_visible)
            taken.append(time.monotonic() - terminal.began)
            terminal.settle(0.5)
    return median(taken[1:])


def _keys_lost(ground: Ground) -> int:
    wanted = "typed before the first paint"
    with _app(ground) as (terminal, _server):
        terminal.type(wanted)
        terminal.wait_until(_prompt_visible)
        terminal.settle(1.0)
        return 0 if wanted in terminal.text else len(wanted)


def _idle(ground: Ground) -> Iterator[Figure]:
    with _app(ground) as (terminal, _server):
        _ready(terminal)
        before, bytes_before = terminal.cpu_seconds(), terminal.received
        _read_on(terminal, IDLE_SECONDS)
        spent = terminal.cpu_seconds() - before
        yield Figure("app: idle CPU", spent * 100 / IDLE_SECONDS, "%", 0.3)
        yield counted("app: bytes written while idle", terminal.received - bytes_before, "")
        yield Figure("app: memory at start", terminal.resident_bytes() / MEGABYTE, "MB", digits=0)
        yield from _echo(terminal, "idle", 6, 10)


def _echo(terminal: Terminal, when: str, middle: float, worst: float) -> Iterator[Figure]:
    terminal.blind = True
    dice, taken = random.Random(1), []
    for number in range(KEYS):
        _read_on(terminal, KEY_SECONDS * (0.5 + dice.random()))
        taken.append(terminal.echo_seconds(SIGNS[number % len(SIGNS)]) * 1000)
    terminal.blind = False
    taken.sort()
    yield Figure(f"app: key echo {when}, median", median(taken), "ms", middle, digits=1)
    yield Figure(f"app: key echo {when}, p95", taken[int(KEYS * 0.95)], "ms", worst, digits=1)


def _read_on(terminal: Terminal, seconds: float) -> None:
    end = time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0:
        terminal.pump(left)


def _until_answered(terminal: Terminal, server: ScriptedServer) -> None:
    while not (server.requests and server.requests[0].last_byte):
        terminal.pump(0.2)
    terminal.settle(0.5)


def _asked(terminal: Terminal) -> None:
    _ready(terminal)
    terminal.type("Tell me all of it.\r")


def _reply(tokens: int, per_second: float) -> Reply:
    pace = Pace(characters=CHARACTERS, delta_seconds=1 / per_second if per_second else 0)
    return Reply(text=answer(tokens) + f"\n\n{END}", pace=pace, usage=Usage(2_100, tokens))


def _streaming(ground: Ground) -> Iterator[Figure]:
    with _app(ground, [_reply(TOKENS, PER_SECOND)]) as (terminal, server):
        _asked(terminal)
        terminal.blind = True
        server.wait_for(lambda one: bool(one.requests))
        cpu, came, began = terminal.cpu_seconds(), terminal.received, time.monotonic()
        _until_answered(terminal, server)
        seconds = time.monotonic() - began
        rate = TOKENS / seconds
        share = (terminal.cpu_seconds() - cpu) * 100 / seconds * PER_SECOND / rate
        said = f"app: CPU during a stream, for {PER_SECOND} tokens/s (really {rate:.0f})"
        yield Figure(said, share, "%", 22, digits=1)
        kilobytes = (terminal.received - came) / 1000
        yield Figure(f"app: bytes for {TOKENS:,} streamed tokens", kilobytes, "KB", 600, digits=0)


def _echo_while_streaming(ground: Ground) -> Iterator[Figure]:
    with _app(ground, [_reply(TOKENS, PER_SECOND)]) as (terminal, server):
        _asked(terminal)
        terminal.wait_until(lambda _: bool(server.requests))
        _read_on(terminal, 2)
        yield from _echo(terminal, f"while {PER_SECOND} tokens/s stream", 10, 25)


def _long_answer(ground: Ground) -> Iterator[Figure]:
    with _app(ground, [_reply(LONG_TOKENS, 0)]) as (terminal, server):
        _asked(terminal)
        terminal.blind = True
        terminal.wait_until(lambda _: bool(server.requests))
        _until_answered(terminal, server)
        resident = terminal.resident_bytes() / MEGABYTE
        what = f"app: memory after an answer of {LONG_TOKENS:,} tokens"
        yield Figure(what, resident, "MB", 130, digits=0)


def _long_session(ground: Ground, started: float) -> Iterator[Figure]:
    _write_session(ground)
    what = f"app: a session of {MESSAGES:,} messages"
    taken = [_resume_seconds(ground) for _ in range(3)]
    yield Figure(f"{what}: chosen to first screen", median(taken), "s", 0.5)
    with _app(ground, (), "--continue") as (terminal, _server):
        terminal.wait_for(END, 20)
        seconds = time.monotonic() - terminal.began - started
        yield Figure(f"{what}: what --continue adds to the start", seconds, "s")
        _ready(terminal)
        resident = terminal.resident_bytes() / MEGABYTE
    yield Figure(f"{what}: memory", resident, "MB", 220, digits=0)


def _resume_seconds(ground: Ground) -> float:
    with _app(ground) as (terminal, _server):
        _ready(terminal)
        terminal.type("/resume")
        terminal.settle(0.5)
        terminal.type("\r")
        terminal.wait_for(f"{MESSAGES // 2} turns")
        terminal.settle(0.5)
        began = time.monotonic()
        terminal.type("\r")
        terminal.wait_until(lambda seen: _prompt_visible(seen) and END in seen.text)
        return time.monotonic() - began


def _write_session(ground: Ground) -> None:
    """A real one, made longer."""
    folder = ground.folder("empty")
    with ScriptedServer(Reply(text="Hello."), about=LLAMA) as server:
        ground.qcode.prompt(server.base_url, folder, "Hello.")
    (path,) = _logs(ground.qcode.home)
    log, _ = Log.reopen(path)
    for turn in range(2, MESSAGES // 2 + 1):
        log.append(TurnStarted(turn, UserMessage((Text(f"What about part {turn}?"),))))
        said = answer(80, seed=turn) + f"\n\n{END}"
        log.append(MessageCompleted(AssistantMessage((Text(said),)), 2_100, 1.0))
        log.append(TurnFinished("end_turn"))
    log.close()


def _logs(home: Path) -> list[Path]:
    return sorted(home.rglob("*.jsonl"), key=lambda path: path.stat().st_size)[-1:]
