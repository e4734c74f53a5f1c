"""What is served, as text for a terminal or as objects for scripts."""

import time
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from qcode.headless.talk import wrapped
from qcode.protocol.text import escaped, one_line
from qcode.serve import shared
from qcode.serve.card import Card, Place

WIDTH = 80
_INDENT = " " * 4
NAMES = {"llama-server": "llama-server", "xllamacpp": "llama.cpp (xllamacpp)"}

Found = Sequence[tuple[Place, Card]]


def table(found: Found) -> str:
    """A heading and some lines a server; ends with a newline."""
    if not found:
        return "No server of yours runs. qcode serve MODEL.gguf starts one.\n"
    return "\n".join("".join(_rows(place, card)) for place, card in found)


def as_json(found: Found) -> str:
    """A list of objects."""
    return _json([report(place, card) for place, card in found])


def report(place: Place, card: Card) -> dict[str, Any]:
    """One server for scripts; its key stands in `key_file`, never here."""
    reasons = (*card.reasons, *("" for _ in card.flags[len(card.reasons) :]))
    flags = [
        {"name": name, "value": value, "why": why}
        for (name, value), why in zip(card.flags, reasons, strict=True)
    ]
    return {
        "base_url": card.base_url,
        "key_file": str(place.key_file),
        "model": card.model,
        "name": card.alias,
        "engine": card.backend,
        "build": card.build,
        "state": card.state,
        "said": card.said,
        "restarts": card.restarts,
        "users": shared.users(place),
        "pid": card.pid,
        "engine_pid": card.engine_pid,
        "since": card.since,
        "context_tokens": card.context_tokens,
        "log": str(place.log),
        "flags": flags,
    }


def ended_json(found: Found) -> str:
    """Those that were ended."""
    return _json([{"name": card.alias, "model": card.model, "pid": card.pid} for _, card in found])


def told(place: Place, card: Card) -> str:
    """What a person is told of a server that has just been started or joined."""
    rows = [f"{_title(card)}\n", *_flags(card), "\n", *_use(place, card)]
    return "".join(rows)


def told_json(place: Place, card: Card) -> str:
    """The same for scripts."""
    return _json(report(place, card))


def _rows(place: Place, card: Card) -> Iterator[str]:
    yield f"{_title(card)}\n"
    minutes = (time.time() - card.since) / 60
    many = shared.users(place)
    users = f"{many} qcode{'s' if many != 1 else ''}" if many else "nobody; it ends when idle"
    again = f"; started again {_times(card.restarts)}" if card.restarts else ""
    yield f"  state    {card.state}, for {minutes:.0f} min{again}\n"
    if card.context_tokens:
        yield f"  context  {card.context_tokens:,} tokens\n"
    yield f"  users    {users}\n"
    yield f"  file     {one_line(card.model, 400)}\n"
    yield f"  log      {place.log}\n"


def _times(number: int) -> str:
    return "once" if number == 1 else f"{number} times"


def _title(card: Card) -> str:
    build = f" b{card.build}" if card.build else ""
    name = one_line(card.alias, 200)
    return f"{name} at {card.base_url} by {NAMES.get(card.backend, card.backend)}{build}"


def _flags(card: Card) -> Iterator[str]:
    for number, (name, value) in enumerate(card.flags):
        yield f"  {one_line(f'{name} {value}'.rstrip(), 400)}\n"
        if why := card.reasons[number] if number < len(card.reasons) else "":
            yield wrapped(f"{_INDENT}{why}", WIDTH, _INDENT) + "\n"


def _use(place: Place, card: Card) -> Iterator[str]:
    yield "Use it:\n"
    yield f"  qcode --gguf {one_line(card.model, 400)}\n"
    yield "Other programs get the address above, and as their key:\n"
    yield f"  $(cat {place.key_file})\n"


def _json(value: object) -> str:
    return escaped(msgspec.json.format(msgspec.json.encode(value), indent=2).decode()) + "\n"
