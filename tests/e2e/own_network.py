"""A network of its own with public addresses in it, for what must not be tried on the real one.

Run inside new user, mount and network namespaces: `unshare -Urnm python -m tests.e2e.own_network`.
It raises loopback, gives it a public address, names it in a hosts file of its own, serves pages
there and a scripted model on 127.0.0.1, runs qcode, and prints what the model was told.
"""

import json
import os
import subprocess
import sys
import tempfile
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from tests.e2e.rig import DONE, QCODE, calling, results
from tests.support.scripted_server import ScriptedServer

PUBLIC = "93.184.216.34"
PORT = 8099
HOSTS = f"127.0.0.1 localhost\n{PUBLIC} docs.test\n127.0.0.1 rebound.test\n{PUBLIC} twice.test\n"
HOSTS += "10.1.2.3 twice.test\n"
URLS = (
    f"http://docs.test:{PORT}/page",
    f"http://docs.test:{PORT}/moved",
    f"http://docs.test:{PORT}/inside",
    f"http://rebound.test:{PORT}/page",
    f"http://twice.test:{PORT}/page",
    f"http://{PUBLIC}:{PORT}/page",
    f"http://unknown.test:{PORT}/page",
)


class Pages(BaseHTTPRequestHandler):
    """Two pages that move, and one that stays."""

    moved = {"/moved": "/page", "/inside": f"http://127.0.0.1:{PORT}/page"}  # noqa: RUF012 - read

    def do_GET(self) -> None:
        """Answer."""
        if to := self.moved.get(self.path):
            self.send_response(302)
            self.send_header("Location", to)
            self.end_headers()
            return
        body = f"<h1>Asked as {self.headers['Host']}</h1>".encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def raise_network(folder: Path) -> None:
    """Loopback, the public address, the names."""
    for line in ("link set lo up", f"addr add {PUBLIC}/32 dev lo"):
        subprocess.run(["ip", *line.split()], check=True)
    hosts = folder / "hosts"
    hosts.write_text(HOSTS)
    subprocess.run(["mount", "--bind", hosts, "/etc/hosts"], check=True)


def main() -> None:
    """All of it."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        raise_network(folder)
        pages = ThreadingHTTPServer(("0.0.0.0", PORT), Pages)
        threading.Thread(target=pages.serve_forever, daemon=True).start()
        calls = [calling("fetch", url=url) for url in URLS]
        with ScriptedServer(*calls, DONE) as server:
            line = [*QCODE, "-p", "read", "--base-url", server.base_url]
            done = subprocess.run(
                [*line, "--allowed-tools", "WebFetch", *sys.argv[1:]],
                cwd=folder,
                env={**os.environ, "HOME": name, "QCODE_HOME": f"{name}/qcode"},
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                timeout=60,
                check=False,
            )
            told = results(server.requests[-1].body)
        sys.stdout.write(json.dumps({"code": done.returncode, "err": done.stderr, "told": told}))


if __name__ == "__main__":
    main()
