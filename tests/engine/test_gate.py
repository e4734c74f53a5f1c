"""The network of commands inside the fence: judged, asked about, told, and never a message."""

import asyncio
import json
import shlex
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import pytest

from qcode.engine.approval import Approvals, Behind, Grants, Question
from qcode.engine.gate import MANY, MOST_NAMED, MOST_TOLD, NAMED_CHARACTERS, NetworkGate
from qcode.engine.rulebook import Rulebook
from qcode.engine.settings import Settings
from qcode.permission.modes import Mode
from qcode.permission.patterns import Ground
from qcode.permission.rules import parse_rules, split_rules
from qcode.protocol.access import NETWORK_CALL, Access, wanting
from qcode.protocol.errors import SessionNotSaved
from qcode.protocol.events import (
    AnyEvent,
    ApprovalRequested,
    ApprovalSettled,
    Connected,
    LoggedEvent,
)
from qcode.protocol.inputs import ApprovalReply
from qcode.protocol.messages import ToolCall
from qcode.session.conversation import fold
from qcode.tools.builtin import BUILTIN
from qcode.tools.schema import spec

GROUND = Ground("/w", "/home/x")


@dataclass
class House:
    """A gate over real rules and approvals, and what was said."""

    mode: Mode = "auto"
    allow: Sequence[str] = ()
    deny: Sequence[str] = ()
    nobody: str = ""
    closed: str = ""
    running: Sequence[str] = ()
    events: list[AnyEvent] = field(default_factory=list)

    def __post_init__(self) -> None:
        rules = (
            *parse_rules(self.allow, "allow", "user config", GROUND),
            *parse_rules(self.deny, "deny", "user config", GROUND),
        )
        self.settings = Settings(self.mode, "m", 0)
        book = Rulebook(self.settings, "holds", rules, GROUND)
        say = self.events.append
        self.approvals = Approvals(book.judge, say, self.nobody, Grants(book.offers, book.grant))
        running = lambda: self.running  # noqa: E731 - a line
        self.gate = NetworkGate(self.approvals, say, self.closed, _is_endpoint, running)

    def asked(self) -> list[ApprovalRequested]:
        return [event for event in self.events if isinstance(event, ApprovalRequested)]

    def connected(self) -> list[tuple[str, int, str]]:
        found = [event for event in self.events if isinstance(event, Connected)]
        return [(event.host, event.port, event.answer) for event in found]

    async def reply(self, answer: str, **fields: str) -> None:
        """To the question that was asked last, once it is there."""
        await until(lambda: len(self.asked()) > len(self.settled()))
        last = self.asked()[-1].request_id
        self.approvals.reply(ApprovalReply(last, answer, **fields))  # type: ignore[arg-type] # literals

    def settled(self) -> list[ApprovalSettled]:
        return [event for event in self.events if isinstance(event, ApprovalSettled)]


def _is_endpoint(host: str, port: int) -> bool:
    return (host, port) == ("llm.lan", 8080)


async def until(holds: Callable[[], object]) -> None:
    """Give the other tasks their turns until it does."""
    for _ in range(1_000):
        if holds():
            return
        await asyncio.sleep(0)
    raise AssertionError("it never happened")


async def test_a_rule_opens_a_host_unasked_and_says_so_once_for_each_port() -> None:
    house = House(allow=["WebFetch(domain:pypi.org)"])
    assert [await house.gate("pypi.org", port) for port in (443, 443, 80)] == ["", "", ""]
    assert house.asked() == []
    assert house.connected() == [("pypi.org", 443, "allow"), ("pypi.org", 80, "allow")]


@pytest.mark.parametrize("host", ["evil.org", "pypi.org.evil.org", "notpypi.org", "127.0.0.1"])
async def test_a_rule_for_one_host_opens_no_other(host: str) -> None:
    house = House(allow=["WebFetch(domain:pypi.org)"], nobody="nobody can be asked in this run")
    assert await house.gate(host, 443)
    assert house.connected() == [(host, 443, "deny")]


