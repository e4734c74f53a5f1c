"""A proxy before a real engine that decides what the model says, and counts what is read again.

It hands out scripted answers, but the engine has generated each of them: the slot's state is what
it would be had the model come up with the words itself. Per chat request it

1. lets the engine render the request (`/apply-template`) and count its tokens;
2. sends the request itself to the engine with no token to generate: this is the reading whose
   `cache_n` is noted, and it makes the checkpoints that llama.cpp makes for a chat (before the last
   user message, and 4 and `n_ubatch` + 4 tokens before the end);
3. has the engine *generate* the answer: a raw completion of the same tokens under a grammar that
   leaves one token at each step, then only the end of the turn;
4. streams the answer to the client, with the engine's counts.

Why not read prompt and answer in once more, which is simpler: reading makes checkpoints, generating
makes none. A hybrid model can go back only to a checkpoint, so those in the middle of an answer
would hide what a real conversation re-reads. Step 3 adds no checkpoint: of the prompt it reads the
last 4 tokens, from the checkpoint of step 2, and replaces that by an equal one (seen in the log of
b11549).

Answers must be ASCII: the tiny model has one token a byte, and a grammar cannot take half a
character. All other paths go through to the engine.
"""

import asyncio
import itertools
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from tests.support.http1 import Json
from tests.support.plain_http import HttpError, get, post, tokenize
from tests.support.script import Answer, Body, Call, Received, Reply, Usage
from tests.support.scripted_server import CHAT, Otherwise, ScriptedServer


@dataclass(frozen=True, slots=True)
class Step:
    """One request as the engine saw it."""

    prompt: str
    """Rendered by the engine's own template."""
    tokens: tuple[int, ...]
    answer: tuple[int, ...]
    """Tokens of the answer as generated, without the end of the turn."""
    cached: int
    """`cache_n` of reading the request."""
    common: int
    """Length of the longest common prefix with the step before and its answer; 0 for the first."""
    new: int
    """Tokens of what came after the step before: the end of its answer's turn, the messages since,
    the generation prompt. For the first step, all."""
    user_messages: int
    """How many the request has: it grows where a turn begins."""

    @property
    def reread(self) -> int:
        """Tokens that are the same again and that the engine read again all the same."""
        return max(0, self.common - self.cached)

    @property
    def read_again(self) -> int:
        """Tokens of old messages that the engine read again, whether they are the same or not.

        Never less than `reread`. A history that leaves its own path shows here even where the
        engine has a checkpoint just before the fork.
        """
        return max(0, len(self.tokens) - self.cached - self.new)


class RecordingProxy(ScriptedServer):
    """A scripted server whose answers a real engine has generated. For one client at a time."""

    def __init__(self, engine: str, *replies: Answer, otherwise: Otherwise | None = None) -> None:
        """`engine` is its origin, without `/v1`."""
        super().__init__(*replies, otherwise=otherwise)
        self.engine = engine
        self.steps: list[Step] = []

    def by_turn(self, count: Callable[[Step], int]) -> list[int]:
        """`count` summed over the requests of each turn."""
        sums: dict[int, int] = {}
        for step in self.steps:
            sums[step.user_messages] = sums.get(step.user_messages, 0) + count(step)
        return [sums[turn] for turn in sorted(sums)]

    async def prepare(self, reply: Reply, body: Body) -> Reply:
        """Have the engine say `reply`; errors and raw bytes pass as they are."""
        if reply.status != 200 or reply.raw is not None:
            return reply
        step = await asyncio.to_thread(self._measure, reply, body)
        self.steps.append(step)
        usage = Usage(len(step.tokens), len(step.answer), step.cached)
        return replace(reply, usage=usage, timings=_timings(step))

    async def other(self, request: Received) -> tuple[int, Json]:
        """Through to the engine."""
        try:
            return 200, await asyncio.to_thread(self._pass_on, request)
        except HttpError as error:
            return error.status, error.text

    def _pass_on(self, request: Received) -> Json:
        if request.method == "GET":
            answer: Json = get(self.engine, request.path)
        else:
            answer = post(self.engine, request.path, request.body)
        return answer

    def _measure(self, reply: Reply, body: Body) -> Step:
        prompt: str = post(self.engine, "/apply-template", body)["prompt"]
        tokens = tokenize(self.engine, prompt)
        read = {**body, "stream": False, "max_tokens": 0}
        read.pop("stream_options", None)
        cached = post(self.engine, CHAT, read)["timings"]["cache_n"]
        answer = tokenize(self.engine, as_generated(reply, prompt))
        self._generate(tokens, answer)
        before = self.steps[-1] if self.steps else None
        return Step(
            prompt=prompt,
            tokens=tuple(tokens),
            answer=tuple(answer),
            cached=cached,
            common=_common(before.tokens + before.answer, tokens) if before else 0,
            new=len(tokenize(self.engine, _since_last_answer(prompt))) if before else len(tokens),
            user_messages=sum(message["role"] == "user" for message in body["messages"]),
        )

    def _generate(self, prompt: list[int], answer: list[int]) -> None:
        grammar = "root ::= " + (" ".join(f"<[{token}]>" for token in answer) or '""')
        body = {"prompt": prompt, "grammar": grammar, "cache_prompt": True, "return_tokens": True}
        said = post(self.engine, "/completion", body)
        if said["tokens"][:-1] != answer or said["stop_type"] != "eos":
            raise RuntimeError(
                f"the engine did not say the scripted answer but {said['content']!r}"
            )


def as_generated(reply: Reply, prompt: str) -> str:
    """What the model writes to give `reply` after `prompt`, up to the end of the turn.

    Where the prompt ends inside the reasoning, the answer begins there.
    """
    thinking = prompt.endswith("<think>\n")
    if reply.reasoning and not thinking:
        raise ValueError("the prompt has thinking switched off, the scripted answer has reasoning")
    words = f"{reply.reasoning}\n</think>\n\n" if thinking else ""
    text = words + reply.text + ("\n\n" if reply.text and reply.calls else "")
    text += "\n".join(_call_text(call) for call in reply.calls)
    if not text.isascii():
        raise ValueError("a grammar of the tiny model takes ASCII answers only")
    return text


def _call_text(call: Call) -> str:
    arguments: dict[str, object] = json.loads(call.text)
    lines = [f"<tool_call>\n<function={call.name}>\n"]
    for name, value in arguments.items():
        written = value if isinstance(value, str) else json.dumps(value)
        lines.append(f"<parameter={name}>\n{written}\n</parameter>\n")
    return "".join(lines) + "</function>\n</tool_call>"


def _since_last_answer(prompt: str) -> str:
    """What a rendered request has from the end of its last answer on."""
    opening, closing = "<|im_start|>assistant\n", "<|im_end|>"
    generation = prompt.rindex(opening)
    last = prompt.rfind(opening, 0, generation)
    return prompt[prompt.index(closing, last) :] if last >= 0 else prompt


def _common(left: Sequence[int], right: Sequence[int]) -> int:
    """Length of the longest common prefix."""
    pairs = zip(left, right, strict=False)
    return sum(1 for _ in itertools.takewhile(lambda pair: pair[0] == pair[1], pairs))


def _timings(step: Step) -> dict[str, float]:
    new = len(step.tokens) - step.cached
    return {"cache_n": step.cached, "prompt_n": new, "predicted_n": len(step.answer)}
