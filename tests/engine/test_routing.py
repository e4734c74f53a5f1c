"""Who answers when the server is gone, the check keeps failing, or a person wants another model."""

import asyncio
import threading
import time
from pathlib import Path
from typing import Any

from qcode.protocol.errors import ServerGone
from qcode.protocol.events import (
    AnyEvent,
    ModelChanged,
    Notice,
    SessionStarted,
    ToolCallFinished,
    Verified,
)
from qcode.protocol.inputs import Cancel, Prompt, SetModel, SetThinking
from tests.engine.rig import YOLO, Rig, configured, rig, started
from tests.support.llama_words import About
from tests.support.script import Call, Reply
from tests.support.scripted_server import ScriptedServer, StartScripted

NOBODY = "http://127.0.0.1:9/v1"
FAR = "https://api.example.com/v1"
LLAMA = About(kind="llamacpp", model="first")
OTHER = About(kind="llamacpp", model="second")


def profiles(**tables: dict[str, Any]) -> dict[str, Any]:
    return {"profiles": tables}


def notices(one: Rig) -> str:
    return "\n".join(notice.text for notice in one.said(Notice))


async def test_a_server_that_is_not_there_is_replaced_by_the_fallback(
    tmp_path: Path, scripted: StartScripted
) -> None:
    second = scripted(Reply(text="Here."), Reply(text="Still here."), about=OTHER)
    config = configured(
        NOBODY, agent={"fallback": "spare"}, **profiles(spare={"base_url": second.base_url})
    )
    async with rig(config, started(tmp_path)) as one:
        assert (await one.turn("Hello")).reason == "end_turn"
        assert (await one.turn("And now?")).reason == "end_turn"
    assert one.said(SessionStarted)[0].model == "second"
    assert "spare answers instead, for the rest of this session." in notices(one)
    assert len(second.requests) == 2


async def test_a_server_that_goes_in_the_midst_of_a_turn_is_replaced_too(
    tmp_path: Path, scripted: StartScripted
) -> None:
    (tmp_path / "a.txt").write_text("hello\n")
    first = scripted(Reply(calls=(Call("read", {"path": "a.txt"}),)), about=LLAMA)
    second = scripted(Reply(text="It says hello."), about=OTHER)
    config = configured(
        first.base_url, agent={"fallback": "spare"}, **profiles(spare={"base_url": second.base_url})
    )

    def leave(event: AnyEvent) -> None:
        if isinstance(event, ToolCallFinished):
            first.close()

    async with rig(config, started(tmp_path)) as one:
        assert (await one.turn("What does it say?", leave)).reason == "end_turn"
    assert [event.model for event in one.said(ModelChanged)] == ["second"]
    [request] = second.requests
    assert [message["role"] for message in request.messages][-2:] == ["assistant", "tool"]
    assert "hello" in request.messages[-1]["content"]


async def test_nothing_leaves_the_network_by_itself(tmp_path: Path) -> None:
    config = configured(NOBODY, agent={"fallback": "far"}, **profiles(far={"base_url": FAR}))
    async with rig(config, started(tmp_path)) as one:
        end = await one.turn("Hello")
    assert (end.reason, end.error) == ("error", "ServerGone")
    assert NOBODY in end.detail
    assert 'remote = "allow" in [profiles.far]' in notices(one)
    assert "api.example.com is not on your network" in notices(one)


async def test_a_fallback_that_is_gone_as_well_is_told_with_the_first(tmp_path: Path) -> None:
    spare = {"base_url": "http://127.0.0.1:10/v1"}
    config = configured(NOBODY, agent={"fallback": "spare"}, **profiles(spare=spare))
    async with rig(config, started(tmp_path)) as one:
        end = await one.turn("Hello")
    assert end.error == "ServerGone"
    assert NOBODY in end.detail
    assert "Nor can spare answer: No server answers at http://127.0.0.1:10/v1" in end.detail


async def test_a_fallback_without_its_key_does_not_hide_that_the_first_is_gone(
    tmp_path: Path,
) -> None:
    spare = {"base_url": "http://127.0.0.1:10/v1", "api_key_env": "NOT_SET_ANYWHERE"}
    config = configured(NOBODY, agent={"fallback": "spare"}, **profiles(spare=spare))
    async with rig(config, started(tmp_path)) as one:
        end = await one.turn("Hello")
    assert end.error == "ServerGone"
    assert NOBODY in end.detail
    assert "NOT_SET_ANYWHERE" in end.detail


def escalating(first: ScriptedServer, deep: dict[str, Any], after: int = 2) -> Any:
    return configured(
        first.base_url,
        agent={
            "verify": "test -e done.txt",
            "verify_tries": 5,
            "escalate_to": "deep",
            "escalate_after": after,
        },
        permission=YOLO,
        **profiles(deep=deep),
    )