async def test_a_rule_that_denies_is_told_without_a_question() -> None:
    house = House(allow=["WebFetch"], deny=["WebFetch(domain:evil.org)"])
    why = await house.gate("evil.org", 443)
    assert why == "user config: deny WebFetch(domain:evil.org)"
    assert house.asked() == []
    assert await house.gate("good.org", 443) == ""


async def test_plan_mode_denies_the_network() -> None:
    house = House(mode="plan")
    assert "plan mode denies" in await house.gate("pypi.org", 443)
    assert house.asked() == []


async def test_offline_no_rule_and_no_person_opens_anything() -> None:
    house = House(allow=["WebFetch"], closed="this run is offline (--offline)")
    assert "offline" in await house.gate("pypi.org", 443)
    assert house.asked() == []
    assert house.connected() == [("pypi.org", 443, "deny")]


async def test_the_models_server_is_never_reached() -> None:
    house = House(allow=["WebFetch"])
    assert "model's server" in await house.gate("llm.lan", 8080)
    assert await house.gate("llm.lan", 443) == ""


async def test_the_person_is_asked_with_the_rule_that_would_hold_and_the_port() -> None:
    house = House()
    waits = asyncio.create_task(house.gate("pypi.org", 443))
    await house.reply("allow")
    assert await waits == ""
    [asked] = house.asked()
    assert asked.call.name == NETWORK_CALL
    assert json.loads(asked.call.arguments) == {"host": "pypi.org", "port": 443}
    assert asked.rules == ("WebFetch(domain:pypi.org)",)
    assert "network" in asked.because
    assert asked.where == ""
    assert [event.answer for event in house.settled()] == ["allow"]


@pytest.mark.parametrize("running", [["npm ci"], ["make serve", "npm ci"]])
async def test_the_person_and_the_log_are_told_which_commands_ran_then(running: list[str]) -> None:
    house = House(running=running)
    waits = asyncio.create_task(house.gate("pypi.org", 443))
    await until(house.asked)
    house.running = ["another one"]
    await house.reply("deny")
    await waits
    [asked] = house.asked()
    assert wanting(asked.call.name, asked.call.arguments) == tuple(running)
    [told] = [event for event in house.events if isinstance(event, Connected)]
    assert told.commands == tuple(running), "those that ran when it was asked for"


async def test_what_a_rule_opens_is_told_with_its_command_as_well() -> None:
    house = House(allow=["WebFetch"], running=["npm ci"])
    await house.gate("pypi.org", 443)
    [told] = [event for event in house.events if isinstance(event, Connected)]
    assert told.commands == ("npm ci",)


async def test_commands_that_are_named_are_bounded_in_number_and_length() -> None:
    lines = [f"{number} {'x' * 10_000}" for number in range(50)]
    house = House(running=[*lines, lines[-1], "\udc80"])
    waits = asyncio.create_task(house.gate("pypi.org", 443))
    await house.reply("deny")
    await waits
    named = wanting(NETWORK_CALL, house.asked()[0].call.arguments)
    assert (len(named), max(map(len, named))) == (MOST_NAMED, NAMED_CHARACTERS)
    assert [one.split()[0] for one in named[-3:]] == ["48", "49", "\ufffd"]


async def test_connections_side_by_side_share_one_question() -> None:
    house = House()
    waits = [asyncio.create_task(house.gate("pypi.org", 443)) for _ in range(12)]
    other = asyncio.create_task(house.gate("files.pythonhosted.org", 443))
    await until(lambda: len(house.asked()) == 2)
    ids = {json.loads(one.call.arguments)["host"]: one.request_id for one in house.asked()}
    house.approvals.reply(ApprovalReply(ids["pypi.org"], "allow"))
    house.approvals.reply(ApprovalReply(ids["files.pythonhosted.org"], "deny"))
    assert [await one for one in waits] == [""] * 12
    assert await other == "the user said no"
    assert len(house.asked()) == 2


