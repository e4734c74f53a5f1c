"""Tool calls: one, two at once, and one behind thinking. A call that leaks as text is mended by
qcode where it can be told from prose; here it is a finding, since it cannot always be.

The tools go out as `Request.extra`: so our own reader does not know them, and mends only what
stands in the tags of a format. JSON without a tag is a model's own idea of a call, and no fault."""

import re
from collections.abc import Mapping
from typing import Any

from msgspec.structs import replace

from qcode.doctor.base import Result, Subject
from qcode.doctor.probes import call_faults
from qcode.doctor.probes.asking import (
    THINKS,
    cost,
    cost_thoughtful,
    fails,
    first_shown,
    has,
    may_think,
    question,
    settled,
    thoughtful,
    word,
    works,
)
from qcode.protocol.errors import ToolsRefused
from qcode.protocol.messages import ToolCall
from qcode.server import hints
from qcode.server.base import Request
from qcode.server.chunks import is_json_object
from qcode.server.quirks import parse_version
from qcode.server.sounding import Sounding

STRUCTURED = "calls.structured"
"""A note: whether calls come as calls. Absent = not tried, or the model made none."""
TRIED = "calls.tried"

_NAME = "keep_word"
_TOOL: Mapping[str, Any] = {
    "type": "function",
    "function": {
        "name": _NAME,
        "description": "Keep one word for later.",
        "parameters": {
            "type": "object",
            "properties": {"word": {"type": "string", "description": "The word."}},
            "required": ["word"],
        },
    },
}
_MARKS = re.compile(r"<tool_call|<function\s*=|\[TOOL_CALLS\]|<\|tool_call|<\|python_tag\|>")
"""How calls begin in the formats of models; no prose has them."""
_MANY_CALLS_BUILD = (8_929,)
"""Several calls an answer are the default in this build, and not in b8672."""
_TOOL_TOKENS = 300
_CALL_TOKENS = 160


class ToolCallProbe:
    """Does a call that was asked for come as a call."""

    name = "tool call"
    label = "one tool call"

    def absent(self, subject: Subject) -> str:
        """Every server is asked."""
        return ""

    def estimate(self, subject: Subject) -> float:
        """One call."""
        return cost(subject, 1, 40) + subject.rates.seconds(_TOOL_TOKENS, 0)

    async def run(self, subject: Subject) -> Result:
        """Ask for it, plainly."""
        kept = word(subject)
        asks = (
            _asking(subject, f"Call the tool {_NAME} with the word {kept}. Write nothing else."),
            _asking(subject, f"Please keep the word {kept} for me: use your tool {_NAME}."),
        )

        def judge(seen: Sounding) -> Result | str:
            return _judged(subject, seen, kept)

        result = await settled(self.name, subject, asks, judge)
        subject.notes[TRIED] = True
        if result.verdict != "unclear":
            subject.notes[STRUCTURED] = result.verdict == "works"
        return result


def _is_of_tools(error: str) -> bool:
    hint = hints.find(error)
    return hint is not None and hint.error is ToolsRefused


def _judged(subject: Subject, seen: Sounding, kept: str) -> Result | str:
    name = ToolCallProbe.name
    if _is_of_tools(seen.error):
        return fails(name, call_faults.refused(subject.facts, seen.error))
    if leaked := _leak(seen, kept):
        return fails(name, call_faults.leaked(subject.facts, leaked))
    meant = [call for call in seen.calls if has(call.arguments, kept)]
    if not meant:
        return "the model made no call of the tool that it was told to call"
    if broken := next((call for call in meant if not is_json_object(call.arguments)), None):
        return fails(name, call_faults.broken(subject.facts, broken))
    return works(name, f"a call came as a call, in {seen.seconds:.1f} s")


def _leak(seen: Sounding, kept: str) -> str:
    """The call as it stands in the text; empty = none does."""
    if "leaked_call" in seen.repairs:
        return next((call.arguments for call in seen.calls if has(call.arguments, kept)), "")
    if not seen.calls and _MARKS.search(seen.text) and has(seen.text, kept, _NAME):
        return seen.text
    return _left_in(seen.reasoning, kept) if not seen.calls else ""


def _left_in(reasoning: str, *kept: str) -> str:
    """The call with which the reasoning ends; one in its midst is only thought of."""
    found = _MARKS.search(reasoning)
    call = reasoning[found.start() :] if found else ""
    is_last = call.rstrip().endswith(("</tool_call>", "</function>", "]", "|>"))
    return call if is_last and has(call, _NAME) and any(has(call, each) for each in kept) else ""


