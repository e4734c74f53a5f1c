"""The way out: an HTTP client as local servers need it, and two doors through it.

`openai`'s client is used by its raw door: no typed chunks (0.095 s of CPU per 1,000 against 0.013
for raw lines) and no typed messages (720 of them cost 137 ms before the first byte). Importing it
takes 0.4 to 0.75 s, so a request that cannot wait goes through `httpx2` alone, the HTTP library
that `openai` itself stands on: the same address, headers and body, by public calls only.
"""

import logging
import socket
import ssl
import sys
import threading
from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import TYPE_CHECKING, Any, Protocol

import msgspec

from qcode.server.endpoint import is_private, root

if TYPE_CHECKING:
    import httpx2
    import openai

_log = logging.getLogger(__name__)

_IDLE_SECONDS = 4.0
"""llama.cpp and uvicorn close an idle connection after 5 s: leave it before they do."""


class Door(Protocol):
    """Sends one request for a streamed chat completion."""

    def open(self, body: Mapping[str, Any]) -> AbstractAsyncContextManager["httpx2.Response"]:
        """The response, whatever its status, its body not yet read. Leaving the context before
        the end closes the connection. Raises httpx2's errors."""
        ...


def make_http(base_url: str, connect_seconds: float) -> "httpx2.AsyncClient":
    """An HTTP client for one server: no read time-out, TCP keep-alive, no redirects.

    The proxies of the environment hold for public hosts only, and there the connection's options
    are the library's own: a client with a transport of ours would pass the proxies by.
    """
    import httpcore2  # noqa: PLC0415  httpx2 stands on it
    import httpx2  # noqa: PLC0415  80 ms

    from qcode.server.network import Backend, Transport, bound  # noqa: PLC0415  it imports both

    timeout = httpx2.Timeout(None, connect=connect_seconds)
    headers = {"Accept-Encoding": "identity", "User-Agent": "qcode"}
    hooks = {"response": [bound]}
    if not is_private(base_url):
        return httpx2.AsyncClient(timeout=timeout, headers=headers, event_hooks=hooks)
    pool = httpcore2.AsyncConnectionPool(
        ssl_context=_authorities(base_url),
        max_connections=None,
        keepalive_expiry=_IDLE_SECONDS,
        socket_options=_keep_alive(),
        network_backend=Backend(),
    )
    return httpx2.AsyncClient(
        timeout=timeout,
        headers=headers,
        transport=Transport(pool),
        trust_env=False,
        event_hooks=hooks,
    )


class PlainDoor:
    """Through `httpx2` alone."""

    def __init__(self, http: "httpx2.AsyncClient", url: str, api_key: str) -> None:
        self._http = http
        self._url = url
        self._headers = {
            "Authorization": f"Bearer {api_key or 'none'}",
            "Accept": "application/json",
            "Content-Type": "application/json",
        }

    @asynccontextmanager
    async def open(self, body: Mapping[str, Any]) -> AsyncIterator["httpx2.Response"]:
        content = msgspec.json.encode(body)
        post = self._http.stream("POST", self._url, content=content, headers=self._headers)
        async with post as response:
            yield response


class OpenAIDoor:
    """Through `openai`'s client, by `with_streaming_response`."""

    def __init__(self, http: "httpx2.AsyncClient", base_url: str, api_key: str) -> None:
        import openai  # noqa: PLC0415  0.4 s and more: `warm` has done it

        self._client = openai.AsyncOpenAI(
            api_key=api_key or "none",  # an empty one would be looked for in the environment
            base_url=base_url,
            http_client=http,
            max_retries=0,  # its own retries would be requests that nobody sees
            timeout=http.timeout,
        )
        # The organisation comes from the environment, the rest tells about this machine.
        names = ("Organization", "Project")
        told = ("Lang", "Package-Version", "OS", "Arch", "Runtime", "Runtime-Version", "Async")
        self._omitted: dict[str, Any] = {
            **{f"OpenAI-{name}": openai.Omit() for name in names},
            **{f"X-Stainless-{name}": openai.Omit() for name in told},
            "User-Agent": "qcode",
        }

    @asynccontextmanager
    async def open(self, body: Mapping[str, Any]) -> AsyncIterator["httpx2.Response"]:
        import openai  # noqa: PLC0415  loaded by now

        create = self._client.chat.completions.with_streaming_response.create
        opening = create(
            model=body["model"],
            messages=[],  # typed messages would be walked one by one; `extra_body` replaces them
            stream=True,
            extra_body=dict(body),
            extra_headers=self._omitted,
        )
        try:
            response = await opening.__aenter__()
        except openai.APIStatusError as refused:
            yield refused.response
            return
        except openai.APIConnectionError as failed:
            raise _cause(failed) from None
        try:
            yield response.http_response
        finally:
            await opening.__aexit__(None, None, None)


class Doors:
    """The plain door at first, `openai`'s as soon as it is loaded.

    Loading begins with the second request: by then the first byte of the first is out, and a run
    of one request never pays for it. A front end that has time to spare may call `warm` before.
    """

    def __init__(self, http: "httpx2.AsyncClient", base_url: str, api_key: str) -> None:
        self._make = (http, base_url, api_key)
        self._plain = PlainDoor(http, f"{base_url}/chat/completions", api_key)
        self._openai: OpenAIDoor | None = None
        self._picked = 0

    def own(self, path: str) -> Door:
        """For a chat API that is not OpenAI's, at a path from the root."""
        http, base_url, api_key = self._make
        return PlainDoor(http, root(base_url) + path, api_key)

    def pick(self) -> Door:
        """The door for the next request."""
        self._picked += 1
        if self._openai is None and is_warm():
            self._openai = OpenAIDoor(*self._make)
        if self._picked == 2:
            warm()
        return self._openai or self._plain


_warming = threading.Lock()
_loaded = threading.Event()


def warm() -> threading.Event:
    """Load `openai` in a thread, once; the event is set when it is there."""
    if not _loaded.is_set() and _warming.acquire(blocking=False):
        threading.Thread(target=_load, name="warm openai", daemon=True).start()
    return _loaded


def is_warm() -> bool:
    """Whether `openai` is loaded, so that a request need not wait for it."""
    return _loaded.is_set()


def _load() -> None:
    try:
        import openai.resources.chat  # noqa: F401, PLC0415  0.4 s and more; why we are in a thread
    except ImportError:  # half installed: the plain door serves on
        _log.exception("openai could not be loaded")
        return
    _loaded.set()


def _cause(failed: "openai.APIConnectionError") -> Exception:
    return failed.__cause__ if isinstance(failed.__cause__, Exception) else failed


def _authorities(base_url: str) -> ssl.SSLContext:
    """Without https nothing is ever checked: loading the authorities would cost 20 ms."""
    import httpx2  # noqa: PLC0415  loaded by now

    if base_url.startswith("https:"):
        return httpx2.create_ssl_context(trust_env=False)
    return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


def _keep_alive() -> list[tuple[int, int, int]]:
    """Probes after 15 s of silence, every 5 s, dead after 4: where the system lets us say so."""
    options = [(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)]
    idle = "TCP_KEEPALIVE" if sys.platform == "darwin" else "TCP_KEEPIDLE"
    for name, value in ((idle, 15), ("TCP_KEEPINTVL", 5), ("TCP_KEEPCNT", 4)):
        if hasattr(socket, name):
            options.append((socket.IPPROTO_TCP, getattr(socket, name), value))
    return options
