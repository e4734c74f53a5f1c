"""The proxy of the fence, spoken to over real sockets: what it lets through, and what it bears."""

import asyncio
import resource
import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

import pytest

from qcode.sandbox import proxy as proxies
from qcode.sandbox.proxy import CONNECTIONS, Limits, Proxy
from qcode.sandbox.questions import Questions
from qcode.sandbox.reach import Reach

HERE = Reach(lambda host, port: ("127.0.0.1",), lambda address: "")
"""Every name is this machine: tests have nothing else."""
USUAL = Limits()


@dataclass
class Gate:
    """Says no to `evil.org`, is asked and remembers."""

    asked: list[tuple[str, int]] = field(default_factory=list)
    wait: asyncio.Event | None = None
    withdrawn: int = 0

    async def __call__(self, host: str, port: int) -> str:
        self.asked.append((host, port))
        if self.wait is not None:
            try:
                await self.wait.wait()
            except asyncio.CancelledError:
                self.withdrawn += 1
                raise
        return "the user said no" if host == "evil.org" else ""


@asynccontextmanager
async def proxy(
    gate: Gate | None, reach: Reach = HERE, limits: Limits = USUAL
) -> AsyncIterator[int]:
    """The port that it takes connections on."""
    with socket.create_server(("127.0.0.1", 0), backlog=128) as listener:
        it = Proxy(listener, Questions(lambda: gate, tuple), reach, limits)
        try:
            yield int(listener.getsockname()[1])
        finally:
            await it.close()


Answers = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def server(answers: Answers) -> AsyncIterator[int]:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            await answers(reader, writer)
            writer.close()

    it = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with it:
        yield it.sockets[0].getsockname()[1]


async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """All that came, when all has come."""
    data = await reader.read()
    writer.write(b"<" + data + b">")
    await writer.drain()


async def talk(port: int, *sent: bytes) -> bytes:
    """All that is answered; `sent` has pauses between its parts and an end behind it."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        for part in sent:
            writer.write(part)
            await asyncio.sleep(0.01)
        return await asyncio.wait_for(reader.read(), 20)
    finally:
        writer.close()


async def ended(port: int, sent: bytes) -> bytes:
    """As `talk`, but the end of what is said is told."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(sent)
        writer.write_eof()
        return await asyncio.wait_for(reader.read(), 20)
    finally:
        writer.close()


async def test_a_tunnel_carries_both_ways_and_each_end_by_itself() -> None:
    gate = Gate()
    async with server(echo) as there, proxy(gate) as port:
        said = await ended(port, b"CONNECT a.org:%d HTTP/1.1\r\n\r\nearly" % there)
    assert said == b"HTTP/1.1 200 Connection established\r\n\r\n<early>"
    assert gate.asked == [("a.org", there)]


async def test_a_plain_request_is_sent_on_with_its_body() -> None:
    async with server(answering) as there, proxy(Gate()) as port:
        said = await talk(
            port,
            b"POST http://a.org:%d/x HTTP/1.1\r\nHost: b" % there,
            b".org\r\nContent-Length: 4\r\n\r\nbo",
            b"dy",
        )
    head, _, body = said.partition(b"\r\n\r\n")
    assert head == b"HTTP/1.1 200 OK"
    assert body.startswith(b"POST /x HTTP/1.1\r\nHost: a.org:%d\r\nConnection: close" % there)
    assert body.endswith(b"\r\n\r\nbody")


