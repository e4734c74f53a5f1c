"""One page of the web: looked up, checked, connected to, read within bounds.

Each address of a host is judged before a connection, and the connection goes to an address that was
judged, never to the name again: the name could mean another machine by then. No cookies, no keys,
no proxy of the environment, no cache. Redirections stay on the host that was allowed.
"""

import asyncio
import re
import socket
import ssl
import zlib
from collections.abc import AsyncIterable, Awaitable, Callable, Collection, Iterable, Mapping
from contextlib import suppress
from functools import cache
from typing import TYPE_CHECKING

import msgspec

from qcode.protocol.hosts import is_address, why_not_public
from qcode.protocol.text import one_line
from qcode.tools.address import Place, Unfit, beside
from qcode.tools.base import Told

if TYPE_CHECKING:
    import httpcore2

LIMIT_SECONDS = 30.0
"""For all of it, redirections included."""
MOST_BYTES = 2_000_000
"""As sent; what is packed may be four times as long when it is unpacked."""
MOST_UNPACKED_BYTES = 4 * MOST_BYTES
MOST_REDIRECTIONS = 5

HEADERS = {
    "User-Agent": "qcode",
    "Accept": "text/html, text/*;q=0.9, application/json;q=0.9, application/xml;q=0.8",
    "Accept-Encoding": "gzip",
    "Connection": "close",
}
BOMS = (b"\xff\xfe", b"\xfe\xff")
"""How UTF-16 begins; other text holds no zeros."""
_MEDIA = re.compile(r"[a-z0-9-]{1,20}/[a-z0-9.+-]{1,80}")
"""Anything else could be a sentence."""
_TEXTUAL = ("application/json", "application/xml", "application/xhtml+xml")


class NoPage(Exception):
    """There is nothing to read; `str(error)` is a clause that says why."""


class Page(msgspec.Struct, frozen=True):
    """What a server answered."""

    place: Place
    """Where it was found, redirections followed."""
    status: int
    media: str
    """Such as `text/html`; empty = the server did not say."""
    charset: str
    """As the server said; empty = it did not."""
    body: bytes
    is_whole: bool
    """False = it was longer than the bounds."""
    onward: str = ""
    """Where it would go on: another host, which has to be allowed first; empty = nowhere."""


async def look_up(host: str, port: int) -> tuple[str, ...]:
    """All addresses of a host, in a thread. Raises OSError."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return tuple(dict.fromkeys(str(each[4][0]) for each in found))


async def dial(address: str, port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A connection to an IP address. Raises OSError."""
    return await asyncio.open_connection(address, port)


@cache
def authorities() -> ssl.SSLContext:
    """Those that vouch for hosts, as for endpoints."""
    import httpx2  # noqa: PLC0415  80 ms that only a run which fetches pays

    return httpx2.create_ssl_context()


class Way(msgspec.Struct, frozen=True):
    """How a page is reached; tests put a network of their own in its place."""

    look_up: Callable[[str, int], Awaitable[Iterable[str]]] = look_up
    dial: Callable[[str, int], Awaitable[tuple[asyncio.StreamReader, asyncio.StreamWriter]]] = dial
    authorities: Callable[[], ssl.SSLContext] = authorities
    told: Told = lambda host, port, answer, because: None
    endpoints: Callable[[], Collection[tuple[str, int]]] = tuple
    """Host and port of the model's servers: no tool may reach them."""
    limit_seconds: float = LIMIT_SECONDS


async def get(wanted: Place, way: Way) -> Page:
    """The page at `wanted`, or at where it says that it is now. Raises NoPage."""
    try:
        async with asyncio.timeout(way.limit_seconds):
            return await _followed(wanted, way)
    except TimeoutError:
        raise NoPage(f"it took longer than {way.limit_seconds:g} s") from None


async def _followed(wanted: Place, way: Way) -> Page:
    for _ in range(MOST_REDIRECTIONS + 1):
        page = await _one(wanted, way)
        if not page.onward:
            return page
        try:
            onward = beside(page.place, page.onward)
        except Unfit as error:
            raise NoPage(f"it redirects to where nothing can be fetched: {error}") from None
        if onward.host != wanted.host or (onward.scheme, wanted.scheme) == ("http", "https"):
            return Page(page.place, page.status, "", "", b"", is_whole=True, onward=onward.url)
        wanted = onward
    raise NoPage(f"it redirects more than {MOST_REDIRECTIONS} times")


