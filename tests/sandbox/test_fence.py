"""Each promise of the fence, really tried; and that the trial notices when there is none."""

import asyncio
import io
import json
import marshal
import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from qcode.sandbox import placeholders
from qcode.sandbox.base import Command
from qcode.sandbox.choose import choose
from qcode.sandbox.fenced import SWEEP_SECONDS, FencedRunner
from qcode.sandbox.ground import Ground
from qcode.sandbox.handed import compiled
from qcode.sandbox.names import NAMES
from qcode.sandbox.namespaces import Namespaces
from qcode.sandbox.promises import PROMISES
from qcode.sandbox.trial import trial
from tests.sandbox.fences import Nothing, outside_tmp, why_not
from tests.sandbox.processes import until

PYTHON = os.path.realpath(sys.executable)
"""Not that of a virtual environment, which may lie in the /tmp that the fence replaces."""

pytestmark = pytest.mark.skipif(bool(why_not()), reason=why_not() or "a fence holds")


@dataclass(frozen=True, slots=True)
class Place:
    """A home, a workspace in it, and a way to run commands there."""

    home: Path
    workspace: Path
    runner: FencedRunner

    async def run(self, line: str, seconds: float = 30) -> str:
        """All that it printed, and its exit code."""
        command = Command(line, self.workspace, seconds)
        output = await self.runner.run(command, lambda text: None)
        return f"{output.head}{output.tail}[{output.why or output.exit_code}]"


def runner(ground: Ground) -> FencedRunner:
    return FencedRunner(Namespaces(ground), ground.home / "spill")


@pytest.fixture
def home() -> Iterator[Path]:
    with outside_tmp() as folder:
        yield folder


@pytest.fixture
async def place(home: Path) -> AsyncIterator[Place]:
    workspace = home / "project"
    workspace.mkdir()
    it = runner(Ground.of((workspace,), (home / "state",), (), {"HOME": str(home)}))
    yield Place(home, workspace, it)
    await it.close()


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def git(folder: Path, *words: str) -> str:
    """What it prints, outside of the fence."""
    line = ("git", "-C", str(folder), *words)
    return subprocess.run(line, capture_output=True, text=True, check=True).stdout


def repository(folder: Path) -> None:
    for words in (("init", "-q"), ("config", "user.name", "n"), ("config", "user.email", "e@x")):
        git(folder, *words)


def test_every_promise_holds(home: Path) -> None:
    found = trial(Namespaces, home)
    assert found.why == ""
    assert dict(found.broken) == {}
    assert list(home.iterdir()) == []


def test_a_state_folder_with_a_long_name_hinders_no_trial(home: Path) -> None:
    long = home / ("x" * 120)
    long.mkdir()
    assert trial(Namespaces, long).proven


def test_without_a_fence_the_trial_breaks_every_promise(home: Path) -> None:
    found = trial(Nothing, home)
    works = {"workspace-is-writable", "loopback-inside-works"}
    # who is no root could neither mount nor set the kernel before, and has no rights to lose
    own = {"mounts", "kernel", "rights", "terminal"} if os.getuid() else {"terminal"}
    assert set(PROMISES) - works - own <= set(found.broken)
    assert not found.proven


class Leaky(Namespaces):
    """Leaves under a protected name what a command wrote there."""

    def close(self) -> None:
        super().close()
        [workspace] = self.ground.writable
        (workspace / ".mcp.json").write_text("{}")

    def __init__(self, ground: Ground) -> None:
        super().__init__(ground)
        self.ground = ground


def test_what_is_on_the_disk_behind_a_name_counts_and_not_what_it_looks_like_inside(
    home: Path,
) -> None:
    assert trial(Leaky, home).broken == {"missing-names": "one of them was left on the disk"}


def handed(*files: str) -> dict[str, Any]:
    """What the code of these defines, run as it is outside of qcode."""
    code, found = io.BytesIO(compiled(files)), dict[str, Any]()
    for _ in files:
        exec(marshal.load(code), found)
    return found


