"""A call that waits for a person -> the lines of the strip above the prompt. Pure."""

import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Literal

import msgspec
from msgspec.structs import replace

from qcode.protocol.access import Access, Place
from qcode.protocol.cells import cells
from qcode.protocol.events import ApprovalRequested
from qcode.tui.chat.matter import (
    FIRST_CHARACTERS,
    INSET,
    address,
    beginning,
    behind,
    diffs,
    wanted_by,
    whole,
)
from qcode.tui.chat.offers import offer, rows
from qcode.tui.chat.waiting import is_network
from qcode.tui.drawing.visible import safe, visible
from qcode.tui.drawing.wrap import clip, wrap
from qcode.tui.lines import Line, Span, line

_WORDS = {"read": "reads", "edit": "changes", "network": "network"}

Step = Literal["", "session", "project", "batch", "outside"]
"""What is offered to be done with Enter."""


class Shown(msgspec.Struct, frozen=True):
    """How the strip looks at this moment."""

    width: int
    rows: int = 14
    """At most so many lines, the keys among them."""
    at: int = 1
    """Which of those that wait, from 1 …"""
    of: int = 1
    """… of so many."""
    whole: bool = False
    """The command is shown to its end."""
    step: Step = ""
    fits: bool = False
    """All of it is seen, and nothing would be shown by asking for it."""


def approval_lines(
    asked: ApprovalRequested, shown: Shown, others: Sequence[ApprovalRequested] = ()
) -> tuple[Line, ...]:
    """Headline, what would happen, what it touches, the keys. `others` wait, too."""
    if shown.step == "batch":
        shown = replace(shown, whole=True)
    elif not shown.whole:
        shown = replace(shown, fits=is_whole(asked, replace(shown, of=1)))
    foot = _foot(asked, shown, others)
    room = max(shown.rows - 1 - len(foot), 1)
    body, beyond = _body(asked, shown)
    if not shown.whole and (beyond or len(body) > room):
        lines = len(body) - room + 1
        left = f"over {beyond:,} more characters" if beyond else f"{lines} more lines"
        more = line(INSET, Span(f"… {left}: v shows all", "dim"))
        body = (*body[: room - 1], more)
    return (_headline(asked, shown), *body, *foot)


def is_whole(asked: ApprovalRequested, shown: Shown) -> bool:
    """Whether all that `b` would allow can be read as it is shown."""
    if shown.of > 1:
        return False
    if shown.whole:
        return True
    room = shown.rows - 1 - len(_foot(asked, shown, ()))
    behind = _in_a_row(asked)
    fits = cells(behind) <= shown.width - 4 and not any("\n" in one for one in asked.behind)
    body, beyond = _body(asked, shown)
    return fits and not beyond and len(body) <= room


def _foot(
    asked: ApprovalRequested, shown: Shown, others: Sequence[ApprovalRequested]
) -> list[Line]:
    found = [*_touches(asked, shown.width), *_behind(asked, shown)]
    if shown.step == "batch":
        for one in others:
            found += [_headline(one, replace(shown, of=1)), *whole(one, shown.width)]
            found += [*_touches(one, shown.width), *_behind(one, shown)]
    return [*found, *rows(_offers(asked, shown), shown.width)]


def _headline(asked: ApprovalRequested, shown: Shown) -> Line:
    what = "wants to change" if diffs(asked) else "wants to run"
    spans = [Span(f" {asked.call.name} ", "strong"), Span(what)]
    if is_network(asked):
        host = Span(visible(address(asked)), "accent")
        spans = [Span(" a command ", "strong"), Span("wants to reach "), host]
    for block in diffs(asked):
        counts = f"  +{block.added} −{block.removed}"
        spans += [Span(f" {visible(block.path)}", "accent"), Span(counts, "dim")]
    if asked.folder and not diffs(asked):
        spans.append(Span(f", in {safe(_short(asked.folder))}"))
    right = f"{shown.at} of {shown.of} " if shown.of > 1 else ""
    kept = clip(spans, shown.width - cells(right) - 1)
    gap = shown.width - sum(cells(span.text) for span in kept) - cells(right)
    return line(*kept, Span(" " * max(gap, 0)), Span(right, "dim"))


def _short(folder: str) -> str:
    home = os.path.expanduser("~")  # noqa: PTH111 - Path.home raises where there is none
    path = Path(folder)
    return f"~/{path.relative_to(home)}" if home != "~" and path.is_relative_to(home) else folder


def _body(asked: ApprovalRequested, shown: Shown) -> tuple[tuple[Line, ...], int]:
    """Its lines, and how many characters beyond them were not looked at."""
    if is_network(asked):
        return (), 0  # the headline says it all
    if shown.whole:
        return whole(asked, shown.width), 0
    if shown.of == 1 and diffs(asked):
        return (), 0  # its card, right above, shows them
    return beginning(asked, shown.width)