async def _one(wanted: Place, way: Way) -> Page:
    """One request. Raises NoPage."""
    # Deferred: 60 ms that only a run which fetches pays; `httpx2` stands on it anyway.
    import httpcore2  # noqa: PLC0415

    from qcode.tools.reaching import Backend  # noqa: PLC0415  it imports it, too

    addresses = await _addresses(wanted, way)
    way.told(wanted.host, wanted.port, "allow", "")
    pool = httpcore2.AsyncConnectionPool(
        ssl_context=way.authorities() if wanted.scheme == "https" else None,
        network_backend=Backend(addresses, way.dial),
    )
    headers = [("Host", wanted.authority), *HEADERS.items()]
    try:
        async with pool, pool.stream("GET", wanted.url, headers=headers) as answer:
            return await _read(wanted, answer)
    except httpcore2.ProtocolError:  # its words quote the server's
        raise NoPage(f"what {wanted.authority} answered is no HTTP") from None
    except (httpcore2.NetworkError, httpcore2.TimeoutException) as error:
        why = one_line(str(error)) or type(error).__name__
        raise NoPage(f"{wanted.authority} did not answer ({why})") from None


async def _addresses(wanted: Place, way: Way) -> tuple[str, ...]:
    """Those to connect to. Raises NoPage unless each of the host's may be connected to."""
    try:
        found = await _found(wanted.host, wanted.port, way)
    except (OSError, UnicodeError) as error:
        why = one_line(getattr(error, "strerror", None) or str(error))
        raise NoPage(f"the host {wanted.host} is not known ({why})") from None
    why = next((f"{each} is {why}" for each in found if (why := why_not_public(each))), "")
    if await _is_endpoint(wanted, found, way):
        why = "the model's server answers there"
    if why or not found:
        why = why or "it has no address"
        way.told(wanted.host, wanted.port, "deny", why)
        raise NoPage(f"nothing is fetched from {wanted.host}: {why}")
    return found


async def _found(host: str, port: int, way: Way) -> tuple[str, ...]:
    return (host,) if is_address(host) else tuple(await way.look_up(host, port))


async def _is_endpoint(wanted: Place, found: Collection[str], way: Way) -> bool:
    """Also by another name. With https a name is enough: the certificate must be of it."""
    hosts = {host for host, port in way.endpoints() if port == wanted.port}
    if wanted.host in hosts or hosts & set(found):
        return True
    if wanted.scheme == "https" and wanted.host not in found:
        return False
    for host in hosts:
        with suppress(OSError, UnicodeError):  # whoever has no address is not reached by one
            if set(found) & set(await _found(host, wanted.port, way)):
                return True
    return False


async def _read(wanted: Place, answer: "httpcore2.Response") -> Page:
    headers = {
        name.decode("latin-1").lower(): value.decode("latin-1") for name, value in answer.headers
    }
    if answer.status in (301, 302, 303, 307, 308) and headers.get("location"):
        onward = headers["location"]
        return Page(wanted, answer.status, "", "", b"", is_whole=True, onward=onward)
    media, charset = _kind(headers.get("content-type", ""))
    if media and not (media.startswith("text/") or media in _TEXTUAL or _is_suffixed(media)):
        raise NoPage(f"it is {media}, and only text is fetched (HTML, JSON, XML, plain)")
    assert isinstance(answer.stream, AsyncIterable)
    body, is_whole = await _body(answer.stream, headers)
    if b"\0" in body[:1024] and not (charset.startswith("utf-16") or body.startswith(BOMS)):
        raise NoPage("it is no text")
    return Page(wanted, answer.status, media, charset, body, is_whole)


def _is_suffixed(media: str) -> bool:
    return media.startswith("application/") and media.endswith(("+json", "+xml"))


def _kind(header: str) -> tuple[str, str]:
    """`text/html; charset="UTF-8"` -> (`text/html`, `utf-8`)."""
    media, *fields = (part.strip().lower() for part in header.split(";"))
    charset = next((one.removeprefix("charset=") for one in fields if "charset=" in one), "")
    return media if _MEDIA.fullmatch(media) else "", charset.strip("\"' ")


async def _body(stream: AsyncIterable[bytes], headers: Mapping[str, str]) -> tuple[bytes, bool]:
    """The body unpacked, as far as the bounds go, and whether that is all. Raises NoPage."""
    packing = headers.get("content-encoding", "identity").strip().lower()
    if packing not in ("identity", "gzip", "x-gzip", ""):
        named = packing if packing.isalpha() else "several"
        raise NoPage(f"it is packed in a way that was not asked for ({named[:20]})")
    unpack = zlib.decompressobj(wbits=31) if "gzip" in packing else None
    most = MOST_UNPACKED_BYTES if unpack else MOST_BYTES
    read, found = 0, bytearray()
    async for piece in stream:
        read += len(piece)
        try:
            found += unpack.decompress(piece, most - len(found) + 1) if unpack else piece
        except zlib.error:
            raise NoPage("its packed body cannot be read") from None
        if read > MOST_BYTES or len(found) > most:
            return bytes(found[:most]), False
    return bytes(found), True
