"""Counts by the shipped table."""

from hypothesis import given
from hypothesis import strategies as st

from qcode.server import tokens


def test_text_is_cut_as_qwen_cuts_it() -> None:
    assert tokens.count("Hello, world") == 3
    assert tokens.count("12345") == 5  # each digit by itself
    assert tokens.count("") == 0


def test_the_marks_of_the_template_are_one_token_each() -> None:
    assert tokens.count("<|im_start|><think></think><|im_end|>") == 4


@given(st.text(st.characters(codec="utf-8"), max_size=200))
def test_every_text_can_be_counted_and_a_token_holds_a_byte_at_least(text: str) -> None:
    assert tokens.count(text) <= len(text.encode())
