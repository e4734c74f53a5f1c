"""The network inside the fence: one a session, no way out but by the gate, none in but by hand."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
import zipfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from urllib.request import urlopen
from uuid import uuid4

import pytest

from qcode.sandbox.base import Command, NotOpened, NotStarted, Output
from qcode.sandbox.bubblewrap import FOUNDING, Bubblewrap, program
from qcode.sandbox.doors import Ways, variables
from qcode.sandbox.fence import Fence
from qcode.sandbox.fenced import FencedRunner
from qcode.sandbox.founding import PORT, Network
from qcode.sandbox.ground import Ground
from qcode.sandbox.namespaces import Namespaces
from qcode.sandbox.plain import PlainRunner
from qcode.sandbox.reach import Reach
from tests.sandbox.fences import Nothing, marked, outside_tmp, why_not
from tests.sandbox.processes import until

pytestmark = pytest.mark.skipif(bool(why_not()), reason=why_not() or "a fence holds")

PYTHON = os.path.realpath(sys.executable)
"""Not that of a virtual environment, which may lie in the /tmp that the fence replaces."""
LOCAL = Ways(reach=Reach(lambda host, port: ("127.0.0.1",), lambda address: ""))
"""Every name is this machine: tests have nothing else."""
SHIPPED = Ways()

GET = """
import sys, urllib.error, urllib.request
try:
    print(urllib.request.urlopen(sys.argv[1], timeout=20).read().decode(), end="")
except urllib.error.HTTPError as error:
    print(error.code, error.read().decode(), end="")
except OSError as error:
    print(error)
"""
TUNNEL = """
import http.client, sys
wire = http.client.HTTPConnection("127.0.0.1", int(sys.argv[1]), timeout=20)
wire.set_tunnel(sys.argv[2], int(sys.argv[3]))
try:
    wire.request("GET", sys.argv[4])
    print(wire.getresponse().read().decode(), end="")
except OSError as error:
    print(error)
"""
WAIT = """
import socket, sys, time
while True:
    try:
        socket.create_connection(("127.0.0.1", int(sys.argv[1])), 5).close()
        break
    except OSError:
        time.sleep(0.02)