def _touches(asked: ApprovalRequested, width: int) -> Iterator[Line]:
    shown = {block.path for block in diffs(asked)}
    because = [Span(f"because {safe(asked.because)}", "dim")] if asked.because else []
    told = [one for one in asked.accesses if one.target not in shown or _far(one)]
    told = [] if is_network(asked) else told
    by = [*_wanted(asked)]
    for row in (by, _between([*_accesses(told)]), *_warnings(told), _beyond(asked), because):
        for each in wrap(row, width - 4) if row else ():
            yield line(INSET, *each.spans)


def _wanted(asked: ApprovalRequested) -> Iterator[Span]:
    """Which command asks: with several nobody knows, and all of them are told."""
    commands = wanted_by(asked)
    if commands:
        yield Span("asked by " if len(commands) == 1 else "asked by one of ", "dim")
    for at, one in enumerate(commands):
        yield from (Span(", " if at else "", "dim"), Span(one, "code.inline"))


def _between(parts: Sequence[Span]) -> list[Span]:
    return [span for at, part in enumerate(parts) for span in ([Span("   ")] * bool(at) + [part])]


def _accesses(accesses: Sequence[Access]) -> Iterator[Span]:
    for kind, word in _WORDS.items():
        found = [access for access in accesses if access.kind == kind]
        if not found:
            continue
        targets = ", ".join(visible(access.target) for access in found)
        yield Span(f"{word}: {targets}", "dim")


def _warnings(accesses: Sequence[Access]) -> Iterator[list[Span]]:
    """Each in a row of its own: it must not drown."""
    for access in filter(_far, accesses):
        yield [Span(f"⚠ {visible(access.target)} is {_FAR[access.place]}", "warning")]


def _beyond(asked: ApprovalRequested) -> list[Span]:
    outside = "⚠ it runs outside the sandbox, as your settings say"
    return [Span(outside, "warning")] if asked.where == "outside" else []


def _far(access: Access) -> bool:
    """Whether a person should know where it lies."""
    far = _FAR if access.kind == "edit" else ("outside", "secret")
    return access.kind in ("read", "edit") and access.place in far


_FAR: Mapping[Place, str] = {
    "outside": "outside the workspace",
    "protected": "protected",
    "secret": "a key, or qcode's own",
}
"""Places, and how a person is warned of them."""


def _behind(asked: ApprovalRequested, shown: Shown) -> Iterator[Line]:
    """What `b` allows, too: in a row, or all of it."""
    if shown.whole:
        yield from behind(asked, shown.width)
    elif asked.behind:
        yield line(INSET, *clip([Span(_in_a_row(asked), "dim")], shown.width - 4))


def _in_a_row(asked: ApprovalRequested) -> str:
    waits = ", ".join(visible(one[:FIRST_CHARACTERS]).replace("\n", " ⏎ ") for one in asked.behind)
    return f"behind it: {waits}"


def _offers(asked: ApprovalRequested, shown: Shown) -> Iterator[tuple[Span, ...]]:
    if shown.step:
        yield from _step(asked, shown)
        return
    yield offer("y", "for this turn" if is_network(asked) else "once")
    if asked.behind:
        yield offer("b", f"all {len(asked.behind) + 1}")
    if asked.rules:
        rules = ", ".join(visible(rule) for rule in asked.rules)
        yield offer("s", "this session")
        yield *offer("p", "this project: "), Span(rules, "code.inline")
    if asked.where == "inside":
        yield Span("o", "accent"), Span(" outside the sandbox", "warning")
    yield offer("n", "no")
    yield offer("t", "no, and say why")
    if diffs(asked):
        yield offer("⏎", _review(asked))
    elif not is_network(asked) and not shown.fits:
        yield offer("v", "all of it")


_OUTSIDE = "⚠ this once outside the sandbox: it may do whatever you may"


def _review(asked: ApprovalRequested) -> str:
    count = len(asked.proposed) + 1
    return f"review all {count} changes" if count > 1 else "review hunks"


_LASTS = {"session": "for this session", "project": "in this project, from now on"}


def _step(asked: ApprovalRequested, shown: Shown) -> Iterator[tuple[Span, ...]]:
    """What Enter would keep."""
    if shown.step == "batch":
        count = shown.of if shown.of > 1 else len(asked.behind) + 1
        yield offer("⏎", f"allow all {count}")
    elif shown.step == "outside":
        yield (Span(_OUTSIDE, "warning"),)
        yield offer("⏎", "run it outside")
    else:
        rules = ", ".join(visible(rule) for rule in asked.rules)
        yield Span(f"allowed {_LASTS[shown.step]}: "), Span(rules, "code.inline")
        yield offer("⏎", "keep it")
    yield offer("esc", "back")