class ParallelCallsProbe:
    """Do two calls of one answer come as two."""

    name = "parallel calls"
    label = "two tool calls at once"

    def absent(self, subject: Subject) -> str:
        """Only where single calls come."""
        return _no_calls(subject)

    def estimate(self, subject: Subject) -> float:
        """Two calls."""
        return cost(subject, 1, 80) + subject.rates.seconds(_TOOL_TOKENS, 0)

    async def run(self, subject: Subject) -> Result:
        """Ask for two; where one came, once more with the server told that several may come."""
        first, second = word(subject, 1), word(subject, 2)
        asks = (
            f"Call the tool {_NAME} twice in this one answer: once with the word {first}, once "
            f"with the word {second}. Do not wait in between, and write nothing else.",
            f"Keep both words, {first} and {second}, each with a call of {_NAME} of its own. Make "
            "both calls now, one behind the other.",
        )
        plain = [_asking(subject, words) for words in asks]

        def judge(seen: Sounding) -> Result | str:
            return _both(subject, seen, first, second)

        result = await settled(self.name, subject, plain, judge)
        if result.verdict != "unclear" or not _once_was_one(subject):
            return result
        seen = await subject.ask(
            replace(plain[0], extra={**plain[0].extra, "parallel_tool_calls": True})
        )
        if len(_holding(seen, first)) == len(_holding(seen, second)) == 1 and len(seen.calls) > 1:
            return fails(self.name, call_faults.one_only(subject.facts))
        return result


def _both(subject: Subject, seen: Sounding, first: str, second: str) -> Result | str:
    name = ParallelCallsProbe.name
    if "leaked_call" in seen.repairs:
        return "the calls came as text this time"
    joined = [call for call in _holding(seen, first) if has(call.arguments, second)]
    if joined and len(seen.calls) == 1 and not is_json_object(joined[0].arguments):
        return fails(name, call_faults.joined(subject.facts, joined[0]))
    one, other = _holding(seen, first), _holding(seen, second)
    if one and other and one[0] is not other[0]:
        if all(is_json_object(call.arguments) for call in (one[0], other[0])):
            return works(name, "two calls of one answer came as two")
        return "the arguments of a call were no JSON"
    return "the model did not make two calls at once"


def _holding(seen: Sounding, kept: str) -> list[ToolCall]:
    return [call for call in seen.calls if has(call.arguments, kept)]


def _once_was_one(subject: Subject) -> bool:
    """Whether this build allows one call unless told otherwise: llama.cpp before b8929."""
    build = parse_version(subject.facts.version)
    return subject.facts.kind == "llamacpp" and any(build) and build < _MANY_CALLS_BUILD


class CallAfterThinkingProbe:
    """Does a call come as a call when the model has thought before it."""

    name = "call after thinking"
    label = "a tool call behind thinking"

    def absent(self, subject: Subject) -> str:
        """Only where single calls come, and the model thinks."""
        if not may_think(subject):
            return "the model does not think"
        return _no_calls(subject)

    def estimate(self, subject: Subject) -> float:
        """A thought and a call."""
        return cost_thoughtful(subject, 1) + subject.rates.seconds(_TOOL_TOKENS, 40)

    async def run(self, subject: Subject) -> Result:
        """Ask for a little thought and a call."""
        short, long = word(subject, 3), f"{word(subject, 4)}zu"
        asks = (
            f"Which is the longer word, {short} or {long}? Think about it, then call {_NAME} "
            "with the longer word. Do not answer in text.",
            f"Count the letters of {short} and of {long}, then call the tool {_NAME} with the "
            "word that has more.",
        )
        requests = [_with_tool(thoughtful(subject, words, _CALL_TOKENS)) for words in asks]

        def judge(seen: Sounding) -> Result | str:
            return _behind(subject, seen, (short, long))

        return await first_shown(self.name, subject, requests, judge)


def _behind(subject: Subject, seen: Sounding, words: tuple[str, str]) -> Result | str:
    name = CallAfterThinkingProbe.name
    if seen.reasoning:
        subject.notes[THINKS] = True
    meant = [call for call in seen.calls if any(has(call.arguments, each) for each in words)]
    if seen.reasoning and meant and "leaked_call" in seen.repairs:
        return fails(name, call_faults.in_thinking(subject.facts, meant[0].arguments))
    if not seen.calls and (left := _left_in(seen.reasoning, *words)):
        return fails(name, call_faults.in_thinking(subject.facts, left))
    if not meant:
        return "the model thought, and made no call"
    if not seen.reasoning:
        return "the model made the call without thinking"
    return works(name, "a call behind thinking came as a call")


def _asking(subject: Subject, words: str) -> Request:
    return _with_tool(question(subject, words, _CALL_TOKENS))


def _with_tool(request: Request) -> Request:
    return replace(request, extra={"tools": [_TOOL]})


def _no_calls(subject: Subject) -> str:
    if subject.notes.get(STRUCTURED) is False:
        return "single calls do not come as calls"
    if subject.notes.get(TRIED) and STRUCTURED not in subject.notes:
        return "the model made no single call"
    return ""
