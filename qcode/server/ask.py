"""Short questions to a server: one request, a small JSON answer, a time limit."""

import asyncio
import errno
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    import httpx2

_SILENT = "All connection attempts failed"
_MOST_BYTES = 4 << 20


class NoAnswer(Exception):
    """Nothing came back; the text says why, as a clause."""


class NotListening(NoAnswer):
    """Nobody listens at the address."""


class Dropped(NoAnswer):
    """The connection was closed in place of an answer."""


class Reply(msgspec.Struct, frozen=True):
    """What came back."""

    status: int
    headers: Mapping[str, str] = msgspec.field(default_factory=dict)
    body: bytes = b""

    @property
    def json(self) -> Any:
        """The body decoded; None when it is no JSON."""
        try:
            return msgspec.json.decode(self.body)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return None

    @property
    def fields(self) -> dict[str, Any]:
        """The body's JSON object; {} when it is none."""
        return value if isinstance(value := self.json, dict) else {}


class Asker:
    """Asks one server, through the client that its requests use."""

    def __init__(self, http: "httpx2.AsyncClient", api_key: str, limit_seconds: float) -> None:
        self._http = http
        self._key = api_key.encode()
        self._headers = {"Authorization": f"Bearer {api_key or 'none'}"}
        self._limit_seconds = limit_seconds

    async def get(self, url: str, limit_seconds: float | None = None) -> Reply:
        """GET. Raises NoAnswer; any status is an answer."""
        return await self._ask("GET", url, None, limit_seconds)

    async def post(self, url: str, body: Any, limit_seconds: float | None = None) -> Reply:
        """POST of JSON. Raises NoAnswer; any status is an answer."""
        return await self._ask("POST", url, msgspec.json.encode(body), limit_seconds)

    @asynccontextmanager
    async def lines(self, url: str, body: Any) -> AsyncIterator[AsyncIterator[str]]:
        """POST of JSON; the lines of what is streamed back, for as long as it takes. Leaving the
        context ends it. On a connection of its own: llama.cpp b11549 closes one that streamed a raw
        completion now and then, and the next request on it would be lost. Raises NoAnswer."""
        import httpx2  # noqa: PLC0415  80 ms; the client that we were given has loaded it

        headers = self._headers | {"Content-Type": "application/json", "Connection": "close"}
        content = msgspec.json.encode(body)
        limits = httpx2.Timeout(None, connect=self._limit_seconds)
        sent = self._http.stream("POST", url, content=content, headers=headers, timeout=limits)
        try:
            async with sent as response:
                if response.status_code != 200:
                    said = self.unsaid(await _bounded(response))[:200].decode(errors="replace")
                    raise NoAnswer(f"status {response.status_code}, {said}")
                yield response.aiter_lines()
        except (httpx2.ConnectError, httpx2.ConnectTimeout) as error:
            raise NotListening(reason(error)) from error
        except (httpx2.HTTPError, httpx2.InvalidURL) as error:
            raise NoAnswer(reason(error)) from error

    def unsaid(self, body: bytes) -> bytes:
        """`body` of an error without the key: some servers repeat what they refuse."""
        return body.replace(self._key, b"[key]") if self._key else body

    async def _ask(
        self, method: str, url: str, content: bytes | None, limit_seconds: float | None
    ) -> Reply:
        """A connection that was kept may be closed just when it is used again: once more then. All
        that is asked may be asked twice."""
        try:
            return await self._once(method, url, content, limit_seconds)
        except Dropped:
            return await self._once(method, url, content, limit_seconds)

    async def _once(
        self, method: str, url: str, content: bytes | None, limit_seconds: float | None
    ) -> Reply:
        import httpx2  # noqa: PLC0415  80 ms; the client that we were given has loaded it

        limit = limit_seconds or self._limit_seconds
        headers = self._headers | ({"Content-Type": "application/json"} if content else {})
        sent = self._http.stream(method, url, content=content, headers=headers, timeout=limit)
        try:
            # httpx2's limit is for each piece: a trickle would keep to it for ever. Twice as long,
            # so that its own, which tells nobody listening from no answer, comes first.
            async with asyncio.timeout(2 * limit), sent as response:
                body = await _bounded(response)
                told = body if response.status_code == 200 else self.unsaid(body)
                return Reply(response.status_code, response.headers, told)
        except TimeoutError as error:
            raise NoAnswer("no answer in time") from error
        except (httpx2.ConnectError, httpx2.ConnectTimeout) as error:
            raise NotListening(reason(error)) from error
        except (httpx2.RemoteProtocolError, httpx2.ReadError, httpx2.WriteError) as error:
            raise Dropped(reason(error)) from error
        except (httpx2.HTTPError, httpx2.InvalidURL) as error:
            raise NoAnswer(reason(error)) from error


def reason(error: BaseException) -> str:
    """Why a connection failed, as a clause for people."""
    import httpx2  # noqa: PLC0415  loaded, or there would be no error of its own

    said = _said(error)
    text = said.lower()
    # Of a name with several addresses asyncio tells the numbers of all the errors.
    if "refused" in text or f"[errno {errno.ECONNREFUSED}]" in text:
        return "connection refused"
    if isinstance(error, httpx2.TimeoutException):
        return "no answer in time"
    if any(words in text for words in ("not known", "nodename nor servname", "name resolution")):
        return "no such host"
    if "reset" in text:
        return "connection reset"
    if isinstance(error, httpx2.RemoteProtocolError):
        return "the server closed the connection"
    return said or "connection lost"  # a reset comes without words


def _said(error: BaseException) -> str:
    """Its words; for those of anyio, which say nothing, the first that stand behind them."""
    inner: BaseException | None = error
    while inner is not None:
        if isinstance(inner, BaseExceptionGroup):
            inner = inner.exceptions[0]
        elif str(inner) == _SILENT:
            inner = inner.__cause__ or inner.__context__
        else:
            return str(inner)
    return str(error)


async def _bounded(response: "httpx2.Response") -> bytes:
    """The body, cut where no honest answer ends."""
    body = b""
    async for piece in response.aiter_bytes():
        body += piece
        if len(body) > _MOST_BYTES:
            break
    return body
