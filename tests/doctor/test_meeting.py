"""A server is met as a run meets it, awake, and its key goes to it alone."""

import asyncio

from qcode.doctor.meeting import Address, is_paid, met, misnamed, wake
from qcode.server.known import Wishes
from tests.support.llama_words import About
from tests.support.script import Reply
from tests.support.scripted_server import StartScripted


async def test_a_server_that_may_not_be_loaded_is_woken_by_one_short_request(
    scripted: StartScripted,
) -> None:
    server = scripted(Reply(text="Yes."))
    async with met(Address(server.base_url)) as subject:
        assert subject.facts.loaded is not True
        await wake(subject)
        assert subject.salt in server.requests[0].messages[0]["content"]
        assert server.requests[0].body["max_tokens"] == 4


async def test_one_that_is_loaded_is_not_asked(scripted: StartScripted) -> None:
    server = scripted(about=About(kind="llamacpp"))
    async with met(Address(server.base_url)) as subject:
        await wake(subject)
        assert subject.props["build_info"] == "b11549-scripted"
    assert not server.requests


async def test_one_that_does_not_wake_is_left_to_the_checks(scripted: StartScripted) -> None:
    server = scripted(Reply(status=500, body={"error": {"message": "no"}}))
    async with met(Address(server.base_url)) as subject:
        before = subject.facts
        await wake(subject)
        assert subject.facts.model == before.model


async def test_one_that_hangs_is_not_waited_for_without_end(
    scripted: StartScripted,
) -> None:
    server = scripted(otherwise=lambda _: Reply(text="never", end="hang"))
    async with met(Address(server.base_url)) as subject, asyncio.timeout(10):
        await wake(subject, untold_seconds=0.2)
    assert len(server.requests) == 1


async def test_the_context_of_the_settings_is_asked_for_as_in_a_run(
    scripted: StartScripted,
) -> None:
    server = scripted(about=About(kind="ollama"))
    wishes = Wishes(context=lambda model: 16_384)
    async with met(Address(server.base_url, wishes=wishes)) as subject:
        assert (subject.facts.kind, subject.facts.asked_context) == ("ollama-chat", 16_384)


async def test_the_key_is_sent_with_each_question_and_not_shown(scripted: StartScripted) -> None:
    server = scripted(about=About(kind="llamacpp"))
    address = Address(server.base_url, "sk-of-mine")
    assert "sk-of-mine" not in repr(address)
    async with met(address) as subject:
        await subject.asker.get(f"{server.base_url}/models")
        assert not is_paid(subject.facts)
    assert {each.headers["authorization"] for each in server.others} == {"Bearer sk-of-mine"}


async def test_a_name_that_the_server_has_not_is_not_whose_answers_are_measured(
    scripted: StartScripted,
) -> None:
    """llama.cpp takes any name."""
    server = scripted(about=About(kind="llamacpp", model="Qwen3.6-35B-A3B"))
    async with met(Address(server.base_url, model="foo")) as subject:
        assert subject.facts.model == "Qwen3.6-35B-A3B"
        [found] = misnamed(subject)
    assert "no model foo: it answers as Qwen3.6-35B-A3B" in found.title
    async with met(Address(server.base_url, model="Qwen3.6-35B-A3B")) as subject:
        assert not list(misnamed(subject))
