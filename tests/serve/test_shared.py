"""One server for all qcodes of a user: joined, started again, left, and never left behind."""

import os
import signal
import socket
import stat
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from qcode.protocol.errors import InputError, ServerGone
from qcode.serve import shared
from qcode.serve.card import Card, Place, Task, alone, place_of
from qcode.serve.keeper import WELL_SECONDS
from tests.support.llama import ROOT, make_model
from tests.support.served import hang, none_left, ours, ready, runs, task, until

pytestmark = [
    pytest.mark.llamacpp,
    pytest.mark.skipif(sys.platform == "win32", reason="there it runs inside WSL"),
]


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny model."""
    return make_model(tmp_path_factory.mktemp("models"), "3.5")


@pytest.fixture
def place(home: Path, model: Path) -> Iterator[Place]:
    """Where the model's server is told of."""
    folder = home / "servers"
    folder.mkdir(mode=0o700)
    with none_left(home):
        yield place_of(folder, model)


@pytest.fixture
def join(place: Place, model: Path) -> Iterator[Callable[..., shared.Use]]:
    """Joins, or starts it; lets go of all at the end."""
    uses: list[shared.Use] = []

    def joined(*flags: tuple[str, str], idle_seconds: float = 60.0) -> shared.Use:
        made = task(place, model, *flags, idle_seconds=idle_seconds)
        uses.append(shared.join(place, lambda: made))
        return uses[-1]

    yield joined
    for use in uses:
        use.close()


Join = Callable[..., shared.Use]