def test_a_place_is_found_without_following_a_link_on_the_way(home: Path) -> None:
    (home / "real").mkdir()
    (home / "real/file").touch()
    (home / "link").symlink_to(home / "real")
    locate = handed("kernel.py", "mounting.py")["locate"]
    at = locate(str(home / "real/file"))
    assert os.path.samestat(os.fstat(at), (home / "real/file").stat())
    os.close(at)
    at = locate(str(home / "link"))
    assert os.path.samestat(os.fstat(at), (home / "link").lstat())
    os.close(at)
    with pytest.raises(OSError, match="link/file"):
        locate(str(home / "link/file"))
    with pytest.raises(FileNotFoundError):
        locate(str(home / "gone"))


async def test_what_stands_in_is_not_written_by_who_owns_it_either(place: Place) -> None:
    printed = await place.run(
        "chmod u+w .vscode; echo x >.vscode/x; mkdir .git/hooks; mkdir .idea/a"
    )
    assert printed.count("Read-only file system") == 4
    assert names(place.workspace / ".vscode") == []


async def test_what_is_written_in_the_workspace_is_there(place: Place) -> None:
    assert await place.run("mkdir -p a/b && echo text >a/b/c && ln -s c a/b/d && cat a/b/d") == (
        "text\n[0]"
    )
    assert (place.workspace / "a/b/c").read_text() == "text\n"


async def test_nothing_else_is_written(place: Place) -> None:
    (place.home / "file").write_text("before")
    printed = await place.run(
        f"echo x >{place.home}/file; echo x >{place.home}/new; rm -f {place.home}/file;"
        f"ln -s {place.home} out; echo x >out/file; echo x >../new; mv ../file .; true"
    )
    assert "Read-only file system" in printed
    assert (place.home / "file").read_text() == "before"
    assert not (place.home / "new").exists()


async def test_secrets_are_empty_also_behind_links(place: Place) -> None:
    real = place.home / "dotfiles" / "ssh"
    real.mkdir(parents=True)
    (real / "id").write_text("SECRET")
    (place.home / ".ssh").symlink_to(real)
    for name in (".aws/credentials", ".netrc", "state/session", ".mozilla/x/cookies.sqlite"):
        (place.home / name).parent.mkdir(parents=True, exist_ok=True)
        (place.home / name).write_text("SECRET")
    printed = await place.run("cd ..; cat .ssh/id dotfiles/ssh/id .netrc; grep -r SECRET . ; true")
    assert "SECRET" not in printed.replace("grep -r SECRET", "")
    assert printed.endswith("[0]")


async def test_an_output_that_was_kept_can_be_read_though_the_state_is_hidden(home: Path) -> None:
    workspace, state = home / "project", home / "state"
    for folder in (workspace, state / "spill"):
        folder.mkdir(parents=True)
    (state / "key").write_text("SECRET")
    (state / "spill" / "output").write_text("long")
    it = runner(Ground.of((workspace,), (state,), (state / "spill",), {"HOME": str(home)}))
    place = Place(home, workspace, it)
    printed = await place.run(f"cat {state}/spill/output; ls {state}; echo x >{state}/spill/output")
    await it.close()
    assert printed.startswith("longspill\n")
    assert (state / "spill" / "output").read_text() == "long"


@pytest.mark.parametrize("name", NAMES)
async def test_a_protected_name_that_is_missing_cannot_be_made(place: Place, name: str) -> None:
    await place.run(f"mkdir -p $(dirname {name}); echo x >{name}; mkdir {name}; echo x >{name}/x")
    await place.run(
        f"rm -rf {name} .git; mkdir made; echo x >made/x; mv made {name}; mv -T made .git"
    )
    await place.runner.close()
    assert not os.path.lexists(place.workspace / name)


@pytest.mark.parametrize("name", NAMES)
async def test_a_protected_name_that_exists_stays_as_it_is(place: Place, name: str) -> None:
    file = place.workspace / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("before")
    away = name.split("/")[0]
    await place.run(f"echo x >{name}; rm -rf {name}; mv {name} away; mv {away} away; rm -rf {away}")
    await place.run(f"echo x >new; mv -f new {name}; ln -f {name} link; echo x >link")
    assert file.read_text() == "before"
    assert not file.is_symlink()


