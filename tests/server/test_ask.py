"""A question about the server, and what becomes of it."""

import asyncio

import httpx2
import pytest

from qcode.server.ask import Asker, NoAnswer
from tests.server.raw import answer, listening

KEPT = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"


async def test_a_kept_connection_that_was_closed_meanwhile_costs_no_answer() -> None:
    """llama.cpp closes one now and then, and takes the next request on it for nobody's."""
    connections: list[int] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connections.append(0)
        try:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(KEPT)
            await writer.drain()
            await reader.readuntil(b"\r\n\r\n")  # and hangs up
        except asyncio.IncompleteReadError:
            pass  # the client left
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/count"
    async with server, httpx2.AsyncClient(trust_env=False) as http:
        asker = Asker(http, "", 5)
        assert [(await asker.post(url, {})).status for _ in range(4)] == [200] * 4
    assert len(connections) == 4


async def test_one_that_always_hangs_up_is_asked_twice_and_no_more() -> None:
    lines = []

    async def talk(line: str, _writer: asyncio.StreamWriter) -> None:
        lines.append(line)

    async with listening(talk) as raw, httpx2.AsyncClient(trust_env=False) as http:
        with pytest.raises(NoAnswer, match="closed the connection"):
            await Asker(http, "", 5).get(f"{raw.base_url}/models")
    assert len(lines) == 2


async def test_a_refusal_is_asked_for_once() -> None:
    lines = []

    async def talk(line: str, writer: asyncio.StreamWriter) -> None:
        lines.append(line)
        await answer(writer, b"{}", "404 Not Found")

    async with listening(talk) as raw, httpx2.AsyncClient(trust_env=False) as http:
        assert (await Asker(http, "", 5).get(f"{raw.base_url}/models")).status == 404
    assert len(lines) == 1
