"""The connection below HTTP: errors by their names, trickles whole and soon, TLS checked."""

import asyncio
import datetime
import ipaddress
import socket
import ssl
import struct
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpcore2
import httpx2
import pytest

from qcode.server.ask import Asker, NotListening
from qcode.server.door import make_http
from qcode.server.network import Backend, Transport
from tests.server.raw import Talk, answer, listening, silence

EVENTS = 400


async def test_a_trickle_comes_whole_in_fewer_pieces_and_without_delay() -> None:
    sent: list[bytes] = []

    async def talk(line: str, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        for at in range(EVENTS):
            sent.append(f"data: {at}\n\n".encode())
            writer.write(sent[-1])
            await asyncio.sleep(0.002)
        ended.append(time.monotonic())

    ended: list[float] = []
    async with listening(talk) as raw, make_http(raw.base_url, 1) as http:
        async with http.stream("GET", raw.base_url) as response:
            pieces = [piece async for piece in response.aiter_raw()]
        late = time.monotonic() - ended[0]
    assert b"".join(pieces) == b"".join(sent)
    assert len(pieces) < EVENTS * 0.7
    assert late < 0.2


async def test_the_first_tokens_are_not_put_off() -> None:
    async def talk(line: str, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        for at in range(20):
            writer.write(f"{time.monotonic()}\n".encode())
            await asyncio.sleep(0.005 if at else 0.02)

    delays: list[float] = []
    async with (
        listening(talk) as raw,
        make_http(raw.base_url, 1) as http,
        http.stream("GET", raw.base_url) as response,
    ):
        async for piece in response.aiter_raw():
            delays += [time.monotonic() - float(row) for row in piece.split()]
    assert sorted(delays)[len(delays) // 2] < 0.008


@pytest.mark.parametrize(
    ("behave", "kind"),
    [
        ("silent", httpx2.ReadTimeout),
        ("closes", httpx2.RemoteProtocolError),
        ("resets", httpx2.ReadError),
    ],
)
async def test_failures_have_the_names_that_the_client_knows(
    behave: str, kind: type[Exception]
) -> None:
    async def talk(line: str, writer: asyncio.StreamWriter) -> None:
        if behave == "silent":
            await silence()
        if behave == "resets":
            linger = struct.pack("ii", 1, 0)
            writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            writer.transport.abort()

    async with listening(talk) as raw, make_http(raw.base_url, 1) as http:
        with pytest.raises(kind):
            await http.get(raw.base_url, timeout=0.2)


@pytest.mark.parametrize(
    ("host", "because"),
    [
        ("127.0.0.1", "connection refused"),
        ("localhost", "connection refused"),  # two addresses, as a rule
    ],
)
async def test_why_no_connection_came_about_is_told(host: str, because: str) -> None:
    url = f"http://{host}:1/v1"
    async with make_http("http://127.0.0.1:1/v1", 1) as http:
        with pytest.raises(NotListening) as raised:
            await Asker(http, "", 5).get(url)
    assert str(raised.value) == because


async def test_a_connection_is_used_again_but_not_one_that_the_server_has_left() -> None:
    connections = 0

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1
        for _ in range(2):
            await reader.readuntil(b"\r\n\r\n")
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx")
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"
    async with make_http(url, 1) as http:
        for _ in range(4):
            assert (await http.get(url)).text == "x"
            await asyncio.sleep(0.02)  # for the end of the connection to come in
    server.close()
    assert connections == 2


async def test_closing_a_response_closes_its_connection() -> None:
    left = asyncio.Event()

    async def talk(line: str, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        try:
            while True:
                writer.write(b"x" * 65536)
                await writer.drain()
        finally:
            left.set()

    async with listening(talk) as raw, make_http(raw.base_url, 1) as http:
        async with http.stream("GET", raw.base_url) as response:
            async for _ in response.aiter_raw():
                break
        async with asyncio.timeout(1):
            await left.wait()


@asynccontextmanager
async def over_tls(talk: Talk, certificate: Path) -> AsyncIterator[str]:
    """The server's `https` address."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        await talk("", writer)
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
    yield f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"
    server.close()


async def test_https_is_spoken_with_those_whose_certificate_is_known(
    certificate: Path,
) -> None:
    async def talk(line: str, writer: asyncio.StreamWriter) -> None:
        await answer(writer, b'{"a": 1}')

    trusting = ssl.create_default_context(cafile=str(certificate))
    async with over_tls(talk, certificate) as url:
        pool = httpcore2.AsyncConnectionPool(ssl_context=trusting, network_backend=Backend())
        async with httpx2.AsyncClient(transport=Transport(pool)) as http:
            assert (await http.get(url)).json() == {"a": 1}
        async with make_http(url, 1) as http:
            with pytest.raises(httpx2.ConnectError, match=r"(?i)certificate"):
                await http.get(url)


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """Key and self-signed certificate of 127.0.0.1, in one file."""
    why = "no cryptography to make a certificate with (Linux has it by way of keyring)"
    pytest.importorskip("cryptography", reason=why)
    from cryptography import x509  # noqa: PLC0415  may be absent
    from cryptography.hazmat.primitives import hashes, serialization  # noqa: PLC0415
    from cryptography.hazmat.primitives.asymmetric import ec  # noqa: PLC0415
    from cryptography.x509.oid import NameOID  # noqa: PLC0415

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.datetime.now(datetime.UTC)
    address = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([address]), critical=False)
        .sign(key, hashes.SHA256())
    )
    file = tmp_path / "server.pem"
    file.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + made.public_bytes(serialization.Encoding.PEM)
    )
    return file
