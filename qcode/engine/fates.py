"""What became of each part of a proposed change, in words for the model.

It must know exactly what stands in the file now and what the person wanted, or it would fight
them: put its own lines back, propose what they refused. Pure.
"""

from collections.abc import Sequence
from typing import Literal

import msgspec

from qcode.protocol.text import one_line
from qcode.tools.showing import around, count, span
from qcode.workspace.review import Choice, Hunk, edited

Kind = Literal["kept", "edited", "refused", "before", "lost"]
"""`before` = it had been refused before; `lost` = the file changed, and it fits no more."""


class Fate(msgspec.Struct, frozen=True):
    """Of one part."""

    hunk: Hunk
    kind: Kind
    comment: str = ""
    """The person's; with `lost`, why it does not fit, as a clause."""
    text: str = ""
    """The person's own lines, with `edited`."""

    @property
    def now(self) -> tuple[str, ...]:
        """What stands in its place, context too."""
        match self.kind:
            case "kept":
                return self.hunk.new
            case "edited":
                return edited(self.hunk, self.text)
            case _:
                return self.hunk.old

    @property
    def applied(self) -> bool:
        """It changed the file, or may have."""
        return self.kind in ("kept", "edited")


KINDS: dict[str, Kind] = {"keep": "kept", "drop": "refused", "edited": "edited"}


def fate(hunk: Hunk, choice: Choice) -> Fate:
    """Of a part that was decided about. The person's text, when it is what was there or what was
    proposed, is no text of their own."""
    made = Fate(hunk, KINDS[choice.kind], choice.comment.strip(), choice.text)
    if made.kind != "edited":
        return made
    if made.now == hunk.new:
        return Fate(hunk, "kept", made.comment)
    return Fate(hunk, "refused", made.comment) if made.now == hunk.old else made


AGAIN = "Do not propose it again unless the user asks for it."


def partly(path: str, fates: Sequence[Fate]) -> str:
    """Some parts were applied, and the file is otherwise as the model knew it."""
    rows = [f"{number}. {row}" for number, row in enumerate(_rows(fates), 1)]
    if all(one.kind == "before" or (one.kind == "kept" and not one.comment) for one in fates):
        head = f"Your change to {path} was applied, but for what the user refused before:"
    else:
        head = f"The user went through your change to {path}, part by part:"
    return "\n".join([head, *rows, *_leave(fates)])


def none(path: str, fates: Sequence[Fate]) -> str:
    """Every part was refused."""
    if all(one.kind == "before" for one in fates):
        head = f"The user refused this change to {path} before, so they were not asked again."
    else:
        head = f"The user refused this change to {path}."
    rows = [row for one in fates if (row := _comment(one, len(fates)))]
    return "\n".join([f"{head} Nothing was changed.", *rows, AGAIN])


def moved(path: str, fates: Sequence[Fate]) -> str:
    """The file changed on disk while the user looked at the change."""
    done = [one for one in fates if one.applied]
    head = f"{path} changed on disk while the user looked at your change. "
    head += f"Of it, {_parts(done, fates)} applied:" if done else "Nothing of it was applied:"
    rows = [f"{number}. {_moved_row(one)}" for number, one in enumerate(fates, 1)]
    last = [f"Read {path} before you change it again.", *_leave(fates)]
    return "\n".join([head, *rows, " ".join(last)])


_DID = {
    "edited": "edited {}",
    "refused": "refused {}",
    "before": "had refused {} before",
    "lost": "{} did not fit any more",
}


def reviewed(fates: Sequence[Fate]) -> str:
    """The same for the person, who decided it: `you kept 1 of 3 parts, refused 2: 'not now'`."""
    counted = [(words, sum(one.kind == kind for one in fates)) for kind, words in _DID.items()]
    did = [words.format(number) for words, number in counted if number]
    kept = sum(one.kind == "kept" for one in fates)
    head = f"you kept {kept} of {count(len(fates), 'part')}"
    said = [f"'{one_line(one.comment, 200)}'" for one in fates if _is_said(one)]
    return ", ".join([head, *did]) + (f": {'; '.join(said)}" if said else "")


