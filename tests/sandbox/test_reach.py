"""Which addresses are connected to as the proxy ships: nothing but public ones."""

import socket

import pytest

from qcode.sandbox.reach import NotReached, Reach, is_own, why_closed

CLOSED = """
127.0.0.1 127.8.9.1 0.0.0.0 10.0.0.1 172.16.0.1 192.168.1.1 169.254.169.254 100.64.0.1 224.0.0.1
::1 :: fe80::1 fd00:ec2::254 fc00::1 ::ffff:127.0.0.1 ::ffff:10.0.0.1 ::7f00:1 2002:7f00:1::
64:ff9b::7f00:1 64:ff9b::a9fe:a9fe ff02::1 168.63.129.16
"""


@pytest.mark.parametrize("address", CLOSED.split())
async def test_no_address_that_is_not_public_is_reached_under_any_name(address: str) -> None:
    reach = Reach(resolve=lambda host, port: (address,))
    with pytest.raises(NotReached, match=r"was refused: it leads to") as told:
        await reach.connect("public.example", 80)
    assert told.value.status == "403 Forbidden"
    assert reach.refuses(address)
    with pytest.raises(NotReached):
        await reach.connect(address, 80)


async def test_one_address_that_is_not_public_is_enough() -> None:
    reach = Reach(resolve=lambda host, port: ("93.184.216.34", "10.0.0.1"))
    with pytest.raises(NotReached, match=r"10\.0\.0\.1"):
        await reach.connect("rebinding.example", 80)


@pytest.mark.parametrize("host", ["localhost", "a.localhost"])
def test_this_machine_is_refused_by_name_before_anybody_is_asked(host: str) -> None:
    assert Reach().refuses(host)


@pytest.mark.parametrize("host", ["pypi.org", "localhost.org", "93.184.216.34", "2606:2800::1"])
def test_what_may_be_public_is_asked_about(host: str) -> None:
    assert Reach().refuses(host) == ""


def test_an_own_address_is_known_for_it_may_be_public() -> None:
    assert is_own("127.0.0.1")
    assert not is_own("93.184.216.34")
    assert not is_own("2606:2800::1")
    assert why_closed("93.184.216.34") == ""


async def test_a_name_that_is_not_found_is_a_clause() -> None:
    def resolve(host: str, port: int) -> tuple[str, ...]:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    with pytest.raises(NotReached, match=r"was not found \(Name or service not known\)") as told:
        await Reach(resolve=resolve).connect("a.example", 80)
    assert told.value.status == "502 Bad Gateway"


async def test_the_name_is_looked_up_once_and_never_connected_to() -> None:
    """A second answer could be another one: what was judged is what is connected to."""
    asked = []

    def resolve(host: str, port: int) -> tuple[str, ...]:
        asked.append((host, port))
        return ("127.0.0.1",)

    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        wire = await Reach(resolve, lambda address: "").connect("no-such.invalid", port)
        with wire:
            assert wire.getpeername() == ("127.0.0.1", port)
    assert asked == [("no-such.invalid", port)]


async def test_the_next_address_is_tried_where_one_does_not_answer() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        reach = Reach(lambda host, port: ("127.0.0.99", "127.0.0.1"), lambda address: "")
        (await reach.connect("a.example", port)).close()
    with pytest.raises(NotReached, match=r"was not reached \(.*refused"):
        await reach.connect("a.example", port)