"""


class Session:
    """A fence with its runner, and a workspace of its own."""

    def __init__(
        self, base: Path, ways: Ways, make: Callable[[Ground], Fence] = Namespaces
    ) -> None:
        self.workspace = base / uuid4().hex[:8]
        self.workspace.mkdir()
        for name, code in (("get", GET), ("tunnel", TUNNEL), ("wait", WAIT)):
            (self.workspace / f"{name}.py").write_text(code)
        ground = Ground.of((self.workspace,), (), (), {"HOME": str(base)})
        self.runner = FencedRunner(make(ground), base / "spill", ways=ways)

    async def run(self, line: str, seconds: float = 60) -> Output:
        command = Command(line, self.workspace, seconds)
        return await self.runner.run(command, lambda text: None)

    async def printed(self, line: str) -> str:
        """All that it printed, and its exit code."""
        output = await self.run(line)
        return f"{output.head}{output.tail}[{output.why or output.exit_code}]"

    async def get(self, url: str) -> str:
        """What a program inside is answered."""
        return (await self.run(f"{PYTHON} get.py {url}")).head

    async def serve(self, port: int, address: str = "127.0.0.1") -> str:
        """A job that serves the workspace, once it answers."""
        (self.workspace / "page").write_text("from inside")
        line = f"exec {PYTHON} -m http.server {port} --bind {address} 2>&1"
        job = await self.runner.start(Command(line, self.workspace, 60))
        if "." in address:
            assert (await self.run(f"{PYTHON} wait.py {port}", 20)).exit_code == 0
        return job


@pytest.fixture
def base() -> Iterator[Path]:
    with outside_tmp() as folder:
        yield folder


@pytest.fixture
async def session(base: Path) -> AsyncIterator[Session]:
    it = Session(base, LOCAL)
    yield it
    await it.runner.close()


@pytest.fixture
def site(tmp_path: Path) -> Iterator[ThreadingHTTPServer]:
    """A server on this machine, outside of every fence, with `tmp_path/site` on it."""
    folder = tmp_path / "site"
    folder.mkdir()
    (folder / "page").write_text("from outside")
    handler = partial(SimpleHTTPRequestHandler, directory=str(folder))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


async def good(host: str, port: int) -> str:
    """A gate for `good.test` and nothing else."""
    return "" if host == "good.test" else "the user said no"


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


# ---------------------------------------------------------------------------- one for a session


async def test_what_a_background_command_serves_the_next_one_reaches(session: Session) -> None:
    await session.serve(8000)
    assert await session.get("http://127.0.0.1:8000/page") == "from inside"
    assert await session.get("http://localhost:8000/page") == "from inside"


async def test_first_commands_that_come_at_once_share_it(session: Session) -> None:
    said = await asyncio.gather(*(session.printed("readlink /proc/self/ns/net") for _ in range(5)))
    assert len(set(said)) == 1
    assert said[0] != f"{os.readlink('/proc/self/ns/net')}\n[0]"  # noqa: PTH115 - a text


async def test_two_sessions_do_not_reach_each_other(session: Session, base: Path) -> None:
    other = Session(base, LOCAL)
    try:
        await session.serve(8000)
        assert "Connection refused" in await other.get("http://127.0.0.1:8000/page")
    finally:
        await other.runner.close()


async def test_what_leads_to_it_is_not_left_inside(session: Session) -> None:
    """Neither the namespaces nor the listener, for the command nor for the init it cannot enter."""
    for _ in range(2):  # the second one was started ahead
        printed = await session.printed("readlink /proc/self/fd/*; readlink /proc/$$/fd/*")
        assert "socket:" not in printed
        assert "net:[" not in printed
        assert "user:[" not in printed
        await asyncio.sleep(0.5)


async def test_no_command_has_rights_in_the_network(session: Session) -> None:
    code = "import socket; socket.socket().bind(('127.0.0.1', 700))"
    assert "Permission denied" in await session.printed(f'{PYTHON} -c "{code}" 2>&1')
    code = "import socket; socket.socket(socket.AF_INET, socket.SOCK_RAW, 1)"
    assert "Operation not permitted" in await session.printed(f'{PYTHON} -c "{code}" 2>&1')
    assert "lo" in await session.printed("ls /sys/class/net; cut -d: -f1 /proc/net/dev")
    assert "eth" not in await session.printed("cat /proc/net/dev")


async def test_commands_of_a_session_do_not_see_each_other(session: Session) -> None:
    mark = f"mark-{uuid4().hex}"
    line = f"exec sh -c 'sleep 60; true' {mark}"
    await session.runner.start(Command(line, session.workspace, 60))
    assert await until(lambda: marked(mark))
    printed = await session.printed("cat /proc/[0-9]*/cmdline | tr '\\0' ' '")
    assert mark not in printed
    before = set(marked(mark))
    numbers = " ".join(map(str, before))
    line = f"for it in {numbers}; do kill -0 $it && echo reached; done; kill -9 -1; echo on"
    assert "reached" not in await session.printed(line)
    assert set(marked(mark)) == before


class Late(Namespaces):
    """A fence on a machine that has no process to spare at first."""

    tried = False

    def network(self) -> Network:
        if not self.tried:
            self.tried = True
            raise OSError("there is no process to be had")
        return super().network()


async def test_a_network_that_could_not_be_made_is_tried_again(base: Path) -> None:
    runner = FencedRunner(Late(Ground.of((base,), (), (), {"HOME": str(base)})), base / "spill")
    try:
        with pytest.raises(NotStarted, match="no process to be had"):
            await runner.run(Command("true", base, 30), lambda text: None)
        assert (await runner.run(Command("true", base, 30), lambda text: None)).exit_code == 0
    finally:
        await runner.close()


async def test_where_each_command_has_its_own_no_way_is_told_and_no_port_opened(
    tmp_path: Path,
) -> None:
    runner = FencedRunner(Nothing(Ground((tmp_path,), tmp_path)), tmp_path / "spill")
    try:
        output = await runner.run(Command("env", tmp_path, 30), lambda text: None)
        assert f":{PORT}" not in output.head
        with pytest.raises(NotOpened, match="with nothing each command has a network of its own"):
            await runner.open_port(8123)
        assert runner.ports() == ()
    finally:
        await runner.close()


# ---------------------------------------------------------------------------------- the way out


async def test_what_the_gate_allows_is_reached(session: Session, site: ThreadingHTTPServer) -> None:
    session.runner.gate = good
    port = site.server_port
    assert await session.get(f"http://good.test:{port}/page") == "from outside"
    line = f"{PYTHON} tunnel.py {PORT} good.test {port} /page"
    output = await session.run(line)
    assert (output.head, output.notes) == ("from outside", ())


async def test_what_it_refuses_is_said_once_a_command_and_host(session: Session) -> None:
    session.runner.gate = good
    line = f"{PYTHON} get.py http://bad.test/a; {PYTHON} get.py http://bad.test/b"
    output = await session.run(f"{line}; {PYTHON} get.py http://10.0.0.1/; {PYTHON} get.py x://y")
    assert output.head.count("403 bad.test:80 was refused: the user said no.\n") == 2
    assert output.notes == (
        "[network] bad.test:80 was refused: the user said no.",
        "[network] 10.0.0.1:80 was refused: the user said no.",
    )
    assert (await session.run("true")).notes == ()


async def test_a_job_is_told_once_what_was_refused(session: Session) -> None:
    async def never(host: str, port: int) -> str:
        return "the user said no"

    session.runner.gate = never
    job = await session.runner.start(
        Command(f"{PYTHON} get.py http://evil.example/; exec sleep 60", session.workspace, 60)
    )
    notes: list[str] = []
    while not notes:
        notes += (await session.runner.read(job, 10)).notes
    assert notes == ["[network] evil.example:80 was refused: the user said no."]
    assert (await session.runner.read(job, 0)).notes == ()


async def test_without_a_gate_nothing_is_reached(
    session: Session, site: ThreadingHTTPServer
) -> None:
    said = await session.get(f"http://good.test:{site.server_port}/page")
    assert said == f"403 good.test:{site.server_port} was refused: " + (
        "the network is closed for commands.\n"
    )


async def test_this_machine_is_not_reached_though_the_gate_allows_all(
    base: Path, site: ThreadingHTTPServer
) -> None:
    """The model's server listens there."""

    async def everything(host: str, port: int) -> str:
        return ""

    session = Session(base, SHIPPED)
    session.runner.gate = everything
    try:
        for host in ("127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]", "0.0.0.0"):
            line = f"{PYTHON} tunnel.py {PORT} {host} {site.server_port} /page"
            assert "from outside" not in (await session.run(line)).head
            url = f"http://{host}:{site.server_port}/page"
            line = f"env -u no_proxy -u NO_PROXY {PYTHON} get.py {url}"
            assert "403 " in (await session.run(line)).head
    finally:
        await session.runner.close()