async def test_a_protected_name_that_is_a_link_is_not_turned_elsewhere(place: Place) -> None:
    (place.home / "shared").mkdir()
    link = place.workspace / ".claude"
    link.symlink_to(place.home / "shared")
    await place.run(
        "rm -f .claude; mkdir evil; ln -sfn evil .claude;mv evil .claude; echo x >.claude/x"
    )
    assert link.readlink() == place.home / "shared"
    assert list((place.home / "shared").iterdir()) == []


async def test_nothing_that_stood_in_is_left(place: Place) -> None:
    (place.workspace / "file").touch()
    assert ".mcp.json" in await place.run("ls -A")
    assert await until(lambda: names(place.workspace) == ["file"])


async def test_what_stands_in_stays_while_another_command_needs_it(place: Place) -> None:
    job = await place.runner.start(
        Command("until [ -e go ]; do sleep 0.02; done; echo x >.mcp.json", place.workspace, 60)
    )
    for _ in range(3):
        await place.run("true")
        await asyncio.sleep(SWEEP_SECONDS + 0.1)
    (place.workspace / "go").touch()
    assert await until(lambda: place.runner.list()[0].state != "running")
    assert "Is a directory" in (await place.runner.read(job, 5)).text
    assert await until(lambda: names(place.workspace) == ["go"])


async def test_what_a_killed_qcode_left_standing_goes_with_the_next_one(place: Place) -> None:
    held = placeholders.hold(place.workspace)
    placeholders.place(held, (".mcp.json", ".vscode", ".git"))
    os.close(held)  # as a kill does it
    (place.workspace / ".idea").mkdir()
    assert len(list(place.workspace.iterdir())) == 4
    await place.run("true")
    assert await until(lambda: names(place.workspace) == [".idea"])


async def test_git_commits_but_takes_no_hooks_or_config_from_a_command(place: Place) -> None:
    repository(place.workspace)
    printed = await place.run(
        "echo a >a && git add -A && git commit -qm one && git checkout -qb new && git status -s"
        " && git log --format=%s && git stash list && git worktree list >/dev/null"
    )
    assert printed == "one\n[0]"
    printed = await place.run(
        "git config core.fsmonitor ./evil; mkdir evil; echo ../evil >.git/commondir"
    )
    assert "fsmonitor" not in (place.workspace / ".git/config").read_text()
    await place.runner.close()
    assert not (place.workspace / ".git/commondir").exists()
    assert git(place.workspace, "ls-files") == "a\n"


async def test_a_server_outside_is_not_reached_and_one_inside_is(place: Place) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        code = (
            "import socket\n"
            "with socket.create_server(('127.0.0.1', 0)) as s:\n"
            "    socket.create_connection(s.getsockname()).close(); print('inside')\n"
            f"socket.create_connection(('127.0.0.1', {port}), 3)"
        )
        (place.workspace / "try.py").write_text(code)
        printed = await place.run(f"{PYTHON} try.py 2>&1 | grep -o 'inside\\|refused'")
    assert printed == "inside\nrefused\n[0]"


COME_AND_GO = """
import os, socket, sys

while True:
    names = [f"{sys.argv[1]}/s{number:03}" for number in range(200)]
    held = []
    for name in names:
        held.append(socket.socket(socket.AF_UNIX))
        held[-1].bind(name)
    for name in reversed(names):
        os.unlink(name)
"""


async def test_sockets_that_come_and_go_hinder_no_command(place: Place) -> None:
    folder = place.home / "sockets"
    folder.mkdir()
    line = (PYTHON, "-c", COME_AND_GO, str(folder))
    others = await asyncio.create_subprocess_exec(*line)
    try:
        printed = [await place.run("echo done") for _ in range(25)]
    finally:
        others.kill()
        await others.wait()
    assert set(printed) == {"done\n[0]"}


async def test_sockets_outside_are_not_reached_wherever_they_lie(place: Place) -> None:
    agent = place.workspace / "s"
    with socket.socket(socket.AF_UNIX) as near, socket.socket(socket.AF_UNIX) as far:
        near.bind(str(agent))
        far.bind(str(place.home / "s"))
        near.listen()
        far.listen()
        code = "import socket,sys\nsocket.socket(1).connect(sys.argv[1])\nprint('op' 'en')"
        (place.workspace / "try.py").write_text(code)
        for path in (agent, place.home / "s"):
            assert "open" not in await place.run(f"{PYTHON} try.py {path}")


