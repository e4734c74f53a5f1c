"""`qcode -p --gguf` up to its first token, against the same engine without qcode."""

import json
import subprocess
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median

from tests.bench.figure import Figure
from tests.bench.ground import Ground
from tests.bench.qcode import program
from tests.support.llama import LlamaServer, Options, make_model

REPEATS = 5
SETTINGS = """\
[serve]
flags = ["--threads 1", "--threads-batch 1", "--ctx-size 65536"]
"""
"""As `LlamaServer` has it: two threads on busy cores wait for each other."""

FLAGS = ("--think", "off", "--tools", "", "--permission-mode", "plan", "--no-session")
FORM = ("--output-format", "stream-json", "--include-partial-messages", "--verbose")


def served(ground: Ground) -> Iterator[Figure]:
    """From the start of the process to the first token: bare, with qcode, and shared."""
    model = make_model(ground.place, "3.5")
    config = ground.qcode.home / "qcode" / "config" / "config.toml"
    config.parent.mkdir(parents=True)
    config.write_text(SETTINGS)
    try:
        figures = _seconds(ground, model)
    finally:
        _stop(ground)
    bare, asked, cold, warm = (figures[name] for name in ("bare", "asked", "cold", "warm"))
    yield Figure("bare xllamacpp: start to first token", bare, "s")
    yield Figure("bare xllamacpp, served already: request to first token", asked, "s", digits=3)
    yield Figure("-p --gguf: start to first token", cold, "s")
    yield Figure("-p --gguf: the same beyond bare", cold - bare, "s", 0.6)
    yield Figure("-p --gguf, the model served already: start to first token", warm, "s")
    yield Figure("-p --gguf, the model served already: beyond bare", warm - asked, "s", 0.35)


def _seconds(ground: Ground, model: Path) -> dict[str, float]:
    """Medians; all in turn, so that a slow moment meets each of them."""
    taken: dict[str, list[float]] = {"bare": [], "asked": [], "cold": [], "warm": []}
    for _ in range(REPEATS):
        first, second = _bare(model, ground.place / "bare.log")
        taken["bare"].append(first)
        taken["asked"].append(second)
        _stop(ground)
        taken["cold"].append(_qcode(ground, model))
        taken["warm"].append(_qcode(ground, model))
    return {name: median(one) for name, one in taken.items()}


def _bare(model: Path, log: Path) -> tuple[float, float]:
    """From the engine's start, and from a second request, when it is up."""
    began = time.monotonic()
    with LlamaServer(Options(str(model)), log) as engine:
        return _asked(engine.base_url, began), _asked(engine.base_url, time.monotonic())


def _asked(base_url: str, began: float) -> float:
    words = [{"role": "user", "content": "Say done."}]
    body = {"messages": words, "stream": True, "max_tokens": 16}
    request = urllib.request.Request(
        f"{base_url}/chat/completions",
        json.dumps(body).encode(),
        {"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=60) as answer:
        return _first(answer, lambda row: b'content":"' in row, began)


def _qcode(ground: Ground, model: Path) -> float:
    line = (*program(), "-p", "Say done.", "--gguf", str(model), *FLAGS, *FORM)
    began = time.monotonic()
    with subprocess.Popen(
        line,
        cwd=ground.folder("empty"),
        env=ground.qcode.environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    ) as process:
        assert process.stdout
        first = _first(process.stdout, lambda row: b"_delta" in row, began)
        process.stdout.read()
    return first


def _first(rows: "Iterator[bytes]", is_token: Callable[[bytes], bool], began: float) -> float:
    for row in rows:
        if is_token(row):
            return time.monotonic() - began
    raise AssertionError("no token came")


def _stop(ground: Ground) -> None:
    """What still serves; nothing is no failure."""
    subprocess.run(
        (*program(), "serve", "--stop"),
        env=ground.qcode.environment(),
        capture_output=True,
        check=False,
    )
