"""Measuring a server: a real one, and scripted ones for what a real one does not do at will."""

import asyncio
import importlib.util
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from qcode.bench.measuring import Book, Measuring, Wish
from qcode.protocol.errors import BadAnswer
from qcode.server.client import connect
from tests.support.llama import LlamaServer, Options, make_model
from tests.support.llama_words import About
from tests.support.script import Body, Pace, Reply, Usage
from tests.support.scripted_server import StartScripted

BENCH = (sys.executable, "-m", "qcode", "bench", "server")


@pytest.fixture(scope="module")
def llama(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LlamaServer]:
    """llama.cpp with the tiny model, one slot of 8,192 tokens."""
    if not importlib.util.find_spec("xllamacpp"):
        pytest.skip("llama.cpp is not installed: pip install xllamacpp")
    folder = tmp_path_factory.mktemp("llama")
    options = Options(str(make_model(folder, "3.5")), n_ctx=8192)
    with LlamaServer(options, folder / "log") as server:
        yield server


def measured(base_url: str, wish: Wish) -> Measuring:
    async def run() -> Measuring:
        server = connect(base_url)
        try:
            measuring = Measuring(server, await server.facts(), "salt", lambda _: None)
            await measuring.run(wish)
            return measuring
        finally:
            await server.close()

    return asyncio.run(run())


def bench(*argv: str, base_url: str = "") -> "subprocess.CompletedProcess[str]":
    named = ("--base-url", base_url) if base_url else ()
    return subprocess.run(
        [*BENCH, *named, *argv], capture_output=True, text=True, check=False, timeout=100
    )


@pytest.mark.llamacpp
def test_a_real_server_has_a_curve_of_new_prompts(llama: LlamaServer, tmp_path: Path) -> None:
    saved = tmp_path / "a.json"
    argv = ("--sizes", "512,2k,4k,32k", "--repeat", "2", "--generate", "16", "--save", str(saved))
    ran = bench(*argv, "--json", "--note", "one slot", base_url=llama.base_url)
    assert ran.returncode == 0, ran.stderr
    told = json.loads(ran.stdout)
    assert told == json.loads(saved.read_text())
    assert (told["kind"], told["context_tokens"], told["note"]) == ("llamacpp", 8192, "one slot")
    assert told["told"]["slots"] == "1"
    assert [it["asked_tokens"] for it in told["points"]] == [512, 2048, 4096]
    for point in told["points"]:
        assert len(point["reading"]) == len(point["writing"]) == 2
        assert min(point["reading"] + point["writing"]) > 0
        assert point["cached_tokens"] < 64, "a prompt was not new"
        middle = sum(point["prompt_tokens"]) / 2
        assert abs(middle - point["asked_tokens"]) < 0.1 * point["asked_tokens"]
    assert told["left_out"] == [
        {"asked_tokens": 32768, "because": "the loaded context is 8,192 tokens"}
    ]
    text = bench("--compare", str(saved), str(saved))
    assert text.returncode == 0
    assert "in the noise" in text.stdout
    assert "\x1b" not in text.stdout