def status(card: Card, path: str, key: str = "") -> int:
    """What the server answers to a question."""
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    request = urllib.request.Request(f"{card.base_url}{path}", headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code


def test_the_second_joins_what_the_first_has_started(join: Join) -> None:
    first, second = join(), join()
    assert (first.began, second.began) == ("started", "joined")
    assert ready(first) == ready(second)


def test_what_there_is_to_do_is_done_while_it_starts(place: Place, model: Path) -> None:
    seen: list[Card | None] = []

    def meanwhile() -> None:
        until(lambda: ours(place.folder.parent))  # it has its own name a little later
        seen.append(place.card())

    first = shared.join(place, lambda: task(place, model), meanwhile)
    ready(first)
    second = shared.join(place, lambda: task(place, model), meanwhile)
    first.close()
    second.close()
    (card,) = seen  # the second has nothing to wait for
    assert card is None or card.state in ("loading", "ready")  # on a busy machine it may be


def test_a_failure_meanwhile_leaves_nothing_behind(place: Place, model: Path) -> None:
    def meanwhile() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        shared.join(place, lambda: task(place, model), meanwhile)
    until(lambda: not ours(place.folder.parent))
    assert [*shared.servers(place.folder)] == []


def test_it_answers_to_its_key_alone(join: Join) -> None:
    card = ready(join())
    assert status(card, "/models") == 401
    assert status(card, "/models", "guessed" * 8) == 401
    assert status(card, "/models", card.key) == 200


def test_nobody_else_reads_its_key_and_no_command_line_shows_it(join: Join, place: Place) -> None:
    card = ready(join())
    for file in (place.card_file, place.key_file, place.log, place.alive):
        assert stat.S_IMODE(file.stat().st_mode) == 0o600, file
    assert stat.S_IMODE(place.users.stat().st_mode) == 0o700
    if sys.platform == "linux":
        for pid in (card.pid, card.engine_pid):
            seen = Path(f"/proc/{pid}/cmdline").read_bytes()
            seen += Path(f"/proc/{pid}/environ").read_bytes()
            assert card.key.encode() not in seen


def test_a_killed_engine_comes_back_at_the_same_address_with_the_same_key(join: Join) -> None:
    use = join()
    before = ready(use)
    os.kill(before.engine_pid, signal.SIGKILL)
    until(lambda: (now := use.place.card()) and now.engine_pid != before.engine_pid)
    after = ready(use)
    assert (after.port, after.key, after.restarts) == (before.port, before.key, 1)
    assert after.said == "xllamacpp ended with -9 and was started again."
    assert status(after, "/models", after.key) == 200


def test_who_comes_just_after_a_crash_waits_until_it_is_back(join: Join) -> None:
    before = ready(join())
    os.kill(before.engine_pid, signal.SIGKILL)
    after = ready(join())  # its keeper may not have noticed yet
    assert after.engine_pid != before.engine_pid
    assert status(after, "/models", after.key) == 200


def test_an_engine_that_hangs_is_told_with_what_ends_it(join: Join) -> None:
    card = ready(join())
    hang(card.engine_pid)
    try:
        with pytest.raises(ServerGone, match=r"does not answer\. qcode serve --stop ends it"):
            join().ready(lambda card, seconds: None, 2.5)
    finally:
        os.kill(card.engine_pid, signal.SIGCONT)


def is_another(place: Place, before: Card) -> bool:
    """Whether the engine was started again since."""
    now = place.card()
    return now is not None and now.engine_pid != before.engine_pid


@pytest.mark.slow
def test_crashes_before_it_ran_well_count_no_more(join: Join) -> None:
    use = join()
    for crash in range(1, 6):
        card = ready(use)
        if crash == 4:
            time.sleep(WELL_SECONDS + 1)
        os.kill(card.engine_pid, signal.SIGKILL)
        until(partial(is_another, use.place, card))
    assert ready(use).restarts == 5


def test_what_is_refused_before_it_starts_leaves_nothing(home: Path, model: Path) -> None:
    folder = home / "refused"
    folder.mkdir()

    def refuses() -> Task:
        raise InputError("no model")

    with pytest.raises(InputError):
        shared.join(place_of(folder, model), refuses)
    assert [*folder.iterdir()] == []


def test_its_port_is_nobody_elses_while_it_is_down(join: Join) -> None:
    use = join()
    card = ready(use)
    hang(card.engine_pid)
    with socket.socket() as other, pytest.raises(OSError, match="in use"):
        other.bind(("127.0.0.1", card.port))
    os.kill(card.engine_pid, signal.SIGKILL)
    with socket.socket() as other, pytest.raises(OSError, match="in use"):
        other.bind(("127.0.0.1", card.port))


def test_an_engine_that_crashes_again_and_again_is_given_up(join: Join) -> None:
    use = join()
    killed: set[int] = set()

    def is_given_up() -> bool:
        card = use.place.card()
        if card and card.state == "ready" and card.engine_pid not in killed:
            killed.add(card.engine_pid)
            os.kill(card.engine_pid, signal.SIGKILL)
        return bool(card and card.state == "failed")

    until(is_given_up)
    assert len(killed) == 4
    with pytest.raises(ServerGone, match="crashed 4 times in a row"):
        ready(use)


def test_a_killed_keeper_takes_the_engine_with_it_and_the_next_starts_anew(join: Join) -> None:
    first = join()
    before = ready(first)
    kill_keeper(first.place, before)
    assert [*shared.servers(first.place.folder)] == []
    assert not first.place.card_file.exists()
    second = join()
    assert second.began == "started"
    assert ready(second).key != before.key


def kill_keeper(place: Place, card: Card) -> None:
    """And its engine with it."""
    os.kill(card.pid, signal.SIGKILL)
    until(lambda: not runs(card.engine_pid) and not place.is_kept())


def test_who_uses_it_still_starts_it_again_where_it_was(join: Join, place: Place) -> None:
    use = join()
    before = ready(use)
    assert use.again(before) == ""
    kill_keeper(use.place, before)
    assert use.again(before) == "3.5 was gone: it is served again."
    after = ready(use)
    assert (after.port, after.key, after.flags) == (before.port, before.key, before.flags)
    assert status(after, "/models", before.key) == 200
    assert shared.users(place) == 1, "nobody holds it now"
    assert use.again(before) == ""


def test_what_was_ended_by_its_user_is_started_again_by_who_needs_it(
    join: Join, place: Place
) -> None:
    use = join()
    before = ready(use)
    assert shared.stop(place)
    assert use.again(before) == "3.5 was gone: it is served again."
    assert (ready(use).port, ready(use).key) == (before.port, before.key)


def test_a_newcomer_starts_it_where_those_that_use_it_still_look_for_it(
    join: Join, place: Place
) -> None:
    code = (
        "import sys; from pathlib import Path; from qcode.serve import shared\n"
        "from qcode.serve.card import Place; from tests.support.served import ready\n"
        f"place = Place(Path({str(place.folder)!r}), {place.id!r})\n"
        "use = shared.join(place, lambda: None); before = ready(use)\n"
        "print('joined', flush=True); sys.stdin.readline()\n"
        "print(repr(use.again(before)), ready(use).port == before.port, flush=True)"
    )
    first = join()
    before = ready(first)
    line, pipe = [sys.executable, "-c", code], subprocess.PIPE
    with subprocess.Popen(line, cwd=ROOT, stdin=pipe, stdout=pipe) as other:
        assert other.stdout
        assert other.stdout.readline() == b"joined\n"
        first.close()
        kill_keeper(place, before)
        after = ready(join())
        assert (after.port, after.key) == (before.port, before.key)
        told, _ = other.communicate(b"\n", timeout=60)
    assert told == b"'' True\n"


def test_one_whose_port_is_taken_meanwhile_is_told(join: Join) -> None:
    use = join()
    before = ready(use)
    kill_keeper(use.place, before)
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind(("127.0.0.1", before.port))
        for _ in range(2):  # once it runs there, too
            with pytest.raises(ServerGone, match="at another address by now"):
                use.again(before)


def test_it_ends_when_the_last_user_has_left_for_long_enough(join: Join, place: Place) -> None:
    first, second = join(idle_seconds=0.7), join()
    card = ready(first)
    first.close()
    with pytest.raises(AssertionError, match="not within"):
        until(lambda: not runs(card.engine_pid), 2.0)  # one is still there
    second.close()
    until(lambda: not runs(card.engine_pid))
    until(lambda: not runs(card.pid))
    assert sorted(path.name for path in place.folder.iterdir()) == [
        place.door.name,
        place.log.name,
    ]


def test_a_user_that_was_killed_counts_no_more(join: Join, place: Place, model: Path) -> None:
    use = join(idle_seconds=0.5)
    card = ready(use)
    code = (
        "import sys, time; from pathlib import Path; from qcode.serve import shared, card\n"
        f"use = shared.join(card.Place(Path({str(place.folder)!r}), {place.id!r}), lambda: None)\n"
        "print(use.began, flush=True); time.sleep(600)"
    )
    other = subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.PIPE)
    assert other.stdout
    with other, other.stdout:
        assert other.stdout.readline() == b"joined\n"
        assert shared.users(place) == 2
        use.close()
        other.kill()
    until(lambda: not runs(card.engine_pid))


