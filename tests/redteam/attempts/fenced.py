"""Lines that really run inside the fence of this machine.

All of them share one command, one after the other: raising a fence for each would take long. Where
the guard is off each runs alone and plain, in a place that was made for it, since it will succeed.
"""

import asyncio
import atexit
import json
import os
import secrets
import shlex
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Literal

from qcode.sandbox.base import Command
from qcode.sandbox.choose import choose
from qcode.sandbox.fenced import FencedRunner
from qcode.sandbox.ground import Ground
from qcode.sandbox.plain import PlainRunner
from tests.redteam.case import CannotTell
from tests.sandbox.fences import outside_tmp

MODE: list[Literal["fence", "plain"]] = ["fence"]
"""One entry; `guards` replaces it."""

WHOLE = ("namespaces", "bubblewrap")
"""Fences that make every promise."""
_KNOWN: list[str] = []
_SECONDS = 10
"""For each, in `_DRIVER` too."""


@dataclass(frozen=True, slots=True)
class Inside:
    """A line of bash; succeeds when it ends with 0.

    It knows $HOME, $OUT (a folder outside), $PORT (a server outside), $SOCKET and $ABSTRACT
    (listeners outside), $TMPFILE (a file in the /tmp outside), $VICTIM (a process outside) and
    $MARK (a word among its arguments, with `-here` behind it). Its folder is a repository.
    """

    line: str

    def __post_init__(self) -> None:
        _KNOWN.append(self.line)

    def succeeds(self, tmp: Path) -> bool:
        if MODE[0] == "plain":
            return _alone(self.line)
        return _together()[self.line]


def fence_name() -> str:
    """What holds here. Raises CannotTell."""
    with _scene() as place:
        return _fence(place).name


@contextmanager
def fence() -> Iterator[FencedRunner]:
    """The fence that holds here; whoever takes it closes it. Raises CannotTell."""
    with _scene() as place:
        yield _fence(place)


@dataclass(frozen=True, slots=True)
class _Scene:
    root: Path
    told: dict[str, str]

    @property
    def workspace(self) -> Path:
        return self.root / "workspace"


@cache
def _together() -> dict[str, bool]:
    lines = tuple(dict.fromkeys(_KNOWN))
    with _scene() as place:
        codes = asyncio.run(_run(_fence(place), place, lines))
    return dict(zip(lines, (code == 0 for code in codes), strict=True))


def _alone(line: str) -> bool:
    with _scene() as place:
        runner = PlainRunner(place.root / "spill", _inherited(place))
        return asyncio.run(_run(runner, place, (line,))) == [0]


def _fence(place: _Scene) -> FencedRunner:
    inherited = _inherited(place)
    own = place.root / "home/.local/state/qcode"
    ground = Ground.of((place.workspace,), (own,), (), inherited)
    choice = choose(ground, own)
    if choice.fence is None:
        raise CannotTell(choice.why)
    if choice.fence.name not in WHOLE:
        raise CannotTell(f"{choice.fence.name} promises less; its trial says what")
    return FencedRunner(choice.fence, place.root / "spill", inherited)


def _inherited(place: _Scene) -> dict[str, str]:
    home = place.told["HOME"]
    path = os.environ.get("PATH", os.defpath)
    return {"PATH": path, "HOME": home, "XDG_CONFIG_HOME": f"{home}/moved"}


_DRIVER = """
import json, subprocess, sys
codes = []
for line in json.load(open(sys.argv[1])):
    try:
        codes.append(subprocess.run(["bash", "-c", line], stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=10).returncode)
    except subprocess.TimeoutExpired:
        codes.append(-1)
print("\\n" + json.dumps(codes))
"""