WRITE = Reply(calls=(Call("write", {"path": "other.txt", "content": "x\n"}),))
RIGHT = Reply(calls=(Call("write", {"path": "done.txt", "content": "x\n"}),))
SAID = Reply(text="Done.")


async def test_after_so_many_failures_another_model_answers_for_the_rest_of_the_turn(
    tmp_path: Path, scripted: StartScripted
) -> None:
    first = scripted(WRITE, SAID, SAID, Reply(text="Home again."), about=LLAMA)
    second = scripted(RIGHT, SAID, about=OTHER)
    deep = {"base_url": second.base_url, "thinking": "off"}
    async with rig(escalating(first, deep), started(tmp_path)) as one:
        assert (await one.turn("Make it")).reason == "end_turn"
        assert [it.exit_code for it in one.said(Verified)] == [1, 1, 0]
        assert [event.model for event in one.said(ModelChanged)] == ["second"]
        assert (await one.turn("Thanks")).reason == "end_turn"
    assert [event.model for event in one.said(ModelChanged)] == ["second", "first"]
    assert "deep answers for the rest of this turn, since the check failed 2 times." in notices(one)
    thinks = [
        request.body["chat_template_kwargs"]["enable_thinking"]
        for request in (*first.requests, *second.requests)
    ]
    assert thinks == [True] * 4 + [False] * 2


async def test_no_escalation_leaves_the_network_unless_its_profile_allows_it(
    tmp_path: Path, scripted: StartScripted
) -> None:
    first = scripted(WRITE, SAID, RIGHT, SAID, about=LLAMA)
    async with rig(escalating(first, {"base_url": FAR}, after=1), started(tmp_path)) as one:
        assert (await one.turn("Make it")).reason == "end_turn"
    assert not one.said(ModelChanged)
    assert "deep does not answer in its place (the check failed once)" in notices(one)
    assert "kB) of this conversation" in notices(one)


async def test_a_profile_that_cannot_answer_does_not_end_the_turn(
    tmp_path: Path, scripted: StartScripted
) -> None:
    first = scripted(WRITE, SAID, RIGHT, SAID, about=LLAMA)
    deep = {"base_url": NOBODY}
    async with rig(escalating(first, deep, after=1), started(tmp_path)) as one:
        assert (await one.turn("Make it")).reason == "end_turn"
    assert not one.said(ModelChanged)
    assert "The model of before goes on." in notices(one)


async def test_a_person_changes_to_a_profile_and_to_an_address(
    tmp_path: Path, scripted: StartScripted
) -> None:
    first = scripted(Reply(text="One."), Reply(text="Three."), about=LLAMA)
    second = scripted(Reply(text="Two."), about=OTHER)
    config = configured(first.base_url, **profiles(spare={"base_url": second.base_url}))
    async with rig(config, started(tmp_path)) as one:
        await one.turn("1")
        one.engine.submit(SetModel("spare"))
        await one.turn("2")
        one.engine.submit(SetModel("first", first.base_url))
        await one.turn("3")
    assert [event.model for event in one.said(ModelChanged)] == ["second", "first"]
    assert [len(server.requests) for server in (first, second)] == [2, 1]
    texts = [message["content"] for message in first.requests[-1].messages]
    assert texts[-1] == "3"
    assert any("Two." in text for text in texts)


async def test_a_wish_before_the_first_prompt_asks_nothing_of_the_first_server(
    tmp_path: Path, scripted: StartScripted
) -> None:
    second = scripted(Reply(text="Here."), about=OTHER)
    config = configured(NOBODY, **profiles(spare={"base_url": second.base_url}))
    async with rig(config, started(tmp_path)) as one:
        one.engine.submit(SetModel("spare"))
        assert (await one.turn("Hello")).reason == "end_turn"
    assert not one.said(ModelChanged)


async def test_a_wish_that_cannot_be_leaves_all_as_it_is(
    tmp_path: Path, scripted: StartScripted
) -> None:
    first = scripted(Reply(text="One."), Reply(text="Two."), about=LLAMA)
    async with rig(configured(first.base_url), started(tmp_path)) as one:
        await one.turn("1")
        one.engine.submit(SetModel("x", NOBODY))
        assert (await one.turn("2")).reason == "end_turn"
    assert "The model of before goes on." in notices(one)
    assert not one.said(ModelChanged)