@pytest.mark.skipif(
    Path(sys.prefix).is_relative_to(tempfile.gettempdir()),
    reason="the pytest of this run lies in /tmp, of which the fence has its own",
)
async def test_a_suite_runs_inside(place: Place) -> None:
    test = "import tempfile\n\ndef test_it(tmp_path):\n    (tmp_path / 'x').touch()\n"
    (place.workspace / "test_it.py").write_text(test)
    assert "1 passed" in await place.run(f"{sys.executable} -m pytest -q test_it.py")


async def test_tmp_is_private_and_kept_from_command_to_command(
    place: Place, tmp_path: Path
) -> None:
    (tmp_path / "theirs").touch()
    assert "[0]" not in await place.run(f"ls {tmp_path}/theirs")
    name = f"/tmp/{place.home.name}"
    await place.run(f"echo mine >{name}")
    assert await place.run(f"cat {name}") == "mine\n[0]"
    assert not Path(name).exists()


async def test_a_workspace_in_tmp_works(tmp_path: Path) -> None:
    root = tmp_path / "project"
    root.mkdir()
    it = runner(Ground.of((root,), (), (), {"HOME": str(tmp_path)}))
    place = Place(tmp_path, root, it)
    assert "Is a directory\na\n[0]" in await place.run("echo a >a; echo b >.git; cat a")
    await it.close()
    assert [path.name for path in root.iterdir()] == ["a"]


async def test_the_first_commands_of_a_workspace_in_tmp_may_come_at_once(tmp_path: Path) -> None:
    """They share a /tmp that is empty, and each makes in it the place for the workspace."""
    for number in range(8):
        root = tmp_path / f"{number}" / "a" / "b" / "c" / "d" / "project"
        root.mkdir(parents=True)
        it = runner(Ground.of((root,), (), (), {"HOME": str(tmp_path)}))
        place = Place(tmp_path, root, it)
        try:
            said = await asyncio.gather(*(place.run("echo done") for _ in range(6)))
        finally:
            await it.close()
        assert set(said) == {"done\n[0]"}


async def test_a_workspace_on_a_mount_of_its_own_works(home: Path) -> None:
    with tempfile.TemporaryDirectory(dir="/dev/shm") as folder:
        root = Path(folder).resolve()
        it = runner(Ground.of((root,), (), (), {"HOME": str(home)}))
        assert await Place(home, root, it).run("echo a >a && cat a && ls ..") == (
            f"a\n{root.name}\n[0]"
        )
        await it.close()
        assert names(root) == ["a"]


async def test_only_the_workspace_and_what_is_private_is_mounted_writable(
    place: Place,
) -> None:
    printed = await place.run("cat /proc/self/mountinfo; grep -c . /proc/self/mountinfo")
    rows = [row.split() for row in printed.splitlines() if " - " in row]
    root = str(place.workspace)
    writable = {row[4] for row in rows if "rw" in row[5].split(",")}
    allowed = {root, f"{root}/.git", "/tmp", "/var/tmp", "/proc", "/dev/shm", "/dev/pts"}
    devices = {f"/dev/{name}" for name in ("null", "zero", "full", "random", "urandom", "tty")}
    assert writable - allowed - devices == set()


async def test_the_folder_for_sockets_of_programs_is_there_and_empty(home: Path) -> None:
    workspace, runtime = home / "project", home / "run"
    workspace.mkdir()
    runtime.mkdir()
    (runtime / "bus").touch()
    variables = {"HOME": str(home), "XDG_RUNTIME_DIR": str(runtime)}
    it = runner(Ground.of((workspace,), (), (), variables))
    line = f"ls {runtime}; echo x >{runtime}/new && echo written"
    assert await Place(home, workspace, it).run(line) == "written\n[0]"
    await it.close()
    assert names(runtime) == ["bus"]


