"""What a person says changes the request, and never the bytes that the server has read."""

import json
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from qcode.answering import settings_of
from qcode.config.profiles import fits as fits_in_configuration
from qcode.engine.history import History, Tweak
from qcode.engine.settings import ANSWER_TOKENS, EFFORT, Settings, fits, thinking_tokens
from qcode.protocol.errors import InputError
from qcode.protocol.events import Notice
from qcode.protocol.inputs import SetSampling, SetThinking
from qcode.protocol.messages import AssistantMessage, Reasoning, Text, ToolSpec, user
from qcode.server.base import Request, ServerFacts
from qcode.server.families import FAMILIES
from qcode.server.fields import fields
from qcode.server.quirks import QUIRKS
from qcode.session.conversation import Conversation, fold
from qcode.session.store import Store
from tests.engine.rig import configured, rig, started
from tests.support.llama_words import About
from tests.support.script import Reply
from tests.support.scripted_server import ScriptedServer

FACTS = ServerFacts(
    kind="llamacpp",
    version="b11549",
    base_url="http://127.0.0.1:1/v1",
    model="unsloth/Qwen3.6-35B-A3B-GGUF:UD-Q4_K_XL",
    models=(),
    context_tokens=None,
    strategy="native",
    strategy_why="",
    reasoning_field="reasoning_content",
)


def history(settings: Settings, facts: ServerFacts = FACTS) -> History:
    talk = Conversation(
        system="You work.",
        tools=(ToolSpec("look", "Look.", '{"type":"object","properties":{}}'),),
        messages=[user("Go on."), AssistantMessage((Reasoning("Well."), Text("So.")))],
    )
    return History(talk, facts, settings)


def settings(budget: int = 8_000) -> Settings:
    return Settings("ask", "", budget)


def test_the_effort_words_stand_for_their_tokens() -> None:
    found = {word: thinking_tokens(word, 32_768) for word in EFFORT}
    assert found == {"off": 0, "low": 2_000, "medium": 8_000, "high": 16_000, "max": 28_768}
    assert thinking_tokens("max", ANSWER_TOKENS - 1) == 0


def test_a_number_is_itself_also_in_digits() -> None:
    assert thinking_tokens(1_234, 32_768) == thinking_tokens("1234", 32_768) == 1_234
    assert thinking_tokens(0, 32_768) == 0


@pytest.mark.parametrize("wanted", ["", "much", "-1", "1e3", "٣", "Max", -5])
def test_any_other_word_is_refused_with_those_that_are_known(wanted: int | str) -> None:
    with pytest.raises(InputError, match="Write off, low, medium, high, max, or a number"):
        thinking_tokens(wanted, 32_768)


def test_the_makers_values_are_sent_complete() -> None:
    request = history(settings()).request()
    assert request.max_tokens == 32_768
    assert request.sampling == {
        "temperature": 0.6,
        "top_p": 0.95,
        "top_k": 20,
        "min_p": 0.0,
        "presence_penalty": 0.0,
    }
    assert history(settings(0)).request().sampling["temperature"] == 0.7


@pytest.mark.parametrize("kind", QUIRKS)
def test_no_server_is_left_to_its_own_temperature_top_p_and_length(kind: str) -> None:
    facts = replace(FACTS, kind=kind, version="", model="whatever")
    sent = fields(facts, history(settings(), facts).request())
    row = QUIRKS[kind].sampling
    assert {row["temperature"], row["top_p"], QUIRKS[kind].max_tokens} <= {*sent}


def test_each_preset_of_the_configuration_has_its_values() -> None:
    config = configured("http://127.0.0.1:1/v1", agent={"thinking": "off"})
    found = {}
    for word in ("auto", "coding", "general", "reasoning"):
        agent = msgspec.structs.replace(config.agent, sampling=word)
        wanted = settings_of(msgspec.structs.replace(config, agent=agent), "ask")
        facts = replace(FACTS, model="Qwen3.5-35B-A3B")
        found[word] = history(wanted, facts).request().sampling["top_p"]
    assert found == {"auto": 0.8, "coding": 0.8, "general": 0.8, "reasoning": 1.0}


def test_a_persons_word_beats_the_configuration_and_that_the_maker() -> None:
    wanted = settings()
    wanted.overrides = (
        ("qwen*", SetSampling(temperature=0.1, top_p=0.2, top_k=3)),
        ("unsloth/*A3B*", SetSampling(top_p=0.3)),
        ("gemma", SetSampling(min_p=0.4)),
        ("qwen3.6", SetSampling(top_k=5)),
    )
    wanted.sampling = SetSampling(top_k=7)
    sampling = history(wanted).request().sampling
    # `qwen*` must fit from the start of the name, which begins with `unsloth/`
    assert sampling["temperature"] == 0.6
    assert (sampling["top_p"], sampling["top_k"], sampling["min_p"]) == (0.3, 7, 0.0)


@pytest.mark.parametrize(
    ("pattern", "model"),
    [
        ("qwen3.6*", "Qwen3.6-35B"),
        ("*", ""),
        ("QWEN", "qwen3"),
        ("gpt-[ao]ss", "gpt-oss:20b"),
        ("a", "b"),
        ("*-Q4*", "/models/x-q4_k.gguf"),
    ],
)
def test_patterns_fit_as_in_the_configuration(pattern: str, model: str) -> None:
    assert fits(pattern, model) == fits_in_configuration(pattern, model)


