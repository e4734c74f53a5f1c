"""The corpus of answers gone wrong (`corpus/*.toml`), and how one is sent and read.

Those in `corpus/heldout` were written apart from the rest, to see whether the parser reads what it
was not made for.

A case is `written` in each place of `where`, or comes in `pieces`. Its truth: `calls` (tool and
`arguments` after the engine's own mending, or `raw` as they leave the server room), the `words`
that remain where it was written, or `text` and `reasoning`; and the `flaw`.
"""

import json
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from qcode.protocol.messages import ToolCall
from qcode.server.reader import Finished, Reader, Thinking
from qcode.server.shape import wire_tools
from qcode.tools.arguments import Parsed, parse
from qcode.tools.builtin import BUILTIN
from qcode.tools.schema import spec
from tests.server.streams import call, delta, end, read

CORPUS = Path(__file__).parent / "corpus"
HELDOUT = CORPUS / "heldout"
_TICKET = {
    "title": {"type": "string"},
    "labels": {"type": "array", "items": {"type": "string"}},
    "urgent": {"type": "boolean"},
    "weight": {"type": "number"},
    "owner": {"type": ["string", "null"]},
    "extra": {"type": "object"},
}
TOOLS: list[dict[str, Any]] = [
    *wire_tools([spec(tool) for tool in BUILTIN]),
    {
        "type": "function",
        "function": {"name": "ticket", "parameters": {"type": "object", "properties": _TICKET}},
    },
]
THOUGHT = "I think first."


@dataclass(frozen=True)
class Case:
    """One answer and its truth."""

    id: str
    name: str
    """The row of the corpus: a case in another place has the same."""
    failure: str
    family: str
    pieces: tuple[tuple[str, Any], ...]
    """("content" or "reasoning", text), ("call", fields)."""
    calls: tuple[dict[str, Any], ...]
    text: str
    reasoning: str
    flaw: str
    finish: str
    thinking: Thinking

    @property
    def stream(self) -> bytes:
        """As a server sends it."""
        return stream(self.pieces, self.finish)

    def reader(self) -> Reader:
        """One that knows the tools."""
        return Reader(self.thinking, tools=TOOLS)


def stream(pieces: Sequence[tuple[str, Any]], finish: str) -> bytes:
    """The events of an answer in `pieces`."""
    return b"".join(map(_event, pieces)) + end(finish)


def _event(piece: tuple[str, Any]) -> bytes:
    match piece:
        case ("content", text):
            return delta(content=text)
        case ("reasoning", text):
            return delta(reasoning_content=text)
        case (_, fields):
            return call(0, **fields)


def cases(*paths: Path) -> list[Case]:
    """Those of the corpus, or of these files, in every place."""
    found = [
        case
        for path in paths or sorted(CORPUS.glob("*.toml"))
        for document in [tomllib.loads(path.read_text(encoding="utf-8"))]
        for row in document["case"]
        for case in _placed(row, document["failure"])
    ]
    assert len({case.id for case in found}) == len(found)
    return found


def honest(*paths: Path) -> list[str]:
    """Texts in which nothing leaked: the corpus's own, or those of these files."""
    return [
        text
        for path in paths or [CORPUS / "honest" / "texts.toml"]
        for text in tomllib.loads(path.read_text(encoding="utf-8"))["texts"]
    ]


def in_each_place(text: str) -> Iterator[tuple[str, Finished, str]]:
    """Where `text` stood, what came of it, and what is left of it there."""
    content = read(delta(content=text) + end(), Reader("on", tools=TOOLS))
    yield "content", content, content.message.text
    after = read(delta(reasoning=THOUGHT) + delta(content=text) + end(), Reader("on", tools=TOOLS))
    yield "after", after, after.message.text
    reasoning = read(delta(reasoning=text) + end(), Reader("on", tools=TOOLS))
    yield "reasoning", reasoning, reasoning.message.reasoning


def _placed(row: dict[str, Any], failure: str) -> Iterator[Case]:
    if "pieces" in row:
        pieces = tuple(next(iter(piece.items())) for piece in row["pieces"])
        yield _case(row, failure, "as-sent", pieces, row["text"], row["reasoning"])
        return
    written, words = row["written"], row["words"]
    for where in row["where"]:
        if where == "content":
            yield _case(row, failure, where, (("content", written),), words, "")
        elif where == "after":
            after = (("reasoning", THOUGHT), ("content", written))
            yield _case(row, failure, where, after, words, THOUGHT)
            marked = f"<think>\n{THOUGHT}\n</think>\n\n{written}"
            yield _case(row, failure, "after-marks", (("content", marked),), words, THOUGHT)
        else:
            yield _case(row, failure, where, (("reasoning", written),), "", words)
            marked = f"<think>\n{written}"
            yield _case(row, failure, "in-marks", (("content", marked),), "", words)


def _case(
    row: dict[str, Any],
    failure: str,
    where: str,
    pieces: tuple[tuple[str, Any], ...],
    text: str,
    reasoning: str,
) -> Case:
    return Case(
        f"{failure}-{row['id']}-{where}",
        row["id"],
        failure,
        row["family"],
        pieces,
        tuple(row["calls"]),
        text,
        reasoning,
        row.get("flaw", ""),
        row.get("finish", "stop"),
        row.get("thinking", "on"),
    )


def wrong(case: Case, finished: Finished) -> list[str]:
    """What of `finished` is not the truth, in words; empty = all is right."""
    message = finished.message
    rows = [
        ("calls", [_told(one) for one in message.calls], [_truth(one) for one in case.calls]),
        ("text", message.text.strip(), case.text.strip()),
        ("reasoning", message.reasoning.strip(), case.reasoning.strip()),
        ("flaw", finished.flaw, case.flaw),
    ]
    return [f"{what}: {came!r} is not {truth!r}" for what, came, truth in rows if came != truth]


def _told(one: ToolCall) -> tuple[str, str]:
    parsed = parse(BUILTIN, one)
    if isinstance(parsed, Parsed):
        return parsed.name, _compact(parsed.arguments)
    return one.name, _compact(one.arguments)


def _truth(truth: dict[str, Any]) -> tuple[str, str]:
    arguments = truth["raw"] if "raw" in truth else json.dumps(truth["arguments"])
    return truth["tool"], _compact(arguments)


def _compact(arguments: str) -> str:
    try:
        value = json.loads(arguments)
    except ValueError:
        return arguments
    return json.dumps(value or {}, ensure_ascii=False)
