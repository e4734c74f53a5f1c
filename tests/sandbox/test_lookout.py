"""When somebody outside replaces a protected name, what runs inside with the old mount ends, and
nothing that it could write stays there."""

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from qcode.sandbox.aside import set_aside
from qcode.sandbox.base import Command, Output
from qcode.sandbox.bubblewrap import Bubblewrap, program
from qcode.sandbox.ear import Ear
from qcode.sandbox.fenced import FencedRunner
from qcode.sandbox.ground import Ground
from qcode.sandbox.lookout import Lookout
from qcode.sandbox.namespaces import Namespaces
from qcode.sandbox.tracking import only_tracks
from tests.sandbox.fences import outside_tmp, why_not
from tests.sandbox.processes import until

pytestmark = pytest.mark.skipif(bool(why_not()), reason=why_not() or "a fence holds")
BWRAP = program({"PATH": "/usr/bin:/bin:/usr/local/bin"})

PYTHON = os.path.realpath(sys.executable)
"""Not that of a virtual environment: it may lie in /tmp, of which the fence has its own."""
WRITES = """
import os
open("ready", "w").close()
while True:
    try:
        it = os.open({name!r}, os.O_WRONLY | os.O_APPEND{flags})
        os.write(it, b"\\n# PLANTED\\n")
        os.close(it)
    except OSError:
        pass
"""
RENAMES = """
import os
with open({source!r}, "w") as file:
    file.write("# PLANTED\\n")
open("ready", "w").close()
while True:
    try:
        os.rename({source!r}, {name!r})
    except OSError:
        pass
"""
MAKES = """
import os
open("ready", "w").close()
while True:
    try:
        os.mkdir({name!r})
        with open({name!r} + "/tasks.json", "w") as file:
            file.write("PLANTED")
    except OSError:
        pass
"""


class Session:
    """A repository, and a runner with a fence around it."""

    def __init__(self, home: Path, fence: str = "namespaces") -> None:
        self.folder = home / "project"
        self.folder.mkdir()
        self.outside("git", "init", "-q", ".")
        ground = Ground.of((self.folder,), (), (), {"HOME": str(home / "nowhere")})
        made = Namespaces(ground) if fence == "namespaces" else Bubblewrap(ground, BWRAP or "")
        self.runner = FencedRunner(made, home / "spill")
        self.config = self.folder / ".git/config"

    def outside(self, *words: str) -> None:
        subprocess.run(words, cwd=self.folder, check=True, capture_output=True)

    async def run(self, line: str) -> Output:
        return await self.runner.run(Command(line, self.folder, 60), lambda _: None)

    async def job(self, code: str) -> str:
        """Starts a Python program in the background, and waits until it is at work."""
        (self.folder / "job.py").write_text(code)
        ready = self.folder / "ready"
        ready.unlink(missing_ok=True)
        job = await self.runner.start(Command(f"exec {PYTHON} -I -S job.py", self.folder, 60))
        assert await until(ready.exists, 15)
        return job

    def state(self, job: str) -> str:
        return next(it for it in self.runner.list() if it.id == job).state

    async def ended(self, job: str) -> bool:
        return await until(lambda: self.state(job) != "running", 5)

    def aside(self) -> list[Path]:
        return [*self.folder.glob("*.set-aside*"), *self.folder.glob(".*/*.set-aside*")]


@pytest.fixture
async def session() -> AsyncIterator[Session]:
    with outside_tmp() as home:
        it = Session(home)
        yield it
        await it.runner.close()


IDLES = "import time; open('ready', 'w').close(); time.sleep(600)"


async def test_a_job_ends_when_its_protected_file_is_replaced_outside(session: Session) -> None:
    """And who replaced it keeps what they wrote."""
    for round_ in range(3):
        job = await session.job(IDLES)
        session.outside("git", "config", "x.y", f"z{round_}")
        assert await session.ended(job)
        assert session.state(job) == "ended by signal 9"
        (told,) = (await session.runner.read(job, 0)).notes
        assert f"{session.config} was replaced or removed outside" in told
        if "not seen to touch" in told:
            assert f"z{round_}" in session.config.read_text()
        else:  # this machine was too busy to see the file being made
            assert f"z{round_}" in session.aside()[-1].read_text()
    output = await session.run("true")
    assert [it.split(":")[0] for it in output.notes] == ["job-1", "job-2", "job-3"]
    assert (await session.run("true")).notes == ()