async def test_keys_that_variables_have_moved_are_not_read(home: Path) -> None:
    workspace, conf = home / "project", home / "conf"
    for folder in (workspace, conf / "gh", conf / "app"):
        folder.mkdir(parents=True)
    for path in (conf / "gh/hosts.yml", conf / "app/settings", home / "kube", workspace / "kube"):
        path.write_text("SECRET")
    kube = f"{home / 'kube'}:{workspace / 'kube'}"
    variables = {"HOME": str(home), "XDG_CONFIG_HOME": str(conf), "KUBECONFIG": kube}
    it = runner(Ground.of((workspace,), (), (), variables))
    place = Place(home, workspace, it)
    printed = await place.run(f"cat {conf}/gh/hosts.yml {home}/kube; cat {conf}/app/settings kube")
    assert printed.count("SECRET") == 2  # what is no key, and what is the project's own
    await it.close()


async def test_a_workspace_that_is_the_home_folder(home: Path) -> None:
    (home / ".ssh").mkdir()
    (home / ".ssh" / "id").write_text("SECRET")
    (home / ".bashrc").write_text("before")
    it = runner(Ground.of((home,), (), (), {"HOME": str(home)}))
    place = Place(home, home, it)
    printed = await place.run(
        "cat .ssh/id; echo x >.bashrc; echo x >.zshrc; mkdir -p .config/fish; echo x >a"
    )
    await it.close()
    assert "SECRET" not in printed
    assert (home / ".bashrc").read_text() == "before"
    assert {path.name for path in home.iterdir()} == {".ssh", ".bashrc", "a"}


async def test_a_folder_that_was_added_is_written_as_well(home: Path) -> None:
    first, second = home / "one", home / "two"
    first.mkdir()
    second.mkdir()
    it = runner(Ground.of((first, second), (), (), {"HOME": str(home)}))
    await Place(home, first, it).run("echo x >../two/a; echo x >../two/.envrc")
    await it.close()
    assert [path.name for path in second.iterdir()] == ["a"]


async def test_other_processes_and_the_init_are_out_of_reach(place: Place) -> None:
    printed = await place.run(
        "ls -d /proc/[0-9]*; cat /proc/1/environ;"
        "for it in /proc/1/fd/*; do ls $it/; done; ls /proc/1/root/"
    )
    numbers = [word for word in printed.split() if word.startswith("/proc/") and word[6:].isdigit()]
    assert len(numbers) <= 3
    rows = printed.splitlines()[len(numbers) : -1]
    assert len(rows) > 3
    assert all("Permission denied" in row for row in rows)


AS_NOBODY = """
import json, pathlib, tempfile
from qcode.sandbox.namespaces import Namespaces
from qcode.sandbox.trial import trial

with tempfile.TemporaryDirectory(dir="/var/tmp") as base:
    found = trial(Namespaces, pathlib.Path(base))
print(json.dumps([found.why, sorted(found.broken)]))
"""


@pytest.mark.skipif(os.getuid() != 0, reason="only root can become somebody else")
def test_it_holds_for_a_user_without_rights() -> None:
    rest = ("--regid=65534", "--clear-groups", "/usr/bin/python3", "-c")
    line = ("setpriv", "--reuid=65534", *rest)
    root = Path(__file__).parents[2]
    imports = (*line, "import qcode.sandbox.trial")
    if subprocess.run(imports, cwd=root, capture_output=True, check=False).returncode:
        pytest.skip("another user cannot read this checkout, or has no Python for it")
    done = subprocess.run((*line, AS_NOBODY), cwd=root, capture_output=True, check=True)
    why, broken = json.loads(done.stdout)
    assert why == ""
    assert set(broken) == set()


def test_what_was_proven_is_not_tried_again(home: Path) -> None:
    workspace, state = home / "project", home / "state"
    workspace.mkdir()
    state.mkdir()
    ground = Ground.of((workspace,), (state,), (), {"HOME": str(home)})
    first = choose(ground, state)
    assert first.fence is not None
    changed = (state / "fence.json").stat().st_mtime_ns
    second = choose(ground, state)
    assert second.fence is not None
    assert second.fence.name == first.fence.name
    assert (state / "fence.json").stat().st_mtime_ns == changed
    (state / "fence.json").write_text('{"key": "of another boot", "name": "namespaces"}')
    assert choose(ground, state).fence is not None
    assert (state / "fence.json").read_text().count("another boot") == 0


def test_a_fence_around_everything_is_refused(home: Path) -> None:
    choice = choose(Ground.of((Path("/"),), (), (), {"HOME": str(home)}), home)
    assert choice.fence is None
    assert "would enclose nothing" in choice.why
