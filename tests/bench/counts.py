"""Tokens, counted by rendering what the server was sent, as an engine would.

These are the figures that do not depend on the machine: `tests/house/test_figures.py` asserts them.
"""

from collections.abc import Sequence
from itertools import takewhile

from qcode.engine.prompt import system_text
from qcode.server.shape import wire_tools
from qcode.server.tokens import count
from qcode.tools.builtin import BUILTIN
from qcode.tools.schema import spec
from tests.support.proxy import as_generated
from tests.support.render import render_request
from tests.support.script import Body, Received, Reply

_FIRST_USER = "<|im_start|>user\n"


def system_tokens(first: Body) -> int:
    """Of the block ahead of the first user message: instructions and tools."""
    head, mark, _ = render_request(first).partition(_FIRST_USER)
    assert mark, "the template writes no user message where one is looked for"
    return count(head)


def with_all_tools() -> Body:
    """A request of a run in which somebody can be asked: `-p` leaves that tool out."""
    messages = [{"role": "system", "content": system_text("")}, {"role": "user", "content": "Go."}]
    return {"messages": messages, "tools": wire_tools([spec(tool) for tool in BUILTIN])}


def prompt_tokens(request: Received) -> int:
    """Of the whole request, rendered."""
    return count(render_request(request.body))


def reread(requests: Sequence[Received], replies: Sequence[Reply]) -> list[int]:
    """For each request after the first: tokens that the engine had and must read again.

    It had the request before and its own answer to it. What the next one does not begin with has
    changed its place or its words, and no cache of a prefix can hold it.
    """
    prompts = [render_request(request.body) for request in requests]
    answered = zip(prompts, replies, strict=True)
    held = [prompt + as_generated(reply, prompt) for prompt, reply in answered]
    return [_lost(before, after) for before, after in zip(held, prompts[1:], strict=False)]


def _lost(held: str, prompt: str) -> int:
    if prompt.startswith(held):
        return 0
    same = takewhile(lambda pair: pair[0] == pair[1], zip(held, prompt, strict=False))
    return count(held[sum(1 for _ in same) :])
