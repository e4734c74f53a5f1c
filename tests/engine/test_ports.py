"""Ports that a person opens by hand: only theirs, only through the fence, never the server's."""

from pathlib import Path

import pytest

from qcode import fencing
from qcode.engine.ports import Ports
from qcode.protocol.errors import SessionNotSaved
from qcode.protocol.events import AnyEvent, Connected, Notice
from qcode.protocol.inputs import ClosePort, ListPorts, OpenPort
from qcode.sandbox.base import NotOpened
from qcode.sandbox.plain import PlainRunner
from tests.engine.rig import configured, rig, started


class Doors(PlainRunner):
    """A runner whose fence has doors: as the contract has it, without the fence."""

    fenced = True

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.open: dict[int, int] = {}

    async def open_port(self, port: int) -> int:
        if port == 81:
            raise NotOpened("Port 81 cannot be opened (permission denied).")
        self.open[port] = 40_000 + port
        return self.open[port]

    async def close_port(self, port: int) -> None:
        self.open.pop(port, None)

    def ports(self) -> tuple[int, ...]:
        return tuple(self.open)


async def told(runner: PlainRunner, *inputs: OpenPort | ClosePort | ListPorts) -> list[str]:
    """What is said to each, in their order."""
    events: list[AnyEvent] = []
    ports = Ports(runner, events.append, lambda port: port == 8080)
    for given in inputs:
        ports.take(given)
    await ports.close()
    await runner.close()
    return [event.text for event in events if isinstance(event, Notice)]


async def test_a_port_is_opened_listed_and_closed_in_that_order(tmp_path: Path) -> None:
    runner = Doors(tmp_path)
    said = await told(
        runner, ListPorts(), OpenPort(3001), ListPorts(), ClosePort(3001), ListPorts()
    )
    assert "No port is open" in said[0]
    assert "http://127.0.0.1:43001/" in said[1]
    assert said[2] == said[1]
    assert "closed again" in said[3]
    assert "No port is open" in said[4]
    assert runner.ports() == ()


@pytest.mark.parametrize(
    ("port", "words"),
    [
        (8080, "model's server"),
        (0, "no port"),
        (65_536, "no port"),
        (-1, "no port"),
        (81, "permission denied"),
    ],
)
async def test_what_cannot_be_opened_is_said_and_stays_closed(
    tmp_path: Path, port: int, words: str
) -> None:
    runner = Doors(tmp_path)
    [said] = await told(runner, OpenPort(port))
    assert words in said
    assert runner.ports() == ()


async def test_what_was_opened_stands_in_the_log(tmp_path: Path) -> None:
    events: list[AnyEvent] = []
    ports = Ports(runner := Doors(tmp_path), events.append, lambda port: port == 8080)
    for port in (3001, 8080, 81):
        ports.take(OpenPort(port))
    await ports.close()
    await runner.close()
    told = [event for event in events if isinstance(event, Connected)]
    assert [(it.host, it.port, it.by, it.answer) for it in told] == [
        ("127.0.0.1", 43_001, "user", "allow")
    ]


async def test_what_was_closed_stands_in_the_log_and_what_was_not_open_does_not(
    tmp_path: Path,
) -> None:
    events: list[AnyEvent] = []
    ports = Ports(runner := Doors(tmp_path), events.append)
    for given in (OpenPort(3001), ClosePort(3001), ClosePort(3001)):
        ports.take(given)
    await ports.close()
    await runner.close()
    told = [event for event in events if isinstance(event, Connected)]
    assert [(it.host, it.port, it.by, it.answer) for it in told] == [
        ("127.0.0.1", 43_001, "user", "allow"),
        ("127.0.0.1", 43_001, "user", "closed"),
    ]


async def test_what_no_log_can_tell_of_is_closed_all_the_same(tmp_path: Path) -> None:
    said: list[Notice] = []

    def full(event: AnyEvent) -> None:
        if isinstance(event, Connected) and event.answer == "closed":
            raise SessionNotSaved("the disk is full")
        if isinstance(event, Notice):
            said.append(event)

    ports = Ports(runner := Doors(tmp_path), full)
    ports.take(OpenPort(3001))
    ports.take(ClosePort(3001))
    await ports.close()
    assert runner.ports() == ()
    await runner.close()
    assert said[-1].level == "error"
    assert "is closed again. The log does not tell it: the disk is full" in said[-1].text


async def test_what_no_log_can_tell_of_is_not_opened(tmp_path: Path) -> None:
    said: list[str] = []

    def full(event: AnyEvent) -> None:
        if isinstance(event, Connected):
            raise SessionNotSaved("the disk is full")
        assert isinstance(event, Notice)
        said.append(event.text)

    ports = Ports(runner := Doors(tmp_path), full)
    ports.take(OpenPort(3001))
    await ports.close()
    assert runner.ports() == ()
    await runner.close()
    assert said == ["The port stays closed: the disk is full"]


async def test_closing_what_is_not_open_says_so(tmp_path: Path) -> None:
    [said] = await told(Doors(tmp_path), ClosePort(3001))
    assert "Port 3001 is not open" in said


async def test_without_a_fence_there_is_nothing_to_open(tmp_path: Path) -> None:
    [said] = await told(PlainRunner(tmp_path), OpenPort(3001))
    assert "http://127.0.0.1:3001/" in said


async def test_the_port_of_the_configured_server_is_refused(tmp_path: Path) -> None:
    config = configured("http://127.0.0.1:9911/v1", permission={"sandbox": "auto"})
    async with rig(config, started(tmp_path)) as run:
        run.engine.submit(OpenPort(9911))
        notice = await run.until(Notice)
    assert "model's server" in notice.text or "no fence" in notice.text


async def test_the_runner_itself_keeps_the_ports_of_endpoints_closed(tmp_path: Path) -> None:
    config = configured("http://127.0.0.1:9911/v1", permission={"sandbox": "auto"})
    work, spill = tmp_path / "work", tmp_path / "spill"
    work.mkdir()
    spill.mkdir()
    stands = fencing.around(config, fencing.Folders((work,), (), spill, tmp_path))
    if stands.fence != "holds":
        pytest.skip(stands.why)
    try:
        with pytest.raises(NotOpened, match="9911 is the model server's own"):
            await stands.runner.open_port(9911)
    finally:
        await stands.runner.close()
