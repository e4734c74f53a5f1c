"""A real OpenAI-compatible server that says what a script tells it and notes what it hears.

    with ScriptedServer(Reply(text="Hello."), Reply(text="Bye.")) as server:
        ...                          # talk to server.base_url, from here or from a subprocess
        assert server.requests[0].messages[-1]["role"] == "user"
        server.check()               # nothing left over, nothing unexpected

`About(kind="llamacpp")` makes it pass for llama.cpp: `/props`, `/slots`, `/tokenize` (one token a
byte) and `/apply-template` answer too. `About(kind="ollama")` answers by `/api/chat` as well, and
has the context in memory that the last chat asked for. The program form is
`python -m tests.support.serve`.
"""

import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Protocol, Self

from tests.support import events, llama_words, ollama_words
from tests.support.http1 import Connection, Json
from tests.support.llama_words import About
from tests.support.loopback import LoopbackServer
from tests.support.script import Answer, Body, Received, Reply

CHAT = "/v1/chat/completions"

Otherwise = Callable[[Body], Reply]


class StartScripted(Protocol):
    """What the fixture `scripted` gives: makes a server, already listening."""

    def __call__(
        self, *replies: Answer, about: About | None = None, otherwise: Otherwise | None = None
    ) -> "ScriptedServer": ...


class ScriptedServer(LoopbackServer):
    """Gives its replies in the order in which requests arrive."""

    def __init__(
        self,
        *replies: Answer,
        about: About | None = None,
        otherwise: Otherwise | None = None,
    ) -> None:
        """`otherwise` answers once the replies are used up; without it a further request is an
        error that `check` tells. `about` None = a plain endpoint."""
        super().__init__()
        self.about = about or About()
        self._default_context = self.about.context_tokens
        self.loading = False
        """While True every path answers 503, as llama.cpp does; no reply is used up."""
        self.requests: list[Received] = []
        """Chat completions; those refused while `loading` are in `others`."""
        self.others: list[Received] = []
        """Everything else."""
        self.running = 0
        """Chat completions that are being answered now."""
        self._replies = deque(replies)
        self._otherwise = otherwise
        self._unexpected = 0
        self._changed = threading.Condition()

    def add(self, *replies: Answer) -> Self:
        """More replies, after those that wait."""
        self._replies.extend(replies)
        return self

    def wait_for(self, condition: Callable[[Self], bool], seconds: float = 30.0) -> None:
        """Block until `condition(self)` holds; AssertionError after `seconds`.

        Each request that arrives and each answer that ends wakes it. Not for use in a coroutine
        whose own loop has to send the request: there, `asyncio.to_thread` it.
        """
        with self._changed:
            met = self._changed.wait_for(lambda: condition(self), seconds)
        assert met, f"not within {seconds} s; {len(self.requests)} requests so far"

    def check(self) -> None:
        """AssertionError when replies are left over or requests came that no reply was for."""
        assert not self._unexpected, f"{self._unexpected} requests came after the last reply"
        left = list(self._replies)
        assert not left, f"{len(left)} replies were never asked for; the first: {left[0]}"

    async def handle(self, request: Received, connection: Connection) -> None:
        """Note the request, answer it, note how that ended."""
        if self.loading:
            self._note(self.others, request)
            await connection.answer(503, llama_words.LOADING, self._headers())
        elif not self._is_chat(request):
            self._note(self.others, request)
            status, body = await self.other(request)
            await connection.answer(status, body, self._headers())
        else:
            self.running += 1
            self._note(self.requests, request)
            await self._chat(request, connection)

    def _is_chat(self, request: Received) -> bool:
        own = ollama_words.CHAT if self.about.kind == "ollama" else CHAT
        return request.path in (CHAT, own)

    async def prepare(self, reply: Reply, body: Body) -> Reply:
        """The reply that goes out; a subclass may take its time and change it."""
        return reply

    async def other(self, request: Received) -> tuple[int, Json]:
        """Status and body for anything but a chat completion."""
        return llama_words.answer(self.about, request, running=self.running)

    async def _chat(self, request: Received, connection: Connection) -> None:
        try:
            reply = await self.prepare(self._next(request), request.body)
            if self.about.kind == "ollama" and reply.status == 200:
                context = ollama_words.asked_context(request.body) or self._default_context
                self.about = replace(self.about, context_tokens=context)
            await self._say(reply, request, connection)
            request.last_byte = time.monotonic()
        except ConnectionError:
            request.closed_early = time.monotonic()
            raise
        finally:
            self.running -= 1
            with self._changed:
                self._changed.notify_all()

    async def _say(self, reply: Reply, request: Received, connection: Connection) -> None:
        await connection.pause(reply.pace.wait_seconds)
        headers = self._headers() | dict(reply.headers)
        if reply.status != 200:
            await connection.answer(reply.status, reply.body, headers)
        elif request.path == ollama_words.CHAT:
            await connection.open_stream(headers | ollama_words.NDJSON)
            pieces = ollama_words.writes(reply)
            await _stream(reply, pieces, ollama_words.closing(reply), connection)
        elif request.body.get("stream") or reply.raw is not None:
            await connection.open_stream(headers)
            closing = events.closing(reply, request.body)
            await _stream(reply, events.writes(reply), closing, connection)
        else:
            await connection.answer(200, events.whole(reply), headers)

    def _next(self, request: Received) -> Reply:
        if self._replies:
            answer = self._replies.popleft()
            return answer if isinstance(answer, Reply) else answer(request.body)
        if self._otherwise:
            return self._otherwise(request.body)
        self._unexpected += 1
        return Reply(status=500, body={"error": {"message": "the script has ended"}})

    def _note(self, where: list[Received], request: Received) -> None:
        with self._changed:
            where.append(request)
            self._changed.notify_all()

    def _headers(self) -> dict[str, str]:
        return {"Server": "llama.cpp"} if self.about.kind == "llamacpp" else {}


async def _stream(
    reply: Reply, pieces: Iterable[bytes], closing: bytes, connection: Connection
) -> None:
    """The pieces of `reply`, then its end; ConnectionError as soon as the client has left."""
    pause = reply.pace.first_delta_seconds
    for piece in pieces:
        await connection.pause(pause)
        await connection.send(piece)
        pause = reply.pace.delta_seconds
    match reply.end:
        case "done" | "no_done":
            await connection.finish(closing)
        case "close":
            connection.writer.close()
        case "reset":
            connection.reset()
        case "hang":
            await connection.pause(None)
