"""The figures that are counts, and so the same on every machine. Times are in `tests/bench`."""

import os
from collections.abc import Iterator

import pytest

from tests.bench import counts
from tests.bench.budgets import on_nothing
from tests.bench.ground import Ground, ground
from tests.bench.start import unwanted
from tests.bench.steps import Talk, reading, two_turns
from tests.bench.talk import LLAMA, STEPS, steps
from tests.support.llama_words import About

pytestmark = pytest.mark.skipif(not hasattr(os, "wait4"), reason="the bench's launcher is POSIX")

SYSTEM_TOKENS = 2_500
NEW_MESSAGE_TOKENS = 64
WORTH_FOLDING = 2_000
"""Tokens that the same conversation loses without folding: else it could not show a loss."""


@pytest.fixture
def place() -> Iterator[Ground]:
    with ground() as made:
        yield made


@pytest.fixture(scope="module")
def talk() -> Talk:
    """Sixty steps, then a new message in a second process."""
    with ground() as made:
        return two_turns(made, LLAMA)


def test_one_answer_needs_no_heavy_package(place: Ground) -> None:
    assert unwanted(place) == frozenset()


def test_the_system_block_is_small(place: Ground) -> None:
    (first,) = reading(place, steps(1)).requests
    assert 0 < counts.system_tokens(first.body) <= SYSTEM_TOKENS
    assert 0 < counts.system_tokens(counts.with_all_tools()) <= SYSTEM_TOKENS


def test_sixty_steps_and_a_new_message_read_nothing_again(talk: Talk) -> None:
    assert len(talk.requests) == STEPS + 1
    *within, after = counts.reread(talk.requests, talk.replies)
    assert within == [0] * (STEPS - 1)
    assert after <= NEW_MESSAGE_TOKENS


def test_the_head_of_the_prompt_is_the_same_in_the_next_process(talk: Talk) -> None:
    first, last = talk.requests[0].body, talk.requests[-1].body
    assert first["messages"][0] == last["messages"][0]
    assert first["tools"] == last["tools"]


def test_the_conversation_would_show_a_loss(place: Ground) -> None:
    """A server that cannot render gets reasoning in its field, which the template then drops."""
    talk = two_turns(place, About())
    *within, after = counts.reread(talk.requests, talk.replies)
    assert sum(within) == 0
    assert after > WORTH_FOLDING


@pytest.mark.parametrize(("budget", "chunk"), [(400, 1), (400, 8), (2_000, 8)])
def test_a_server_that_knows_no_budget_overruns_none(
    place: Ground, budget: int, chunk: int
) -> None:
    at_most = round(0.05 * budget) + 16
    # As slow as that a stall of half a second is no overrun: machines that test are busy.
    spent = on_nothing(place, budget, chunk, per_second=2 * at_most)
    # It has no switch either: a quarter is kept for the thinking behind what is closed.
    assert 0.6 * budget <= spent.used
    assert spent.beyond <= at_most
