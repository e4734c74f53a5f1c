"""A hub on this machine: real HTTP, the few addresses that `huggingface_hub` asks for.

It counts the bytes of files that it sends, and can cut a transfer, send other bytes than it
promised, and ask for a token.
"""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock, Thread
from typing import Self
from urllib.parse import parse_qs, unquote, urlsplit

COMMIT = "0123456789abcdef0123456789abcdef01234567"
_PIECE = 64 << 10
_RESOLVE = re.compile(r"/([^/]+/[^/]+)/resolve/([^/]+)/(.+)")
_API = re.compile(r"/api/models/([^/]+/[^/]+)(?:/revision/([^/]+))?")

_PATHS = re.compile(r"/api/models/([^/]+/[^/]+)/paths-info/([^/]+)")


@dataclass
class Hub:
    """Repositories by their names, each with its files."""

    repos: Mapping[str, Mapping[str, bytes]]
    changed: str = "2026-05-01T10:00:00.000Z"
    """The day of all files."""
    gated: frozenset[str] = frozenset()
    """Repositories that ask for consent."""
    cut_after: int = 0
    """Bytes of each transfer after which the connection breaks; 0 = never."""
    cuts: int = 0
    """How many transfers are cut so; the others are whole."""
    said: Mapping[str, object] = field(default_factory=dict)
    """What its list has of every file in place of the truth."""
    onward: str = ""
    """Where each file is fetched from, the beginning of an address; empty = from here."""
    cas: str = ""
    """Where another transfer than HTTP would fetch the newest version of a file from."""
    spoiled: bool = False
    """The bytes are not those that were promised."""
    sent: dict[str, int] = field(default_factory=dict)
    """Bytes that left, by the name of the file."""
    asked: list[tuple[str, str, str]] = field(default_factory=list)
    """(method, path, Range) of each request."""
    tokens: list[str] = field(default_factory=list)
    """What came as Authorization with the transfers."""
    _lock: Lock = field(default_factory=Lock)

    def start(self, address: str = "127.0.0.1") -> Self:
        """Listen, on a free port."""
        handler = type("Handler", (_Handler,), {"hub": self})
        self._server = ThreadingHTTPServer((address, 0), handler)
        self._server.daemon_threads = True
        self._thread = Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()
        return self

    @property
    def endpoint(self) -> str:
        """As `HF_ENDPOINT` has it."""
        host, port, *_ = self._server.server_address
        return f"http://{host!s}:{port}"

    def close(self) -> None:
        """Stop listening."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(10)

    def bytes_for(self, name: str) -> bytes:
        """What a transfer of a file sends."""
        data = next(files[name] for files in self.repos.values() if name in files)
        return data[:-1] + bytes([data[-1] ^ 1]) if self.spoiled else data

    def takes_cut(self) -> bool:
        """Whether this transfer is one that breaks."""
        with self._lock:
            if not self.cuts:
                return False
            self.cuts -= 1
            return True

    def left(self, name: str, count: int) -> None:
        """So many bytes of a file were sent."""
        with self._lock:
            self.sent[name] = self.sent.get(name, 0) + count


class _Handler(BaseHTTPRequestHandler):
    hub: Hub
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        asked = self.rfile.read(int(self.headers["Content-Length"]))
        found = _PATHS.fullmatch(unquote(urlsplit(self.path).path))
        if not found or not self._may(found[1]):
            return
        names = _named(asked, self.headers["Content-Type"])
        commit = {"id": COMMIT, "title": "Upload", "date": self.hub.changed}
        rows = [
            {"type": "file", "path": name, "size": 1, "oid": "0" * 40, "lastCommit": commit}
            for name in names
        ]
        self._json(200, rows)

    def do_HEAD(self) -> None:
        self._answer()

    def _answer(self) -> None:
        path = unquote(urlsplit(self.path).path)
        self.hub.asked.append((self.command, path, self.headers.get("Range", "")))
        if found := _API.fullmatch(path):
            self._tell(found[1])
        elif found := _RESOLVE.fullmatch(path):
            self._send(found[1], found[3], found[2])
        elif path == "/xet-token":
            told = {"casUrl": self.hub.cas, "accessToken": "x", "exp": 4_000_000_000}
            given = {"X-Xet-Cas-Url": self.hub.cas, "X-Xet-Access-Token": "x"}
            self._json(200, told, {**given, "X-Xet-Token-Expiration": "4000000000"})
        else:
            self._refuse(404, "EntryNotFound", "Entry not found")

    def _tell(self, repo: str) -> None:
        """What the repository holds."""
        if not self._may(repo):
            return
        files = self.hub.repos[repo]
        rows: list[dict[str, object]] = [
            {"rfilename": name, "size": len(data), "lfs": _lfs(data), "blobId": "0" * 40}
            for name, data in files.items()
        ]
        for row in rows:
            row.update(self.hub.said)
        told = {"id": repo, "modelId": repo, "sha": COMMIT, "siblings": rows, "tags": []}
        self._json(200, told)

    def _send(self, repo: str, name: str, revision: str) -> None:
        """A file, or the part of it that is asked for."""
        if not self._may(repo):
            return
        if name not in self.hub.repos[repo]:
            self._refuse(404, "EntryNotFound", "Entry not found")
            return
        self.hub.tokens.append(self.headers.get("Authorization", ""))
        data = self.hub.repos[repo][name]
        if self.hub.onward:
            self._send_on(f"{self.hub.onward}/{repo}/resolve/{COMMIT}/{name}", data)
            return
        first = _first(self.headers.get("Range", ""))
        self.send_response(206 if first else 200)
        if self.hub.cas and revision != COMMIT:  # the branch has moved on meanwhile
            self.send_header("ETag", '"' + "e" * 64 + '"')
            self.send_header("X-Xet-Hash", "a" * 64)
            self.send_header("X-Xet-Refresh-Route", f"{self.hub.endpoint}/xet-token")
            self.send_header("X-Repo-Commit", COMMIT[::-1])
        else:
            self.send_header("ETag", f'"{hashlib.sha256(data).hexdigest()}"')
            self.send_header("X-Repo-Commit", COMMIT)
        self.send_header("X-Linked-Size", str(len(data)))
        self.send_header("Content-Length", str(len(data) - first))
        if first:
            self.send_header("Content-Range", f"bytes {first}-{len(data) - 1}/{len(data)}")
        self.end_headers()
        if self.command == "GET":
            has_moved = self.hub.cas and revision != COMMIT
            whole = self.hub.bytes_for(name)
            self._pour(name, whole[::-1] if has_moved else whole[first:])

    def _send_on(self, to: str, data: bytes) -> None:
        """To where the bytes are kept, as the hub does."""
        self.send_response(302)
        self.send_header("Location", to)
        self.send_header("X-Linked-ETag", f'"{hashlib.sha256(data).hexdigest()}"')
        self.send_header("X-Linked-Size", str(len(data)))
        self.send_header("X-Repo-Commit", COMMIT)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def _pour(self, name: str, data: bytes) -> None:
        end = self.hub.cut_after if self.hub.takes_cut() else len(data)
        for at in range(0, min(end, len(data)), _PIECE):
            piece = data[at : min(at + _PIECE, end)]
            self.wfile.write(piece)
            self.hub.left(name, len(piece))
        if end < len(data):
            self.close_connection = True
            self.connection.close()

    def _may(self, repo: str) -> bool:
        if repo in self.hub.gated and not self.headers.get("Authorization", ""):
            self._refuse(401, "GatedRepo", f"Access to model {repo} is restricted.")
            return False
        if repo not in self.hub.repos:
            self._refuse(401, "RepoNotFound", "Repository not found")
            return False
        return True

    def _refuse(self, status: int, code: str, words: str) -> None:
        self._json(status, {"error": words}, {"X-Error-Code": code, "X-Error-Message": words})

    def _json(self, status: int, told: object, headers: Mapping[str, str] | None = None) -> None:
        body = json.dumps(told).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Silent."""


def _lfs(data: bytes) -> dict[str, object]:
    return {"sha256": hashlib.sha256(data).hexdigest(), "size": len(data), "pointerSize": 134}


def _named(body: bytes, kind: str) -> list[str]:
    """The paths of a question, as a form or as JSON."""
    if "json" in kind:
        return list(json.loads(body)["paths"])
    return parse_qs(body.decode())["paths"]


def _first(asked: str) -> int:
    """Of `bytes=100-`; 0 = all."""
    found = re.fullmatch(r"bytes=(\d+)-", asked)
    return int(found[1]) if found else 0
