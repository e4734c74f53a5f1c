"""An HTTP server on a free loopback port, in a thread with an event loop of its own.

A thread, so that one server serves tests with and without a loop as well as other processes.
"""

import asyncio
import threading
from collections.abc import Coroutine
from typing import Any, Self, TypeVar

from tests.support.http1 import Connection
from tests.support.script import Received

STOP_SECONDS = 5.0

T = TypeVar("T")


class LoopbackServer:
    """Subclasses answer in `handle`. Use as a context manager, or `start` and `close`."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="loopback", daemon=True)
        self._tasks: set[asyncio.Task[Any]] = set()
        self._server: asyncio.Server | None = None
        self.port = 0

    @property
    def origin(self) -> str:
        """Scheme, host and port."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def base_url(self) -> str:
        """What a client of the OpenAI kind wants; ends in `/v1`."""
        return f"{self.origin}/v1"

    def start(self, port: int = 0) -> Self:
        """Listen; port 0 = any free one."""
        self._thread.start()
        self._server = self._wait(
            self._loop.create_server(lambda: Connection(self._serve), "127.0.0.1", port)
        )
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    def close(self) -> None:
        """Cut all connections and end the thread. Closing twice is safe."""
        if self._loop.is_closed():
            return
        self._wait(self._stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(STOP_SECONDS)
        self._loop.close()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.close()

    async def handle(self, request: Received, connection: Connection) -> None:
        """Answer one request, whole or as a stream."""
        raise NotImplementedError

    async def _serve(self, connection: Connection) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            while request := await connection.receive():
                await self.handle(request, connection)
        except ConnectionError:
            pass  # the client left; `handle` has noted it
        finally:
            self._tasks.discard(task)
            connection.writer.close()

    async def _stop(self) -> None:
        assert self._server is not None
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _wait(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(STOP_SECONDS)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_forever()
