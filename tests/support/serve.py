"""A scripted server as a program, for benches and demos that want it in a process of its own.

    python -m tests.support.serve SCRIPT.json [RECORD.jsonl]

SCRIPT.json is a list of replies, each an object with the fields of `script.Reply`; with an object
`{"about": …, "replies": […]}` the server's own facts are set too. The base URL is printed as the
first line; the server ends when its stdin ends, writes what it received to RECORD.jsonl, and exits
with 1 when replies were left over or requests came too many.
"""

import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

import msgspec

from tests.support.llama_words import About
from tests.support.script import Received, Reply
from tests.support.scripted_server import ScriptedServer


def load(path: Path) -> ScriptedServer:
    """The server that a script file describes, not started."""
    data: Any = json.loads(path.read_text(encoding="utf-8"))
    if isinstance(data, list):
        data = {"replies": data}
    replies = msgspec.convert(data["replies"], list[Reply])
    return ScriptedServer(*replies, about=msgspec.convert(data.get("about", {}), About))


def main(arguments: list[str]) -> int:
    """Serve until stdin ends."""
    with load(Path(arguments[0])) as server:
        sys.stdout.write(f"{server.base_url}\n")
        sys.stdout.flush()
        sys.stdin.read()
    if len(arguments) > 1:
        lines = [json.dumps(_row(request)) for request in server.requests]
        Path(arguments[1]).write_text("".join(line + "\n" for line in lines), encoding="utf-8")
    try:
        server.check()
    except AssertionError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


def _row(request: Received) -> dict[str, Any]:
    row = asdict(request)
    del row["raw"]
    return {**row, "body": request.body}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
