"""Hosts that a tool or a command may be let to: the grammar of their names, and their addresses.

Pure: nothing is looked up here. A name is judged by its grammar before it is resolved, each address
that it has afterwards; whoever connects does so to an address that was judged, never to the name.
"""

import re
from ipaddress import AddressValueError, IPv4Address, IPv4Network, IPv6Address, IPv6Network
from urllib.parse import urlsplit

_LABEL = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?")
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")

_CLOSED_4 = {
    IPv4Network("0.0.0.0/8"): "an address of this machine",
    IPv4Network("10.0.0.0/8"): "a private address",
    IPv4Network("100.64.0.0/10"): "an address inside a provider's network",
    IPv4Network("127.0.0.0/8"): "an address of this machine",
    IPv4Network("168.63.129.16/32"): "a metadata service",  # Azure's; the others are link-local
    IPv4Network("169.254.0.0/16"): "a link-local address, where metadata services answer",
    IPv4Network("172.16.0.0/12"): "a private address",
    IPv4Network("192.0.0.0/24"): "a reserved address",
    IPv4Network("192.0.2.0/24"): "a reserved address",
    IPv4Network("192.88.99.0/24"): "a reserved address",
    IPv4Network("192.168.0.0/16"): "a private address",
    IPv4Network("198.18.0.0/15"): "a reserved address",
    IPv4Network("198.51.100.0/24"): "a reserved address",
    IPv4Network("203.0.113.0/24"): "a reserved address",
    IPv4Network("224.0.0.0/4"): "a multicast address",
    IPv4Network("240.0.0.0/4"): "a reserved address",
}
"""The special-purpose registry of IANA (RFC 6890). Written out: what `ipaddress` calls global
changed between patch versions of Python."""

_OPEN_6 = IPv6Network("2000::/3")
"""All that is given out to the public; what lies outside is local, mapped or not in use."""

_CLOSED_6 = {
    IPv6Network("2001::/23"): "a tunnel or a reserved address",
    IPv6Network("2001:db8::/32"): "a reserved address",
    IPv6Network("2002::/16"): "an IPv4 address in another form (6to4)",
    IPv6Network("3fff::/20"): "a reserved address",
}
_LOCAL_6 = {
    IPv6Network("::/127"): "an address of this machine",
    IPv6Network("::ffff:0:0/96"): "an IPv4 address in another form",
    IPv6Network("::/96"): "an IPv4 address in another form",
    IPv6Network("fc00::/7"): "a private address",
    IPv6Network("fe80::/10"): "a link-local address",
    IPv6Network("ff00::/8"): "a multicast address",
}
_NAT64 = IPv6Network("64:ff9b::/96")
"""What a network without IPv4 makes of public IPv4 addresses (RFC 6052): the last 32 bits count."""


def plain_host(text: str) -> str | None:
    """The one form in which a host is judged; None = it is no host, or not in a form to be trusted.

    A name in lower case without its final dot, an IPv4 address as four decimal numbers, an IPv6
    address in its short form, without brackets. Names in other letters must be given as `xn--…`.

    >>> plain_host("Example.COM."), plain_host("[::1]"), plain_host("0x7f.1"), plain_host("a b")
    ('example.com', '::1', None, None)
    """
    if not text.isascii():
        return None
    if ":" in text:
        return _plain_6(text)
    name = text.lower().removesuffix(".")
    labels = name.split(".")
    if len(name) > 253 or not all(_LABEL.fullmatch(label) for label in labels):
        return None
    if not _NUMBER.fullmatch(labels[-1]):
        return name
    # Only `1.2.3.4`: 017700000001, 0x7f.1 and 2130706433 would be taken as addresses, too.
    try:
        return str(IPv4Address(name))
    except AddressValueError:
        return None


def _plain_6(text: str) -> str | None:
    inner = text[1:-1] if text.startswith("[") and text.endswith("]") else text
    try:
        return None if "%" in inner else str(IPv6Address(inner))
    except AddressValueError:
        return None


def origin(url: str) -> tuple[str, int]:
    """Host, in its plain form if it has one, and port of an http or https URL."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    return plain_host(host) or host, parts.port or (443 if parts.scheme == "https" else 80)


def is_address(host: str) -> bool:
    """Whether a host in the form of `plain_host` is an address, not a name."""
    return ":" in host or host.rpartition(".")[2].isdecimal()


def why_not_public(address: str) -> str:
    """Why nobody but the person may connect to an IP address: a clause; empty = it is public.

    What cannot be read as an address is not public either.
    """
    try:
        return _why_not_6(IPv6Address(address)) if ":" in address else _why_not_4(address)
    except AddressValueError:
        return "no address that can be read"


def _why_not_4(address: str | int) -> str:
    number = IPv4Address(address)
    return next((why for network, why in _CLOSED_4.items() if number in network), "")


def _why_not_6(number: IPv6Address) -> str:
    if number.scope_id is not None:
        return "a link-local address"
    if number in _NAT64:
        return _why_not_4(int(number) & 0xFFFF_FFFF)
    if number not in _OPEN_6:
        return next((why for network, why in _LOCAL_6.items() if number in network), "not public")
    return next((why for network, why in _CLOSED_6.items() if number in network), "")
