"""Whether an engine that serves still lives: what is silent because it works is left alone."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import pytest
from msgspec.structs import replace

from qcode.serve import child, shared
from qcode.serve.callers import callers
from qcode.serve.card import Card, Place, place_of
from qcode.serve.pulse import (
    CALLED_SECONDS,
    LEAST_WORK_SECONDS,
    PATIENCE_SECONDS,
    REST_SECONDS,
    STEP_SECONDS,
    Pulse,
    Work,
    work,
    work_of_others,
)
from tests.support.llama import make_model
from tests.support.served import hang, none_left, ready, task, until

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="there it runs inside WSL")

LISTENS = "import socket, time; s = socket.create_server(('127.0.0.1', 0)); "
PORT = "print(s.getsockname()[1], flush=True); "


@contextmanager
def program(code: str) -> Iterator[tuple[int, int]]:
    """Its port, and its group of processes."""
    line = [sys.executable, "-c", LISTENS + PORT + code]
    with subprocess.Popen(line, stdout=subprocess.PIPE, start_new_session=True) as process:
        assert process.stdout
        yield int(process.stdout.readline()), process.pid
        process.kill()


def looked(pulse: Pulse, seconds: float, step: float = 1.0) -> bool:
    """Whether it is found to hang within so many seconds, of which each is short here."""
    began = now = pulse_began
    while now - began < seconds:
        now += step
        time.sleep(0.03)
        if pulse.hangs(now):
            return True
    return False


pulse_began = 1_000.0
LONG = REST_SECONDS + PATIENCE_SECONDS + 5


def test_what_neither_answers_nor_works_hangs() -> None:
    with program("time.sleep(600)") as (port, group):
        pulse = Pulse(port, group, pulse_began)
        assert not looked(pulse, REST_SECONDS + PATIENCE_SECONDS - 3)
        pulse.close()
        assert looked(Pulse(port, group, pulse_began), LONG)


def test_what_works_without_an_answer_does_not_hang() -> None:
    with program("\nwhile True: pass") as (port, group):
        assert not looked(Pulse(port, group, pulse_began), 4 * LONG)


def test_what_answers_does_not_hang() -> None:
    with program("\nwhile True: s.accept()[0].sendall(b'HTTP/1.1 503 Busy')") as (port, group):
        assert not looked(Pulse(port, group, pulse_began), 4 * LONG)


def test_one_that_closes_the_door_is_asked_again() -> None:
    closes = "\ns.accept()[0].close()\nwhile True: s.accept()[0].sendall(b'HTTP/1.1 200 OK')"
    with program(closes) as (port, group):
        assert not looked(Pulse(port, group, pulse_began), 4 * LONG)


def test_one_that_listens_no_more_hangs() -> None:
    with program("s.close(); time.sleep(600)") as (port, group):
        assert looked(Pulse(port, group, pulse_began), LONG)


HELD = "\nheld = [s.accept()[0]]; held[0].recv(99)\n"
LETS_IN = "while True: held.append(s.accept()[0])"
"""One thread that answers, at work where nobody sees it, and one that lets callers in."""


def test_one_that_has_taken_a_request_is_given_longer() -> None:
    with (
        program(HELD + LETS_IN) as (port, group),
        socket.create_connection(("127.0.0.1", port)) as caller,
    ):
        caller.sendall(b"POST /")
        until(lambda: callers(port, 0) == 1)
        pulse = Pulse(port, group, pulse_began)
        assert not looked(pulse, REST_SECONDS + CALLED_SECONDS - 5, STEP_SECONDS)
        pulse.close()
        assert looked(Pulse(port, group, pulse_began), 2 * CALLED_SECONDS, STEP_SECONDS)


@pytest.mark.skipif(sys.platform != "linux", reason="only there it is told who was let in")
def test_one_that_stands_still_with_a_request_taken_hangs_as_soon_as_any() -> None:
    with (
        program(HELD + "time.sleep(600)") as (port, group),
        socket.create_connection(("127.0.0.1", port)) as caller,
    ):
        caller.sendall(b"POST /")
        until(lambda: callers(port, 0) == 1)
        assert looked(Pulse(port, group, pulse_began), LONG)


def test_a_request_that_nobody_takes_is_no_sign_of_life() -> None:
    with (
        program("time.sleep(600)") as (port, group),
        socket.create_connection(("127.0.0.1", port)) as caller,
    ):
        caller.sendall(b"POST /")
        until(lambda: callers(port, 0) == 0)
        assert looked(Pulse(port, group, pulse_began), LONG)


def test_a_caller_that_has_left_counts_no_more() -> None:
    with program(HELD + LETS_IN) as (port, _):
        with socket.create_connection(("127.0.0.1", port)) as caller:
            assert callers(port, caller.getsockname()[1]) == 0
            until(lambda: callers(port, 0) == 1)
        until(lambda: callers(port, 0) == 0)


@pytest.mark.slow
def test_a_question_that_could_not_be_asked_says_nothing() -> None:
    crowd = "s.listen(0); time.sleep(600)"
    with ExitStack() as held, program(crowd) as (port, group):
        for _ in range(4):
            one = held.enter_context(socket.socket())
            one.settimeout(0)
            one.connect_ex(("127.0.0.1", port))
        began = time.monotonic()
        assert not looked(Pulse(port, group, pulse_began), LONG, STEP_SECONDS)
        assert time.monotonic() - began > 5, "it could be asked"


@pytest.mark.parametrize(("plain", "found"), [("1:00.05", Work(60.05, 0)), ("1:00,05", None)])
def test_times_in_the_words_of_another_country_are_asked_for_plainly(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, plain: str, found: Work | None
) -> None:
    ps = tmp_path / "ps"
    ps.write_text(f"#!/bin/sh\n[ $LC_ALL = C ] && echo 7 {plain} || echo 7 1:00,05\n")
    ps.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    monkeypatch.setenv("LC_ALL", "de_DE.UTF-8")
    assert work_of_others(7) == found


def test_a_keeper_that_stood_still_itself_takes_nothing_for_dead() -> None:
    with program("time.sleep(600)") as (port, group):
        pulse = Pulse(port, group, 0.0)
        hours = [3_600.0 * hour for hour in range(1, int(PATIENCE_SECONDS / STEP_SECONDS))]
        assert not any(pulse.hangs(now) for now in hours)


def test_of_processes_that_are_gone_nothing_is_told() -> None:
    with subprocess.Popen([sys.executable, "-c", ""], start_new_session=True) as process:
        process.wait()
    assert work(process.pid) is None


@pytest.fixture
def engine(home: Path, tmp_path: Path) -> Iterator[tuple[Place, Card]]:
    """A real one with its keeper, used by the test."""
    folder = home / "servers"
    folder.mkdir(mode=0o700)
    model = make_model(tmp_path, "3.5")
    with none_left(home):
        place = place_of(folder, model)
        flags = (("--ctx-size", "131072"), ("--threads", "1"), ("--fit", "off"))
        use = shared.join(place, lambda: replace(task(place, model), flags=flags))
        yield place, ready(use)
        use.close()


def complete(card: Card, words: int) -> None:
    body = json.dumps({"prompt": "the notes say " * words, "n_predict": 1}).encode()
    head = {"Authorization": f"Bearer {card.key}", "Content-Type": "application/json"}
    asked = urllib.request.Request(f"http://127.0.0.1:{card.port}/completion", body, head)
    with suppress(OSError), urllib.request.urlopen(asked, timeout=120) as answer:
        answer.read()


@pytest.mark.llamacpp
def test_an_engine_with_all_its_threads_at_work_is_silent_and_lives(
    engine: tuple[Place, Card],
) -> None:
    _, card = engine
    with ThreadPoolExecutor(24) as pool:
        asked = [pool.submit(complete, card, 3_000) for _ in range(24)]
        try:
            until(lambda: is_silent(card))
            pulse = Pulse(card.port, card.engine_pid, time.monotonic() - REST_SECONDS)
            now = time.monotonic()
            for _ in range(int(PATIENCE_SECONDS / STEP_SECONDS) + 4):
                now += STEP_SECONDS
                works_on(card)
                assert not pulse.hangs(now)
            assert is_silent(card), "nothing was tried"
            pulse.close()
        finally:
            os.killpg(card.engine_pid, signal.SIGKILL)
        assert all(one.exception() is None for one in asked)


def works_on(card: Card) -> None:
    """Wait until it has done what counts: others may have the machine for seconds."""
    before = work(card.engine_pid)
    assert before is not None
    enough = before.seconds + LEAST_WORK_SECONDS
    until(lambda: (now := work(card.engine_pid)) and now.seconds >= enough)


def is_silent(card: Card) -> bool:
    """Whether it leaves a question without an answer for a while."""
    with socket.create_connection(("127.0.0.1", card.port), 1) as other:
        other.sendall(child.QUESTION)
        try:
            return not other.recv(64)
        except TimeoutError:
            return True


@pytest.mark.llamacpp
def test_an_engine_that_was_stopped_is_started_again(engine: tuple[Place, Card]) -> None:
    place, before = engine
    hang(before.engine_pid)
    until(lambda: (now := place.card()) and now.engine_pid != before.engine_pid)
    until(lambda: (now := place.card()) and now.state == "ready")
    after = place.card()
    assert after is not None
    assert (after.port, after.key, after.restarts) == (before.port, before.key, 1)
    assert "xllamacpp neither answered nor worked for 15 s and was started again." in after.said
    assert child.serves(after.port) == "ready"
