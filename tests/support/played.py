"""A server of a recorded kind with a mind behind it: it is found as that kind, and it answers.

with PlayedServer("vllm", Mind("vllm")) as server: ...
"""

import asyncio
from collections.abc import Mapping
from typing import Any

from tests.server.replay import Asked, load
from tests.support.http1 import Connection
from tests.support.llama_words import About
from tests.support.mind import Mind, count
from tests.support.script import Received, Reply
from tests.support.scripted_server import ScriptedServer

_V0 = "/api/v0/chat/completions"


class PlayedServer(ScriptedServer):
    """`tests/server/wires/NAME.json` beside chat completions; these are the mind's."""

    def __init__(self, name: str, mind: Mind) -> None:
        about = About(kind="ollama") if name == "ollama" else About()  # `/api/chat` is a chat, too
        super().__init__(about=about, otherwise=mind)
        self._wire = load(name)
        self._mind = mind

    async def handle(self, request: Received, connection: Connection) -> None:
        """As recorded, with the headers by which servers are known."""
        if self._is_chat(request):
            await super().handle(request, connection)
            return
        self.others.append(request)
        said = await self._beside(request)
        headers: Mapping[str, str] = said.get("headers", {})
        await connection.answer(said.get("status", 200), said.get("body", ""), headers)

    async def _beside(self, request: Received) -> Mapping[str, Any]:
        body = request.body
        if request.path == _V0:
            return {"body": await self._stated(self._mind(body), body)}
        if request.path.endswith("/tokenize") and "messages" not in body:
            size = count(str(body.get("content", body.get("prompt", ""))))
            return {"body": {"tokens": list(range(size)), "count": size}}
        return self._wire.answer(Asked(request.method, request.path, body))

    async def _stated(self, reply: Reply, body: Mapping[str, Any]) -> dict[str, Any]:
        """LM Studio's own API: an answer with the figures of its engine."""
        await asyncio.sleep(reply.pace.wait_seconds)
        assert reply.usage is not None
        rest = reply.usage.write_seconds
        message = {"role": "assistant", "content": reply.text}
        stats = {
            "tokens_per_second": reply.usage.completion / rest,
            "time_to_first_token": reply.usage.read_seconds,
            "generation_time": rest,
            "stop_reason": "maxPredictedTokensReached",
        }
        return {"model": body["model"], "choices": [{"message": message}], "stats": stats}
