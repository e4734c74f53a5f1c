"""What developers run works behind the filter of calls, and the filter is really there."""

import os
import shutil
import sys
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from qcode.sandbox.base import Command
from qcode.sandbox.fenced import FencedRunner
from qcode.sandbox.ground import Ground
from qcode.sandbox.namespaces import Namespaces
from tests.sandbox.fences import outside_tmp, why_not

PYTHON = os.path.realpath(sys.executable)
pytestmark = pytest.mark.skipif(bool(why_not()), reason=why_not() or "a fence holds")


class Place:
    """A workspace and commands in it."""

    def __init__(self, home: Path) -> None:
        self.workspace = home / "project"
        self.workspace.mkdir()
        ground = Ground.of((self.workspace,), (), (), {"HOME": str(home)})
        self.runner = FencedRunner(Namespaces(ground), home / "spill")

    async def run(self, line: str) -> str:
        """All that it printed, and its exit code."""
        output = await self.runner.run(Command(line, self.workspace, 60), lambda _: None)
        return f"{output.head}{output.tail}[{output.why or output.exit_code}]"

    async def python(self, code: str) -> str:
        """The same of a script."""
        (self.workspace / "script.py").write_text(code)
        return await self.run(f"{PYTHON} -I script.py")


@pytest.fixture
async def place() -> AsyncIterator[Place]:
    with outside_tmp() as home:
        it = Place(home)
        yield it
        await it.runner.close()


THREADS = """
import concurrent.futures as futures, multiprocessing, subprocess, threading
def twice(number): return 2 * number
if __name__ == "__main__":
    for kind in ("fork", "spawn"):
        with multiprocessing.get_context(kind).Pool(2) as pool:
            print(pool.map(twice, [1, 2]))
    with futures.ThreadPoolExecutor(4) as many:
        print(list(many.map(twice, [3, 4])))
    print(subprocess.run(["echo", "x"], capture_output=True).stdout)
"""
SOCKETS = """
import asyncio, socket, tempfile
async def main():
    async def answer(reader, writer):
        writer.write(b"x"); writer.close()
    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    reader, _ = await asyncio.open_connection(*server.sockets[0].getsockname())
    print(await reader.read())
    path = tempfile.mktemp()
    await asyncio.start_unix_server(answer, path)
    reader, _ = await asyncio.open_unix_connection(path)
    print(await reader.read())
    process = await asyncio.create_subprocess_exec("true")
    print(await process.wait())
asyncio.run(main())
socket.getaddrinfo("localhost", 80)
socket.socket(socket.AF_INET6).close()
"""
REFUSED = """
import ctypes, errno, socket
libc = ctypes.CDLL(None, use_errno=True)
def tried(*words):
    ctypes.set_errno(0)
    return errno.errorcode.get(ctypes.get_errno()) if libc.syscall(*words) < 0 else "done"
print(tried(425, 1, None), tried(435, None, 0), tried(428, -100, b"/", 0), tried(101, 0, 0, 0, 0))
for family in (40, 38, 17):
    try: print(socket.socket(family, socket.SOCK_STREAM))
    except OSError as error: print(errno.errorcode[error.errno])
"""


async def test_threads_and_processes(place: Place) -> None:
    assert await place.python(THREADS) == "[2, 4]\n[2, 4]\n[6, 8]\nb'x\\n'\n[0]"


async def test_servers_of_both_kinds_inside(place: Place) -> None:
    assert await place.python(SOCKETS) == "b'x'\nb'x'\n0\n[0]"


@pytest.mark.skipif(os.uname().machine != "x86_64", reason="one number in it is of x86_64")
async def test_what_is_refused_says_why(place: Place) -> None:
    """io_uring and clone3 are missing, open_tree is forbidden, ptrace(TRACEME) works."""
    printed = (await place.python(REFUSED)).split()
    assert printed == ["ENOSYS", "ENOSYS", "EPERM", "done", *["EAFNOSUPPORT"] * 3, "[0]"]


@pytest.mark.parametrize(
    ("tool", "line", "printed"),
    [
        ("gcc", "echo 'int main(){return 7;}' >a.c && gcc a.c -o a && ./a", "[7]"),
        (
            "make",
            "printf 'all: x\\n\\t@echo made\\nx:\\n\\t@touch x\\n' >Makefile; make",
            "made\n[0]",
        ),
        ("node", "node -e 'setTimeout(()=>console.log(process.argv.length),1)'", "1\n[0]"),
        ("node", "node -e 'new (require(`worker_threads`).Worker)(`1`,{eval:true})'", "[0]"),
        ("perl", "perl -e 'print fork ? wait && 2 : exit'", "2[0]"),
        ("gdb", "gdb -q -batch -ex run -ex quit --args true | grep -o 'exited normally'", None),
        ("strace", "strace -o t true && grep -c exit_group t", "1\n[0]"),
        ("unshare", "unshare -r true 2>/dev/null", "[1]"),
    ],
)
async def test_a_tool_works(place: Place, tool: str, line: str, printed: str | None) -> None:
    if not shutil.which(tool):
        pytest.skip(f"{tool} is not installed here")
    assert await place.run(line) == (printed or "exited normally\n[0]")


@pytest.mark.skipif(
    Path(sys.prefix).is_relative_to(tempfile.gettempdir()),
    reason="the pytest of this run lies in /tmp, of which the fence has its own",
)
async def test_a_suite_in_several_processes(place: Place) -> None:
    pytest.importorskip("xdist", reason="pytest-xdist is not installed here")
    (place.workspace / "test_it.py").write_text("def test_a(): pass\ndef test_b(): pass\n")
    assert "2 passed" in await place.run(f"{sys.executable} -m pytest -q -n 2 test_it.py")
