"""The fence without namespaces, really tried: what it holds, what it finds out and undoes."""

import asyncio
import os
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from qcode.sandbox.base import Command, Output
from qcode.sandbox.choose import LANDLOCK, WEAKER, candidates, choose
from qcode.sandbox.fenced import FencedRunner
from qcode.sandbox.granting import grants
from qcode.sandbox.ground import Ground
from qcode.sandbox.landlock import Landlock
from qcode.sandbox.ruleset import NEEDED, abi
from qcode.sandbox.spare import PAUSE_SECONDS
from qcode.sandbox.trial import trial
from tests.sandbox.fences import marked, outside_tmp
from tests.sandbox.processes import until

PYTHON = os.path.realpath(sys.executable)
WHY = "" if abi() >= NEEDED else f"Landlock {NEEDED} is needed, this kernel has {abi()}"

pytestmark = pytest.mark.skipif(bool(WHY), reason=WHY or "it can be tried")


class Place:
    """A home, a workspace in it, and commands there."""

    def __init__(self, home: Path) -> None:
        self.home, self.workspace = home, home / "project"
        self.workspace.mkdir()
        ground = Ground.of((self.workspace,), (home / "state",), (), {"HOME": str(home)})
        self.runner = FencedRunner(Landlock(ground), home / "spill")

    async def output(self, line: str, seconds: float = 30) -> Output:
        return await self.runner.run(Command(line, self.workspace, seconds), lambda _: None)

    async def run(self, line: str, seconds: float = 30) -> str:
        """All that it printed, and its exit code."""
        output = await self.output(line, seconds)
        return f"{output.head}{output.tail}[{output.why or output.exit_code}]"


@pytest.fixture
async def place() -> AsyncIterator[Place]:
    with outside_tmp() as home:
        it = Place(home)
        yield it
        await it.runner.close()


def test_what_it_promises_holds_and_what_it_cannot_prevent_is_undone() -> None:
    with outside_tmp() as base:
        found = trial(Landlock, base)
        assert found.why == ""
        assert found.proven
        assert found.verdict("protected-names") == found.verdict("missing-names") == "detected"
        assert found.verdict("loopback-inside-works") == "not held"
        assert found.verdict("secrets") == found.verdict("sockets") == "held"
        assert list(base.iterdir()) == []


def test_it_counts_only_where_it_was_accepted() -> None:
    with outside_tmp() as home:
        workspace = home / "project"
        workspace.mkdir()
        ground = Ground.of((workspace,), (), (), {"HOME": str(home)})
        names = [name for name, _ in candidates({"PATH": ""})]
        assert names[-1] == LANDLOCK
        first = choose(ground, home, {"PATH": ""})
        if first.fence is None:  # nothing better here: then it says what there would be
            assert WEAKER[LANDLOCK] in first.why
            second = choose(ground, home, {"PATH": ""}, accepted=(LANDLOCK,))
            assert second.fence is not None
            assert second.fence.name == LANDLOCK
        else:
            assert first.fence.name != LANDLOCK


async def test_ordinary_work_goes_on(place: Place) -> None:
    line = "mkdir -p a/b && echo x >a/c && mv a/c a/b/d && ln a/b/d e && cat e && rm -r a"
    assert await place.run(line) == "x\n[0]"
    assert await place.run("cd /usr && ls -d bin && pwd && cat /etc/hostname >/dev/null") == (
        "bin\n/usr\n[0]"
    )
    assert await place.run("exit 3") == "[3]"
    assert await place.run("kill -9 $$") == "[ended by signal 9 (SIGKILL)]"
    assert await place.run("kill $$") == "[ended by signal 15 (SIGTERM)]"


@pytest.fixture
def repository(place: Place) -> None:
    subprocess.run(("git", "init", "-q"), cwd=place.workspace, check=True)


@pytest.fixture
def other() -> Iterator[subprocess.Popen[bytes]]:
    """A process outside, with a secret."""
    with subprocess.Popen(("sleep", "600"), env={"SECRET": "1"}) as it:
        yield it
        it.kill()


@pytest.mark.usefixtures("repository")
async def test_git_commits(place: Place) -> None:
    who = "-c user.name=n -c user.email=e@x"
    output = await place.output(
        f"echo a >a; git add a; git {who} commit -qm one; git log --format=%s"
    )
    assert (output.head, output.notes) == ("one\n", ())


async def test_nothing_else_is_written_also_behind_a_link(place: Place) -> None:
    (place.home / "file").write_text("before")
    printed = await place.run(
        f"echo x >../file; echo x >../new; rm -f ../file; ln -s {place.home} out; echo x >out/file;"
        "mv ../file .; ln ../file hard; truncate -s0 ../file; chmod +x ../file; true"
    )
    assert "Permission denied" in printed
    assert (place.home / "file").read_text() == "before"
    assert not (place.home / "new").exists()


async def test_secrets_and_what_lies_in_tmp_are_not_read(place: Place, tmp_path: Path) -> None:
    (tmp_path / "theirs").write_text("SECRET")
    for name in (".aws/credentials", ".netrc", "state/session"):
        (place.home / name).parent.mkdir(parents=True, exist_ok=True)
        (place.home / name).write_text("SECRET")
    (place.home / "notes").write_text("readable\n")
    files = f"{tmp_path}/theirs ../.aws/credentials ../.netrc ../state/session ../notes"
    printed = await place.run(f"cat {files}; cp /proc/self/root/$PWD/../.netrc x; cat x")
    assert "readable\n" in printed
    assert "SECRET" not in printed


