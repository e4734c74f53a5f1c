"""A scripted model builds a project of ten files from an empty folder, with the real tools."""

import shlex
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from qcode.protocol.events import ToolCallFinished
from qcode.protocol.messages import ToolMessage
from tests.engine.rig import YOLO, Rig, configured, rig, started
from tests.sandbox.processes import Strays
from tests.support.script import Call, Reply
from tests.support.scripted_server import StartScripted

PYTHON = shlex.quote(sys.executable)

FILES = {
    "README.md": "# Till\n\nAdds up a basket, and serves the sum.\n",
    "pyproject.toml": '[project]\nname = "till"\nversion = "0.1"\n',
    ".gitignore": "__pycache__/\nrun/\n",
    "data/basket.json": '{"tea": [2, 125], "scones \u00e0 la cr\u00e8me": [3, 250]}\n',
    "till/__init__.py": '"""Adds up baskets."""\n',
    "till/prices.py": '''\
"""Sums in cents."""


def total(basket):
    return sum(price for count, price in basket.values())


def shown(cents):
    return f"{cents // 100}.{cents % 100:02}"
''',
    "till/basket.py": '''\
"""Reads a basket."""

import json
from pathlib import Path


def load(path="data/basket.json"):
    return json.loads(Path(path).read_text(encoding="utf-8"))
''',
    "till/server.py": '''\
"""Serves the sum. Tells its port and process in run/."""

import os
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

from till.basket import load
from till.prices import shown, total


class Till(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(shown(total(load())).encode())


with HTTPServer(("127.0.0.1", 0), Till) as server:
    Path("run").mkdir(exist_ok=True)
    Path("run/process").write_text(str(os.getpid()))
    Path("run/new").write_text(str(server.server_port))
    Path("run/new").rename("run/port")
    print("serving", flush=True)
    server.serve_forever()
''',
    "till/client.py": '''\
"""Asks the server; waits until it has begun."""

import time
import urllib.request
from pathlib import Path

deadline = time.monotonic() + 20
while not Path("run/port").exists() and time.monotonic() < deadline:
    time.sleep(0.05)
address = f"http://127.0.0.1:{Path('run/port').read_text()}/"
open_directly = urllib.request.build_opener(urllib.request.ProxyHandler({})).open
print("the till says", open_directly(address, timeout=10).read().decode())
''',
    "till/test_prices.py": """\
import unittest

from till.prices import shown, total


class Prices(unittest.TestCase):
    def test_each_item_counts_as_often_as_it_is_there(self):
        self.assertEqual(total({"tea": [2, 125], "scone": [3, 250]}), 1000)

    def test_cents_have_two_digits(self):
        self.assertEqual(shown(1005), "10.05")
""",
}

UNIT = f"{PYTHON} -m unittest till.test_prices"
SERVE = Call("shell", {"command": f"exec {PYTHON} -m till.server", "action": "start"}, "serve")
STOP = Call("shell", {"action": "stop", "job": "job-1"}, "stop")


def write(path: str) -> Call:
    return Call("write", {"path": path, "content": FILES[path]}, path)


def shell(command: str, id: str) -> Call:
    return Call("shell", {"command": command}, id)


def ask(id: str) -> Call:
    return shell(f"{PYTHON} -m till.client", id)


def work() -> Iterator[Reply]:
    """Write, test, find the bug, mend it, test again."""
    first, second = list(FILES)[:4], list(FILES)[4:]
    yield Reply("I begin with the frame.", "A small package.", tuple(write(path) for path in first))
    yield Reply(reasoning="Now the code.", calls=tuple(write(path) for path in second))
    yield Reply(calls=(Call("glob", {"pattern": "*.py"}, "glob"), shell(UNIT, "red")))
    look = Call("read", {"path": "till/prices.py"}, "read")
    yield Reply("A sum is wrong.", calls=(Call("grep", {"pattern": r"def total\("}, "grep"), look))
    mend = {
        "path": "till/prices.py",
        "old_string": "sum(price ",
        "new_string": "sum(count * price ",
    }
    yield Reply(calls=(Call("edit", mend, "edit"), shell(UNIT, "green")))


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """An empty workspace; a server that outlives a failed test is ended."""
    work = tmp_path / "till"
    work.mkdir()
    yield work
    if serving(work).path.exists():
        serving(work).kill()


def serving(folder: Path) -> Strays:
    """The process of the project's server."""
    return Strays(folder / "run" / "process")


def results(run: Rig) -> dict[str, ToolMessage]:
    """By the id of the call."""
    return {event.message.call_id: event.message for event in run.said(ToolCallFinished)}


async def test_ten_files_from_an_empty_folder_and_a_server_that_is_asked(
    scripted: StartScripted, folder: Path
) -> None:
    server = scripted(
        *work(),
        Reply("Now the server.", calls=(SERVE, ask("ask"))),
        Reply(calls=(STOP, ask("refused"), Call("shell", {"action": "list"}, "list"))),
        Reply("The till is built and tested."),
    )
    async with rig(configured(server.base_url, permission=YOLO), started(folder)) as run:
        end = await run.turn("Build a till: a package, tests, a server.")
        assert serving(folder).numbers()
        assert not serving(folder).running()
    assert end.reason == "end_turn"
    told = results(run)
    mended = FILES["till/prices.py"].replace("sum(price ", "sum(count * price ")
    for path, text in {**FILES, "till/prices.py": mended}.items():
        assert (folder / path).read_bytes() == text.encode()
    made = [path for path in folder.rglob("*") if path.is_file()]
    ours = [path for path in made if not {"__pycache__", "run"} & set(path.parts)]
    assert len(ours) == len(FILES) == 10
    assert {told[path].status for path in FILES} == {"ok"}
    assert told["glob"].text.splitlines()[1:] == sorted(
        path for path in FILES if path[-3:] == ".py"
    )
    assert told["red"].text.startswith("exit 1")
    assert "375 != 1000" in told["red"].text
    assert "till/prices.py" in told["grep"].text
    assert "5\t    return sum(price" in told["read"].text
    assert told["green"].text.startswith("exit 0")
    assert "job-1 · running" in told["serve"].text
    assert "the till says 10.00" in told["ask"].text
    assert "ended by signal 15" in told["stop"].text
    assert "refused" in told["refused"].text
    assert "running" not in told["list"].text


async def test_a_server_that_the_model_forgets_ends_with_the_session(
    scripted: StartScripted, folder: Path
) -> None:
    server = scripted(*work(), Reply(calls=(SERVE, ask("ask"))), Reply("It runs."))
    async with rig(configured(server.base_url, permission=YOLO), started(folder)) as run:
        await run.turn("Build a till.")
        assert serving(folder).running()
    assert not serving(folder).running()
    assert "the till says 10.00" in results(run)["ask"].text
