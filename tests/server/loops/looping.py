"""Texts that begin well and then go round, as seen in bug reports of local models."""

from collections.abc import Mapping
from dataclasses import dataclass

BEFORE = (
    "The test fails because `total` is read before it is set. I have to move the line up. "
    "Then the sum is right for the empty cart as well.\n\n"
)


@dataclass(frozen=True, slots=True)
class Looping:
    """A unit that comes again and again."""

    unit: str
    times: int
    within: int
    """The loop is seen before so many characters of it were written."""
    before: str = BEFORE
    is_code: bool = False
    """Stands in a block of code."""
    numbered: bool = False
    """`{n}` in the unit is the number of the round."""

    @property
    def text(self) -> str:
        """All of it; the loop begins at `len(before)`."""
        if not self.numbered:
            return self.before + self.unit * self.times
        return self.before + "".join(self.unit.replace("{n}", str(n)) for n in range(self.times))


_PLAN = (
    "Let me think about the plan again. First I read the configuration, then I look for the place "
    "where the cart is filled, then I write the test. The test must fail before the change and "
    "pass after it. I should also check that the empty cart works.\n\nActually, wait. I need to "
    "look at the configuration first, because the flag decides which code path is taken. If the "
    "flag is off, nothing happens at all, and the test would pass for the wrong reason.\n\n"
)
_VARIED = (
    "Attempt {n}.\nI should read the file once more to be certain.\nNo, I have read it already.\n"
    "Then I will make the edit now and run the tests.\nHmm, but is the path right?\n"
)

LOOPING: Mapping[str, Looping] = {
    "one sentence": Looping("I'll use \\boxed{460}. ", 200, 700),
    "one short line": Looping("Let me do it.\n", 200, 700),
    "two sentences": Looping("Wait, that is wrong. Let me check the path again.\n", 100, 700),
    "paragraph": Looping(_PLAN, 30, 4 * len(_PLAN) + 256),
    "varied thought": Looping(_VARIED, 60, 2_500, numbered=True),
    "exclamation marks": Looping("!", 4_000, 1_500),
    "blank lines": Looping("\n", 4_000, 1_500),
    "one word": Looping("the ", 2_000, 3_300),
    "numbers": Looping("0, ", 3_000, 3_300),
    "two signs": Looping("?!", 3_000, 3_300),
    "chinese sentence": Looping("让我再检查一下这个文件的路径。", 200, 700),
    "chinese signs": Looping("好的", 1_000, 700),
    "bullets": Looping("*   Check the configuration of the cart.\n    *   Is it set?\n", 60, 700),
    "with a fenced block": Looping(
        "I write the test.\n\n```python\nassert total([]) == 0\n```\n\nBut wait, is it right?\n",
        40,
        900,
    ),
    "comment in code": Looping(
        "    # TODO: handle the case where the cart is empty\n",
        200,
        3_300,
        "```python\n",
        is_code=True,
    ),
    "import in code": Looping(
        "from app.cart import total\nimport json as json\n", 200, 3_300, "```python\n", is_code=True
    ),
    "marks in code": Looping("!", 12_000, 8_300, "```\n", is_code=True),
}
