"""What a person is told of the server that was found: what was picked of several, no more."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from qcode.answering import remarks
from qcode.protocol.events import Notice
from qcode.server.base import ServerFacts
from tests.engine.rig import configured, rig, started
from tests.support.script import Reply
from tests.support.waking import ROUTER, Waking

TWO = ("qwen3.5-9b", "qwen3.6-27b")
FACTS = ServerFacts(
    "ollama", "0.33", "http://127.0.0.1:11434/v1", TWO[0], TWO, None, "plain", "", "reasoning"
)
OTHER = "taken before generic at http://127.0.0.1:8000/v1: its kind is known"


@pytest.fixture
def router() -> Iterator[Waking]:
    server = Waking("router", Reply("Hello."))
    with server:
        yield server


async def test_what_was_picked_of_several_is_said_once(router: Waking, tmp_path: Path) -> None:
    async with rig(configured(router.base_url), started(tmp_path)) as run:
        await run.turn("Hello.")
    [notice] = run.said(Notice)
    assert notice.level == "info"
    assert notice.text.endswith("was picked: the first of 2; --model names another.")


async def test_what_was_named_is_not_said_again(router: Waking, tmp_path: Path) -> None:
    config = configured(router.base_url, server={"model": ROUTER})
    async with rig(config, started(tmp_path)) as run:
        await run.turn("Hello.")
    assert not run.said(Notice)


@pytest.mark.parametrize(
    ("why", "models", "said"),
    [
        ("named", TWO, ""),
        ("the only one", TWO, ""),  # the other writes no answers
        ("loaded", TWO[:1], ""),
        ("loaded", TWO, "loaded; --model names another."),
        (f"loaded; {OTHER}", TWO[:1], f"loaded; {OTHER}; --base-url names another server."),
        (f"named; {OTHER}", TWO, f"named; {OTHER}; --base-url names another server."),
    ],
)
def test_only_a_choice_is_told(why: str, models: tuple[str, ...], said: str) -> None:
    told = [one.text for one in remarks(replace(FACTS, picked_why=why, models=models))]
    assert told == ([f"qwen3.5-9b was picked: {said}"] if said else [])


@pytest.mark.parametrize(
    ("model", "warned"),
    [
        ("gpt-4o", True),
        ("Qwen/Qwen3.6-27B", True),
        ("/models/qwen.gguf", False),
        ("qwen3.6-27b-Q4_K_M.gguf", False),
        ("C:\\models\\qwen", False),
        ("~/models/qwen", False),
    ],
)
def test_a_name_that_the_server_ignores_is_told_unless_it_is_a_file(
    model: str, *, warned: bool
) -> None:
    told = list(remarks(replace(FACTS, model=model, picked_why="named")))
    assert [one.level for one in told] == ["warning"] * warned
