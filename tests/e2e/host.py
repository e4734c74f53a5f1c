"""One who drives qcode by lines of JSON, as a client of the control protocol does."""

import json
import queue
import subprocess
import threading
from collections.abc import Callable, Iterator
from typing import Any

from tests.e2e.rig import LIMIT_SECONDS, Cli

Line = dict[str, Any]
BOTH = ("--output-format", "stream-json", "--input-format", "stream-json", "--verbose")


class Host:
    """A run, its lines, and what is said to it."""

    def __init__(self, cli: Cli, *argv: str) -> None:
        self.process = subprocess.Popen(
            cli.line(*BOTH, *argv),
            cwd=cli.folder,
            env=cli.environ,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        self.seen: list[Line] = []
        self._has_left = False
        self._lines: queue.Queue[bytes] = queue.Queue()
        threading.Thread(target=self._read, daemon=True).start()

    def say(self, text: str, **more: Any) -> None:
        """A user message."""
        self.send({"type": "user", "message": {"role": "user", "content": text}, **more})

    def request(self, subtype: str, **more: Any) -> Line:
        """A control request, and its response."""
        asked = {"subtype": subtype, **more}
        self.send({"type": "control_request", "request_id": subtype, "request": asked})
        found = self.until(lambda line: line["type"] == "control_response")
        return dict(found["response"])

    def reply(self, asked: Line, **decided: Any) -> None:
        """The decision about a `can_use_tool`."""
        response = {"subtype": "success", "request_id": asked["request_id"], "response": decided}
        self.send({"type": "control_response", "response": response})

    def send(self, line: Line | bytes) -> None:
        """One line."""
        assert self.process.stdin
        data = line if isinstance(line, bytes) else json.dumps(line).encode()
        self.process.stdin.write(data + b"\n")
        self.process.stdin.flush()

    def until(self, wanted: Callable[[Line], bool]) -> Line:
        """The next line that is wanted; those before it are in `seen`."""
        for line in self.lines():
            if wanted(line):
                return line
        raise AssertionError(f"it ended before that came: {self.seen[-3:]}")

    def result(self) -> Line:
        """The next `result`."""
        return self.until(lambda line: line["type"] == "result")

    def asked(self) -> Line:
        """The next `control_request`."""
        return self.until(lambda line: line["type"] == "control_request")

    def lines(self) -> Iterator[Line]:
        """All that come, to the end."""
        while data := self._lines.get(timeout=LIMIT_SECONDS):
            line = json.loads(data)
            self.seen.append(line)
            yield line

    def leave(self) -> None:
        """Read no more: the pipe is closed behind the next line."""
        self._has_left = True

    def end(self) -> int:
        """Say no more, and wait; returns the exit code."""
        assert self.process.stdin
        assert self.process.stderr
        self.process.stdin.close()
        for _ in self.lines():
            pass
        errors = self.process.stderr.read().decode()
        assert "Traceback" not in errors, errors
        return self.process.wait(LIMIT_SECONDS)

    def _read(self) -> None:
        assert self.process.stdout
        for data in self.process.stdout:
            if self._has_left:
                break
            self._lines.put(data)
        self.process.stdout.close()
        self._lines.put(b"")
