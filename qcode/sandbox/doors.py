"""What leads through a fence's network: out by the proxy, in by ports that a person opened."""

import asyncio
from collections.abc import Mapping

import msgspec

from qcode.sandbox.base import NotOpened
from qcode.sandbox.fence import Fence
from qcode.sandbox.founding import Network
from qcode.sandbox.ports import Ports
from qcode.sandbox.proxy import Limits, Proxy
from qcode.sandbox.questions import Questions
from qcode.sandbox.reach import Reach

_OWN = "localhost,.localhost,127.0.0.1,0.0.0.0,::1"
_PUBLIC, _LIMITS = Reach(), Limits()


def variables(port: int) -> dict[str, str]:
    """By which programs find the proxy.

    Set whether anything is let out or not: why something was refused is better told by the proxy
    than by a name that is not found. Java looks at none of the usual ones (Maven 3.8 was seen to
    take this), and Node only when it is told to (from 22.21 on).
    """
    url = f"http://127.0.0.1:{port}"
    java = (f"-D{it}.proxyHost=127.0.0.1 -D{it}.proxyPort={port}" for it in ("http", "https"))
    return {
        **dict.fromkeys(("http_proxy", "https_proxy", "all_proxy"), url),
        **dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"), url),
        **dict.fromkeys(("no_proxy", "NO_PROXY"), _OWN),
        **dict.fromkeys(("MAVEN_OPTS", "GRADLE_OPTS"), " ".join(java)),
        "NODE_USE_ENV_PROXY": "1",
    }


class Ways(msgspec.Struct, frozen=True):
    """What may lead through."""

    closed: frozenset[int] = frozenset()
    """Ports that are never opened to the person: the model server's."""
    reach: Reach = _PUBLIC
    limits: Limits = _LIMITS


class Doors:
    """Of one session. Where its fence has no network for all, both stay shut."""

    def __init__(self, fence: Fence, questions: Questions, ways: Ways) -> None:
        self._fence = fence
        self._questions = questions
        self._ways = ways
        self._ports = Ports(ways.closed)
        self._proxy: Proxy | None = None
        self._variables: Mapping[str, str] = {}
        self._opening = asyncio.Lock()

    async def ready(self) -> Mapping[str, str]:
        """Before each command: the variables by which it finds out. Raises OSError."""
        if self._proxy is None:
            await self._network()
        return self._variables

    async def open(self, port: int) -> int:
        """See `Runner.open_port`. Raises NotOpened."""
        try:
            network = await self._network()
        except OSError as error:
            raise NotOpened(f"Port {port} could not be opened: {error}.") from error
        if network is None:
            raise NotOpened(
                f"Port {port} cannot be opened: with {self._fence.name} each command has a network "
                "of its own. Start the server yourself, outside of qcode."
            )
        return await self._ports.open(port, network)

    async def shut(self, port: int) -> None:
        """See `Runner.close_port`."""
        await self._ports.shut(port)

    def ports(self) -> tuple[int, ...]:
        """Those that are open."""
        return self._ports.numbers()

    async def close(self) -> None:
        """Nothing leads through any more."""
        await self._ports.close()
        proxy, self._proxy = self._proxy, None
        if proxy is not None:
            await proxy.close()

    async def _network(self) -> Network | None:
        async with self._opening:  # the first two commands may come at once
            network = await asyncio.to_thread(self._fence.network)
            if network is not None and self._proxy is None:
                ways = self._ways
                self._proxy = Proxy(network.listener, self._questions, ways.reach, ways.limits)
                self._variables = variables(network.port)
            return network
