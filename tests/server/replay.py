"""Servers from recordings: a file of `wires/` says what one answers, this says it over HTTP.

The files are written from the sources and documents that each names; a new server is a new file:

    source     where its words are from
    answers    "GET /path" -> {status, headers, body}; a body that is text goes out as it is
    otherwise  the answer to any other path
    renders    {how, style, field}: it renders messages by a template of the tests, reading
               reasoning under `field`; `how` is `template` (llama.cpp) or `tokens` (vLLM, SGLang);
               `below` = the path that these hang at
    facts      what qcode must find
    name       the model that is asked for, if one is
"""

import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from tests.support.render import render_request

WIRES = Path(__file__).with_name("wires")


@dataclass
class Asked:
    """One request that came."""

    method: str
    path: str
    body: Mapping[str, Any]

    @property
    def line(self) -> str:
        return f"{self.method} {self.path}"


@dataclass
class Wire:
    """One recording, and what was asked of it."""

    name: str
    told: Mapping[str, Any]
    asked: list[Asked] = field(default_factory=list)
    port: int = 0

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    def answer(self, asked: Asked) -> Mapping[str, Any]:
        """The recorded words, or rendered ones."""
        self.asked.append(asked)
        if (rendered := self._rendered(asked)) is not None:
            return {"body": rendered}
        answers: Mapping[str, Mapping[str, Any]] = self.told["answers"]
        return answers.get(asked.line, self.told["otherwise"])

    def _rendered(self, asked: Asked) -> Mapping[str, Any] | None:
        how = self.told.get("renders", {})
        below = how.get("below", "")
        match how.get("how"), asked.line.replace(below, "", 1):
            case "template", "POST /apply-template":
                return {"prompt": self._prompt(asked.body)}
            case "tokens", "POST /tokenize":  # one token a byte
                tokens = list(self._prompt(asked.body).encode())
                return {"count": len(tokens), "max_model_len": 1, "tokens": tokens}
            case "tokens", "POST /detokenize":
                return {how["answer"]: bytes(asked.body["tokens"]).decode()}
        return None

    def _prompt(self, body: Mapping[str, Any]) -> str:
        how = self.told["renders"]
        read = [dict(message) for message in body["messages"]]
        for message in read:
            thought = message.pop(how["field"], None)
            for name in ("reasoning", "reasoning_content"):
                message.pop(name, None)
            message["reasoning_content"] = thought
        return render_request({**body, "messages": read}, how["style"])


def wires() -> list[str]:
    """The names of all recordings."""
    return sorted(path.stem for path in WIRES.glob("*.json"))


def load(name: str) -> Wire:
    """The recording of that name."""
    return Wire(name, json.loads((WIRES / f"{name}.json").read_text(encoding="utf-8")))


@contextmanager
def replayed(wire: Wire) -> Iterator[Wire]:
    """`wire`, answering on a free port of the loopback."""
    server = _Listener(("127.0.0.1", 0), partial(_Handler, wire))
    wire.port = server.server_address[1]
    thread = threading.Thread(target=partial(server.serve_forever, 0.02), daemon=True)
    thread.start()
    try:
        yield wire
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Listener(ThreadingHTTPServer):
    def handle_error(self, *_: Any) -> None:
        """A client that leaves is no error; any other shows in the facts that are not found."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 5

    def __init__(self, wire: Wire, *request: Any) -> None:
        self._wire = wire
        super().__init__(*request)

    def do_GET(self) -> None:
        self._say("GET")

    def do_POST(self) -> None:
        self._say("POST")

    def log_message(self, *_: Any) -> None:
        """Silent: what was asked is in `Wire.asked`."""

    def _say(self, method: str) -> None:
        length = int(self.headers.get("Content-Length", 0))
        body = json.loads(self.rfile.read(length)) if length else {}
        said = self._wire.answer(Asked(method, self.path, body))
        told = said.get("body", "")
        payload = (told if isinstance(told, str) else json.dumps(told)).encode()
        self.send_response_only(said.get("status", 200))  # without a Server header of Python's
        for name, value in said.get("headers", {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(payload)))
        self.end_headers()
        self.wfile.write(payload)