async def test_what_a_person_said_of_thinking_holds_on_the_next_server(
    tmp_path: Path, scripted: StartScripted
) -> None:
    first, second = scripted(SAID, about=LLAMA), scripted(SAID, about=OTHER)
    config = configured(first.base_url, **profiles(spare={"base_url": second.base_url}))
    async with rig(config, started(tmp_path)) as one:
        await one.turn("1")
        one.engine.submit(SetThinking(0))
        one.engine.submit(SetModel("spare"))
        await one.turn("2")
    [request] = second.requests
    assert request.body["chat_template_kwargs"]["enable_thinking"] is False


async def test_a_model_that_the_server_does_not_list_is_not_taken(
    tmp_path: Path, scripted: StartScripted
) -> None:
    """llama.cpp takes any name and answers with the model it has."""
    first = scripted(Reply(text="One."), Reply(text="Two."), about=LLAMA)
    async with rig(configured(first.base_url), started(tmp_path)) as one:
        await one.turn("1")
        one.engine.submit(SetModel("fist"))
        assert (await one.turn("2")).reason == "end_turn"
        assert "has no model 'fist'. Did you mean first? It lists: first." in notices(one)
    assert not one.said(ModelChanged)
    assert [request.body["model"] for request in first.requests] == ["first", "first"]


class Reviving:
    """Somebody who starts the first server again, or cannot."""

    def __init__(self, seconds: float = 0.0) -> None:
        self.seconds, self.gone = seconds, False
        self.begun, self.at_once, self.most = 0, 0, 0
        self._lock = threading.Lock()

    def __call__(self) -> str:
        with self._lock:
            self.begun, self.at_once = self.begun + 1, self.at_once + 1
            self.most = max(self.most, self.at_once)
        time.sleep(self.seconds)
        with self._lock:
            self.at_once -= 1
        if self.gone:
            raise ServerGone("It is gone and did not start: out of memory.")
        return ""


async def test_a_wish_is_heard_though_the_first_server_cannot_be_started_again(
    tmp_path: Path, scripted: StartScripted
) -> None:
    first, second = scripted(SAID, about=LLAMA), scripted(SAID, about=OTHER)
    config = configured(first.base_url, **profiles(spare={"base_url": second.base_url}))
    revive = Reviving()
    async with rig(config, started(tmp_path, revive=revive)) as one:
        await one.turn("1")
        first.close()
        revive.gone = True
        assert (await one.turn("2")).error == "ServerGone"
        one.engine.submit(SetModel("spare"))
        assert (await one.turn("3")).reason == "end_turn"
    assert [event.model for event in one.said(ModelChanged)] == ["second"]


async def test_the_fallback_answers_when_the_first_server_cannot_be_started_again(
    tmp_path: Path, scripted: StartScripted
) -> None:
    first, second = scripted(SAID, about=LLAMA), scripted(SAID, SAID, about=OTHER)
    spare = {"base_url": second.base_url}
    config = configured(first.base_url, agent={"fallback": "spare"}, **profiles(spare=spare))
    revive = Reviving()
    async with rig(config, started(tmp_path, revive=revive)) as one:
        await one.turn("1")
        first.close()
        revive.gone = True
        begun = revive.begun
        assert (await one.turn("2")).reason == "end_turn"
        assert (await one.turn("3")).reason == "end_turn"
    assert "out of memory. spare answers instead, for the rest of this session." in notices(one)
    assert revive.begun == begun + 1
    assert len(second.requests) == 2


async def test_a_wish_for_the_server_that_is_started_again_waits_for_that(
    tmp_path: Path, scripted: StartScripted
) -> None:
    first = scripted(SAID, SAID, about=LLAMA)
    revive = Reviving()
    async with rig(configured(first.base_url), started(tmp_path, revive=revive)) as one:
        await one.turn("1")
        revive.gone = True
        one.engine.submit(SetModel("first"))
        assert (await one.turn("2")).error == "ServerGone"
        revive.gone = False
        assert (await one.turn("3")).reason == "end_turn"
    assert [event.model for event in one.said(ModelChanged)] == ["first"]


async def test_a_prompt_behind_one_that_was_cancelled_waits_until_its_start_is_over(
    tmp_path: Path, scripted: StartScripted
) -> None:
    first = scripted(SAID, SAID, about=LLAMA)
    revive = Reviving()
    async with rig(configured(first.base_url), started(tmp_path, revive=revive)) as one:
        await one.turn("1")
        revive.seconds, begun = 0.5, revive.begun
        one.engine.submit(Prompt("2"))
        async with asyncio.timeout(10):
            while revive.begun == begun:  # noqa: ASYNC110  it is called in a thread
                await asyncio.sleep(0.01)
        one.engine.submit(Cancel())
        await one.rest()
        assert (await one.turn("3")).reason == "end_turn"
    assert revive.begun >= begun + 2
    assert revive.most == 1
