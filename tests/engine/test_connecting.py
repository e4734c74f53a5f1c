"""Which hosts a run goes to: the endpoint is told once, a fetch is asked about and told."""

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import pytest

from qcode.engine.connecting import Connections
from qcode.engine.start import web_of
from qcode.permission.patterns import Ground
from qcode.permission.rules import parse_rules
from qcode.protocol.access import Access
from qcode.protocol.events import (
    AnyEvent,
    ApprovalRequested,
    ApprovalSettled,
    Connected,
    SessionStarted,
)
from qcode.protocol.inputs import ApprovalReply, SetModel
from qcode.tools.builtin import Web
from tests.engine.rig import configured, rig, started
from tests.support.script import Call, Reply
from tests.support.scripted_server import StartScripted

DONE = Reply(text="Done.")


def fetching(*urls: str) -> Reply:
    return Reply(calls=tuple(Call("fetch", {"url": url}) for url in urls))


def for_the_session(event: AnyEvent) -> ApprovalReply | None:
    if isinstance(event, ApprovalRequested):
        return ApprovalReply(event.request_id, "allow", scope="session")
    return None


def test_an_endpoint_is_one_however_it_is_spelled() -> None:
    connections = Connections(lambda _: None, ["https://Models.Example.com./v1"])
    assert connections.is_endpoint("models.example.com", 443)


def test_the_same_is_told_once() -> None:
    said: list[AnyEvent] = []
    connections = Connections(said.append, ["http://a.test:1/v1"])
    for _ in range(2):
        connections.arrived("http://b.test:2/v1")
        connections.fetch("c.test", 443, "allow", "")
        connections.fetch("c.test", 443, "deny", "10.0.0.1 is a private address")
    assert [(one.host, one.answer) for one in said if isinstance(one, Connected)] == [
        ("b.test", "allow"),
        ("c.test", "allow"),
        ("c.test", "deny"),
    ]
    assert connections.endpoints() == {("a.test", 1), ("b.test", 2)}
    assert connections.is_endpoint("a.test", 1)
    assert not connections.is_endpoint("c.test", 443)
    assert connections.is_served(2)
    assert not connections.is_served(443)


@pytest.mark.parametrize(
    ("allow", "deny", "offline", "web"),
    [
        ((), (), "off", "unruled"),
        (("Read(**)",), (), "off", "unruled"),
        (("WebFetch(domain:a.test)",), (), "off", "ruled"),
        (("WebFetch",), ("WebFetch(domain:a.test)",), "off", "ruled"),
        (("WebFetch(domain:a.test)",), ("WebFetch",), "off", "closed"),
        (("WebFetch",), (), "on", "closed"),
    ],
)
def test_fetch_costs_tokens_only_where_a_host_may_be_reached(
    allow: Sequence[str], deny: Sequence[str], offline: Literal["on", "off"], web: Web
) -> None:
    ground = Ground("/w", "/home/x")
    allowing = parse_rules(allow, "allow", "user config", ground)
    denying = parse_rules(deny, "deny", "user config", ground)
    assert web_of((*allowing, *denying), offline) == web


async def test_the_endpoint_is_told_behind_the_first_line(
    scripted: StartScripted, tmp_path: Path
) -> None:
    server = scripted(DONE, DONE)
    async with rig(configured(server.base_url), started(tmp_path)) as it:
        await it.turn("Go.")
        await it.turn("Again.")
    first, second, *_ = it.events
    assert isinstance(first, SessionStarted)
    assert second == Connected("127.0.0.1", server.port, "endpoint", "allow")
    assert len(it.said(Connected)) == 1


async def test_another_endpoint_is_told_when_it_answers(
    scripted: StartScripted, tmp_path: Path
) -> None:
    server, other = scripted(DONE), scripted(DONE)
    profiles = {"other": {"base_url": other.base_url}}
    async with rig(configured(server.base_url, profiles=profiles), started(tmp_path)) as it:
        await it.turn("Go.")
        it.engine.submit(SetModel("other"))
        await it.turn("Again.")
    assert [one.port for one in it.said(Connected)] == [server.port, other.port]


async def test_a_host_is_asked_about_and_may_be_allowed_for_the_session(
    scripted: StartScripted, tmp_path: Path
) -> None:
    server = scripted()
    url = f"http://127.0.0.1:{server.port}/props"
    server.add(fetching(url), fetching(f"{url}?again"), DONE)
    start = started(tmp_path, person="present")
    async with rig(configured(server.base_url), start) as it:
        await it.turn("Go.", for_the_session)
    (asked,) = it.said(ApprovalRequested)
    assert asked.accesses == (Access("network", "127.0.0.1"),)
    assert asked.rules == ("WebFetch(domain:127.0.0.1)",)
    (settled,) = it.said(ApprovalSettled)
    assert (settled.scope, settled.rules) == ("session", asked.rules)
    refused = it.said(Connected)[-1]
    assert (refused.by, refused.answer, refused.port) == ("fetch", "deny", server.port)
    assert len(it.said(Connected)) == 2


async def test_an_address_that_waits_behind_another_is_shown_whole(
    scripted: StartScripted, tmp_path: Path
) -> None:
    """Whoever allows all of an answer sees what is told to whom."""
    url = f"https://docs.test/?secret={'x' * 300}"
    server = scripted(fetching("https://first.test/", url), DONE)

    def deny(event: AnyEvent) -> ApprovalReply | None:
        if isinstance(event, ApprovalRequested):
            return ApprovalReply(event.request_id, "deny")
        return None

    async with rig(configured(server.base_url), started(tmp_path, person="present")) as it:
        await it.turn("Go.", deny)
    assert it.said(ApprovalRequested)[0].behind == (f"fetch {url}",)


async def test_plan_mode_denies_without_a_question(scripted: StartScripted, tmp_path: Path) -> None:
    server = scripted(fetching("https://docs.test/"), DONE)
    config = configured(server.base_url, permission={"mode": "plan"})
    async with rig(config, started(tmp_path, person="present")) as it:
        await it.turn("Go.")
    assert it.said(ApprovalRequested) == []
    assert [one.by for one in it.said(Connected)] == ["endpoint"]


async def test_offline_there_is_no_such_tool(scripted: StartScripted, tmp_path: Path) -> None:
    server = scripted(DONE)
    config = configured(server.base_url, agent={"offline": "on"})
    async with rig(config, started(tmp_path, person="present")) as it:
        await it.turn("Go.")
    (begun,) = it.said(SessionStarted)
    assert "fetch" not in {tool.name for tool in begun.tools}
