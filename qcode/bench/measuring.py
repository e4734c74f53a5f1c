"""Measures a curve: short prompts first, each request new to the server, round after round.

Rounds rather than repeats on the spot: what drifts, such as heat, meets every length alike, and
whoever stops half-way has all lengths.
"""

import asyncio
import time
from collections.abc import Callable, Sequence

import msgspec

from qcode.bench.curve import LeftOut, Point
from qcode.protocol.errors import BadAnswer
from qcode.server.base import Request, Server, ServerFacts
from qcode.server.sounding import Sounding, filler, sound

SIZES = (512, 2048, 8192, 16384, 32768, 65536, 131072, 262144)
_WARM_UP_TOKENS = 256
_MARGIN_TOKENS = 96
"""What a template puts around a prompt, and the salt."""
BYTES_A_TOKEN = 3.0
"""What `filler` counts with."""
_FEWEST_WRITTEN = 8
"""An answer of fewer tokens has no rate."""
_LOADING_SECONDS = 600.0
"""Beside the time for all: a model may load for so long. A server that hangs ends there."""
_ENDLESS = frozenset({"llamacpp", "llamacpp-router", "vllm", "sglang"})
"""Kinds that take `ignore_eos`, so that each answer is as long as it is asked to be (llama.cpp
b11549: tools/server/README.md; vLLM 0.33 and SGLang 0.5: their sampling parameters)."""
_TASK = "Go on in the same manner with twenty more such functions. Write code alone."


class Wish(msgspec.Struct, frozen=True):
    """What to measure."""

    sizes: tuple[int, ...] = SIZES
    """Tokens of prompt."""
    repeat: int = 3
    seconds: float = 180.0
    """For all of it; what does not fit in is left out."""
    generate_tokens: int = 64


class Book(msgspec.Struct):
    """What is known so far. Whoever is interrupted has it still."""

    found: dict[int, list[Sounding]] = msgspec.field(default_factory=dict)
    """By the tokens that were aimed at."""
    left_out: dict[int, str] = msgspec.field(default_factory=dict)

    def points(self) -> tuple[Point, ...]:
        """By length; lengths without an answer are none."""
        return tuple(_point(size, found) for size, found in sorted(self.found.items()) if found)

    def interrupted(self, sizes: Sequence[int]) -> None:
        """Name what was not come to."""
        rest = [it for it in sizes if it not in self.found and it not in self.left_out]
        self.left_out |= dict.fromkeys(rest, "interrupted before it")

    def gaps(self) -> tuple[LeftOut, ...]:
        """What was not measured, and why."""
        return tuple(LeftOut(size, why) for size, why in sorted(self.left_out.items()))


Tell = Callable[[str], None]


