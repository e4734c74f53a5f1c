"""A program that stands in for `llama-server`: it takes its flags and answers as that one does.

`write(file, …)` makes it; it fails, or is slow, as it is told. Real processes and real HTTP.
"""

import sys
from pathlib import Path

_CODE = """#!{python}
import http.server, json, os, sys, time

VERSION, DEVICES, HELP = {version!r}, {devices!r}, {help!r}
DIES, SLOW = {dies!r}, {slow!r}
words = sys.argv[1:]
if words[:1] == ["serve"]:
    words = words[1:]
if "--version" in words:
    print(VERSION, file=sys.stderr)
    sys.exit(0)
if "--list-devices" in words:
    print(DEVICES)
    sys.exit(0)
if "--help" in words:
    print(HELP)
    sys.exit(0)
if DIES:
    print(DIES, file=sys.stderr)
    sys.exit(1)
flags = dict(zip(words, words[1:]))
key = open(flags["--api-key-file"]).read().strip()
began = time.monotonic()


class Answers(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        loading = time.monotonic() - began < SLOW
        known = self.headers.get("Authorization") == "Bearer " + key
        status = 503 if loading else 200 if known or self.path == "/health" else 401
        body = json.dumps({{"words": words, "pid": os.getpid()}}).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


class Server(http.server.ThreadingHTTPServer):
    allow_reuse_port = True

    def server_bind(self):
        import socket

        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        super().server_bind()


print("main: server is listening", flush=True)
Server((flags["--host"], int(flags["--port"])), Answers).serve_forever()
"""


def write(
    file: Path,
    *,
    version: str = "version: 11549 (abcdef0)\nbuilt with GNU 14 for x86_64-linux-gnu",
    devices: str = "Available devices:",
    help_text: str = "--reuse-port   share the port",
    dies: str = "",
    slow: float = 0.0,
) -> Path:
    """The program. `dies` = its last words, with which it ends at once."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(
        _CODE.format(
            python=sys.executable,
            version=version,
            devices=devices,
            help=help_text,
            dies=dies,
            slow=slow,
        )
    )
    file.chmod(0o755)
    return file