@pytest.mark.llamacpp
def test_ctrl_c_keeps_what_is_known(llama: LlamaServer, tmp_path: Path) -> None:
    line = [*BENCH, "--base-url", llama.base_url, "--sizes", "256", "--repeat", "100000"]
    process = subprocess.Popen(
        [*line, "--seconds", "90", "--save", str(tmp_path / "a.json")],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr
    for row in process.stderr:
        if "256 tokens, 3 of" in row:
            break
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    assert "Traceback" not in err
    assert "reading, tokens/s" in out
    assert json.loads((tmp_path / "a.json").read_text())["points"]


def said(body: Body) -> Reply:
    """A server that reads 10,000 tokens a second and writes 100, at three bytes a token."""
    tokens = len(body["messages"][-1]["content"]) // 3
    timings = {
        "prompt_n": tokens,
        "prompt_ms": tokens / 10,
        "prompt_per_second": 10_000.0,
        "predicted_n": 64,
        "predicted_ms": 640.0,
        "predicted_per_second": 100.0,
    }
    return Reply(text="x = 1", usage=Usage(tokens, 64, 0), timings=timings)


def test_the_servers_own_figures_are_taken(scripted: StartScripted) -> None:
    server = scripted(about=About(kind="llamacpp", context_tokens=65_536), otherwise=said)
    points = measured(server.base_url, Wish((512, 4096), 2)).book.points()
    assert [it.reading for it in points] == [(10_000.0, 10_000.0)] * 2
    assert [it.writing for it in points] == [(100.0, 100.0)] * 2


def test_no_prompt_begins_like_another_and_the_rounds_take_turns(scripted: StartScripted) -> None:
    server = scripted(about=About(kind="llamacpp", context_tokens=65_536), otherwise=said)
    measured(server.base_url, Wish((512, 4096), 2))
    prompts = [it.messages[-1]["content"] for it in server.requests]
    assert len({prompt[:40] for prompt in prompts}) == len(prompts) == 5
    lengths = [len(prompt) // 3 for prompt in prompts[1:]]
    assert [round(it / 512) for it in lengths] == [1, 8, 1, 8]


def test_what_does_not_fit_into_the_time_is_left_out_and_named(scripted: StartScripted) -> None:
    def slow(body: Body) -> Reply:
        reply = said(body)
        assert reply.usage
        wait = Pace(wait_seconds=reply.usage.prompt / 10_000)
        return Reply(text="x", usage=reply.usage, timings=reply.timings, pace=wait)

    server = scripted(about=About(kind="llamacpp", context_tokens=600_000), otherwise=slow)
    began = time.monotonic()
    book = measured(server.base_url, Wish((512, 1024, 200_000), 2, seconds=5.0)).book
    assert time.monotonic() - began < 10
    assert [it.asked_tokens for it in book.points()] == [512, 1024]
    (gap,) = book.gaps()
    assert gap.asked_tokens == 200_000
    assert "it takes about 2" in gap.because


def test_a_server_that_has_one_wait_takes_no_more_than_the_time(scripted: StartScripted) -> None:
    def waits(body: Body) -> Reply:
        is_long = len(body["messages"][-1]["content"]) > 3000
        reply = said(body)
        pace = Pace(wait_seconds=30.0 if is_long else 0.1)
        return Reply(text="x", usage=reply.usage, timings=reply.timings, pace=pace)

    server = scripted(about=About(kind="llamacpp", context_tokens=65_536), otherwise=waits)
    began = time.monotonic()
    book = measured(server.base_url, Wish((4096, 8192), 2, seconds=3.0)).book
    assert time.monotonic() - began < 8
    assert book.points() == ()
    assert [it.asked_tokens for it in book.gaps()] == [4096, 8192]
    assert "3 s in all" in book.gaps()[0].because


def test_an_interruption_names_what_was_not_come_to() -> None:
    book = Book(found={512: []}, left_out={8192: "too long"})
    book.interrupted((512, 1024, 8192))
    assert [(it.asked_tokens, it.because) for it in book.gaps()] == [
        (1024, "interrupted before it"),
        (8192, "too long"),
    ]


def test_a_length_that_fails_is_told_and_longer_ones_are_not_tried(scripted: StartScripted) -> None:
    def breaks(body: Body) -> Reply:
        if len(body["messages"][-1]["content"]) > 9000:
            return Reply(status=400, body={"error": {"message": "out of memory"}})
        return said(body)

    server = scripted(about=About(kind="llamacpp", context_tokens=65_536), otherwise=breaks)
    book = measured(server.base_url, Wish((512, 4096, 8192), 2)).book
    assert [len(it.reading) for it in book.points()] == [2]
    assert [it.asked_tokens for it in book.gaps()] == [4096, 8192]
    assert "out of memory" in book.gaps()[0].because


def test_a_server_that_answers_nothing_is_an_error(scripted: StartScripted) -> None:
    def broken(_: Body) -> Reply:
        return Reply(status=400, body={"error": {"message": "no model"}})

    server = scripted(otherwise=broken)
    with pytest.raises(BadAnswer, match="no model"):
        measured(server.base_url, Wish((512,)))


def test_nobody_there_is_exit_75_and_a_wrong_word_exit_2(tmp_path: Path) -> None:
    ran = bench("--sizes", "512", base_url="http://127.0.0.1:9/v1")
    assert (ran.returncode, ran.stdout) == (75, "")
    assert bench("--sizes", "many").returncode == 2
    assert bench("--compare", str(tmp_path / "none.json")).returncode == 42
    lost = bench("--save", str(tmp_path / "no" / "a.json"), base_url="http://127.0.0.1:9/v1")
    assert lost.returncode == 42, "told before anything is measured"


def test_a_terminal_of_ascii_gets_a_plot_it_can_show(scripted: StartScripted) -> None:
    server = scripted(about=About(kind="llamacpp", context_tokens=65_536), otherwise=said)
    ran = subprocess.run(
        [*BENCH, "--base-url", server.base_url, "--sizes", "512,1k", "--repeat", "1"],
        capture_output=True,
        check=True,
        env={**os.environ, "PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"},
    )
    assert b" o" in ran.stdout
    assert ran.stdout.isascii()
    assert b"?" not in ran.stdout