def test_a_tweak_holds_for_its_request_alone() -> None:
    wanted = settings()
    wanted.sampling = SetSampling(presence_penalty=0.5)
    talk = history(wanted)
    before = talk.request()
    tweaked = talk.request(None, Tweak(1.5, 4_096, 0, closed="Well."))
    assert tweaked.sampling["presence_penalty"] == 1.5
    assert tweaked.sampling["penalty_window"] == 4_096
    assert tweaked.sampling["temperature"] == 0.7  # not thinking: other values hold
    assert (tweaked.thinking_budget, tweaked.closed) == (0, "Well.")
    assert talk.request() == before


def read(request: Request) -> bytes:
    """What the server has read, or part of it."""
    return json.dumps([request.messages, request.tools]).encode()


@given(
    budgets=st.lists(st.integers(0, 40_000), min_size=2, max_size=4),
    kind=st.sampled_from(sorted(QUIRKS)),
    model=st.sampled_from([row.name for row in FAMILIES]),
)
def test_switching_thinking_changes_neither_messages_nor_tools(
    budgets: list[int], kind: str, model: str
) -> None:
    wanted, facts = settings(budgets[0]), replace(FACTS, kind=kind, version="", model=model)
    talk = history(wanted, facts)
    first = talk.request()
    for budget in budgets:
        wanted.thinking_budget = budget
        assert read(talk.request()) == read(first)
        assert read(talk.request(None, Tweak(thinking_budget=0))) == read(first)


@pytest.mark.parametrize("model", ["Qwen3.8-27B", "gpt-oss-20b", "gemma-4-31B-it", "GLM-4.6"])
def test_effort_that_stands_in_the_prompt_is_frozen_with_the_first_answer(model: str) -> None:
    wanted, facts = settings(), replace(FACTS, model=model)
    talk = history(wanted, facts)
    wanted.thinking_budget = 16_000  # a person may choose until then
    assert talk.held() == ""
    talk.conversation.efforts[model] = 16_000
    first = fields(facts, talk.request())["chat_template_kwargs"]
    for budget in (0, 2_000, 40_000):
        wanted.thinking_budget = budget
        assert fields(facts, talk.request())["chat_template_kwargs"] == first
    wanted.thinking_budget = 0
    assert "that stays; the budget of" in talk.held()


def test_thinking_that_was_off_at_first_stays_off_where_it_is_frozen() -> None:
    facts = replace(FACTS, model="Qwen3.8-27B")
    talk = history(settings(8_000), facts)
    talk.conversation.efforts[facts.model] = 0
    assert fields(facts, talk.request())["chat_template_kwargs"]["enable_thinking"] is False
    assert "it stays off until a new session" in talk.held()


async def test_a_frozen_effort_is_that_of_the_session_also_when_it_is_resumed(
    tmp_path: Path,
) -> None:
    about = About("llamacpp", model="Qwen3.8-27B", style="3.6")
    store = Store(tmp_path / "sessions")
    log = store.create(tmp_path)
    with ScriptedServer(*map(Reply, ("One.", "Two.", "Three.")), about=about) as server:
        config = configured(server.base_url, agent={"thinking": "high"})
        async with rig(config, started(tmp_path, log=log)) as run:
            await run.turn("first")
            run.engine.submit(SetThinking(2_000))
            await run.turn("second")
        resumed = store.resume(log.session_id)
        talk = fold(resumed.opened.events)
        config = configured(server.base_url, agent={"thinking": "off"})
        start = started(tmp_path, log=resumed.log, conversation=talk)
        async with rig(config, start) as again:
            await again.turn("third")
        bodies = [request.body for request in server.requests]
        server.check()
    for one in (run, again):
        told = [
            each.text for each in one.said(Notice) if "Qwen3.8 has thinking and effort" in each.text
        ]
        assert len(told) == 1
    efforts = [body["chat_template_kwargs"] for body in bodies]
    assert efforts[0]["reasoning_effort"] == "xhigh"
    assert efforts[1] == efforts[2] == efforts[0]
    assert [body["thinking_budget_tokens"] for body in bodies] == [16_000, 2_000, 0]


def test_elsewhere_it_follows_the_person() -> None:
    wanted = settings()
    talk = history(wanted)
    assert fields(FACTS, talk.request())["chat_template_kwargs"]["enable_thinking"] is True
    wanted.thinking_budget = 0
    assert fields(FACTS, talk.request())["chat_template_kwargs"]["enable_thinking"] is False


@pytest.mark.parametrize(("left", "most"), [(32_768, 28_768), (5_000, 2_500), (300, 150)])
def test_thinking_leaves_room_for_the_answer(left: int, most: int) -> None:
    request = history(settings(40_000)).request(left)
    assert (request.max_tokens, request.thinking_budget) == (left, most)
    assert history(settings(100)).request(left).thinking_budget == 100


async def test_what_the_server_ignores_is_told_once_a_run(tmp_path: Path) -> None:
    with ScriptedServer(Reply("One."), Reply("Two."), about=About(model="qwen3.6-35b")) as server:
        async with rig(configured(server.base_url), started(tmp_path)) as run:
            await run.turn("first")
            await run.turn("second")
        server.check()
    told = [one.text for one in run.said(Notice) if "its own values hold" in one.text]
    assert told == ["an OpenAI-compatible server takes no top_k: its own values hold."]


def test_a_model_that_thinks_by_levels_is_never_left_without_any_thought() -> None:
    """Or the budget would cut each of its answers."""
    facts = replace(FACTS, model="gpt-oss-20b")
    assert history(settings(0), facts).request().thinking_budget == 2_000
    assert history(settings(0)).request().thinking_budget == 0
