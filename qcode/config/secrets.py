"""An endpoint's key: from the environment first, then from the keyring. Never from a file.

A key is held in `Key`, which does not show it; `scrub` takes it out of whatever is logged.
"""

import ipaddress
import logging
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from qcode.config import ring
from qcode.protocol.errors import ConfigError
from qcode.protocol.hosts import origin

LOG = logging.getLogger(__name__)

VARIABLES = ("QCODE_API_KEY", "OPENAI_API_KEY")

_LIKELY = re.compile(
    r"(?i)(\b(?:authorization|x-api-key|api-key)\b[\"']?\s*[:=]\s*[\"']?(?:(?:bearer|basic)\s+)?)[^\s\"',}]+"
    r"|\b(sk-|hf_|ghp_|github_pat_|xox[abp]-|AKIA)[A-Za-z0-9_-]{12,}"
)
_USERINFO = re.compile(r"(?<=://)[^/\s:@]*:[^/\s@]*@")


@dataclass(frozen=True, slots=True)
class Key:
    """A key and where it came from. Its `repr` hides the key."""

    value: str = field(repr=False)
    source: str
    """`QCODE_API_KEY`, `keyring`."""


def endpoint_key(base_url: str, variable: str, environ: Mapping[str, str]) -> Key | None:
    """The key for `base_url`, with which the run starts; None = there is none.

    `variable` is `server.api_key_env`. For a server of this machine the keyring is asked only
    where `qcode auth` gave it a key: loading it takes time, and most of them need none.
    Raises ConfigError when the named variable is empty, the key cannot be sent, or the keyring does
    not give out what it was given.
    """
    if not variable:
        for name in VARIABLES:
            if environ.get(name):
                return checked_key(environ[name], name)
    return own_key(base_url, variable, environ)


def own_key(base_url: str, variable: str, environ: Mapping[str, str]) -> Key | None:
    """The key that belongs to `base_url` alone: that of the variable named for it, or of the
    keyring. For an endpoint that qcode changes to: `VARIABLES` are about the first one.
    """
    if variable:
        if not environ.get(variable):
            raise ConfigError(
                f"api_key_env names {variable}, which is not set. Export it or remove the setting."
            )
        return checked_key(environ[variable], variable)
    origin = origin_of(base_url)
    has_one = origin in ring.remembered()
    if not base_url or (is_loopback(base_url) and not has_one):
        return None  # a server that is looked for is not known: it gets no key
    try:
        value = ring.ask(origin)
    except ConfigError as error:
        if has_one:
            raise
        LOG.info("no key from the keyring: %s", error)
        return None
    return checked_key(value, "keyring") if value else None


def checked_key(value: str, source: str) -> Key:
    """A key that can be sent in a header. Raises ConfigError, without the key."""
    value = value.strip()
    if not value.isascii() or not value.isprintable() or " " in value:
        raise ConfigError(f"The key in {source} has signs that no key has. Set it again.")
    return Key(value, source)


def origin_of(url: str) -> str:
    """`scheme://host:port` of a URL, lower case, with the port always said."""
    host, port = origin(url)
    return f"{urlsplit(url).scheme}://{f'[{host}]' if ':' in host else host}:{port}"


def is_loopback(url: str) -> bool:
    """Does the URL lead to this machine, by its spelling? No name is looked up."""
    host = urlsplit(url).hostname or ""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    return address.is_loopback


def without_password(url: str) -> str:
    """`url` with `user:password@` replaced by `…@`, for eyes."""
    return _USERINFO.sub("…@", url)


def scrub(text: str, secrets: Iterable[str] = ()) -> str:
    """`text` without the `secrets`, and without what looks like one: keys, bearer headers.

    Secrets of under eight signs are left: `x` or `none` are no secrets, and all of the text.
    """
    for secret in sorted({s for s in secrets if len(s) >= 8}, key=len, reverse=True):
        text = text.replace(secret, "[secret]")
    return without_password(_LIKELY.sub(lambda found: f"{found[1] or found[2]}[secret]", text))