async def test_a_secret_that_comes_later_is_hidden_as_well(place: Place) -> None:
    assert await place.run("true") == "[0]"
    await asyncio.sleep(3 * PAUSE_SECONDS)  # by now a launcher waits, with the rules of before
    (place.home / ".netrc").write_text("SECRET")
    (place.home / "later").write_text("later")
    assert "SECRET" not in await place.run("cat ../.netrc")
    assert await place.run("cat ../later") == "later[0]"


async def test_temporary_files_have_a_place_of_their_own(place: Place) -> None:
    assert await place.run("f=$(mktemp) && echo x >$f && cat $f") == "x\n[0]"
    assert "[0]" not in await place.run("echo x >/tmp/qcode-landlock")
    assert "[0]" not in await place.run("ls /tmp")


async def test_no_socket_is_made_but_pairs_work(place: Place) -> None:
    code = (
        "import asyncio, socket\n"
        "for family in (socket.AF_UNIX, socket.AF_INET, socket.AF_INET6, socket.AF_NETLINK):\n"
        "    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):\n"
        "        try: socket.socket(family, kind); print('made', family)\n"
        "        except OSError: pass\n"
        "asyncio.run(asyncio.sleep(0)); print('pairs')\n"
        "socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)\n"
    )
    (place.workspace / "try.py").write_text(code)
    printed = await place.run(f"{PYTHON} -I try.py")
    assert printed.startswith("pairs\n")
    assert "PermissionError" in printed


async def test_processes_outside_are_not_signalled_or_read(
    place: Place, other: subprocess.Popen[bytes]
) -> None:
    printed = await place.run(
        f"kill -9 {other.pid}; kill -9 $PPID; cat /proc/{other.pid}/environ;"
        f"kill -9 {os.getpid()}; echo went on"
    )
    assert other.poll() is None
    assert "SECRET" not in printed
    assert printed.endswith("went on\n[0]")


async def test_what_it_leaves_ends_with_it_whatever_its_session(place: Place) -> None:
    mark = f"mark-{os.getpid()}-landlock"
    line = f"setsid sh -c 'sleep 600; true' {mark} & sh -c 'sleep 600; true' {mark} & sleep 0.2"
    assert await place.run(line) == "[0]"
    assert await until(lambda: not marked(mark), 2)
    limited = await place.output(f"trap '' TERM; {line}; sleep 600", 0.5)
    assert limited.why == "ended after 0.5 s (time limit)"
    assert await until(lambda: not marked(mark), 2)


async def test_a_protected_name_is_put_back_told_and_remembered(place: Place) -> None:
    (place.workspace / ".git").mkdir()
    (place.workspace / ".git/config").write_text("before")
    assert place.runner.tripped == ""
    output = await place.output("echo evil >.git/config; mkdir .vscode; echo x >.vscode/tasks.json")
    assert (place.workspace / ".git/config").read_text() == "before"
    assert not (place.workspace / ".vscode").exists()
    assert len(output.notes) == 2
    assert "undone" in output.notes[0]
    assert place.runner.tripped in output.notes
    assert (await place.output("true")).notes == ()
    assert place.runner.tripped in output.notes


async def test_what_a_job_wrote_is_undone_when_it_ends(place: Place) -> None:
    line = "until [ -e go ]; do sleep 0.02; done; echo x >.envrc; sleep 0.2"
    await place.runner.start(Command(line, place.workspace, 60))
    (place.workspace / "go").touch()
    assert await until(lambda: place.runner.tripped)
    assert not (place.workspace / ".envrc").exists()


def test_a_workspace_with_secrets_in_it_is_refused(tmp_path: Path) -> None:
    (tmp_path / ".ssh").mkdir()
    ground = Ground.of((tmp_path,), (), (), {"HOME": str(tmp_path)})
    with pytest.raises(OSError, match="cannot hide"):
        grants(ground, tmp_path)


def test_what_is_hidden_is_in_no_grant(tmp_path: Path) -> None:
    home = tmp_path / "home"
    for name in (".ssh", ".config/gh", ".config/editor", "notes"):
        (home / name).mkdir(parents=True)
    (home / "keys").symlink_to(home / ".ssh")
    workspace = home / "project"
    workspace.mkdir()
    found = grants(Ground.of((workspace,), (), (), {"HOME": str(home)}), tmp_path / "own")
    hidden = ("/tmp", "/run", "/dev", str(home / ".ssh"), str(home / ".config/gh"))
    for path in (*found.read, *found.write):
        assert not any(secret == path or secret.startswith(f"{path}/") for secret in hidden)
    assert "/usr" in found.read
    assert "/etc/shadow" not in found.read


async def test_a_socket_outside_is_not_reached_through_one_that_is_inherited(place: Place) -> None:
    with socket.socket(socket.AF_UNIX) as near:
        near.bind(str(place.workspace / "s"))
        near.listen()
        code = "import socket; a, b = socket.socketpair(); a.connect('s'); print('connected')"
        assert "PermissionError" in await place.run(f'{PYTHON} -I -c "{code}"')