def test_processes_that_come_at_once_start_one_engine(place: Place, model: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from qcode.serve import shared\n"
        "from qcode.serve.card import Place; from tests.support.served import task, ready\n"
        f"place, model = Place(Path({str(place.folder)!r}), {place.id!r}), Path({str(model)!r})\n"
        "use = shared.join(place, lambda: task(place, model))\n"
        "print(use.began, ready(use).engine_pid, flush=True); sys.stdin.read()"
    )
    line = [sys.executable, "-c", code]
    pipe = subprocess.PIPE
    runs_ = [subprocess.Popen(line, cwd=ROOT, stdin=pipe, stdout=pipe) for _ in range(3)]
    said = []
    for one in runs_:
        assert one.stdout
        said.append(one.stdout.readline().split())
    for one in runs_:
        one.communicate(timeout=30)
    assert sorted(word for word, _ in said) == [b"joined", b"joined", b"started"]
    assert len({pid for _, pid in said}) == 1


def test_stopped_from_elsewhere_it_is_gone_with_all_that_it_had(join: Join, place: Place) -> None:
    use = join()
    card = ready(use)
    assert shared.stop(place)
    assert not runs(card.engine_pid)
    assert not place.key_file.exists()
    assert not place.card_file.exists()
    with pytest.raises(ServerGone, match="was ended while it started"):
        ready(use)


def test_another_file_under_the_same_name_is_another_server(tmp_path: Path, model: Path) -> None:
    copy = tmp_path / "copy.gguf"
    copy.write_bytes(model.read_bytes())
    before = place_of(tmp_path, copy, "wishes")
    assert place_of(tmp_path, copy, "other").file_id == before.file_id
    assert place_of(tmp_path, copy, "other") != before
    with copy.open("ab") as file:
        file.write(b"more")
    assert place_of(tmp_path, copy, "wishes").file_id != before.file_id


def test_a_link_to_the_file_is_the_same_server(tmp_path: Path, model: Path) -> None:
    link = tmp_path / "link.gguf"
    link.symlink_to(model)
    assert place_of(tmp_path, link) == place_of(tmp_path, model)


def test_the_one_that_runs_is_found_whatever_it_was_asked_for(join: Join, place: Place) -> None:
    ready(join())
    otherwise = Place(place.folder, f"{place.file_id}-otherwise")
    assert shared.like(otherwise) == place
    elsewhere = Place(place.folder, "otherfile-otherwise")
    assert shared.like(elsewhere) == elsewhere


def test_what_nobody_uses_can_be_ended_to_make_room(join: Join, place: Place) -> None:
    use = join()
    card = ready(use)
    assert not shared.end_unused(place)
    assert runs(card.engine_pid)
    use.close()
    assert shared.end_unused(place)
    assert not runs(card.engine_pid)
    assert not shared.end_unused(place)


def test_one_that_ends_by_itself_just_then_is_not_waited_for_in_vain(
    join: Join, place: Place
) -> None:
    use = join(idle_seconds=0.0)
    ready(use)
    began = time.monotonic()
    with alone(place.door):
        use.close()
        time.sleep(1.0)  # it wants to end now, and finds somebody at the door
    assert shared.stop(place), "it was on its way out, and that was taken for a refusal"
    assert not place.is_kept()
    assert time.monotonic() - began < shared.STOP_SECONDS / 2


def test_a_file_that_is_no_model_is_told_with_a_hint(home: Path, tmp_path: Path) -> None:
    bad = tmp_path / "bad.gguf"
    bad.write_text("this is no model")
    folder = home / "servers"
    folder.mkdir()
    with none_left(home):
        place = place_of(folder, bad)
        use = shared.join(place, lambda: task(place, bad))
        with pytest.raises(ServerGone) as raised:
            ready(use)
        use.close()
        told = str(raised.value)
        assert "did not start: it ended with exit code 1" in told
        assert "The file is no whole GGUF model" in told
        assert str(place.log) in told
        until(lambda: not ours(home))
        shared.tidy(place)
        assert [file.name for file in folder.iterdir()] == [place.log.name]
