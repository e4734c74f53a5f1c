"""A web of one's own: names, addresses that are public, and a server on loopback behind them."""

import asyncio
import gzip
import shutil
import ssl
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import pytest

from qcode.tools.web import Way

Handler = Callable[[str, asyncio.StreamWriter], Awaitable[None]]
"""(the head of a request, where the answer goes)."""

PUBLIC = "93.184.216.34"


@dataclass
class Web:
    """What is asked of it, and what it answers."""

    pages: dict[str, bytes | Handler] = field(default_factory=dict)
    """By path: all that is sent back, byte for byte, or who answers."""
    names: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """Addresses of a host; of one that is not here, `PUBLIC`."""
    heads: list[str] = field(default_factory=list)
    """Of the requests that came."""
    looked_up: list[str] = field(default_factory=list)
    dialled: list[tuple[str, int]] = field(default_factory=list)
    told: list[tuple[str, int, str, str]] = field(default_factory=list)
    down: frozenset[str] = frozenset()
    """Addresses at which nobody answers."""
    port: int = 0

    def way(
        self,
        *endpoints: tuple[str, int],
        limit_seconds: float = 10.0,
        trusted: Path | None = None,
    ) -> Way:
        """To it."""
        return Way(
            look_up=self._look_up,
            dial=self._dial,
            authorities=lambda: ssl.create_default_context(cafile=trusted),
            told=self._tell,
            endpoints=lambda: endpoints,
            limit_seconds=limit_seconds,
        )

    async def _look_up(self, host: str, port: int) -> tuple[str, ...]:
        self.looked_up.append(host)
        return self.names.get(host, (PUBLIC,))

    async def _dial(
        self, address: str, port: int
    ) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        self.dialled.append((address, port))
        if address in self.down:
            raise ConnectionRefusedError(111, "Connection refused")
        return await asyncio.open_connection("127.0.0.1", self.port)

    def _tell(self, host: str, port: int, answer: Literal["allow", "deny"], because: str) -> None:
        self.told.append((host, port, answer, because))

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection."""
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            self.heads.append(head)
            page = self.pages[head.split(" ", 2)[1]]
            if isinstance(page, bytes):
                writer.write(page)
                await writer.drain()
            else:
                await page(head, writer)
        except (ConnectionError, asyncio.IncompleteReadError, ssl.SSLError):
            pass  # the client left
        finally:
            writer.close()


@asynccontextmanager
async def running(web: Web, secure: ssl.SSLContext | None = None) -> AsyncIterator[Web]:
    """`web` with its server."""
    server = await asyncio.start_server(web.serve, "127.0.0.1", 0, ssl=secure)
    web.port = server.sockets[0].getsockname()[1]
    try:
        yield web
    finally:
        server.close()


def answer(
    body: bytes | str = b"",
    kind: str = "text/html; charset=utf-8",
    status: str = "200 OK",
    headers: Mapping[str, str] | None = None,
) -> bytes:
    """A whole answer."""
    data = body.encode() if isinstance(body, str) else body
    fields = {"Content-Type": kind, "Content-Length": str(len(data)), **(headers or {})}
    rows = [f"HTTP/1.1 {status}", *(f"{name}: {value}" for name, value in fields.items() if value)]
    return ("\r\n".join(rows) + "\r\n\r\n").encode("latin-1") + data


def packed(body: bytes) -> bytes:
    """The same, in gzip."""
    return answer(gzip.compress(body), headers={"Content-Encoding": "gzip"})


def onward(to: str, status: str = "302 Found") -> bytes:
    """A redirection."""
    return answer(status=status, headers={"Location": to})


def certificate(folder: Path, host: str) -> tuple[ssl.SSLContext, Path]:
    """A server's side of TLS for `host`, and the file of who vouches for it."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("no openssl here to make a certificate with")
    key, file = folder / "key.pem", folder / "certificate.pem"
    kind = ("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2")
    names = ("-subj", f"/CN={host}", "-addext", f"subjectAltName=DNS:{host}")
    files = ("-keyout", str(key), "-out", str(file))
    subprocess.run([openssl, *kind, *names, *files], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file, key)
    return context, file
