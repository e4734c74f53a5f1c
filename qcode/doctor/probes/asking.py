"""How the probes of behaviour ask: one instruction that cannot be misread, a word that only who
read it can know, greedy where that can be, and once more in other words before "unclear"."""

import random
from collections.abc import Callable, Sequence

from msgspec.structs import replace

from qcode.doctor.base import Finding, Learned, Measure, Result, Subject
from qcode.server.base import Request
from qcode.server.families import family
from qcode.server.fields import ignored
from qcode.server.sounding import Sounding

QUIET = "thinking.quiet"
"""A note: whether thinking was seen to go off. Absent = not tried."""
THINKS = "thinking.thinks"
"""A note: whether the model was seen to think."""
SEPARATE = "thinking.separate"
"""A note: whether reasoning came in a field of its own."""

PROMPT_TOKENS = 120
"""About what one of these questions is long, without tools."""
_SYLLABLES = ("ba", "ke", "li", "mo", "nu", "ra", "se", "ti", "vo", "zu", "dan", "fer", "gol")
_ONCE = "once in two tries"
_THINKING_SECONDS = 12.0
_LEAST_THINKING, _MOST_THINKING = 400, 1_500
_WARM = {"temperature": 0.6, "top_p": 0.95}
"""While it thinks: Qwen's makers warn of greedy thinking, which runs in circles."""

Judge = Callable[[Sounding], Result | str]
"""What an answer shows; a text = why it shows nothing, as a clause. An error is an answer, too."""


def word(subject: Subject, number: int = 0) -> str:
    """A word that stands in no other text; another one for each number."""
    return "".join(random.Random(f"{subject.salt} {number}").choices(_SYLLABLES, k=4))


def has(text: str, *words: str) -> bool:
    """Whether all the words stand in a text, in any letters."""
    return all(each.lower() in text.lower() for each in words)


def question(subject: Subject, words: str, answer_tokens: int = 64) -> Request:
    """A greedy one, without thinking where that can be; else with room for it."""
    room = 0 if is_quiet(subject) else thinking_room(subject)
    return Request(
        subject.facts.model,
        [
            {"role": "system", "content": f"{subject.salt}. You do exactly what you are told."},
            {"role": "user", "content": words},
        ],
        [],
        thinking_budget=0,
        sampling={"temperature": 0.0},
        max_tokens=answer_tokens + room,
    )


def thoughtful(subject: Subject, words: str, answer_tokens: int = 64) -> Request:
    """One with thinking, and as much room for it as its rate allows."""
    room = thinking_room(subject)
    plain = question(subject, words)
    return replace(plain, thinking_budget=room, sampling=_WARM, max_tokens=room + answer_tokens)


def thinking_room(subject: Subject) -> int:
    """Tokens of thinking that can be waited for."""
    rate = subject.rates.generated_per_second or 40.0
    return int(min(max(_THINKING_SECONDS * rate, _LEAST_THINKING), _MOST_THINKING))


def is_quiet(subject: Subject) -> bool:
    """Whether thinking goes off when asked to, as far as one knows."""
    if subject.notes.get(THINKS) is False:
        return True
    if (seen := subject.notes.get(QUIET)) is not None:
        return bool(seen)
    return "thinking" not in ignored(subject.facts, Request("", [], [], thinking_budget=0))


def may_think(subject: Subject) -> bool:
    """Whether the model may think: by its name, and by what was seen of it."""
    if (seen := subject.notes.get(THINKS)) is not None:
        return bool(seen)
    return family(subject.facts.model).thinks != "never"


def cost(subject: Subject, requests: int, answer_tokens: int = 64) -> float:
    """Seconds for so many questions without thinking."""
    room = 0 if is_quiet(subject) else thinking_room(subject) // 2
    return requests * subject.rates.seconds(PROMPT_TOKENS, answer_tokens + room)


def cost_thoughtful(subject: Subject, requests: int) -> float:
    """Seconds for so many questions with thinking; a short thought is the rule."""
    return requests * subject.rates.seconds(PROMPT_TOKENS, thinking_room(subject) // 2)


async def settled(
    probe: str, subject: Subject, requests: Sequence[Request], judge: Judge
) -> Result:
    """What the requests show: a fault that each of them shows, or the first that works.

    One slip in two is a model's, and no fault of the server: unclear.
    """
    failed: Result | None = None
    why = ""
    for request in requests:
        seen = await subject.ask(request)
        found = judge(seen)
        if isinstance(found, str):
            why = seen.error or found
        elif found.verdict == "works":
            return unclear(probe, f"{_ONCE}: {failed.said}") if failed else found
        else:
            failed = found
    return failed if failed and not why else unclear(probe, why or "nothing was asked")


async def first_shown(
    probe: str, subject: Subject, requests: Sequence[Request], judge: Judge
) -> Result:
    """For what no slip of a model can look like: the first request that shows something."""
    why = "nothing was asked"
    for request in requests:
        seen = await subject.ask(request)
        found = judge(seen)
        if isinstance(found, Result):
            return found
        why = seen.error or found
    return unclear(probe, why)


def unclear(probe: str, said: str) -> Result:
    """No finding."""
    return Result(probe=probe, verdict="unclear", said=said)


def works(probe: str, said: str, learned: Learned | None = None, **measured: Measure) -> Result:
    """As it should be."""
    return Result(
        probe=probe, verdict="works", said=said, measured=measured, learned=learned or Learned()
    )


def fails(probe: str, finding: Finding, learned: Learned | None = None) -> Result:
    """One finding; what was seen is its evidence."""
    return Result(
        probe=probe,
        verdict="fails",
        said=finding.title,
        findings=(finding,),
        measured=finding.evidence,
        learned=learned or Learned(),
    )


def excerpt(text: str) -> str:
    """The beginning of a text, for evidence."""
    line = " ".join(text.split())
    return line if len(line) <= 120 else f"{line[:119]}…"