async def test_once_holds_to_the_end_of_the_turn() -> None:
    house = House()
    waits = asyncio.create_task(house.gate("pypi.org", 443))
    await house.reply("allow")
    await waits
    assert await house.gate("pypi.org", 443) == ""
    house.gate.begin()
    waits = asyncio.create_task(house.gate("pypi.org", 443))
    await house.reply("deny")
    assert await waits
    assert len(house.asked()) == 2


async def test_leave_for_the_turn_ends_with_the_mode_that_denies() -> None:
    house = House()
    waits = asyncio.create_task(house.gate("pypi.org", 443))
    await house.reply("allow")
    await waits
    house.settings.mode = "plan"
    assert await house.gate("pypi.org", 443)


async def test_for_the_session_it_is_a_rule_and_turns_do_not_end_it() -> None:
    house = House()
    waits = asyncio.create_task(house.gate("pypi.org", 443))
    await house.reply("allow", scope="session")
    await waits
    house.gate.begin()
    assert await house.gate("pypi.org", 443) == ""
    assert len(house.asked()) == 1


async def test_what_was_denied_stays_denied_until_the_person_speaks() -> None:
    house = House()
    waits = asyncio.create_task(house.gate("evil.org", 443))
    await house.reply("deny", words="use the mirror")
    assert await waits == "the user said no: use the mirror"
    assert await house.gate("evil.org", 443) == "the user said no: use the mirror"
    assert len(house.asked()) == 1
    house.approvals.refusals.new_words()
    waits = asyncio.create_task(house.gate("evil.org", 443))
    await house.reply("allow")
    assert await waits == ""


async def test_where_nobody_is_the_flag_that_would_allow_it_is_told_and_does_allow_it() -> None:
    house = House(nobody="nobody can be asked in this run")
    why = [await house.gate("pypi.org", 443) for _ in range(3)]
    assert len(set(why)) == 1
    assert len(house.asked()) == len(house.settled()) == 1
    flag = shlex.split(why[0].split("--allowed-tools ")[1])[0]
    assert await House(allow=split_rules(flag)).gate("pypi.org", 443) == ""


async def test_a_connection_that_is_given_up_leaves_the_question_open_for_the_next() -> None:
    house = House()
    house.gate.entered()
    first = asyncio.create_task(house.gate("pypi.org", 443))
    await until(house.asked)
    first.cancel()
    await asyncio.gather(first, return_exceptions=True)
    again = asyncio.create_task(house.gate("pypi.org", 443))
    await house.reply("allow")
    assert await again == ""
    assert len(house.asked()) == 1


async def test_when_the_command_has_ended_nobody_is_asked_any_more() -> None:
    house = House()
    waits = asyncio.create_task(house.gate("pypi.org", 443))
    await until(house.asked)
    house.gate.entered()
    house.gate.left()
    assert house.settled() == [], "it still waits"
    waits.cancel()  # the last connection is seen to be gone
    await asyncio.gather(waits, return_exceptions=True)
    await until(house.settled)
    [settled] = house.settled()
    assert (settled.answer, "no longer waits" in settled.because) == ("deny", True)


async def test_closing_withdraws_what_is_open_and_who_waits_is_told() -> None:
    house = House()
    waits = asyncio.create_task(house.gate("pypi.org", 443))
    await until(house.asked)
    await house.gate.close()
    assert "withdrawn" in await waits
    assert len(house.settled()) == 1


async def test_a_word_of_no_to_all_that_waits_is_remembered() -> None:
    house = House()
    waits = asyncio.create_task(house.gate("evil.org", 443))
    await until(house.asked)
    house.approvals.refuse()
    assert await waits == "the user said no"
    assert await house.gate("evil.org", 443) == "the user said no"
    assert len(house.asked()) == 1


