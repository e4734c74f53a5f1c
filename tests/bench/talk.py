"""Scripted conversations: sixty reads with reasoning, and a long answer word by word."""

import random
from collections.abc import Sequence
from pathlib import Path

from tests.bench.words import words as table_words
from tests.support.llama_words import About
from tests.support.script import Call, Pace, Reply, Usage

STEPS = 60

LLAMA = About(kind="llamacpp", context_tokens=524_288)
"""A llama.cpp whose template is in the style of Qwen 3.5, with room for the longest talk here."""

HEAD_TOKENS, LINE_TOKENS, ANSWER_TOKENS = 2_100, 23, 80
"""Roughly what a server counts: ahead of the first answer, of a line of a file with its number, of
an answer. A server that counts much less is taken for one that cut the prompt."""


AT_ONCE = Pace()

STREAMED = Pace(characters=8, delta_seconds=0.005)
"""As a fast local model writes: what is loaded, saved or waited for meanwhile has its effect."""


def make_files(folder: Path, lines: int, files: int = STEPS) -> None:
    """Python files of `lines` lines each, no two the same: as many as there are steps."""
    for number in range(files):
        rows = (f"    total_{number} = weigh(item_{row}, {row * number})" for row in range(lines))
        (folder / _name(number)).write_text("\n".join(rows) + "\n", encoding="utf-8")


def steps(count: int = STEPS, pace: Pace = AT_ONCE, lines: int = 20) -> Sequence[Reply]:
    """The answers to `count` requests: reads of so many lines with reasoning, then words."""
    grows = lines * LINE_TOKENS + ANSWER_TOKENS
    reads = [_read(number, pace, grows) for number in range(count - 1)]
    return (*reads, Reply(reasoning="That was the last one.", text="All of them are read."))


def words(tokens: int, per_second: float = 0) -> Reply:
    """An answer of `tokens` tokens, one an event; 0 per second = as fast as they can be sent.

    Words at random: one word again and again would be seen as the loop that it is.
    """
    pace = Pace(characters=5, delta_seconds=1 / per_second if per_second else 0)
    said = table_words(random.Random(5), tokens - 1, letters=4)
    return Reply(text="".join([*said, "\nEnd."]), pace=pace, usage=Usage(HEAD_TOKENS, tokens))


def _read(number: int, pace: Pace, grows: int) -> Reply:
    prompt = HEAD_TOKENS + grows * number
    thought = f"File {number} may hold what I look for, since the one before did not show it. "
    return Reply(
        reasoning=(thought * 4).strip(),
        text="Next." if number % 2 else "",
        calls=(Call("read", {"path": _name(number)}),),
        usage=Usage(prompt, ANSWER_TOKENS, max(0, prompt - grows)),
        pace=pace,
    )


def _name(number: int) -> str:
    return f"part_{number:02}.py"
