"""Quality, asked only by `--deep`: is a fact found in a long text, is code repeated as it stands?

One size, one probe: what two set-ups both had time for can be compared line by line.
"""

import difflib
import random
import re
from collections.abc import Mapping, Sequence

from qcode.doctor.base import Finding, Measure, Result, Subject, Weight
from qcode.doctor.contested import MEASURE
from qcode.doctor.probes.asking import question
from qcode.server.sounding import Sounding, filler

_DOORS: Mapping[str, float] = {"red": 0.1, "green": 0.5, "blue": 0.9}
"""Where in the text the code of each door stands."""
_NEEDLE_TOKENS = 64
_EDIT_TOKENS = 600
_LEAST_ALIKE = 0.3
"""Less, and the model did something else."""
_SMALL_TOKENS = 4_000
"""A fact that is lost in so little is lost by a fault, not by the length."""
_FENCE = re.compile(r"^```\w*\n(.*?)^```", re.DOTALL | re.MULTILINE)


class Needle:
    """Three facts in a long text, asked back at its end."""

    def __init__(self, tokens: int) -> None:
        self.name = f"needle {tokens // 1000}k"
        self.label = f"three facts in {tokens:,} tokens, asked back"
        self._tokens = tokens

    def absent(self, subject: Subject) -> str:
        """Where it does not fit."""
        return _too_long(subject, self._tokens + _NEEDLE_TOKENS)

    def estimate(self, subject: Subject) -> float:
        """One long prompt, a short answer."""
        return subject.rates.seconds(self._tokens, _NEEDLE_TOKENS)

    async def run(self, subject: Subject) -> Result:
        """One request."""
        codes = _codes(subject.salt + self.name)
        words = (
            f"{hidden(self._tokens, subject.salt, codes)}\n\nSomewhere above stand the codes of "
            "the red, the green and the blue door. Answer with these three numbers alone, in this "
            "order."
        )
        heard = await subject.ask(question(subject, words, _NEEDLE_TOKENS))
        return self.judged(heard, codes)

    def judged(self, heard: Sounding, codes: Mapping[str, str]) -> Result:
        """What an answer shows."""
        if heard.error or not re.search(r"\d", heard.text):
            return _unclear(self.name, heard)
        found = {door: code in heard.text for door, code in codes.items()}
        seen: dict[str, Measure] = {
            f"at_{_DOORS[door]:.0%}_found": is_there for door, is_there in found.items()
        }
        lost = [f"{_DOORS[door]:.0%}" for door, is_there in found.items() if not is_there]
        if not lost:
            said = f"all three found in {heard.prompt_tokens or self._tokens:,} tokens"
            return Result(probe=self.name, verdict="works", said=said, measured=seen)
        said = f"not found at {', '.join(lost)} of {heard.prompt_tokens or self._tokens:,} tokens"
        return _failed(self.name, said, seen, self._weight())

    def _weight(self) -> Weight:
        return "broken" if self._tokens <= _SMALL_TOKENS else "note"


class Edit:
    """A passage of code, to be repeated with one change; behind so many tokens of other code."""

    def __init__(self, behind_tokens: int) -> None:
        self.name = f"edit {behind_tokens // 1000}k" if behind_tokens else "edit"
        where = f" behind {behind_tokens:,} tokens" if behind_tokens else ""
        self.label = f"{_EDIT_TOKENS} tokens of code repeated with one change{where}"
        self._behind = behind_tokens

    def absent(self, subject: Subject) -> str:
        """Where it does not fit."""
        return _too_long(subject, self._behind + 3 * _EDIT_TOKENS)

    def estimate(self, subject: Subject) -> float:
        """The passage is read once and written once."""
        return subject.rates.seconds(self._behind + _EDIT_TOKENS, _EDIT_TOKENS)

    async def run(self, subject: Subject) -> Result:
        """One request."""
        passage = filler(_EDIT_TOKENS, f"{subject.salt} passage")
        name, wanted = changed(passage, subject.salt)
        before = filler(self._behind, f"{subject.salt} before") if self._behind else ""
        words = (
            f"{before}\n\nRepeat the following code exactly as it stands, with one change: the "
            f"function {name} returns value - 1. Answer with the code alone.\n\n"
            f"```python\n{passage}\n```"
        )
        return self.judged(await subject.ask(question(subject, words, 2 * _EDIT_TOKENS)), wanted)

    def judged(self, heard: Sounding, wanted: str) -> Result:
        """What an answer shows."""
        lines, came = _lines(wanted), _lines(_unfenced(heard.text))
        alike = difflib.SequenceMatcher(None, lines, came, autojunk=False)
        if heard.error or heard.finish == "length" or alike.ratio() < _LEAST_ALIKE:
            return _unclear(self.name, heard)
        kept = sum(block.size for block in alike.get_matching_blocks())
        wrong = max(len(lines), len(came)) - kept
        seen: dict[str, Measure] = {"lines": len(lines), "wrong_lines": wrong}
        if not wrong:
            said = f"{len(lines)} lines repeated, the one change made, nothing else"
            return Result(probe=self.name, verdict="works", said=said, measured=seen)
        return _failed(self.name, f"{wrong} of {len(lines)} lines are wrong", seen, "note")


DEEP: Sequence[Needle | Edit] = (
    Needle(_SMALL_TOKENS),
    Edit(0),
    Needle(16_000),
    Edit(16_000),
    Needle(64_000),
)


def hidden(tokens: int, salt: str, codes: Mapping[str, str]) -> str:
    """A text of about so many tokens with a code at the depth of each door."""
    lines = filler(tokens, f"{salt} needle").split("\n")
    for door, depth in sorted(_DOORS.items(), key=lambda item: -item[1]):  # from the end on
        lines.insert(int(depth * len(lines)), f"# The code of the {door} door is {codes[door]}.")
    return "\n".join(lines)


def changed(passage: str, salt: str) -> tuple[str, str]:
    """A function of the passage, chosen by the salt, and the passage as it is wanted."""
    names = re.findall(r"^def (\w+)\(", passage, re.MULTILINE)
    once = [name for name in names if names.count(name) == 1]
    name = random.Random(salt).choice(once)
    pattern = rf"(^def {name}\(value\):\n    return value) \+ \d+"
    return name, re.sub(pattern, r"\1 - 1", passage, count=1, flags=re.MULTILINE)


def _codes(salt: str) -> dict[str, str]:
    chance = random.Random(salt)
    return dict(zip(_DOORS, map(str, chance.sample(range(10_000, 99_999), 3)), strict=True))


def _too_long(subject: Subject, tokens: int) -> str:
    context = subject.facts.context_tokens
    return f"the context has {context:,} tokens" if context and tokens * 1.2 > context else ""


def _lines(code: str) -> list[str]:
    return [line.rstrip() for line in code.splitlines() if line.strip()]


def _unfenced(text: str) -> str:
    found = _FENCE.search(text)
    return found[1] if found else text


def _unclear(name: str, heard: Sounding) -> Result:
    why = heard.error or "the model did something else"
    return Result(probe=name, verdict="unclear", said=why)


def _failed(name: str, said: str, seen: dict[str, Measure], weight: Weight) -> Result:
    finding = Finding(
        id=f"deep.{name.split()[0]}",
        weight=weight,
        title=f"The model is not exact here ({name}): {said}.",
        cost="Edits that do not fit, and facts that are read again or made up.",
        change=f"A larger quantisation, or an f16 cache. {MEASURE}",
        evidence=seen,
    )
    return Result(probe=name, verdict="fails", said=said, findings=(finding,), measured=seen)
