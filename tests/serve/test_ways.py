"""Where a hub may send a download."""

import socket
import threading
from types import SimpleNamespace

import pytest

from qcode.protocol.errors import InputError
from qcode.serve.ways import Way, Ways

HUB = "https://93.184.216.34"
"""An address: no test looks a name up."""


def tried(hub: str, *urls: str) -> list[Way]:
    """What is told; what is refused is told too."""
    told: list[Way] = []
    ways = Ways(hub, told.append)
    for url in urls:
        ways.asked(SimpleNamespace(url=url))
    return told


def test_each_host_is_told_once_the_hub_first() -> None:
    assert tried(HUB, f"{HUB}/a", "https://cdn.example.net/b?c", "https://CDN.example.net./d") == [
        Way("93.184.216.34", 443),
        Way("cdn.example.net", 443),
    ]


def test_another_port_is_another_place() -> None:
    told = tried(HUB, f"{HUB}:8443/", HUB)
    assert [str(way) for way in told] == ["93.184.216.34:8443", "93.184.216.34"]


@pytest.mark.parametrize(
    ("url", "because"),
    [
        ("http://cdn.example.net/", "without encryption"),
        ("https://127.0.0.1/", "an address of this machine"),
        ("https://[fe80::1]/", "link-local"),
        ("https://169.254.169.254/", "metadata"),
        ("https://2130706433/", "no host in a plain form"),
        ("https://cdn.example.net%00.evil.com/", "no host in a plain form"),
        ("https:///x", "no host in a plain form"),
    ],
)
def test_what_is_refused_is_told_and_not_asked(url: str, because: str) -> None:
    told: list[Way] = []
    with pytest.raises(InputError, match="nothing is fetched from there"):
        Ways(HUB, told.append).asked(SimpleNamespace(url=url))
    assert because in told[0].because


def test_a_user_in_an_address_is_not_its_host() -> None:
    told = tried(HUB, "https://hub.example.com@cdn.example.net/")
    assert told == [Way("cdn.example.net", 443)]


def test_a_hub_without_encryption_may_send_one_to_its_like() -> None:
    assert tried("http://127.0.0.1:1", "http://127.0.0.1:2/") == [Way("127.0.0.1", 2)]


def connected(ways: Ways, address: str) -> str:
    """How a real connection ends; nothing listens at port 1."""
    with ways.watched(), socket.socket() as sock:
        try:
            sock.connect((address, 1))
        except InputError:
            return "refused"
        except OSError:
            return "tried"
    return "connected"


def test_the_address_that_is_really_connected_to_is_judged() -> None:
    """Whatever name was resolved, and however often."""
    told: list[Way] = []
    assert connected(Ways(HUB, told.append), "127.0.0.1") == "refused"
    assert told[0].because == "127.0.0.1 is an address of this machine"
    assert connected(Ways("http://127.0.0.1:9", told.append), "127.0.0.1") == "tried"


def test_a_proxy_of_the_person_is_no_redirection(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:3128")
    assert connected(Ways(HUB, lambda way: None), "127.0.0.1") == "tried"


@pytest.mark.parametrize(
    ("name", "value"), [("no_proxy", "localhost,127.0.0.1,::1"), ("all_proxy", "http://[::1:80")]
)
def test_what_is_no_proxy_is_none(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(name, value)
    assert connected(Ways(HUB, lambda way: None), "127.0.0.1") == "refused"


def test_behind_a_tunnel_that_makes_up_addresses_one_is_as_good_as_the_hubs() -> None:
    Ways("https://198.18.0.5", lambda way: None).connecting("198.19.3.4", 443)
    for hub, address in (("https://198.18.0.5", "10.0.0.1"), (HUB, "198.18.0.5")):
        with pytest.raises(InputError, match=f"{address} is a"):
            Ways(hub, lambda way: None).connecting(address, 443)


def test_nobody_elses_connections_are_judged() -> None:
    ways, ended = Ways(HUB, lambda way: None), []
    with ways.watched():
        thread = threading.Thread(target=lambda: ended.append(plain()))
        thread.start()
        thread.join()
    assert (ended, plain()) == (["tried"], "tried")


def plain() -> str:
    with socket.socket() as sock:
        return "connected" if sock.connect_ex(("127.0.0.1", 1)) == 0 else "tried"