async def answering(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """What was asked, back."""
    head = await reader.readuntil(b"\r\n\r\n")
    writer.write(b"HTTP/1.1 200 OK\r\n\r\n" + head + await reader.readexactly(4))
    await writer.drain()


@pytest.mark.parametrize("line", [b"CONNECT evil.org:443", b"GET http://evil.org:443/"])
async def test_what_the_gate_refuses_is_a_sentence(line: bytes) -> None:
    async with proxy(Gate()) as port:
        said = await talk(port, line + b" HTTP/1.1\r\n\r\n")
    assert said.startswith(b"HTTP/1.1 403 Forbidden\r\n")
    assert said.endswith(b"\r\n\r\nevil.org:443 was refused: the user said no.\n")


async def test_without_a_gate_all_is_refused() -> None:
    async with proxy(None) as port:
        said = await talk(port, b"CONNECT a.org:443 HTTP/1.1\r\n\r\n")
    assert b"403 Forbidden" in said
    assert said.endswith(b"a.org:443 was refused: the network is closed for commands.\n")


@pytest.mark.parametrize(
    "target",
    ["127.0.0.1", "localhost", "[::1]", "10.0.0.1", "169.254.169.254", "[::ffff:127.0.0.1]"],
)
async def test_as_it_ships_nobody_is_even_asked_about_this_machine(target: str) -> None:
    gate = Gate()
    async with server(echo) as there, proxy(gate, Reach()) as port:
        said = await talk(port, f"CONNECT {target}:{there} HTTP/1.1\r\n\r\n".encode())
    assert b"403 Forbidden" in said
    assert gate.asked == []


async def test_as_it_ships_a_name_that_leads_to_this_machine_is_refused() -> None:
    reach = Reach(resolve=lambda host, port: ("127.0.0.1",))
    async with server(echo) as there, proxy(Gate(), reach) as port:
        said = await talk(port, b"GET http://rebound.example:%d/ HTTP/1.1\r\n\r\n" % there)
    assert b"403 Forbidden" in said
    assert b"it leads to 127.0.0.1, an address of this machine" in said


@pytest.mark.parametrize(
    "sent",
    [
        b"CONNECT allowed.com@evil.org:443 HTTP/1.1\r\n\r\n",
        b"CONNECT evil.org#allowed.com:443 HTTP/1.1\r\n\r\n",
        b"CONNECT evil.org\0.allowed.com:443 HTTP/1.1\r\n\r\n",
        b"CONNECT 017700000001:80 HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a.org\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\r\n\r\n",
        b"GET http://a.org/ HTTP/1.1\r\nX: " + b"x" * 20_000 + b"\r\n\r\n",
        b"x" * 100_000,
    ],
)
async def test_a_request_in_another_form_is_refused_unasked(sent: bytes) -> None:
    gate = Gate()
    async with proxy(gate) as port:
        assert (await talk(port, sent)).startswith(b"HTTP/1.1 400 Bad Request\r\n")
    assert gate.asked == []


async def test_who_sends_too_slowly_is_told_so() -> None:
    async with proxy(Gate(), limits=Limits(head_seconds=0.3)) as port:
        began = time.monotonic()
        said = await talk(port, *(b"%d" % at for at in range(20)))
        assert said.startswith(b"HTTP/1.1 408 Request Timeout\r\n")
        assert time.monotonic() - began < 3


async def test_a_tunnel_in_which_nothing_moves_ends() -> None:
    silent = asyncio.Event()

    async def wait(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        silent.set()

    async with server(wait) as there, proxy(Gate(), limits=Limits(idle_seconds=0.3)) as port:
        said = await talk(port, b"CONNECT a.org:%d HTTP/1.1\r\n\r\n" % there)
        assert said.startswith(b"HTTP/1.1 200")
        await asyncio.wait_for(silent.wait(), 5)


async def test_one_that_moves_does_not() -> None:
    async def drip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for _ in range(10):
            writer.write(b".")
            await asyncio.sleep(0.1)

    async with server(drip) as there, proxy(Gate(), limits=Limits(idle_seconds=0.5)) as port:
        said = await talk(port, b"CONNECT a.org:%d HTTP/1.1\r\n\r\n" % there)
    assert said.endswith(b"." * 10)


@pytest.fixture
def descriptors() -> Iterator[None]:
    """Enough of them for a thousand clients: many systems allow 1,024 or 256."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 4096 if hard == resource.RLIM_INFINITY else min(4096, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, wanted), hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.mark.usefixtures("descriptors")
async def test_a_thousand_connections_are_served_a_few_at_a_time() -> None:
    now, most = 0, 0

    async def count(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal now, most
        now += 1
        most = max(most, now)
        await asyncio.sleep(0.02)
        now -= 1
        writer.write(b"done")

    async with server(count) as there, proxy(Gate()) as port:
        line = b"CONNECT a.org:%d HTTP/1.1\r\n\r\n" % there
        said = await asyncio.gather(*(talk(port, line) for _ in range(1000)))
    assert all(it.endswith(b"done") for it in said)
    assert 1 < most <= CONNECTIONS


async def test_who_takes_nothing_is_sent_no_more_than_fits() -> None:
    sent = 0

    async def flood(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        while True:
            writer.write(bytes(65_536))
            await writer.drain()
            sent += 65_536

    async with server(flood) as there, proxy(Gate()) as port:
        with socket.create_connection(("127.0.0.1", port)) as client:
            client.sendall(b"CONNECT a.org:%d HTTP/1.1\r\n\r\n" % there)
            before = -1
            while before != sent or not sent:  # until it stands still
                before = sent
                await asyncio.sleep(0.3)
            assert sent < 64_000_000  # buffers of the kernel


async def test_a_question_is_withdrawn_when_the_command_has_gone() -> None:
    gate = Gate(wait=asyncio.Event())
    async with proxy(gate) as port:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"CONNECT a.org:443 HTTP/1.1\r\n\r\n")
        while not gate.asked:  # noqa: ASYNC110 - asked by another task of ours
            await asyncio.sleep(0.01)
        await asyncio.sleep(2 * proxies.LOOK_SECONDS)
        assert gate.withdrawn == 0
        writer.close()
        await asyncio.sleep(3 * proxies.LOOK_SECONDS)
        assert gate.withdrawn == 1


async def test_a_question_is_withdrawn_when_the_proxy_closes() -> None:
    gate = Gate(wait=asyncio.Event())
    async with proxy(gate) as port:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"CONNECT a.org:443 HTTP/1.1\r\n\r\n")
        while not gate.asked:  # noqa: ASYNC110 - asked by another task of ours
            await asyncio.sleep(0.01)
    assert gate.withdrawn == 1
    writer.close()


async def test_a_gate_that_fails_lets_nothing_through() -> None:
    async def fails(host: str, port: int) -> str:
        raise RuntimeError("a fault")

    with socket.create_server(("127.0.0.1", 0)) as listener:
        it = Proxy(listener, Questions(lambda: fails, tuple), HERE, Limits())
        async with server(echo) as there:
            line = b"CONNECT a.org:%d HTTP/1.1\r\n\r\n" % there
            assert await ended(listener.getsockname()[1], line) == b""
        await it.close()


async def test_a_server_that_does_not_answer_is_a_sentence() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        there = taken.getsockname()[1]
    async with proxy(Gate()) as port:
        said = await talk(port, b"CONNECT a.org:%d HTTP/1.1\r\n\r\n" % there)
    assert said.startswith(b"HTTP/1.1 502 Bad Gateway\r\n")
    assert said.endswith(b"a.org:%d was not reached (Connection refused).\n" % there)