async def test_while_qcode_closes_nobody_is_asked() -> None:
    house = House()
    await house.gate.close()
    assert "closing" in await house.gate("pypi.org", 443)
    assert house.asked() == []


async def test_names_without_end_are_not_told_without_end() -> None:
    house = House(nobody="nobody can be asked in this run")
    for number in range(2 * MOST_TOLD):
        assert await house.gate(f"{number}.evil.org", 443)
    assert len(house.connected()) == len(house.asked()) == MOST_TOLD
    assert "--allowed-tools" in await house.gate("0.evil.org", 443), "what was told before, is"
    assert await house.gate("pypi.org", 443) == MANY


@pytest.mark.parametrize("answer", ["allow", "deny"])
async def test_an_answer_to_all_calls_is_none_to_a_host_that_a_job_wants(answer: str) -> None:
    house = House(mode="ask")
    waits = asyncio.create_task(house.gate("evil.org", 443))
    edits = [(Access("edit", name),) for name in ("a.py", "b.py")]
    first = Question(ToolCall("1", "edit", "{}"), "1", edits[0], behind=(Behind("b", edits[1]),))
    settling = asyncio.create_task(house.approvals.settle(first))
    await until(lambda: len(house.asked()) == 2)
    request = next(one.request_id for one in house.asked() if one.call.name == "edit")
    house.approvals.reply(ApprovalReply(request, answer, scope="batch"))  # type: ignore[arg-type] # one of two
    assert bool((await settling).denied) == (answer == "deny")
    second = await house.approvals.settle(Question(ToolCall("2", "edit", "{}"), "2", edits[1]))
    assert bool(second.denied) == (answer == "deny")
    assert not waits.done(), "the person has not said a word about it"
    host = next(one.request_id for one in house.asked() if one.call.name == NETWORK_CALL)
    house.approvals.reply(ApprovalReply(host, "allow"))
    assert await waits == ""


async def test_the_same_reply_to_what_another_one_settled_is_no_mistake() -> None:
    house = House(mode="ask")
    reads = [(Access("read", f"/etc/{name}", "outside"),) for name in "ab"]
    behind = (Behind("b", reads[1]),)
    questions = [
        Question(ToolCall("1", "read", "{}"), "1", reads[0], behind=behind),
        Question(ToolCall("2", "read", "{}"), "2", reads[1]),
    ]
    settling = [asyncio.create_task(house.approvals.settle(one)) for one in questions]
    await until(lambda: len(house.asked()) == 2)
    first, second = (one.request_id for one in house.asked())
    assert house.approvals.reply(ApprovalReply(first, "allow", scope="batch"))
    assert house.approvals.reply(ApprovalReply(second, "allow"))
    assert not house.approvals.reply(ApprovalReply(second, "deny")), "that comes too late"
    assert [(await one).denied for one in settling] == ["", ""]
    assert house.approvals.reply(ApprovalReply(second, "allow"))


async def test_what_no_log_can_hold_is_refused() -> None:
    house = House(allow=["WebFetch"])

    def full(event: AnyEvent) -> None:
        raise SessionNotSaved("The disk is full.")

    house.gate.say = full
    assert "not be saved" in await house.gate("pypi.org", 443)


async def test_no_question_about_the_network_enters_the_conversation() -> None:
    house = House()
    waits = asyncio.create_task(house.gate("pypi.org", 443))
    await house.reply("deny")
    await waits
    talk = fold([event for event in house.events if isinstance(event, LoggedEvent)])
    assert talk.messages == []
    assert talk.dangling() == ()


def test_no_argument_of_any_tool_leads_round_the_fence() -> None:
    words = json.dumps([spec(tool).parameters for tool in BUILTIN]).casefold()
    assert "command" in words
    assert not {"outside", "sandbox", "fence", "network"} & set(words.replace('"', " ").split())