async def test_time_in_which_a_person_is_asked_is_not_the_commands(
    session: Session, site: ThreadingHTTPServer
) -> None:
    async def slow(host: str, port: int) -> str:
        await asyncio.sleep(2)
        return ""

    session.runner.gate = slow
    line = f"{PYTHON} get.py http://good.test:{site.server_port}/page"
    output = await session.run(line, 1.5)
    assert (output.head, output.why) == ("from outside", "")
    output = await session.run(f"{line}; sleep 5", 1.5)
    assert (output.head, output.why) == ("from outside", "ended after 1.5 s (time limit)")


async def test_a_question_ends_with_the_command_that_raised_it(session: Session) -> None:
    asked, withdrawn = asyncio.Event(), asyncio.Event()

    async def never(host: str, port: int) -> str:
        asked.set()
        try:
            await asyncio.sleep(600)
        finally:
            withdrawn.set()
        return ""

    session.runner.gate = never
    running = asyncio.create_task(session.get("http://good.test/"))
    await asyncio.wait_for(asked.wait(), 10)
    running.cancel()
    await asyncio.wait_for(withdrawn.wait(), 10)
    with pytest.raises(asyncio.CancelledError):
        await running


def published(work: Path, bare: Path) -> None:
    """A repository with one commit, as a server of files shows it."""
    for line in (
        f"git init -q {work}",
        f"git -C {work} -c user.name=n -c user.email=e@x commit -q --allow-empty -m one",
        f"git clone -q --bare {work} {bare}",
        f"git -C {bare} update-server-info",
    ):
        subprocess.run(line.split(), check=True)


