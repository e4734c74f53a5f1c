"""An answer before it is stored: its calls parsed once, and made fit for every later request."""

from collections.abc import Iterator, Sequence
from itertools import count

import msgspec

from qcode.protocol.events import Repaired
from qcode.protocol.messages import AssistantMessage, ToolCall
from qcode.tools.arguments import Misfit, Parsed, parse
from qcode.tools.base import Tool

Rows = Sequence[tuple[ToolCall, Parsed | Misfit]]


class Prepared(msgspec.Struct, frozen=True):
    """An answer as it is stored, and its calls as they are run."""

    message: AssistantMessage
    rows: Rows
    repairs: tuple[Repaired, ...]


def prepare(message: AssistantMessage, tools: Sequence[type[Tool]]) -> Prepared:
    """Parse the calls of an answer, once.

    What is stored keeps the bytes that the model wrote, so that the prompt stays the same; only
    text that is no JSON object is replaced, for the server would refuse it on every later request.
    """
    rows: list[tuple[ToolCall, Parsed | Misfit]] = []
    repairs: list[Repaired] = []
    for call in message.calls:
        parsed = parse(tools, call)
        call_id = _unused(call.id, {row[0].id for row in rows})
        if not _is_object(call.arguments):
            call = msgspec.structs.replace(call, arguments=parsed.arguments)
        rows.append((msgspec.structs.replace(call, id=call_id), parsed))
        if isinstance(parsed, Parsed):
            repairs.extend(_repairs(call, parsed, call_id))
    stored = iter(call for call, _ in rows)
    parts = tuple(next(stored) if isinstance(p, ToolCall) else p for p in message.parts)
    return Prepared(msgspec.structs.replace(message, parts=parts), tuple(rows), tuple(repairs))


def _repairs(call: ToolCall, parsed: Parsed, call_id: str) -> Iterator[Repaired]:
    """Told one by one; that the name was another comes first."""
    renamed = call.name != parsed.name
    for at, what in enumerate(parsed.repairs):
        yield Repaired(what, call_id, "name" if renamed and at == 0 else "arguments")


def _is_object(text: str) -> bool:
    try:
        return isinstance(msgspec.json.decode(text), dict)
    except msgspec.DecodeError:
        return False


def _unused(call_id: str, taken: set[str]) -> str:
    """`call_id`, or one like it when the server left it out or used it twice."""
    free = call_id or "call"
    for number in count(2):
        if free not in taken and free:
            break
        free = f"{call_id or 'call'}-{number}"
    return free
