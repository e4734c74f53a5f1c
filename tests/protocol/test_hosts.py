"""Hosts: one form for each, and no way from a spelling to an address that is not public."""

import socket
from ipaddress import IPv4Address, IPv6Address, ip_address

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from qcode.protocol.hosts import is_address, origin, plain_host, why_not_public

NUMBERS = """
2130706433 017700000001 0x7f000001 0x7f.1 127.1 127.0.1 0177.0.0.1 127.0.0.01 127.0.0.0x1
1.2.3.256 1.2.3.4.5 evil.0x a.1
"""

SPECIAL = """
0.0.0.0 10.1.2.3 100.64.0.1 100.100.100.200 127.0.0.1 127.255.0.9 168.63.129.16 169.254.169.254
172.16.0.1 172.31.255.255 192.0.0.192 192.168.1.1 198.18.0.1 203.0.113.9 224.0.1.1 239.1.1.1
240.0.0.1 255.255.255.255 :: ::1 ::ffff:127.0.0.1 ::ffff:8.8.8.8 ::8.8.8.8 64:ff9b::7f00:1
64:ff9b::a9fe:a9fe 64:ff9b:1::1 100::1 2001::1 2001:db8::1 2002:7f00:1:: 2002:808:808:: 3fff::1
fc00::1 fd00:ec2::254 fe80::1 fe80::1%eth0 2606:4700::1%eth0 fec0::1 ff02::1 ff0e::1 5f00::1
"""

PUBLIC = """
8.8.8.8 93.184.216.34 1.1.1.1 172.32.0.1 100.128.0.1 168.63.129.17 2606:2800:220:1::1
2a00:1450:4001::200e 64:ff9b::808:808
"""


@pytest.mark.parametrize(
    ("text", "host"),
    [
        ("example.com", "example.com"),
        ("EXAMPLE.com.", "example.com"),
        ("xn--bcher-kva.example", "xn--bcher-kva.example"),
        ("a-b.c_d.e1", "a-b.c_d.e1"),
        ("93.184.216.34", "93.184.216.34"),
        ("[2606:2800:220:1:248:1893:25C8:1946]", "2606:2800:220:1:248:1893:25c8:1946"),
        ("2606:2800:0220::0001", "2606:2800:220::1"),
    ],
)
def test_a_host_has_one_form(text: str, host: str) -> None:
    assert plain_host(text) == host


@pytest.mark.parametrize(
    "text",
    [
        "",
        ".",
        "a..b",
        "-a.b",
        "a-.b",
        "a b",
        "evil.com\0.allowed.com",
        "evil.com/.allowed.com",
        "user@host",
        "host:80",
        "a.b..",
        "bücher.example",
        "example\u3002com",
        "\uff11\uff12\uff17.0.0.1",
        "a" * 64 + ".b",
        ".".join(["a" * 49] * 6),
        "[::1",
        "[fe80::1%eth0]",
        "fe80::1%1",
        "a\n.b",
        "a.b\n",
    ],
)
def test_what_is_no_plain_host_is_none(text: str) -> None:
    assert plain_host(text) is None


@pytest.mark.parametrize(
    "text",
    NUMBERS.split(),
)
def test_numbers_that_resolvers_take_as_addresses_are_none(text: str) -> None:
    assert plain_host(text) is None


@given(st.text(alphabet="0123456789abcdefx.", max_size=20))
@example("0x7f.0.0.1")
def test_no_name_is_an_address_in_disguise(text: str) -> None:
    """What the C library reads as a number is either in its plain form or refused."""
    try:
        meant = socket.inet_ntoa(socket.inet_aton(text))
    except OSError:
        return
    assert plain_host(text) in (None, meant)


@given(st.ip_addresses().map(str) | st.from_regex(r"[a-z0-9.-]{1,20}", fullmatch=True))
def test_names_and_addresses_are_told_apart(text: str) -> None:
    if (host := plain_host(text)) is None:
        return
    try:
        ip_address(host)
    except ValueError:
        assert not is_address(host)
    else:
        assert is_address(host)


@given(st.text(max_size=60))
def test_the_form_of_a_form_is_itself(text: str) -> None:
    host = plain_host(text)
    assert host is None or plain_host(host) == host


@pytest.mark.parametrize(
    "address",
    SPECIAL.split(),
)
def test_what_is_not_public_is_refused_with_a_clause(address: str) -> None:
    assert why_not_public(address)


@pytest.mark.parametrize("text", ["", "example.com", "127.1", "0x7f000001", "1.2.3.4 ", "[::1]"])
def test_what_is_no_address_is_not_public(text: str) -> None:
    assert why_not_public(text)


@pytest.mark.parametrize(
    "address",
    PUBLIC.split(),
)
def test_public_addresses_pass(address: str) -> None:
    assert why_not_public(address) == ""


@given(st.integers(0, 2**32 - 1).map(IPv4Address))
def test_nothing_passes_that_python_knows_to_be_special(address: IPv4Address) -> None:
    special = address.is_private or address.is_multicast or address.is_reserved
    if special or address.is_loopback or address.is_link_local:
        assert why_not_public(str(address))


@given(st.integers(0, 2**128 - 1).map(IPv6Address))
@example(IPv6Address("fe80::"))
def test_no_special_address_of_version_6_passes(address: IPv6Address) -> None:
    special = address.is_private or address.is_multicast or address.ipv4_mapped
    if special or address.is_link_local or address.is_site_local or address.sixtofour:
        assert why_not_public(str(address))


@pytest.mark.parametrize(
    ("url", "found"),
    [
        ("http://127.0.0.1:8080/v1", ("127.0.0.1", 8080)),
        ("https://Models.Example.com./v1", ("models.example.com", 443)),
        ("http://[::1]/v1", ("::1", 80)),
        ("http://my_box:1/", ("my_box", 1)),
        ("http://bücher.example/", ("bücher.example", 80)),
    ],
)
def test_an_address_has_a_host_and_a_port(url: str, found: tuple[str, int]) -> None:
    assert origin(url) == found