async def test_a_repository_is_cloned(
    session: Session, site: ThreadingHTTPServer, tmp_path: Path
) -> None:
    bare = tmp_path / "site" / "it.git"
    published(tmp_path / "it", bare)
    url = f"http://good.test:{site.server_port}/it.git"
    assert "403" in await session.printed(f"git clone -q {url} 2>&1")
    session.runner.gate = good
    assert await session.printed(f"git clone -q {url} && git -C it log --format=%s") == "one\n[0]"


async def test_a_package_is_installed(
    session: Session, site: ThreadingHTTPServer, tmp_path: Path
) -> None:
    if "No module" in await session.printed(f"{PYTHON} -m pip --version 2>&1"):
        pytest.skip("this Python has no pip")
    place = tmp_path / "site" / "simple" / "qcode-trial"
    place.mkdir(parents=True)
    wheel = "qcode_trial-1-py3-none-any.whl"
    (place / "index.html").write_text(f'<!DOCTYPE html><a href="{wheel}">{wheel}</a>')
    about = "qcode_trial-1.dist-info"
    with zipfile.ZipFile(place / wheel, "w") as file:
        file.writestr("qcode_trial.py", "print('it is here')")
        file.writestr(f"{about}/METADATA", "Metadata-Version: 2.1\nName: qcode-trial\nVersion: 1\n")
        file.writestr(f"{about}/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
        file.writestr(f"{about}/RECORD", "")
    index = f"--index-url http://good.test:{site.server_port}/simple --trusted-host good.test"
    line = f"{PYTHON} -m pip install -q --retries 0 --target to {index} qcode-trial"
    refused = await session.run(line)
    assert refused.exit_code == 1
    assert "[network] good.test:" in refused.notes[0]
    session.runner.gate = good
    printed = await session.printed(f"{line} && PYTHONPATH=to {PYTHON} -m qcode_trial")
    assert printed.endswith("it is here\n[0]")


async def test_the_way_out_is_told_inside_only(session: Session) -> None:
    inside = await session.printed("env")
    assert all(f"{name}={value}\n" in inside for name, value in variables(PORT).items())
    command = Command("env", session.workspace, 30, where="outside")
    output = await session.runner.run(command, lambda text: None)
    assert f":{PORT}" not in output.head


async def test_a_command_outside_has_no_fence_and_the_same_bounds(
    session: Session, site: ThreadingHTTPServer
) -> None:
    async def outside(line: str, seconds: float) -> Output:
        command = Command(line, session.workspace, seconds, where="outside")
        return await session.runner.run(command, lambda text: None)

    url = f"http://127.0.0.1:{site.server_port}/page"
    assert (await outside(f"{PYTHON} get.py {url}", 30)).head == "from outside"
    assert "time limit" in (await outside("sleep 30", 0.3)).why
    command = Command("sleep 60", session.workspace, 30, where="outside")
    assert await session.runner.start(command) == "job-1"
    assert (await session.runner.stop("job-1")).state == "ended by signal 15"


# ----------------------------------------------------------------------------------- the way in


def fetched(port: int) -> str:
    with urlopen(f"http://127.0.0.1:{port}/page", timeout=10) as answer:
        return str(answer.read().decode())


async def test_a_port_is_reached_by_hand_until_it_is_closed(session: Session) -> None:
    port = free_port()
    await session.serve(port)
    with pytest.raises(OSError, match="refused"):
        await asyncio.to_thread(fetched, port)
    assert await session.runner.open_port(port) == port
    assert await session.runner.open_port(port) == port
    assert session.runner.ports() == (port,)
    many = await asyncio.gather(*(asyncio.to_thread(fetched, port) for _ in range(20)))
    assert set(many) == {"from inside"}
    await session.runner.close_port(port)
    await session.runner.close_port(port)
    assert session.runner.ports() == ()
    with pytest.raises(OSError, match="refused"):
        await asyncio.to_thread(fetched, port)


async def test_a_server_of_version_6_is_reached_as_well(session: Session) -> None:
    port = free_port()
    await session.serve(port, "::1")
    await session.runner.open_port(port)

    def answers() -> bool:
        try:
            return fetched(port) == "from inside"
        except OSError:
            return False

    for _ in range(100):
        if await asyncio.to_thread(answers):
            return
        await asyncio.sleep(0.05)
    pytest.fail("nothing answers")


async def test_both_ways_of_it_are_carried(session: Session) -> None:
    port = free_port()
    code = (
        "import socket\n"
        f"with socket.create_server(('127.0.0.1', {port})) as s:\n"
        "    wire, _ = s.accept()\n"
        "    data = b''\n"
        "    while part := wire.recv(65536): data += part\n"
        "    wire.sendall(data[::-1]); wire.close()\n"
    )
    (session.workspace / "turn.py").write_text(code)
    await session.runner.start(Command(f"{PYTHON} turn.py", session.workspace, 60))
    listens = f"until grep -qi :{port:04x} /proc/net/tcp; do sleep 0.05; done"
    assert (await session.run(listens, 20)).exit_code == 0
    await session.runner.open_port(port)
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    data = os.urandom(3_000_000)
    writer.write(data)
    writer.write_eof()
    assert await asyncio.wait_for(reader.read(), 20) == data[::-1]
    writer.close()


async def test_where_nothing_listens_the_connection_just_ends(session: Session) -> None:
    port = free_port()
    await session.runner.open_port(port)  # before any command was run
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    assert await asyncio.wait_for(reader.read(), 10) == b""
    writer.close()


async def test_a_port_that_is_opened_first_leaves_commands_their_way_out(session: Session) -> None:
    await session.runner.open_port(free_port())
    assert "http://127.0.0.1:808" in await session.printed("echo $https_proxy")


async def test_a_port_that_is_not_to_be_had_is_a_sentence(base: Path) -> None:
    session = Session(base, Ways(closed=frozenset({8080})))
    try:
        with pytest.raises(NotOpened, match="8080 is the model server's own"):
            await session.runner.open_port(8080)
        with pytest.raises(NotOpened, match="0 is no port"):
            await session.runner.open_port(0)
        taken = socket.create_server(("127.0.0.1", 0))
        with taken, pytest.raises(NotOpened, match="is taken on this machine"):
            await session.runner.open_port(taken.getsockname()[1])
        assert session.runner.ports() == ()
    finally:
        await session.runner.close()


async def test_another_process_lends_when_the_first_was_ended(session: Session) -> None:
    port = free_port()
    await session.serve(port)
    await session.runner.open_port(port)
    assert await asyncio.to_thread(fetched, port) == "from inside"
    for number in ours("lend"):
        os.kill(number, signal.SIGKILL)
    assert await until(lambda: not ours("lend"))
    assert await asyncio.to_thread(fetched, port) == "from inside"


async def test_without_a_fence_a_port_is_open_as_it_is(tmp_path: Path) -> None:
    runner = PlainRunner(tmp_path)
    assert await runner.open_port(8123) == 8123
    assert runner.ports() == ()
    await runner.close_port(8123)
    await runner.close()


# ------------------------------------------------------------------------------- nothing is left


def ours(word: str) -> list[int]:
    """Children of this process that run `word` of the founder's code."""
    return [it for it in marked(f"['{word}']") if _parent(it) == os.getpid()]


def _parent(process: int) -> int:
    try:
        stat = Path(f"/proc/{process}/stat").read_bytes()
    except OSError:
        return 0
    state, parent = stat.rpartition(b")")[2].split()[:2]
    return 0 if state == b"Z" else int(parent)


async def test_nothing_is_left_open_or_running(base: Path) -> None:
    async def whole(gate: Callable[[str, int], Awaitable[str]] | None) -> None:
        session = Session(base, LOCAL)
        session.runner.gate = gate
        port = free_port()
        await session.serve(port)
        await session.runner.open_port(port)
        await asyncio.to_thread(fetched, port)
        await session.get("http://bad.test/")
        left = socket.create_connection(("127.0.0.1", port))
        await asyncio.sleep(0.2)
        await session.runner.close()
        left.close()

    await whole(good)  # what is made once and kept: a thread, the loop's own descriptors
    before = len(os.listdir("/dev/fd"))  # noqa: PTH208 - not files: the descriptors
    await whole(good)
    await whole(None)
    assert len(os.listdir("/dev/fd")) == before  # noqa: PTH208 - the same
    assert ours("found") == ours("lend") == []


RUNS = """
import asyncio, sys
from pathlib import Path
from qcode.sandbox.base import Command
from qcode.sandbox.fence import Fence
from qcode.sandbox.fenced import FencedRunner
from qcode.sandbox.ground import Ground
from qcode.sandbox.namespaces import Namespaces

async def main(folder, port):
    runner = FencedRunner(Namespaces(Ground.of((folder,), (), (), {"HOME": "/nowhere"})), folder)
    await runner.start(Command("exec sleep 600", folder, 60))
    await runner.open_port(port)
    _, writer = await asyncio.open_connection("127.0.0.1", port)
    await asyncio.sleep(0.5)
    print("ready", flush=True)
    await asyncio.sleep(600)

asyncio.run(main(Path(sys.argv[1]), int(sys.argv[2])))
"""


async def test_a_killed_qcode_leaves_no_process_of_the_network(tmp_path: Path) -> None:
    def children(parent: int) -> list[int]:
        return [it for it in marked("['lend']") if _parent(it) == parent]

    line = (sys.executable, "-c", RUNS, str(tmp_path), str(free_port()))
    variables = {**os.environ, "TMPDIR": str(tmp_path)}  # its private /tmp is left there
    runs = await asyncio.create_subprocess_exec(
        *line, env=variables, stdout=asyncio.subprocess.PIPE
    )
    assert runs.stdout is not None
    assert await asyncio.wait_for(runs.stdout.readline(), 30) == b"ready\n"
    lending = children(runs.pid)
    assert len(lending) == 1
    runs.send_signal(signal.SIGKILL)
    await runs.wait()
    assert await until(lambda: not any(_parent(it) for it in lending), 3)


# ------------------------------------------------------------------------------- by bubblewrap


def bubbled(base: Path) -> Session:
    """A session whose fence is bubblewrap's; skips where there is none."""
    found = program(os.environ)
    if found is None:
        pytest.skip("there is no bubblewrap")
    return Session(base, LOCAL, lambda ground: Bubblewrap(ground, found))


async def test_bubblewrap_enters_the_network_of_the_session(
    base: Path, site: ThreadingHTTPServer
) -> None:
    session, port = bubbled(base), free_port()
    session.runner.gate = good
    try:
        await session.serve(port)
        assert await session.get(f"http://127.0.0.1:{port}/page") == "from inside"
        assert await session.get(f"http://good.test:{site.server_port}/page") == "from outside"
        output = await session.run(f"{PYTHON} get.py http://bad.test/")
        assert output.notes == ("[network] bad.test:80 was refused: the user said no.",)
        printed = await session.printed("readlink /proc/self/fd/* /proc/$$/fd/* /proc/1/fd/*")
        assert not any(word in printed for word in ("socket:", "net:[", "user:["))
        assert await session.runner.open_port(port) == port
        assert await asyncio.to_thread(fetched, port) == "from inside"
    finally:
        await session.runner.close()
    assert ours("show") == ours("lend") == ours("enter") == []


async def test_where_bubblewrap_can_make_none_each_command_has_a_closed_one(base: Path) -> None:
    """As where a system lets nobody enter what it made: a bwrap that only fails at that."""
    real = bubbled(base)
    await real.runner.close()
    weak = base / "bwrap"
    weak.write_text(f'#!/bin/sh\n[ "$1" = {FOUNDING[0]} ] && exit 1\nexec bwrap "$@"\n')
    weak.chmod(0o755)
    session = Session(base, LOCAL, lambda ground: Bubblewrap(ground, str(weak)))
    try:
        first = await session.printed("readlink /proc/self/ns/net; env | grep -c 127.0.0.1")
        second = await session.printed("readlink /proc/self/ns/net; env | grep -c 127.0.0.1")
        assert first.endswith("\n0\n[1]")
        assert first != second
        with pytest.raises(NotOpened, match="with bubblewrap each command has a network of its"):
            await session.runner.open_port(8123)
    finally:
        await session.runner.close()