@pytest.mark.parametrize(
    "code",
    [
        pytest.param(WRITES.format(name=".git/config", flags=""), id="opens it"),
        pytest.param(WRITES.format(name=".git/config", flags=" | os.O_CREAT"), id="makes it"),
        pytest.param(RENAMES.format(name=".git/config", source=".git/info/evil"), id="renames"),
    ],
)
async def test_what_a_job_wrote_into_the_new_file_does_not_stay(
    session: Session, code: str
) -> None:
    before = session.config.read_text()
    for round_ in range(8):
        job = await session.job(code)
        session.outside("git", "config", "x.y", f"z{round_}")
        assert await session.ended(job)
        now = session.config.read_text()
        assert "PLANTED" not in now
        (told,) = (await session.runner.read(job, 0)).notes
        if "It may have written the new one" in told:
            assert now == before
            assert any(
                "PLANTED" in it.read_text() or "y = z" in it.read_text() for it in session.aside()
            )
        before = now


async def test_a_folder_made_where_a_placeholder_was_removed_does_not_stay(
    session: Session,
) -> None:
    for _ in range(8):
        job = await session.job(MAKES.format(name=".vscode"))
        session.outside("git", "clean", "-fdq", "-e", "job.py", "-e", "*.set-aside*")
        assert await session.ended(job)
        assert not (session.folder / ".vscode").exists()


async def test_a_foreground_command_ends_the_same_way(session: Session) -> None:
    running = asyncio.create_task(session.run("touch ready; sleep 600"))
    assert await until((session.folder / "ready").exists, 15)
    session.outside("git", "config", "x.y", "z")
    output = await asyncio.wait_for(running, 5)
    assert output.why == "ended by signal 9 (SIGKILL)"
    (note,) = output.notes
    assert note.startswith(f"{session.config} was replaced")


@pytest.mark.skipif(not BWRAP, reason="bubblewrap is not installed here")
async def test_the_same_behind_bubblewrap() -> None:
    with outside_tmp() as home:
        session = Session(home, "bubblewrap")
        try:
            job = await session.job(WRITES.format(name=".git/config", flags=""))
            session.outside("git", "config", "x.y", "z")
            assert await session.ended(job)
            assert "PLANTED" not in session.config.read_text()
        finally:
            await session.runner.close()


async def test_work_beside_it_ends_nothing(session: Session) -> None:
    """Commits inside and outside, edits in place, files that come and go, other commands."""
    job = await session.job(IDLES)
    identity = ("-c", "user.name=a", "-c", "user.email=a@b")
    session.outside("git", *identity, "commit", "-q", "--allow-empty", "-m", "outside")
    with session.config.open("a") as file:
        file.write("# in place\n")
    (session.folder / "a").touch()
    (session.folder / "a").rename(session.folder / "b")
    line = f"git {' '.join(identity)} commit -q --allow-empty -m inside; git config x.y z; rm b"
    output = await session.run(line)
    assert "could not" in output.head  # to write the config: the mount holds
    await asyncio.sleep(0.7)  # placeholders would be swept by now
    assert session.state(job) == "running"
    assert output.notes == ()
    assert session.aside() == []


async def test_a_command_after_it_has_the_new_file_under_its_mount(session: Session) -> None:
    job = await session.job(IDLES)
    session.outside("git", "config", "x.y", "z")
    output = await session.run("echo x >>.git/config && echo written")
    assert "written" not in output.head
    assert output.exit_code == 1
    assert await session.ended(job)


def listening() -> int:
    """Descriptors of this process through which the kernel tells; each has its thread."""
    found = [it.readlink().name for it in Path("/proc/self/fd").iterdir() if it.is_symlink()]
    return sum("inotify" in it for it in found)


async def test_what_a_branch_follows_is_not_taken_back(session: Session, tmp_path: Path) -> None:
    """`git push -u` changes the config twice at once: that is more than can be followed."""
    session.outside("git", "init", "-q", "--bare", str(tmp_path / "far"))
    session.outside("git", "remote", "add", "far", str(tmp_path / "far"))
    identity = ("-c", "user.name=a", "-c", "user.email=a@b")
    session.outside("git", *identity, "commit", "-q", "--allow-empty", "-m", "first")
    for branch in ("one", "two/x", "three"):
        session.outside("git", "checkout", "-q", "-b", branch)
        job = await session.job(IDLES)
        session.outside("git", "push", "-q", "-u", "far", branch)
        assert await session.ended(job)
        assert f'[branch "{branch}"]' in session.config.read_text()
    assert session.aside() == []


