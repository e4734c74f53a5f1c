"""Runs that a program drives: how soon the first line comes, what a streamed token costs."""

import json
import os
import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from statistics import median

from tests.bench.figure import Figure, counted
from tests.bench.ground import REPEATS, Ground
from tests.bench.qcode import program
from tests.support.script import Pace, Reply
from tests.support.scripted_server import ScriptedServer

TOKENS = 400
STREAM = ("--output-format", "stream-json")
NOBODY = "http://127.0.0.1:9/v1"
"""An address at which nothing listens: the first line must not need it."""


def drivers(ground: Ground) -> Iterator[Figure]:
    """`--output-format stream-json`."""
    folder = ground.folder("driven")
    environ = {**os.environ, "QCODE_HOME": str(ground.qcode.home), "QCODE_BASE_URL": NOBODY}
    taken = [_first_line(str(folder), environ) for _ in range(REPEATS + 1)][1:]
    yield Figure("stream-json: start to system/init", median(taken), "s", 0.35)
    text = "".join(f"w{number:03} " for number in range(TOKENS))  # five characters each
    with ScriptedServer(Reply(text=text, pace=Pace(characters=5, delta_seconds=0.01))) as server:
        ran = ground.qcode.prompt(
            server.base_url, folder, "go", *STREAM, "--include-partial-messages"
        )
    kinds = Counter(json.loads(line)["type"] for line in ran.out.splitlines())
    yield counted("stream-json: stream events of an answer", kinds["stream_event"], "")
    yield counted("stream-json: bytes per streamed token", len(ran.out) // TOKENS, "B", 400)


def _first_line(folder: str, environ: dict[str, str]) -> float:
    began = time.monotonic()
    process = subprocess.Popen(
        [*program(), *STREAM, "--input-format", "stream-json", "-C", folder],
        env=environ,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    assert process.stdin
    assert process.stdout
    line = process.stdout.readline()
    taken = time.monotonic() - began
    assert json.loads(line)["subtype"] == "init"
    process.stdin.close()
    process.stdout.read()
    process.wait()
    return taken