def _is_said(one: Fate) -> bool:
    """Whether its comment is the person's, and of now."""
    return bool(one.comment) and one.kind in ("kept", "edited", "refused")


def _leave(fates: Sequence[Fate]) -> list[str]:
    """What is asked of the model for the time to come."""
    wishes = []
    if any(one.kind == "edited" for one in fates):
        wishes.append("leave the user's own lines as they are")
    if any(one.kind in ("refused", "before") for one in fates):
        wishes.append("do not propose again what they refused")
    return [f"From here on {', and '.join(wishes)}, unless they ask for it."] if wishes else []


def _parts(done: Sequence[Fate], fates: Sequence[Fate]) -> str:
    verb = "was" if len(done) == 1 else "were"
    return f"{len(done)} of {count(len(fates), 'part')} {verb}"


def _rows(fates: Sequence[Fate]) -> list[str]:
    """Each with the lines where it stands in the file now."""
    rows, shift = [], 0
    for one in fates:
        rows.append(_row(one, one.hunk.old_start + shift))
        shift += len(one.now) - len(one.hunk.old)
    return rows


def _row(one: Fate, start: int) -> str:
    lines = one.now[one.hunk.lead : len(one.now) - one.hunk.trail]
    first = start + one.hunk.lead
    last = first + len(lines) - 1
    where = span(first, last).capitalize() if lines else f"After line {first - 1}"
    match one.kind:
        case "kept":
            return f"{where}: applied as you proposed.{_says(one)}"
        case "edited":
            return f"{where}: {_own(lines, first)}{_says(one)}"
        case "before":
            return f"{where}: not applied; the user refused it before{_then(one)}."
        case _:
            return f"{where}: refused, the file stays as it was there.{_says(one)}"


def _own(lines: Sequence[str], first: int) -> str:
    if not lines:
        return "the user put nothing in the place of your lines."
    shown = around([line.removesuffix("\n") for line in lines], 1, len(lines))
    return f"the user wrote their own lines instead of yours:\n{_numbered(shown, first)}"


def _numbered(shown: str, first: int) -> str:
    """`around` counts from 1."""
    rows = []
    for row in shown.split("\n"):
        number, tab, line = row.partition("\t")
        rows.append(f"{int(number) + first - 1:>5}\t{line}" if tab else row)
    return "\n".join(rows)


def _moved_row(one: Fate) -> str:
    where = f"Your lines at {one.hunk.new_start + one.hunk.lead}"
    match one.kind:
        case "kept":
            return f"{where}: applied as you proposed.{_says(one)}"
        case "edited":
            own = one.now[one.hunk.lead : len(one.now) - one.hunk.trail]
            return f"{where}: {_plain(own)}{_says(one)}"
        case "before":
            return f"{where}: not applied; the user refused it before{_then(one)}."
        case "lost":
            return f"{where}: not applied, since {one.comment}."
        case _:
            return f"{where}: refused.{_says(one)}"


def _plain(lines: Sequence[str]) -> str:
    if not lines:
        return "the user put nothing in their place."
    text = "".join(lines).rstrip("\n")
    return f"the user wrote their own lines instead:\n{text}"


def _says(one: Fate) -> str:
    if not one.comment:
        return ""
    gap = "\n   " if one.kind == "edited" else " "
    return f"{gap}The user says: {one.comment}"


def _then(one: Fate) -> str:
    return f" and said: {one.comment}" if one.comment else ""


def _comment(one: Fate, parts: int) -> str:
    """Of a refused part."""
    if not one.comment:
        return ""
    said = "said then" if one.kind == "before" else "says"
    where = span(one.hunk.old_start + one.hunk.lead, _last(one.hunk)) if parts > 1 else ""
    return f"The user {said}{f' of {where}' if where else ''}: {one.comment}"


def _last(hunk: Hunk) -> int:
    return hunk.old_start + max(hunk.lead, len(hunk.old) - hunk.trail - 1)