CONFIG = b'[core]\n\tbare = false\n[remote "far"]\n\turl = https://x.org/y\n'
FOLLOWS = b'[branch "main"]\n\tremote = far\n\tmerge = refs/heads/main\n'


@pytest.mark.parametrize(
    "more",
    [
        b"\tpushurl = https://evil.org/\n",
        b"[core]\n\tfsmonitor = ./evil\n",
        b'[branch "main"]\n\tremote = https://evil.org/\n',
        b'[branch "main"]\n\tremote = ext::sh -c evil\n',
        b'[branch "main"]\n\tremote = far2\n',
        b'[branch "main"]\n\tremote = far\\\n\tfsmonitor = x\n',
        b'[branch "main"]\n\tremote = far\r\n',
        b'[branch "main"]\n\tmerge = refs/heads/main\n[include]\n\tpath = evil\n',
        b'[branch "a"] fsmonitor = x\n',
        b'[branch "a\n"]\n',
        b"[include]path=evil\n",
        FOLLOWS + b"x",
    ],
)
def test_only_which_branch_follows_which_is_harmless(more: bytes) -> None:
    assert only_tracks(CONFIG, CONFIG + FOLLOWS)
    assert not only_tracks(CONFIG, CONFIG + more)
    assert not only_tracks(CONFIG, FOLLOWS + CONFIG)
    assert not only_tracks(CONFIG, CONFIG[:-1])
    assert not only_tracks(CONFIG[:-1], CONFIG + FOLLOWS)
    assert not only_tracks(b"[core]\n", b"[core]\n" + FOLLOWS)


async def test_nothing_listens_while_nothing_runs(session: Session) -> None:
    assert listening() == 0
    job = await session.job(IDLES)
    assert listening() == 1
    await session.run("true")
    assert listening() == 1
    await session.runner.stop(job)
    assert await until(lambda: not listening(), 2)


async def test_without_inotify_a_clock_finds_it(tmp_path: Path) -> None:
    """As where this user has no more of them."""
    told: list[tuple[int, str]] = []
    lookout = Lookout(lambda group, sentence: told.append((group, sentence)), _Deaf)
    name = tmp_path / "config"
    name.write_text("before")
    sleeps = await asyncio.create_subprocess_exec("sleep", "600", start_new_session=True)
    try:
        guarding = lookout.begin((str(name),))
        lookout.started(guarding, sleeps.pid)
        other = tmp_path / "other"
        other.write_text("after")
        other.replace(name)
        assert await until(lambda: bool(told), 5)
        assert await asyncio.wait_for(sleeps.wait(), 5) == -9
        assert told[0][0] == sleeps.pid
        assert name.read_text() == "before"
        assert (tmp_path / "config.set-aside-by-qcode").read_text() == "after"
        lookout.end(guarding)
    finally:
        if sleeps.returncode is None:
            sleeps.kill()
            await sleeps.wait()


class _Deaf(Ear):
    def __init__(self) -> None:
        super().__init__(None)


def test_a_link_on_the_way_leads_no_move_elsewhere(tmp_path: Path) -> None:
    foreign = tmp_path / "foreign"
    foreign.mkdir()
    (foreign / "workflows").mkdir()
    (tmp_path / ".github").symlink_to(foreign)
    assert set_aside(str(tmp_path / ".github/workflows"), None) == ("", False)
    assert [it.name for it in foreign.iterdir()] == ["workflows"]
    assert set_aside(str(tmp_path / ".github"), None) == (".github.set-aside-by-qcode", False)


async def test_what_burns_in_the_folder_costs_the_runner_little(session: Session) -> None:
    """A listener must not be a way to keep qcode busy without bound: it stays under one core."""
    burns = "import os\nopen('ready', 'w').close()\nwhile True:\n"
    job = await session.job(f"{burns}    open('x', 'w').close(); os.unlink('x')\n")
    began, clock = time.process_time(), time.monotonic()
    await asyncio.sleep(1)
    assert (time.process_time() - began) / (time.monotonic() - clock) < 1
    session.outside("git", "config", "x.y", "z")
    assert await session.ended(job)
