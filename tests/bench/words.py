"""Text as a model sends it: cut at its tokens, or made of words that are one token each."""

import base64
import random
from collections.abc import Mapping, Sequence
from functools import cache
from importlib import resources

from qcode.server import tokens

_MARKS = ("<think>", "</think>", "<tool_call>", "</tool_call>")


def pieces(text: str) -> list[str]:
    """ASCII `text`, a token of the shipped table each."""
    assert text.isascii(), "a token may be part of a character"
    table = _table()
    return [table[number] for number in tokens.encode(text)]


def words(dice: random.Random, count: int, letters: int | None = None) -> list[str]:
    """So many words of the shipped table at random, with the blank before them: one after another
    they are as many tokens as they are words. `letters`: None = of any length."""
    known = [word for word in _words() if letters in (None, len(word) - 1)]
    return dice.choices(known, k=count)


@cache
def _table() -> Mapping[int, str]:
    data = (resources.files("qcode.server") / "data" / "qwen.tiktoken").read_bytes()
    rows = (line.split() for line in data.splitlines() if line)
    known = {int(rank): base64.b64decode(token) for token, rank in rows}
    marks = {tokens.encode(mark)[0]: mark for mark in _MARKS}
    return {rank: token.decode("ascii", "replace") for rank, token in known.items()} | marks


@cache
def _words() -> Sequence[str]:
    return [
        word
        for word in _table().values()
        if word[:1] == " " and word[1:].isalpha() and word.isascii()
    ]
