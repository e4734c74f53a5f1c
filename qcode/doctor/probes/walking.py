"""A conversation sent as the agent sends it, three times: cold, longer, changed."""

import msgspec

from qcode.doctor.base import Subject
from qcode.doctor.probes.rereading import Reread, by_clock, by_count
from qcode.doctor.probes.talk import Talk, density, worked
from qcode.server.base import Strategy
from qcode.server.sounding import Sounding

_LEAST_ANSWER, _MOST_ANSWER = 8, 24
_LEAST_TOKENS, _MOST_TOKENS = 600, 8_000
_READING_SECONDS = 3.0
_UNMEASURED = 400.0
"""Tokens a second that are assumed before any were measured."""


class Steps(msgspec.Struct, frozen=True):
    """A conversation sent three times: cold, with a question more, with that question changed."""

    strategy: Strategy
    cold: Sounding
    question: Reread
    branch: Reread
    error: str = ""

    @property
    def is_cut(self) -> bool:
        """Whether the first answer ends where no template prints it as it was generated: within
        its thinking, or in blanks. What stands behind it may be read again for that alone."""
        text = self.cold.text
        return self.cold.finish == "length" and (not text or text != text.rstrip())


async def walk(subject: Subject, strategy: Strategy, name: str = "", block: int = 0) -> Steps:
    """Send the conversation. What a server refuses stands in `error`.

    Another `name`, another conversation. `block`: as of `rereading.by_count`.
    """
    size = round(tokens(subject) / await density(subject))
    talk = worked(f"{subject.salt} {strategy}{name}", size)
    cold = await _sent(subject, talk, strategy)
    if cold.error:
        return Steps(strategy, cold, Reread("unclear"), Reread("unclear"), cold.error)
    told = talk.answered(cold)
    question = await _sent(subject, told.ask("And what is in b.py?"), strategy)
    branch = await _sent(subject, told.ask("Never mind. Which language is a.py in?"), strategy)
    error = question.error or branch.error
    if error:
        return Steps(strategy, cold, Reread("unclear"), Reread("unclear"), error)
    if cold.cached_tokens is None:
        again = await _sent(subject, told.ask("Is a.py long?"), strategy)
        both = [by_clock(each, cold) for each in (branch, again)]
        # whoever is slow once may be busy: the quicker of two says what was remembered
        branch_step = min(both, key=lambda each: each.seconds)
        return Steps(strategy, cold, by_clock(question, cold), branch_step)
    known = cold.prompt_tokens or 0
    behind, beside = (by_count(each, known, block) for each in (question, branch))
    return Steps(strategy, cold, behind or Reread("unclear"), beside or Reread("unclear"))


async def _sent(subject: Subject, talk: Talk, strategy: Strategy) -> Sounding:
    return await subject.ask(talk.request(subject, answer_tokens(subject), strategy))


def answer_tokens(subject: Subject) -> int:
    """As many as are written in a second."""
    rate = subject.rates.generated_per_second or _MOST_ANSWER
    return max(_LEAST_ANSWER, min(round(rate * subject.haste), _MOST_ANSWER))


def tokens(subject: Subject) -> int:
    """As many as are read in three seconds, and as fit."""
    rate = subject.rates.prompt_per_second or _UNMEASURED
    fits = (subject.facts.context_tokens or 4_096) // 2
    return max(
        min(round(rate * _READING_SECONDS * subject.haste), _MOST_TOKENS, fits),
        min(_LEAST_TOKENS, fits),
    )
