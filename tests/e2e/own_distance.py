"""A fallback beyond the local network, tried in a network of its own.

Run inside new user, mount and network namespaces: `unshare -Urnm python -m tests.e2e.own_distance
WORD`. WORD is the profile's `remote`; `unsaid` = it says nothing. The first server is not there;
the fallback stands at a public address. Prints how qcode ended, what it said and was sent.
"""

import json
import os
import socket
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

from tests.e2e.own_network import PUBLIC, raise_network
from tests.e2e.rig import DONE, QCODE
from tests.support.scripted_server import ScriptedServer

PORT = 8099


def relay(port: int) -> None:
    """From the public address to the scripted server, which listens on loopback alone."""
    listener = socket.create_server((PUBLIC, PORT))
    while True:
        near, _ = listener.accept()
        far = socket.create_connection(("127.0.0.1", port))
        for one, other in ((near, far), (far, near)):
            threading.Thread(target=_pump, args=(one, other), daemon=True).start()


def _pump(one: socket.socket, other: socket.socket) -> None:
    while data := one.recv(1 << 16):
        other.sendall(data)
    other.shutdown(socket.SHUT_WR)


def settings(word: str) -> str:
    """A server that is gone, and who may answer instead."""
    remote = "" if word == "unsaid" else f'remote = "{word}"\n'
    return (
        '[server]\nbase_url = "http://127.0.0.1:9/v1"\n[agent]\nfallback = "far"\n'
        f'[profiles.far]\nbase_url = "http://docs.test:{PORT}/v1"\nmodel = "scripted-model"\n'
        f'api_key_env = "FAR_KEY"\n{remote}'
    )


def main() -> None:
    """All of it."""
    with tempfile.TemporaryDirectory() as name:
        raise_network(Path(name))
        file = Path(name) / "qcode" / "config" / "config.toml"
        file.parent.mkdir(parents=True)
        file.write_text(settings(sys.argv[1]))
        with ScriptedServer(otherwise=lambda body: DONE) as server:
            threading.Thread(target=relay, args=(server.port,), daemon=True).start()
            home = {"HOME": name, "QCODE_HOME": f"{name}/qcode", "FAR_KEY": "sk-far"}
            done = subprocess.run(
                [*QCODE, "-p", "read"],
                cwd=name,
                env={**os.environ, **home},
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                timeout=60,
                check=False,
            )
            keys = [one.headers.get("authorization") for one in server.requests]
        told = {"code": done.returncode, "out": done.stdout, "err": done.stderr, "keys": keys}
        sys.stdout.write(json.dumps(told))


if __name__ == "__main__":
    main()
