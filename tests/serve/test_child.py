"""A `llama-server` as a child: its command line, its start, its end. The program stands in for it;
processes, ports and HTTP are real.
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest

from qcode.protocol.errors import OutOfMemory, ServerGone
from qcode.serve import boot, child, shared
from qcode.serve.card import Card, Place, Task, place_of
from tests.support import fake_llama
from tests.support.llama import ROOT
from tests.support.served import PATIENCE_SECONDS, none_left, ready, runs, until

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="there it runs inside WSL")

Start = Callable[..., shared.Use]


@pytest.fixture
def place(home: Path, tmp_path: Path) -> Iterator[Place]:
    """Where the server of a file is told of."""
    folder, model = home / "servers", tmp_path / "m.gguf"
    folder.mkdir(mode=0o700)
    model.write_bytes(b"GGUF")
    with none_left(home):
        yield place_of(folder, model)


@pytest.fixture
def start(place: Place, tmp_path: Path) -> Iterator[Start]:
    """Starts the program as `llama-server` would be started."""
    uses: list[shared.Use] = []

    def started(name: str = "llama-server", **how: object) -> shared.Use:
        program = fake_llama.write(tmp_path / "bin" / name, **how)  # type: ignore[arg-type] # its own
        made = Task(
            backend="llama-server",
            program=str(program),
            model=str(tmp_path / "m.gguf"),
            alias="m",
            flags=(("--ctx-size", "4096"), ("--jinja", "")),
            folder=str(place.folder),
            id=place.id,
            key=shared.new_key(),
            idle_seconds=60.0,
        )
        uses.append(shared.join(place, lambda: made))
        return uses[-1]

    yield started
    for use in uses:
        use.close()


def words(card: Card) -> list[str]:
    """The command line of the engine."""
    seen = Path(f"/proc/{card.engine_pid}/cmdline").read_bytes()
    return [word.decode() for word in seen.split(b"\0")]


@pytest.mark.skipif(sys.platform != "linux", reason="read from /proc")
def test_the_command_line_has_the_plan_and_not_the_key(start: Start) -> None:
    card = ready(start())
    seen = words(card)
    assert {"--ctx-size", "4096", "--jinja", "--reuse-port"} <= set(seen)
    assert seen[seen.index("--alias") + 1] == "m"
    assert seen[seen.index("--host") + 1] == "127.0.0.1"
    assert card.key not in " ".join(seen)
    assert Path(seen[seen.index("--api-key-file") + 1]).read_text().strip() == card.key


@pytest.mark.skipif(sys.platform != "linux", reason="read from /proc")
def test_a_build_that_always_shares_its_port_is_not_told_to(start: Start) -> None:
    assert "--reuse-port" not in words(ready(start(help_text="--port N")))


@pytest.mark.skipif(sys.platform != "linux", reason="read from /proc")
def test_the_one_program_of_newer_builds_gets_its_word(start: Start) -> None:
    assert "serve" in words(ready(start("llama")))


def test_while_it_loads_this_is_said_with_the_time(start: Start) -> None:
    told: list[tuple[str, float]] = []
    use = start(slow=1.0)
    card = use.ready(lambda card, seconds: told.append((card.state, seconds)), PATIENCE_SECONDS)
    assert card.state == "ready"
    assert {state for state, _ in told} == {"loading"}
    assert told[-1][1] > 0.5


def test_a_model_that_loads_for_too_long_is_not_waited_for(start: Start) -> None:
    with pytest.raises(ServerGone, match="not loaded after 1 s"):
        start(slow=600.0).ready(lambda card, seconds: None, 0.5)


def test_want_of_memory_is_told_as_that(start: Start) -> None:
    with pytest.raises(OutOfMemory, match="Ask for less context") as raised:
        ready(start(dies="cudaMalloc failed: out of memory"))
    assert "  cudaMalloc failed: out of memory" in str(raised.value)


def test_a_flag_that_the_build_does_not_know_is_told_with_its_name(start: Start) -> None:
    with pytest.raises(ServerGone, match="This build does not know the flag") as raised:
        ready(start(dies="error: invalid argument: --spec-type"))
    assert "--spec-type" in str(raised.value)


def test_behind_a_failure_the_next_try_starts_anew(start: Start) -> None:
    with pytest.raises(ServerGone):
        ready(start(dies="no"))
    use = start()
    assert use.began == "started"
    assert ready(use).state == "ready"


def test_a_port_that_cannot_be_had_is_exchanged_once(start: Start) -> None:
    with pytest.raises(ServerGone, match="Another program has the port"):
        ready(start(dies="couldn't bind HTTP server socket, hostname: 127.0.0.1, port: 1"))


def test_a_killed_keeper_takes_its_server_with_it(start: Start) -> None:
    card = ready(start())
    os.kill(card.pid, signal.SIGKILL)
    until(lambda: not runs(card.engine_pid))


@pytest.mark.skipif(sys.platform != "linux", reason="read from /proc")
def test_a_keeper_that_has_nothing_to_do_sleeps(start: Start) -> None:
    card = ready(start())
    status = Path(f"/proc/{card.pid}/status")
    before = wakings(status.read_text())
    time.sleep(2.0)
    assert wakings(status.read_text()) - before < 20


def wakings(status: str) -> int:
    return int(status.partition("\nvoluntary_ctxt_switches:")[2].split()[0])


def test_what_it_has_started_ends_with_it(start: Start, place: Place, tmp_path: Path) -> None:
    helper = tmp_path / "helper.pid"
    program = tmp_path / "bin" / "llama-server"
    fake_llama.write(program)
    code = program.read_text().replace(
        'print("main: server',
        f"import subprocess; open({str(helper)!r}, 'w').write("
        "str(subprocess.Popen(['sleep', '600']).pid)); print(\"main: server",
    )
    made = program.with_name("with-helper")
    made.write_text(code)
    made.chmod(0o755)
    task = Task(
        backend="llama-server",
        program=str(made),
        model=str(tmp_path / "m.gguf"),
        alias="m",
        flags=(),
        folder=str(place.folder),
        id=place.id,
        key=shared.new_key(),
        idle_seconds=60.0,
    )
    use = shared.join(place, lambda: task)
    ready(use)
    pid = int(helper.read_text())
    assert runs(pid)
    use.close()
    assert shared.stop(place)
    until(lambda: not runs(pid))


def test_the_minder_ends_its_program_when_its_stdin_ends(tmp_path: Path) -> None:
    minder = subprocess.Popen(
        [*boot.words("minder"), "sleep", "600"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    children = Path(f"/proc/{minder.pid}/task/{minder.pid}/children")
    if sys.platform == "linux":
        until(lambda: children.read_text().strip())
    assert minder.stdin
    minder.stdin.close()
    assert minder.wait(PATIENCE_SECONDS) == 128 + signal.SIGKILL


def test_the_minder_passes_on_the_end_and_the_code(tmp_path: Path) -> None:
    line = [*boot.words("minder"), sys.executable, "-c"]
    with subprocess.Popen([*line, "raise SystemExit(7)"], stdin=subprocess.PIPE) as minder:
        assert minder.wait(PATIENCE_SECONDS) == 7
    minder = subprocess.Popen(
        [*line, "print('here', flush=True); import time; time.sleep(600)"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert minder.stdout
    with minder:
        assert minder.stdout.readline() == b"here\n"
        minder.terminate()
        assert minder.wait(PATIENCE_SECONDS) == 128 + signal.SIGTERM


def test_a_folder_puts_no_other_qcode_in_our_place(tmp_path: Path) -> None:
    evil = tmp_path / "qcode" / "serve"
    evil.mkdir(parents=True)
    (evil.parent / "__init__.py").write_text("raise SystemExit('evil')")
    done = subprocess.run(
        boot.words("keeper"),
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        input=b"{}",
        capture_output=True,
        check=False,
    )
    assert b"evil" not in done.stderr
    assert b"ValidationError" in done.stderr  # it was ours, and had no task


def test_a_held_port_answers_nobody() -> None:
    with child.hold_port() as held:
        began = time.monotonic()
        assert child.serves(held.getsockname()[1]) == "nobody"
        assert time.monotonic() - began < 1.5


def test_those_who_look_at_once_take_one_another_for_no_keeper(place: Place) -> None:
    place.alive.touch()  # as one that was killed has left it
    code = (
        "from pathlib import Path; from qcode.serve.card import Place, is_left\n"
        f"place = Place(Path({str(place.folder)!r}), {place.id!r})\n"
        "seen = [place.is_kept() or not is_left(place.alive) for _ in range(5000)]\n"
        "print(sum(seen))"
    )
    line = [sys.executable, "-c", code]
    looking = [subprocess.Popen(line, cwd=ROOT, stdout=subprocess.PIPE) for _ in range(2)]
    assert [one.communicate()[0] for one in looking] == [b"0\n", b"0\n"]


def test_a_card_that_is_damaged_counts_for_nothing(place: Place) -> None:
    place.card_file.write_bytes(b'{"pid": 1')
    assert place.card() is None
    assert not place.is_kept()
    assert [*shared.servers(place.folder)] == []


def _card(key: str) -> Card:
    return Card(
        pid=1,
        engine_pid=2,
        port=3,
        key=key,
        model="m",
        alias="a",
        backend="x",
        state="ready",
        since=0.0,
    )


def test_what_a_later_version_tells_is_left_aside(place: Place) -> None:
    card = _card("k")
    later = {**msgspec.to_builtins(card), "later": True}
    place.card_file.write_bytes(msgspec.json.encode(later))
    assert place.card() == card


def test_no_key_is_shown_by_accident(place: Place) -> None:
    card = _card("5ecre7")
    made = Task(
        backend="xllamacpp",
        program="",
        model="m",
        alias="a",
        flags=(),
        folder="/f",
        id="i",
        key="5ecre7",
        idle_seconds=1.0,
    )
    assert "5ecre7" not in f"{card} {card!r} {made} {made!r}"
