"""An answer as models write them: headings, paragraphs, lists, code."""

import random
from collections.abc import Iterator

from tests.bench.words import words

CHARACTERS = 5
"""Of a token, as the words here have them."""


def answer(tokens: int, seed: int = 5) -> str:
    """Markdown of so many tokens of five characters, or a few more."""
    wanted = tokens * CHARACTERS
    text, parts = "", _parts(random.Random(seed))
    while len(text) < wanted:
        text += next(parts)
    return text


def _parts(dice: random.Random) -> Iterator[str]:
    while True:
        kind = dice.random()
        if kind < 0.1:
            yield f"## {_words(dice, 4)}\n\n"
        elif kind < 0.5:
            yield f"{_words(dice, dice.randint(30, 90))} `code`, **bold**.\n\n"
        elif kind < 0.75:
            rows = [f"- {_words(dice, dice.randint(8, 20))}\n" for _ in range(dice.randint(3, 6))]
            yield "".join(rows) + "\n"
        else:
            rows = [_row(dice, number) for number in range(dice.randint(5, 15))]
            yield "```python\n" + "".join(rows) + "```\n\n"


def _row(dice: random.Random, number: int) -> str:
    return f"    value_{number} = compute(item, {number * 7})  # {_words(dice, 2)}\n"


def _words(dice: random.Random, count: int) -> str:
    return "".join(words(dice, count, letters=4)).strip()
