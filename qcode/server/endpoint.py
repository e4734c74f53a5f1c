"""Where a server is: addresses made uniform, and how patient a client is with it."""

import ipaddress
import re
from fnmatch import fnmatchcase
from urllib.parse import urlsplit

import msgspec

from qcode.protocol.errors import ConfigError
from qcode.server.quirks import QUIRKS

PORTS = (9931, 8080, 11434, 1234, 8000, 30000)
"""Where local servers listen when nobody says otherwise: llama.cpp since late 2026, llama.cpp
before (also llama-swap, mlx), Ollama, LM Studio, vLLM (also oMLX, NIM), SGLang."""

_LOCAL_NAMES = (".local", ".lan", ".internal", ".home.arpa", ".localhost")
_VERSION = re.compile(r"/v\d")


class Patience(msgspec.Struct, frozen=True):
    """How long to wait for what. Seconds throughout."""

    connect_seconds: float = 5.0
    probe_seconds: float = 1.0
    """For one question to a server that is being looked for, or looked after."""
    tries: int = 4
    """Requests at most for one answer; waiting for a model to load is not counted."""
    first_wait_seconds: float = 0.5
    """Before the second try; doubled each time."""
    longest_wait_seconds: float = 8.0
    loading_seconds: float = 600.0
    """How long a model may load."""
    poll_seconds: float = 1.0
    """Between two questions whether it is loaded."""
    busy_seconds: float = 120.0
    """How long a server may be busy with others, and say so."""
    silence_seconds: float = 15.0
    """Without a byte for so long, the server is asked whether it lives."""
    health_seconds: float = 5.0
    """For that question: on a CPU that computes with all its cores, one second was too short."""
    taking_seconds: float = 1.5
    """Before it takes a request: after so long it is asked what it does instead, and again."""
    absence_seconds: float = 60.0
    """The longest pause before a server that went away is looked for again, and between two words
    about it. Only when unattended."""
    unattended: bool = False
    """Nobody watches: wait for a server that is away, loading or busy for as long as it takes."""

    def wait_seconds(self, attempt: int) -> float:
        """Pause before the retry numbered `attempt`, from 1."""
        doubled: float = self.first_wait_seconds * 2.0 ** (attempt - 1)
        return min(doubled, self.longest_wait_seconds)


def normalise(base_url: str) -> str:
    """`base_url` with a scheme and `/v1`, without a slash at the end.

    Raises ConfigError for what is no http address, and for one that carries a password.

    >>> normalise("localhost:8080/")
    'http://localhost:8080/v1'
    """
    text = base_url.strip()
    text = (text if "://" in text else f"http://{text}").rstrip("/")
    text = text.removesuffix("/chat/completions").rstrip("/")
    try:
        parts = urlsplit(text)
        usable = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:  # a port out of range, a bracket that does not close
        usable = None
    if not usable or parts.query or parts.fragment:
        raise ConfigError(
            f"base_url {base_url!r} is no address of a server. "
            "It looks like http://127.0.0.1:8080/v1."
        )
    if parts.username or parts.password:
        raise ConfigError(
            "base_url holds a user name or a password. Take it out and set the API key instead."
        )
    return text if _VERSION.search(parts.path) else f"{text}/v1"


def root(base_url: str) -> str:
    """The address without `/v1`: `/health`, `/props` and their kin hang there."""
    return base_url.removesuffix("/v1")


def hosted_kind(base_url: str) -> str:
    """Key of `QUIRKS` for a service that is known by its host's name; empty = none of them."""
    host = (urlsplit(base_url).hostname or "").lower()
    return next(
        (
            kind
            for kind, row in QUIRKS.items()
            if any(fnmatchcase(host, pattern) for pattern in row.hosts)
        ),
        "",
    )


def is_private(base_url: str) -> bool:
    """This machine or the local network: proxies from the environment stay out of the way."""
    host = urlsplit(base_url).hostname or ""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return "." not in host or host.endswith(_LOCAL_NAMES)
    return address.is_private or address.is_loopback or address.is_link_local
