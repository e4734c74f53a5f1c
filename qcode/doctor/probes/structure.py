"""Structured output: does an answer keep to a schema that the question says nothing of."""

from typing import Any

import msgspec
from msgspec.structs import replace

from qcode.doctor.base import Finding, Result, Subject
from qcode.doctor.probes import changes
from qcode.doctor.probes.asking import (
    cost,
    excerpt,
    fails,
    has,
    question,
    settled,
    word,
    works,
)
from qcode.server.base import Request
from qcode.server.quirks import QUIRKS
from qcode.server.sounding import Sounding

_WITHOUT = {
    "mlx_lm": "mlx_lm.server takes no schema",
    "transformers": "transformers serve takes no schema",
}
"""`response_format` is ignored there by design (mlx-lm 0.32.2, transformers 5.23)."""
_SIDES = ("north", "south")


class SchemaProbe:
    """The model is told to say one word, the server to make it an object: only a grammar can."""

    name = "schema"
    label = "an answer by a JSON schema"

    def absent(self, subject: Subject) -> str:
        """Not where it is known to be ignored."""
        return _WITHOUT.get(subject.facts.kind, "")

    def estimate(self, subject: Subject) -> float:
        """One answer."""
        return cost(subject, 1, 40)

    async def run(self, subject: Subject) -> Result:
        """Without tools: llama.cpp parses either the schema or calls."""
        said, mark = word(subject, 10), word(subject, 11)
        asks = (
            f"Repeat this word and write nothing else: {said}",
            f"What is the word in these brackets? [{said}] Answer with that word alone.",
        )
        requests = [_asking(subject, words, mark) for words in asks]

        def judge(seen: Sounding) -> Result | str:
            return _judged(subject, seen, said, mark)

        return await settled(self.name, subject, requests, judge)


def _asking(subject: Subject, words: str, mark: str) -> Request:
    sides = {"type": "string", "enum": list(_SIDES)}
    schema = {
        "type": "object",
        "properties": {"mark": {"type": "string", "enum": [mark]}, "side": sides},
        "required": ["mark", "side"],
        "additionalProperties": False,
    }
    wished = {"name": "mark", "strict": True, "schema": schema}
    name = "format" if subject.facts.kind == "ollama-chat" else "response_format"
    told: Any = schema if name == "format" else {"type": "json_schema", "json_schema": wished}
    return replace(question(subject, words, 256), extra={name: told})


def _judged(subject: Subject, seen: Sounding, said: str, mark: str) -> Result | str:
    name = SchemaProbe.name
    if _fits(seen.text, mark) or (seen.finish == "length" and has(seen.text, '"mark"', mark)):
        return works(name, "an answer kept to its schema")
    if _fits(seen.reasoning, mark):
        return fails(name, _in_reasoning(subject))
    if has(seen.text, said) and not seen.text.lstrip().startswith(("{", "```", "[")):
        return fails(name, _ignored(subject, seen.text))
    return "the answer is neither the object nor the word"


def _fits(text: str, mark: str) -> bool:
    try:
        value = msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeEncodeError, RecursionError):
        return False
    return isinstance(value, dict) and value.get("mark") == mark and value.get("side") in _SIDES


def _ignored(subject: Subject, text: str) -> Finding:
    return Finding(
        id="schema.ignored",
        weight="note",
        title=f"{QUIRKS[subject.facts.kind].name} does not hold an answer to its schema.",
        cost="What asks this server for a schema gets prose. qcode itself asks by a tool.",
        change=changes.schema(subject.facts),
        evidence={"answer": excerpt(text)},
    )


def _in_reasoning(subject: Subject) -> Finding:
    return Finding(
        id="schema.reasoning",
        weight="note",
        title="The schema is laid on the thinking, and the answer stays empty.",
        cost="What asks this server for a schema gets an empty answer. qcode itself asks by a "
        "tool.",
        change="Turn thinking off for such requests. " + changes.switch(subject.facts),
        source="LM Studio 1773" if subject.facts.kind == "lmstudio" else "",
    )