class Measuring:
    """One run over a server; `book` grows while it goes on."""

    def __init__(self, server: Server, facts: ServerFacts, salt: str, tell: Tell) -> None:
        """`salt`: new for each run."""
        self.book = Book()
        self._server = server
        self._facts = facts
        self._salt = salt
        self._tell = tell
        self._bytes_a_token = BYTES_A_TOKEN
        """Of our prompts, as this server counts."""
        self._began = time.monotonic()

    async def run(self, wish: Wish) -> None:
        """Measure all that fits. Raises BadAnswer where not even the first request is answered."""
        await self._warm_up(wish)
        if self._facts.loaded is False:  # that it was loaded takes nothing of the time
            self._began = time.monotonic()
        for number in range(wish.repeat):
            for size in self._fitting(wish) if number == 0 else tuple(self.book.found):
                if why := self._too_long(size, wish):
                    if number == 0:
                        self.book.left_out[size] = why
                    continue
                if error := await self._one(size, number, wish):
                    self._failed(size, error, wish)
                    break

    async def _warm_up(self, wish: Wish) -> None:
        """Loads the model, and tells how many tokens the filler has here. Not counted."""
        self._tell("one request to warm up")
        found = await self._ask(_WARM_UP_TOKENS, "warm", wish)
        if found.error:
            raise BadAnswer(found.error)

    def _fitting(self, wish: Wish) -> Sequence[int]:
        """By length, those that the loaded context holds."""
        context = self._facts.context_tokens
        fitting = []
        for size in sorted(set(wish.sizes)):
            if context and size + wish.generate_tokens + _MARGIN_TOKENS > context:
                self.book.left_out[size] = f"the loaded context is {context:,} tokens"
            else:
                fitting.append(size)
        return fitting

    def _too_long(self, size: int, wish: Wish) -> str:
        """Why it is left out, a clause; empty = there is time for it."""
        left = self._left(wish)
        if left <= 0:
            return "no time was left"
        if not self.book.found:
            return ""
        needed = expected_seconds(self.book.points(), size, wish.generate_tokens)
        if needed <= left:
            return ""
        return f"it takes about {needed:,.0f} s, and {max(left, 0):,.0f} s were left"

    def _left(self, wish: Wish) -> float:
        return wish.seconds - (time.monotonic() - self._began)

    async def _one(self, size: int, number: int, wish: Wish) -> str:
        """Measure and note it; a sentence where it failed."""
        found = await self._ask(size, f"{size}-{number}", wish)
        if found.error:
            return found.error
        self.book.found.setdefault(size, []).append(found)
        self._tell(_progress(size, number, wish, found))
        return ""

    def _failed(self, size: int, error: str, wish: Wish) -> None:
        """What is longer fails, too, as a rule, and may take long to do so."""
        self._tell(f"{size:,} tokens failed: {error}")
        if size not in self.book.found:
            self.book.left_out[size] = error
            longer = [it for it in wish.sizes if it > size and it not in self.book.left_out]
            self.book.left_out |= dict.fromkeys(longer, f"{size:,} tokens failed")

    async def _ask(self, tokens: int, name: str, wish: Wish) -> Sounding:
        """About so many tokens: nearer with each answer."""
        text = self._text(tokens, f"{self._salt}-{name}")
        endless = self._facts.kind in _ENDLESS
        request = Request(
            model=self._facts.model,
            messages=[{"role": "user", "content": text}],
            tools=(),
            max_tokens=wish.generate_tokens,
            extra={"ignore_eos": True} if endless else {},
        )
        try:
            async with asyncio.timeout(self._most_seconds(wish)):
                found = await sound(self._server, request)
        except TimeoutError:
            return Sounding(error=f"The answer did not end within {wish.seconds:,.0f} s in all.")
        if found.prompt_tokens:
            self._bytes_a_token = len(text) / found.prompt_tokens
        return found

    def _most_seconds(self, wish: Wish) -> float:
        loading = self._facts.loaded is False and not self.book.found
        return max(self._left(wish), 1.0) + (_LOADING_SECONDS if loading else 0.0)

    def _text(self, tokens: int, salt: str) -> str:
        """A prompt of its own from the first sign on."""
        head, end = f"# {salt}\n\n", f"\n\n{_TASK}"
        size = tokens * self._bytes_a_token - len(head) - len(end)
        return head + filler(max(round(size / BYTES_A_TOKEN), 1), salt) + end


def expected_seconds(points: Sequence[Point], size: int, generated: int) -> float:
    """How long a request of `size` takes: the seconds a token read go on as they went."""
    read = [
        (sum(it.prompt_tokens) / len(it.prompt_tokens), len(it.reading) / sum(it.reading))
        for it in points
        if it.prompt_tokens and it.reading
    ]
    wrote = [len(it.writing) / sum(it.writing) for it in points if it.writing]
    writing = generated * (wrote[-1] if wrote else 0.1)
    if not read:
        return writing
    (tokens, each) = read[-1]
    if len(read) > 1 and size > tokens > read[-2][0]:
        slope = max(0.0, (each - read[-2][1]) / (tokens - read[-2][0]))
        each += slope * (size - tokens)
    return size * each + writing


def _point(size: int, found: Sequence[Sounding]) -> Point:
    return Point(
        asked_tokens=size,
        prompt_tokens=tuple(it.prompt_tokens for it in found if it.prompt_tokens),
        cached_tokens=max(it.cached_tokens or 0 for it in found),
        reading=tuple(it.prompt_per_second for it in found if it.prompt_per_second),
        writing=tuple(filter(None, map(_written, found))),
        first_seconds=tuple(it.first_seconds for it in found if it.first_seconds is not None),
    )


def _written(found: Sounding) -> float | None:
    enough = (found.generated_tokens or 0) >= _FEWEST_WRITTEN
    return found.generated_per_second if enough else None


def _progress(size: int, number: int, wish: Wish, found: Sounding) -> str:
    rates = [
        f"{word} {rate:,.1f}/s"
        for word, rate in (("read", found.prompt_per_second), ("wrote", _written(found)))
        if rate
    ]
    told = ", ".join(rates) or "no rates told"
    return f"{size:,} tokens, {number + 1} of {wish.repeat}: {told} ({found.seconds:.1f} s)"