async def _run(runner: PlainRunner, place: _Scene, lines: Sequence[str]) -> list[int]:
    (place.workspace / ".lines.json").write_text(json.dumps(lines))
    python = shlex.quote(os.path.realpath(sys.executable))
    command = f"{python} -I -S -c {shlex.quote(_DRIVER)} .lines.json"
    limit = 30 + _SECONDS * len(lines)
    try:
        output = await runner.run(
            Command(command, place.workspace, limit, place.told), lambda text: None
        )
    finally:
        await runner.close()
    said = (output.tail or output.head).strip().splitlines()
    assert output.exit_code == 0 and said, output  # noqa: PT018 - both say the same: it did not run
    found = json.loads(said[-1])
    assert isinstance(found, list)
    return found


@contextmanager
def _scene() -> Iterator[_Scene]:
    with ExitStack() as stack:
        root = stack.enter_context(outside_tmp())
        shutil.copytree(_template(), root, symlinks=True, dirs_exist_ok=True)
        told = {"HOME": str(root / "home"), "OUT": str(root / "outside")}
        told |= {"MARK": f"victim-{secrets.token_hex(6)}", "SOCKET": f"{root}/outside/s"}
        told |= {"ABSTRACT": f"redteam-{secrets.token_hex(8)}"}
        tmp = stack.enter_context(tempfile.NamedTemporaryFile("w", prefix="redteam-"))
        tmp.write("x")
        tmp.flush()
        victim = subprocess.Popen(
            ["/bin/sh", "-c", "read x", f"{told['MARK']}-here"], stdin=subprocess.PIPE
        )
        stack.callback(_end, victim)
        told |= {"TMPFILE": tmp.name, "VICTIM": str(victim.pid)}
        told["PORT"] = str(_listeners(stack, told))
        yield _Scene(root, told)


def _end(victim: "subprocess.Popen[bytes]") -> None:
    victim.kill()
    victim.communicate()


@cache
def _template() -> Path:
    """What every scene is a copy of; four processes of git are not started for each."""
    root = Path(tempfile.mkdtemp(prefix="redteam-"))
    atexit.register(shutil.rmtree, root, ignore_errors=True)
    for name in (
        "workspace/sub",
        "outside",
        "home/.ssh",
        "home/moved/gh",
        "home/.local/state/qcode/serve/slots",
    ):
        (root / name).mkdir(parents=True)
    (root / "workspace/.git/hooks").mkdir(parents=True)
    for name, text in _FILES.items():
        (root / name).write_text(text)
    if shutil.which("git") is None:
        raise CannotTell("there is no git")
    environment = {"PATH": os.environ.get("PATH", os.defpath), "HOME": str(root / "home")}
    for words in _GIT:
        subprocess.run(["git", *words], cwd=root / "workspace", check=True, env=environment)
    return root


_FILES = {
    "outside/file": "as it was\n",
    "home/.ssh/id_ed25519": "a key\n",
    "home/.local/state/qcode/rules": "rules\n",
    "home/.local/state/qcode/serve/m.key": "a key\n",
    "home/.local/state/qcode/serve/m.json": "{}\n",
    "home/.local/state/qcode/serve/slots/s": "a conversation\n",
    "home/moved/gh/hosts.yml": "a token\n",
    "home/moved/app.conf": "no secret\n",
    "home/.bashrc": "",
    "workspace/a.txt": "one\n",
}
_GIT = (
    ("init", "-q", "--template=", "-b", "main"),
    ("config", "user.name", "Ann"),
    ("config", "user.email", "ann@example.org"),
    ("add", "a.txt"),
    ("commit", "-q", "-m", "one"),
    ("init", "-q", "--template=", "--bare", "../outside/bare"),
)


class _Answers(BaseHTTPRequestHandler):
    """Anything asked for is there, and empty."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Quiet."""


def _listeners(stack: ExitStack, told: dict[str, str]) -> int:
    for address in (told["SOCKET"], "\0" + told["ABSTRACT"]):
        unix = stack.enter_context(socket.socket(socket.AF_UNIX))
        unix.bind(address)
        unix.listen()
    server = stack.enter_context(ThreadingHTTPServer(("127.0.0.1", 0), _Answers))
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    stack.callback(server.shutdown)
    return int(server.server_address[1])
