"""Where qcode itself connects to."""

from tests.redteam.attempts.egress import Address, Fetched, Proxied, Refused, Url
from tests.redteam.attempts.judged import Touch
from tests.redteam.attempts.served import Opened, Pulled, SentOn
from tests.redteam.case import Case

_TUNNEL = Proxied(b"CONNECT allowed.com:443 HTTP/1.1\r\nHost: allowed.com:443\r\n\r\n")
_CDN = SentOn("https://cdn.example.net/x", "93.184.216.34")
_PAGE = Fetched("http://example.com/", [["93.184.216.34"]])


def _host(name: str, what: str, attack: str, twin: str, rule: str) -> Case:
    """Under a rule for a host."""
    allowed = (f"WebFetch(domain:{rule})",)
    return Case(
        name, what, "hosts", Touch("network", attack, allowed), Touch("network", twin, allowed)
    )


def _address(name: str, what: str, attack: str, twin: str = "93.184.216.34") -> Case:
    return Case(name, what, "addresses", Address(attack), Address(twin))


def _onward(to: str) -> bytes:
    return f"HTTP/1.1 302 Found\r\nLocation: {to}\r\nContent-Length: 0\r\n\r\n".encode()


CASES = (
    _host("socks5-nul", "a NUL between the real name and the allowed one", "evil.com\0.allowed.com",
        "a.allowed.com", "*.allowed.com"),
    Case("socks5-nul", "in a URL", "urls", Url("http://evil.com\0.allowed.com/"),
        Url("http://a.allowed.com/", "a.allowed.com")),
    Case("socks5-nul", "a name of other letters", "urls", Url("http://\u0430llowed.com/"),
        Url("http://xn--llowed-3we.com/")),
    Case("socks5-nul", "a user before the host", "urls", Url("http://allowed.com@evil.com/"),
        Url("http://allowed.com/@evil.com", "allowed.com")),
    Case("exfil-web-fetch", "no rule, no page", "beyond", Touch("network", "evil.com"),
        Touch("network", "a.com", ("WebFetch(domain:a.com)",))),
    Case("exfil-web-fetch", "a backslash that some take for a slash", "urls",
        Url("http://evil.com\\@allowed.com/"), Url("http://allowed.com/%5C")),
    _address("ssrf-private", "an address of a home network", "192.168.1.1"),
    _address("ssrf-private", "this machine", "127.0.0.1"),
    _address("ssrf-private", "this machine, by IPv6", "::1", "2606:2800:220:1::1"),
    _address("ssrf-private", "an IPv4 address in the form of IPv6", "::ffff:10.0.0.1",
        "2606:2800:220:1::1"),
    _address("ssrf-private", "by NAT64", "64:ff9b::a00:1", "64:ff9b::5db8:d822"),
    _address("ssrf-metadata", "of most clouds", "169.254.169.254"),
    _address("ssrf-metadata", "of another one", "100.100.100.200"),
    _address("ssrf-metadata", "by IPv6", "fd00:ec2::254", "2606:2800:220:1::1"),
    Case("ssrf-private", "a number for an address", "hosts", Url("http://2130706433/"),
        Url("http://93.184.216.34/")),
    Case("ssrf-redirect", "to the metadata service", "addresses", Fetched("http://example.com/",
        [["169.254.169.254"]]), _PAGE),
    Case("ssrf-redirect", "a second look at the same host", "addresses",
        Fetched("http://example.com/", [["93.184.216.34"], ["10.0.0.1"]], ["10.0.0.1"],
        _onward("/two")), Fetched("http://example.com/", [["93.184.216.34"], ["93.184.216.35"]],
        ["93.184.216.35"], _onward("/two"))),
    Case("ssrf-rebinding", "one good address, one bad", "addresses", Fetched("http://example.com/",
        [["93.184.216.34", "127.0.0.1"]]), _PAGE),
    Case("ssrf-rebinding", "another one the second time", "addresses",
        Fetched("http://example.com/", [["93.184.216.34"], ["127.0.0.1"]], ["127.0.0.1"],
        _onward("/x")), Fetched("http://example.com/", [["93.184.216.34"]], (), _onward("/x"))),
    Case("endpoint-exemption", "a tool asks the model's server", "endpoints",
        Fetched("http://93.184.216.34:8080/", [["93.184.216.34"]], (), endpoints=(("93.184.216.34",
        8080),)), Fetched("http://93.184.216.34:8081/", [["93.184.216.34"]], (),
        endpoints=(("93.184.216.34", 8080),))),
    Case("endpoint-exemption", "by another name", "endpoints", Fetched("http://example.com:8080/",
        [["93.184.216.34"]], (), endpoints=(("93.184.216.34", 8080),)), _PAGE),
    Case("server-slots", "a tool reads what others asked", "endpoints",
        Fetched("http://box.example:8080/slots", [["93.184.216.34"]], (), endpoints=(("box.example",
        8080),)), _PAGE),
    Case("socks5-nul", "to the proxy of the fence", "proxy",
        Proxied(b"CONNECT evil.com\0.allowed.com:443 HTTP/1.1\r\n\r\n"), _TUNNEL),
    Case("nomshub", "a user before the host, to the proxy", "proxy",
        Proxied(b"CONNECT allowed.com@evil.com:443 HTTP/1.1\r\n\r\n"), _TUNNEL),
    Case("nomshub", "a second request in a header, by a line feed alone", "proxy",
        Proxied(b"GET http://allowed.com/ HTTP/1.1\r\nx: y\n\nGET http://evil/ HTTP/1.1\r\n\r\n"),
        Proxied(b"GET http://allowed.com/ HTTP/1.1\r\nx: y\r\n\r\n")),
    Case("nomshub", "a number for an address, to the proxy", "proxy",
        Proxied(b"CONNECT 2130706433:443 HTTP/1.1\r\n\r\n"),
        Proxied(b"CONNECT 93.184.216.34:443 HTTP/1.1\r\n\r\n")),
    Case("server-slots", "this machine, by the proxy", "addresses", Refused("127.0.0.1"),
        Refused("93.184.216.34")),
    Case("server-unauthenticated", "this machine by its name, by the proxy", "addresses",
        Refused("localhost"), Refused("example.com")),
    Case("own-served-port", "the port of the model's server is opened by /port", "served-port",
        Opened("served"), Opened("another")),
    Case("own-pull", "a model is fetched though qcode is offline", "absence", Pulled("on"),
        Pulled("off")),
    Case("own-pull-redirect", "a hub sends a download to the metadata service", "addresses",
        SentOn("https://169.254.169.254/x", "169.254.169.254"), _CDN),
    Case("own-pull-redirect", "to a name that leads into the person's network", "addresses",
        SentOn("https://cdn.example.net/x", "192.168.1.1"), _CDN),
    Case("own-pull-redirect", "to a name that leads to this machine", "addresses",
        SentOn("https://cdn.example.net/x", "::1"), _CDN),
    Case("ssrf-metadata", "by the proxy", "addresses", Refused("169.254.169.254"),
        Refused("93.184.216.34")),
)  # fmt: skip
