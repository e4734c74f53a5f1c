"""What a proxy takes for a request, and that nothing else gets anywhere."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from qcode.protocol.hosts import plain_host
from qcode.sandbox.head import BadHead, Wanted, parse, spelled


def head(line: str, *fields: str) -> bytes:
    return "\r\n".join((line, *fields, "", "")).encode("latin-1")


@pytest.mark.parametrize(
    ("target", "host", "port"),
    [
        ("pypi.org:443", "pypi.org", 443),
        ("PyPI.org.:443", "pypi.org", 443),
        ("93.184.216.34:1", "93.184.216.34", 1),
        ("[2606:2800:0::1]:65535", "2606:2800::1", 65_535),
    ],
)
def test_a_tunnel_is_wanted(target: str, host: str, port: int) -> None:
    assert parse(head(f"CONNECT {target} HTTP/1.1", "Host: other.org")) == Wanted(host, port, b"")


HOSTILE = (
    "allowed.com",
    "allowed.com:",
    "allowed.com:0",
    "allowed.com:65536",
    "allowed.com:0443",
    "allowed.com:+443",
    "allowed.com:443 ",
    "allowed.com:443:80",
    "allowed.com@evil.org:443",
    "evil.org#allowed.com:443",
    "evil.org/allowed.com:443",
    "evil.org\\.allowed.com:443",
    "evil.org\0.allowed.com:443",
    "evil.org%00.allowed.com:443",
    "evil.org%2eallowed.com:443",
    "evil.org,allowed.com:443",
    "evil.org;allowed.com:443",
    "[evil.org]:443",
    "[::1:443",
    "::1:443",
    "[fe80::1%25eth0]:443",
    "2130706433:80",
    "0x7f.1:80",
    "0177.0.0.1:80",
    "127.1:80",
    "b\u00fccher.example:443",
    f"{'a' * 64}.org:443",
    f"{'a.' * 130}org:443",
    ".:443",
    ":443",
    "-a.org:443",
    "a..org:443",
)


@pytest.mark.parametrize("target", HOSTILE)
def test_no_tunnel_by_a_host_in_another_form(target: str) -> None:
    with pytest.raises(BadHead):
        parse(head(f"CONNECT {target} HTTP/1.1"))


@pytest.mark.parametrize(
    "authority", [it for it in HOSTILE if it not in ("allowed.com", "::1:443")]
)
def test_no_url_with_a_host_in_another_form(authority: str) -> None:
    if "#" in authority or "/" in authority:  # what follows is no host, and the host is the first
        authority = f"u:p@{authority}"
    with pytest.raises(BadHead):
        parse(head(f"GET http://{authority}/ HTTP/1.1"))


@pytest.mark.parametrize(
    "line",
    [
        "GET / HTTP/1.1",
        "GET https://a.org/ HTTP/1.1",
        "GET ftp://a.org/ HTTP/1.1",
        "GET //a.org/ HTTP/1.1",
        "GET http://a.org/ HTTP/2",
        "GET  http://a.org/ HTTP/1.1",
        "GET\thttp://a.org/ HTTP/1.1",
        "get http://a.org/ HTTP/1.1",
        "GET http://a.org/ b HTTP/1.1",
        "GET http://a.org/\nX: y HTTP/1.1",
        "GET http://a.org/\0 HTTP/1.1",
        "GET http://a.org/#x HTTP/1.1",
        "GET http://a.org/",
        "",
    ],
)
def test_what_is_no_request_to_a_proxy_is_none(line: str) -> None:
    with pytest.raises(BadHead):
        parse(head(line))


@pytest.mark.parametrize(
    "field", ["no colon", " folded: x", "a b: c", "a: b\nc: d", "a: \0", ": x"]
)
def test_a_header_line_in_another_form_ends_it(field: str) -> None:
    with pytest.raises(BadHead):
        parse(head("CONNECT a.org:443 HTTP/1.1", field))


def test_a_plain_request_becomes_one_to_the_server_itself() -> None:
    fields = (
        "Host: other.org",
        "Accept: */*",
        "Proxy-Authorization: Basic eA==",
        "Proxy-Connection: keep-alive",
        "Connection: keep-alive, X",
        "Content-Length: 3",
    )
    wanted = parse(head("POST http://A.org:8080/x?y=http://b/ HTTP/1.1", *fields))
    assert (wanted.host, wanted.port) == ("a.org", 8080)
    assert wanted.first == (
        b"POST /x?y=http://b/ HTTP/1.1\r\nHost: a.org:8080\r\nConnection: close\r\n"
        b"Accept: */*\r\nContent-Length: 3\r\n\r\n"
    )


@pytest.mark.parametrize(
    ("url", "first"),
    [
        ("http://a.org", b"GET / HTTP/1.0\r\nHost: a.org\r\n"),
        ("HTTP://a.org?q", b"GET /?q HTTP/1.0\r\nHost: a.org\r\n"),
        ("http://[2606:2800::1]/", b"GET / HTTP/1.0\r\nHost: [2606:2800::1]\r\n"),
    ],
)
def test_a_path_may_be_missing(url: str, first: bytes) -> None:
    wanted = parse(head(f"GET {url} HTTP/1.0"))
    assert wanted.port == 80
    assert wanted.first.startswith(first)


@given(st.binary(max_size=200))
@example(b"CONNECT a.org:443 HTTP/1.1\r\n\r\n")
def test_whatever_comes_is_a_request_or_refused(data: bytes) -> None:
    try:
        wanted = parse(data)
    except BadHead:
        return
    assert plain_host(wanted.host) == wanted.host
    assert 0 < wanted.port < 65_536


TEXT = st.text(alphabet=st.sampled_from("abz09.-_@#/\\:%[]\0 \t\r\n?x"), max_size=24)


@given(TEXT, TEXT, st.sampled_from(("tunnel", "url")))
def test_the_host_that_is_judged_is_the_one_that_is_named(
    before: str, behind: str, form: str
) -> None:
    """Whatever stands around it: nothing before `allowed.com` or behind it is cut off unseen."""
    authority = f"{before}allowed.com{behind}"
    line = (
        f"CONNECT {authority} HTTP/1.1" if form == "tunnel" else f"GET http://{authority} HTTP/1.1"
    )
    try:
        wanted = parse(head(line))
    except BadHead:
        return
    named = authority if form == "tunnel" else authority.split("/")[0].split("?")[0]
    name, _, port = named.rpartition(":")
    plain = plain_host(name if name and port.isdigit() else named)
    assert plain == wanted.host
    assert wanted.first == b"" or wanted.first.count(b"\r\n\r\n") == 1


@given(st.lists(TEXT, max_size=4))
def test_no_header_line_becomes_another_one(values: list[str]) -> None:
    fields = [f"X-{at}: {value}" for at, value in enumerate(values)]
    try:
        wanted = parse(head("GET http://a.org/ HTTP/1.1", *fields))
    except BadHead:
        return
    names = [row.split(b":")[0] for row in wanted.first.split(b"\r\n")[1:-2]]
    assert names[2:] == [b"X-%d" % at for at in range(len(values))]


def test_an_address_of_version_6_is_spelled_with_brackets() -> None:
    assert spelled("::1", 80) == "[::1]:80"
    assert spelled("a.org", 80) == "a.org:80"
