"""Typed in a terminal: what is read while a person types, and a session that outlives its server.

Tokens are those that a real llama.cpp counted, out of the session's log.
"""

import importlib.util
import json
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from qcode.headless.exits import ExitCode
from tests.e2e.rig import Cli, logs
from tests.support.llama import LlamaServer, Options, make_model
from tests.support.plain_http import get

if sys.platform == "win32":
    pytest.skip("no pseudo terminals there", allow_module_level=True)

from tests.support.terminal import Terminal

pytestmark = pytest.mark.llamacpp

WORDS = "what do the notes say"
NOTES = "".join(f"{number}. Keep line {number} short.\n" for number in range(200))
MOST = len(WORDS) + 60
"""Tokens that a first answer may read: the words, and what a template puts around them."""

Serve = Callable[[], LlamaServer]


@pytest.fixture
def llama(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Serve]:
    """Starts servers that keep slots in one folder; each ends the one before."""
    if not importlib.util.find_spec("xllamacpp"):
        pytest.skip("llama.cpp is not installed: pip install xllamacpp")
    monkeypatch.setenv("OMP_THREAD_LIMIT", "1")  # two threads on busy cores wait for one another
    models, slots = tmp_path / "models", tmp_path / "slots"
    models.mkdir()
    slots.mkdir()
    running: list[LlamaServer] = []

    def start() -> LlamaServer:
        for server in running:
            server.close()
        options = Options(str(make_model(models, "3.6")), slot_save_path=str(slots))
        running.append(LlamaServer(options, tmp_path / f"llama-{len(running)}.log"))
        return running[-1]

    yield start
    for server in running:
        server.close()


def held(server: LlamaServer) -> int:
    """Tokens in its slot, while that rests."""
    slot = get(server.origin, "/slots")[0]
    return 0 if slot["is_processing"] else slot.get("n_prompt_tokens") or 0


def rests_with(server: LlamaServer, tokens: int) -> None:
    """Until its slot holds so many."""
    end = time.monotonic() + 60
    while held(server) < tokens:
        assert time.monotonic() < end
        time.sleep(0.05)  # a server can only be asked


def said(home: Path, kind: str) -> list[dict[str, Any]]:
    """The events of a kind in the one session; none while there is no session."""
    rows = [json.loads(row) for log in logs(home) for row in log.read_text("utf-8").splitlines()]
    events = [row.get("event", row) for row in rows]
    return [event for event in events if event.get("type") == kind]


def leave(terminal: Terminal, home: Path) -> None:
    """As the turn is over: before that, the first key would end it alone."""
    terminal.wait_until(lambda seen: bool(said(home, "TurnFinished")))
    terminal.settle()
    terminal.type("\x03\x03")
    assert terminal.wait() == 0


def test_it_is_read_while_a_person_types_and_kept_when_they_leave(
    cli: Cli, home: Path, llama: Serve, tmp_path: Path
) -> None:
    (cli.folder / "AGENTS.md").write_text(NOTES)
    server = llama()
    cli.url = server.base_url
    with Terminal(cli.line("--max-turns", "1"), cwd=cli.folder, env=cli.environ) as terminal:
        terminal.wait_for("❯")
        rests_with(server, 5_000)
        terminal.type(f"{WORDS}\r")
        leave(terminal, home)
    first = said(home, "Usage")[0]
    assert first["prompt_tokens"] - first["cached_tokens"] <= MOST
    assert [path.suffix for path in (tmp_path / "slots").iterdir()] == [".bin"]

    again = llama()
    cli.url = again.base_url
    ran = cli.run("-p", WORDS, "--continue", "--max-turns", "1")
    assert ran.code in (ExitCode.OK, ExitCode.TURNS), ran.err
    second = said(home, "Usage")[-1]
    assert second["prompt_tokens"] - second["cached_tokens"] <= MOST
    assert second["cached_tokens"] > first["cached_tokens"]

    cli.url = ""
    (kept,) = (path.name for path in (tmp_path / "slots").iterdir())
    gone = cli.run("sessions", "delete", logs(home)[0].stem, "--yes", "--json")
    assert gone.code == 0, gone.err
    assert f"may hold it still: {kept}" in gone.err


def test_off_is_off(cli: Cli, home: Path, llama: Serve, tmp_path: Path) -> None:
    cli.environ["QCODE_WARM"] = "off"
    (cli.folder / "AGENTS.md").write_text(NOTES)
    server = llama()
    cli.url = server.base_url
    with Terminal(cli.line("--max-turns", "1"), cwd=cli.folder, env=cli.environ) as terminal:
        terminal.wait_for("❯")
        terminal.settle(1.0)
        assert held(server) == 0
        terminal.type(f"{WORDS}\r")
        leave(terminal, home)
    assert said(home, "Usage")[0]["cached_tokens"] == 0
    assert [*(tmp_path / "slots").iterdir()] == []
