"""A conversation sent as the agent sends it: cold, longer, changed, and a call further on."""

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
    """A conversation sent cold, with a question more, with that question changed; then with the
    answer to it, a call and what came of the call."""

    strategy: Strategy
    cold: Sounding
    question: Reread
    branch: Reread
    turn: Reread | None = None
    """The step within a turn; None = there was no time for it, or it showed nothing."""
    error: str = ""

    @property
    def behind(self) -> tuple[Reread, ...]:
        """All that came behind the cold one."""
        return self.question, self.branch, *((self.turn,) if self.turn else ())

    @property
    def is_cut(self) -> bool:
        """Whether the first answer ends where no template prints it as it was generated: within
        its thinking, or in blanks. What stands behind it may be read again for that alone."""
        return is_cut(self.cold)


def is_cut(answer: Sounding) -> bool:
    """As of `Steps`."""
    text = answer.text
    return answer.finish == "length" and (not text or text != text.rstrip())


async def walk(subject: Subject, strategy: Strategy, name: str = "", block: int = 0) -> Steps:
    """Send the conversation. What a server refuses stands in `error`.

    Another `name`, another conversation. `block`: as of `rereading.by_count`.
    """
    size = round(tokens(subject) / await density(subject))
    talk = worked(f"{subject.salt} {strategy}{name}", size)
    cold = await _sent(subject, talk, strategy)
    if cold.error:
        return _failed(strategy, cold, cold.error)
    told = talk.answered(cold)
    question = await _sent(subject, told.ask("And what is in b.py?"), strategy)
    changed = told.ask("Never mind. Which language is a.py in?")
    branch = await _sent(subject, changed, strategy)
    if error := question.error or branch.error:
        return _failed(strategy, cold, error)
    turn = await _turn(subject, changed, branch, strategy)
    if cold.cached_tokens is None:
        again = await _sent(subject, told.ask("Is a.py long?"), strategy)
        both = [by_clock(each, cold) for each in (branch, again)]
        # whoever is slow once may be busy: the quicker of two says what was remembered
        branch_step = min(both, key=lambda each: each.seconds)
        step = by_clock(turn, cold) if turn else None
        return Steps(strategy, cold, by_clock(question, cold), branch_step, _sure(step, branch))
    known = cold.prompt_tokens or 0
    behind, beside = (
        by_count(each, known, block) or Reread("unclear") for each in (question, branch)
    )
    step = by_count(turn, branch.prompt_tokens or known, block) if turn else None
    return Steps(strategy, cold, behind, beside, _sure(step, branch))


def _sure(step: Reread | None, before: Sounding) -> Reread | None:
    """Behind an answer that was not the model's own, only what is reused shows something."""
    shows_nothing = step is not None and step.how == "reread" and is_cut(before)
    return None if shows_nothing else step


def _failed(strategy: Strategy, cold: Sounding, error: str) -> Steps:
    return Steps(strategy, cold, Reread("unclear"), Reread("unclear"), error=error)


async def _turn(
    subject: Subject, talk: Talk, answer: Sounding, strategy: Strategy
) -> Sounding | None:
    """A call and its result behind the answer; None = no time, or it was refused."""
    if subject.seconds_left < turn_seconds(subject):
        return None
    if is_cut(answer):  # no template prints that as it was generated
        answer = Sounding(text="I look there.")
    seen = await _sent(subject, talk.worked_on(answer), strategy)
    return None if seen.error else seen


def turn_seconds(subject: Subject) -> float:
    """That the step within a turn takes where it is read whole."""
    return subject.rates.seconds(tokens(subject), answer_tokens(subject))


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
