"""A model that qcode serves itself, `-p --gguf` and `qcode serve`: with the tests' tiny one."""

import json
import os
import shutil
import signal
import stat
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from qcode.config.paths import paths
from qcode.serve import shared
from qcode.serve.card import Card
from tests.e2e.rig import Cli, Running, lawful
from tests.serve.hub import Hub
from tests.support import fake_llama
from tests.support.llama import make_model
from tests.support.served import PATIENCE_SECONDS, none_left, ours, runs, until

if sys.platform == "win32":
    pytest.skip("no pseudo terminals there", allow_module_level=True)

from tests.support.terminal import Terminal

pytestmark = pytest.mark.llamacpp

WORDS = ("--tools", "", "--permission-mode", "plan", "--loops", "off")
"""The tiny model talks at random, and does nothing else."""


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the models are."""
    return tmp_path_factory.mktemp("models")


SETTINGS = """\
[serve]
flags = ["--threads 1", "--threads-batch 1"]
"""
"""Two threads on busy cores wait for each other."""


@pytest.fixture
def model(models: Path, home: Path) -> Iterator[str]:
    """The tiny model; what serves it is ended, and leaves nothing."""
    file = paths().config_file
    file.parent.mkdir(parents=True)
    file.write_text(SETTINGS)
    with none_left(home):
        yield str(make_model(models, "3.5"))


def served(cli: Cli) -> list[dict[str, Any]]:
    """What runs now."""
    found: list[dict[str, Any]] = json.loads(cli.run("serve", "--status", "--json").out)
    return found


def test_the_first_run_starts_it_and_the_next_shares_it(cli: Cli, model: str) -> None:
    first = cli.ask("--gguf", model, *WORDS)
    assert first.code == 0, first.err
    (before,) = served(cli)
    second = cli.ask("--gguf", model, *WORDS, "--output-format", "json")
    assert second.code == 0, second.err
    (after,) = served(cli)
    assert after["engine_pid"] == before["engine_pid"]
    assert second.json["qcode"]["model"] == "3.5"
    assert (after["users"], after["restarts"], after["state"]) == (0, 0, "ready")


def test_runs_at_once_share_one_server(cli: Cli, model: str) -> None:
    ran = cli.together(("--gguf", model, *WORDS), ("--gguf", model, *WORDS))
    assert [one.code for one in ran] == [0, 0], ran
    assert len(served(cli)) == 1


def test_what_is_set_for_other_servers_means_nothing_to_it(cli: Cli, model: str) -> None:
    environ = {
        "QCODE_BASE_URL": "http://127.0.0.1:9/v1",
        "QCODE_API_KEY": "the-key-of-another-server",
        "QCODE_MODEL": "another",
    }
    ran = cli.ask("--gguf", model, *WORDS, environ=environ)
    assert ran.code == 0, ran.err


def test_it_is_reached_offline(cli: Cli, model: str) -> None:
    ran = cli.ask("--gguf", model, *WORDS, "--offline")
    assert ran.code == 0, ran.err


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSTOP])
def test_an_engine_that_dies_or_hangs_in_mid_turn_comes_back_and_the_turn_ends_well(
    cli: Cli, models: Path, model: str, home: Path, number: signal.Signals
) -> None:
    thinker = str(make_model(models, "3.5", "for ever"))
    thinks = ("--think", "800")
    form = ("--output-format", "stream-json", "--include-partial-messages", "--verbose")
    line = cli.line("-p", "do it", "--gguf", thinker, *WORDS, *thinks, *form)
    began = time.monotonic()
    process = subprocess.Popen(
        line,
        cwd=cli.folder,
        env=cli.environ,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout
    assert process.stderr
    heard: list[bytes] = []
    for row in process.stdout:
        heard.append(row)
        if b"thinking_delta" in row:
            break
    ((_, before),) = shared.servers(paths().state / "serve")
    os.kill(before.engine_pid, number)
    assert process.poll() is None, "the turn was over before the engine was gone"
    rest, said = process.communicate(timeout=PATIENCE_SECONDS + 30)
    ran = lawful(process.returncode, b"".join(heard) + rest, said, time.monotonic() - began)
    assert ran.code == 0, ran.err
    result = json.loads(ran.out.splitlines()[-1])
    assert (result["subtype"], result["num_turns"]) == ("success", 1)
    assert result["qcode"]["retries"], "nobody noticed"
    (after,) = served(cli)
    assert after["base_url"] == before.base_url
    assert after["restarts"] == 1


def told(card: Card, path: str) -> Any:
    """What an engine tells of itself, asked in a way that does not wake it."""
    asked = urllib.request.Request(
        f"http://127.0.0.1:{card.port}{path}", headers={"Authorization": f"Bearer {card.key}"}
    )
    with urllib.request.urlopen(asked, timeout=PATIENCE_SECONDS) as answer:
        return json.load(answer)


def is_at_work() -> bool:
    """Whether the one engine answers somebody."""
    cards = [card for _, card in shared.servers(paths().state / "serve") if card.state == "ready"]
    return any(slot["is_processing"] for card in cards for slot in told(card, "/slots"))


@pytest.mark.slow
def test_an_engine_that_cannot_be_kept_up_is_told_with_its_last_words(
    cli: Cli, models: Path, model: str
) -> None:
    thinker = str(make_model(models, "3.5", "for ever"))
    running = cli.start("--gguf", thinker, *WORDS, "--think", "20000")
    killed: set[int] = set()

    def is_given_up() -> bool:
        for _, card in shared.servers(paths().state / "serve"):
            if card.state == "ready" and card.engine_pid not in killed:
                killed.add(card.engine_pid)
                os.kill(card.engine_pid, signal.SIGKILL)
        return len(killed) > 3

    began = time.monotonic()
    try:
        until(is_at_work)  # before that, the run would not have begun
        until(is_given_up)
        out, err = running.process.communicate(timeout=90)  # the tries of one answer take 24 s
    finally:
        running.process.kill()
    ran = lawful(running.process.returncode, out, err, time.monotonic() - began)
    assert ran.code == 75, ran
    assert "crashed 4 times in a row" in ran.err
    assert "`qcode --gguf MODEL` starts it again" in ran.err
    assert "Start one" not in ran.err
    assert "The whole log: " in ran.err


def test_no_command_inside_the_fence_reads_the_key(cli: Cli, model: str) -> None:
    if cli.run("sandbox", "check").code != 0:
        pytest.skip("no fence holds on this machine")
    assert cli.ask("--gguf", model, *WORDS).code == 0
    (one,) = served(cli)
    key = Path(one["key_file"]).read_text().strip()
    folder = Path(one["key_file"]).parent
    ran = cli.run("sandbox", "run", "--", "sh", "-c", f"cat {folder}/* || exit 3")
    assert ran.code == 3
    assert key not in ran.out + ran.err


def test_a_server_of_ones_own_and_an_address_exclude_each_other(cli: Cli, model: str) -> None:
    for flags in (("--base-url", "http://127.0.0.1:9/v1"), ("--model", "other")):
        ran = cli.ask("--gguf", model, *flags)
        assert ran.code == 2
        assert "--gguf" in ran.err


def test_what_is_no_model_is_told_and_leaves_nothing(cli: Cli, home: Path) -> None:
    bad = cli.folder / "bad.gguf"
    bad.write_text("words")
    ran = cli.ask("--gguf", str(bad))
    assert ran.code == 42
    assert "is no GGUF file" in ran.err
    assert not ours(home)


def test_a_damaged_model_ends_with_the_engines_last_words(
    cli: Cli, models: Path, home: Path
) -> None:
    whole = make_model(models, "3.5").read_bytes()
    bad = cli.folder / "half.gguf"
    bad.write_bytes(whole[: len(whole) * 3 // 4])
    with none_left(home):
        ran = cli.ask("--gguf", str(bad))
    assert ran.code in (42, 75), ran
    assert "half.gguf" in ran.err or "corrupted or incomplete" in ran.err


def test_the_plain_app_takes_it_too(cli: Cli, model: str) -> None:
    ran = cli.run("--plain", "--gguf", model, *WORDS, stdin="hello\n")
    assert ran.code == 0, ran.err
    assert len(served(cli)) == 1


def test_the_demo_takes_it(cli: Cli, models: Path, model: str) -> None:
    relative = os.path.relpath(model, cli.folder)
    line = cli.line("demo", "--gguf", relative)
    ran = subprocess.run(
        line,
        cwd=cli.folder,
        env=cli.environ,
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE_SECONDS,
    )
    assert "served by qcode itself" in ran.stdout
    assert f"--gguf {model}" in ran.stdout
    assert "The demo did not fix the bug" in ran.stdout  # such is the tiny model
    assert ran.returncode != 0
    assert len(served(cli)) == 1
    (kept,) = Path(cli.environ["TMPDIR"]).glob("qcode-demo-*")
    shutil.rmtree(kept)


def test_the_demo_does_not_take_two_things(cli: Cli) -> None:
    assert cli.run("demo", "--playback", "--gguf", "m.gguf").code == 2


def test_how_long_it_stays_is_said_once(cli: Cli, model: str) -> None:
    first = cli.ask("--gguf", model, *WORDS)
    assert "3.5 stays for 10 min after its last use; qcode serve --stop ends it." in first.err
    second = cli.ask("--gguf", model, *WORDS)
    assert "stays for" not in second.err


def test_the_app_starts_with_it_and_lets_go_of_it(cli: Cli, model: str) -> None:
    with Terminal(
        cli.line("--gguf", model, *WORDS), cwd=cli.folder, env=cli.environ, size=(100, 30)
    ) as terminal:
        terminal.wait_for("❯", PATIENCE_SECONDS)
        terminal.wait_for("3.5 answers", PATIENCE_SECONDS)
        assert [one["users"] for one in served(cli)] == [1]
        terminal.type("hello\r")
        terminal.wait_for("tok/s", PATIENCE_SECONDS)
        # no turn runs any more; a key while it leaves would be a signal
        terminal.wait_until(lambda seen: "Esc" not in seen.rows[-1], PATIENCE_SECONDS)
        terminal.settle(2.0)
        terminal.type("\x03\x03")
        assert terminal.wait(PATIENCE_SECONDS) == 0
    until(lambda: [one["users"] for one in served(cli)] == [0])


def test_the_next_prompt_in_the_app_starts_again_what_has_died(cli: Cli, model: str) -> None:
    with Terminal(
        cli.line("--gguf", model, *WORDS), cwd=cli.folder, env=cli.environ, size=(100, 30)
    ) as terminal:
        terminal.wait_for("3.5 answers", PATIENCE_SECONDS)
        ((place, before),) = shared.servers(paths().state / "serve")
        os.kill(before.pid, signal.SIGKILL)
        until(lambda: not runs(before.engine_pid) and not place.is_kept())
        terminal.type("hello\r")
        terminal.wait_for("3.5 was gone: it is served again.", PATIENCE_SECONDS)
        terminal.wait_for("tok/s", PATIENCE_SECONDS)
        (now,) = served(cli)
        assert now["base_url"] == before.base_url
        assert now["users"] == 1
        terminal.wait_until(lambda seen: "Esc" not in seen.rows[-1], PATIENCE_SECONDS)
        terminal.settle(2.0)
        terminal.type("\x03\x03")
        assert terminal.wait(PATIENCE_SECONDS) == 0
    until(lambda: [one["users"] for one in served(cli)] == [0])


def test_with_nothing_asked_for_long_the_model_leaves_the_memory_until_the_next_prompt(
    cli: Cli, model: str
) -> None:
    cli.environ["QCODE_SLEEP_MINUTES"] = "0.03"
    with Terminal(
        cli.line("--gguf", model, *WORDS), cwd=cli.folder, env=cli.environ, size=(100, 30)
    ) as terminal:
        terminal.wait_for("3.5 answers", PATIENCE_SECONDS)
        ((_, card),) = shared.servers(paths().state / "serve")
        until(lambda: told(card, "/props")["is_sleeping"])
        terminal.type("hello\r")
        terminal.wait_for("tok/s", PATIENCE_SECONDS)
        ((place, now),) = shared.servers(paths().state / "serve")
        assert (now.engine_pid, now.restarts, shared.users(place)) == (card.engine_pid, 0, 1)
        terminal.wait_until(lambda seen: "Esc" not in seen.rows[-1], PATIENCE_SECONDS)
        until(lambda: told(card, "/props")["is_sleeping"])
        terminal.type("\x03\x03")
        assert terminal.wait(PATIENCE_SECONDS) == 0


@pytest.fixture
def hub(cli: Cli, model: str, tmp_path: Path) -> Iterator[Hub]:
    """Has the tiny model; nothing of it is here."""
    pytest.importorskip("huggingface_hub")
    made = Hub({"Own/Tiny-GGUF": {"Tiny-Q4_K_M.gguf": Path(model).read_bytes()}}).start()
    cli.environ |= {"HF_ENDPOINT": made.endpoint, "HF_HOME": str(tmp_path / "hub")}
    yield made
    made.close()


TINY = "hf:Own/Tiny-GGUF:Q4_K_M"


@pytest.mark.parametrize("word", ["y", "n"])
def test_at_a_terminal_a_model_that_is_not_here_can_be_fetched(
    cli: Cli, hub: Hub, word: str
) -> None:
    with Terminal(
        cli.line("-p", "do it", "--gguf", TINY, *WORDS), cwd=cli.folder, env=cli.environ
    ) as terminal:
        terminal.wait_for("is not on this machine. Download it? [y/N]", PATIENCE_SECONDS)
        assert not hub.asked, "connected before anybody said so"
        terminal.type(f"{word}\r")
        code = terminal.wait(PATIENCE_SECONDS)
    assert code == (0 if word == "y" else 42)
    assert bool(hub.sent) is (word == "y")
    assert len(served(cli)) == (word == "y")


def test_elsewhere_the_command_that_fetches_it_is_named(cli: Cli, hub: Hub) -> None:
    ran = cli.ask("--gguf", TINY, *WORDS)
    assert ran.code == 42
    assert f"Fetch it: qcode models pull {TINY}" in ran.err
    assert "[y/N]" not in ran.err
    assert not hub.asked


def test_offline_nobody_is_asked_whether_to_download(cli: Cli, hub: Hub) -> None:
    cli.environ["QCODE_OFFLINE"] = "on"
    with Terminal(
        cli.line("-p", "do it", "--gguf", TINY, *WORDS), cwd=cli.folder, env=cli.environ
    ) as terminal:
        assert terminal.wait(PATIENCE_SECONDS) == 42
    assert not hub.asked


def test_while_it_loads_ctrl_c_ends_the_wait(cli: Cli, tmp_path: Path, home: Path) -> None:
    slow = fake_llama.write(tmp_path / "llama-server", slow=600.0)
    file = paths().config_file
    file.parent.mkdir(parents=True)
    file.write_text(f'[serve]\nbinary = "{slow}"\n')
    with none_left(home):
        running = cli.start("--gguf", str(make_model(tmp_path, "3.5")))
        while b"loading 3.5, 1 s" not in (row := running.line_of_stderr()):
            assert row, "it ended before it loaded"
        other = Running(
            subprocess.Popen(
                cli.line("serve", str(tmp_path / "tiny" / "3.5.gguf")),
                cwd=cli.folder,
                env=cli.environ,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
            )
        )
        until(lambda: [one["users"] for one in served(cli)] == [2])
        running.signal(signal.SIGINT)
        ran = running.end()
        assert ran.code == 130
        assert "3.5 goes on: 1 more use it." in ran.err
        other.signal(signal.SIGINT)
        ran = other.end()
        assert ran.code == 130
        assert "3.5 was ended: nobody else uses it." in ran.err
        assert served(cli) == []
        assert not ours(home)


def test_in_the_foreground_it_is_told_and_ends_with_ctrl_c(
    cli: Cli, model: str, home: Path
) -> None:
    process = subprocess.Popen(
        cli.line("serve", model, "--context", "8192", "--json"),
        cwd=cli.folder,
        env=cli.environ,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout
    rows: list[bytes] = []
    while not rows or rows[-1] != b"}\n":
        rows.append(process.stdout.readline())
        assert rows[-1], process.communicate()[1]
    told = json.loads(b"".join(rows))
    key = Path(told["key_file"])
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    assert told["context_tokens"] == 8192
    assert all(flag["why"] for flag in told["flags"])
    threads = [flag["value"] for flag in told["flags"] if flag["name"] == "--threads"]
    assert threads == ["1"], "serve.flags come in the place of the planned"
    assert key.read_text().strip() not in json.dumps(told)
    ran = cli.ask("--gguf", model, *WORDS)  # who wishes for nothing takes what runs
    assert ran.code == 0, ran.err
    assert [one["engine_pid"] for one in served(cli)] == [told["engine_pid"]]
    os.kill(told["engine_pid"], signal.SIGKILL)
    assert process.stderr
    while b"was started again" not in (row := process.stderr.readline()):
        assert row, "nobody is told that it crashed"
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=PATIENCE_SECONDS)
    assert process.returncode == 0, said
    until(lambda: not runs(told["engine_pid"]))
    until(lambda: not ours(home))
    assert not key.exists()


def test_it_is_stopped_by_name(cli: Cli, model: str) -> None:
    assert cli.ask("--gguf", model, *WORDS).code == 0
    (one,) = served(cli)
    assert cli.run("serve", "--stop", "another").code == 42
    assert cli.run("serve", "--stop", one["name"]).out == "3.5 was ended.\n"
    assert not runs(one["engine_pid"])
    ran = cli.run("serve", "--stop")
    assert (ran.code, ran.out) == (0, "No server of yours runs.\n")


def test_it_is_stopped_by_the_path_of_a_file_that_is_gone(
    cli: Cli, model: str, tmp_path: Path
) -> None:
    moved = Path(shutil.copy(model, tmp_path / "moved.gguf"))
    assert cli.ask("--gguf", str(moved), *WORDS).code == 0
    moved.unlink()
    ran = cli.run("serve", "--stop", str(moved), "--json")
    assert [one["name"] for one in json.loads(ran.out)] == ["moved"]
    assert served(cli) == []


def test_nobody_there_for_long_enough_and_it_is_gone(cli: Cli, model: str, home: Path) -> None:
    assert cli.ask("--gguf", model, *WORDS, environ={"QCODE_IDLE_MINUTES": "0.01"}).code == 0
    until(lambda: not ours(home))
    assert served(cli) == []
