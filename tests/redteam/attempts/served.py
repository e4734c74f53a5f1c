"""A model that qcode serves or fetches itself: its port, and the hub."""

import asyncio
import os
import socket
import subprocess
import sys
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

from qcode.engine.connecting import Connections
from qcode.engine.ports import Ports
from qcode.protocol.errors import InputError
from qcode.protocol.events import Event
from qcode.protocol.inputs import OpenPort
from qcode.serve.ways import Ways
from tests.redteam.attempts import absent, fenced


@dataclass(frozen=True, slots=True)
class Opened:
    """`/port` with the port of the model's server, or with another one; succeeds when it is open
    then. The server has just ended and is started again, so nothing else is in the way."""

    which: str

    def succeeds(self, tmp: Path) -> bool:
        return asyncio.run(self._tried())

    async def _tried(self) -> bool:
        said: list[Event] = []
        free = _free()
        connections = Connections(said.append)
        connections.arrived(f"http://127.0.0.1:{free if self.which == 'served' else free - 1}/v1")
        with fenced.fence() as runner:
            ports = Ports(runner, said.append, connections.is_served)
            try:
                ports.take(OpenPort(free))
                await ports.close()
                return free in runner.ports()
            finally:
                await runner.close()


def _free() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


_LIBRARY = "needs huggingface_hub"


@dataclass(frozen=True, slots=True)
class Pulled:
    """A download from a hub; succeeds when it is connected to, or would be if the library that does
    it were here. Where the guard is off nobody said that qcode is offline."""

    offline: str

    def succeeds(self, tmp: Path) -> bool:
        with socket.create_server(("127.0.0.1", 0)) as hub:
            hub.settimeout(0.5)
            url = f"http://127.0.0.1:{hub.getsockname()[1]}"
            told = {"HOME": str(tmp), "QCODE_HOME": str(tmp / "own"), "HF_ENDPOINT": url}
            if not absent.CARELESS[0]:
                told["QCODE_OFFLINE"] = self.offline
            line = (sys.executable, "-P", "-m", "qcode", "models", "pull", "owner/some-GGUF:Q4_0")
            with (tmp / "said").open("wb") as said:
                pulling = subprocess.Popen(
                    line,
                    cwd=tmp,
                    env={"PATH": os.environ.get("PATH", os.defpath), **told},
                    stdout=subprocess.DEVNULL,
                    stderr=said,
                )
            try:
                return _is_asked(hub, pulling) or _LIBRARY in (tmp / "said").read_text()
            finally:
                pulling.kill()
                pulling.wait()


@dataclass(frozen=True, slots=True)
class SentOn:
    """A hub of the internet sends a download on, and its name leads to an address; succeeds when
    that would be connected to."""

    url: str
    address: str

    def succeeds(self, tmp: Path) -> bool:
        ways = Ways("https://93.184.216.35", lambda way: None)
        try:
            ways.asked(SimpleNamespace(url=self.url))
            ways.connecting(self.address, 443)
        except InputError:
            return False
        return True


def _is_asked(hub: socket.socket, pulling: "subprocess.Popen[bytes]") -> bool:
    has_ended = False
    while not has_ended:
        has_ended = pulling.poll() is not None
        with suppress(TimeoutError):
            hub.accept()[0].close()
            return True
    return False
