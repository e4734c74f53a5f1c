"""What `edit` says when it does not edit: so much that the next try can succeed."""

from qcode.tools.showing import around, span
from qcode.workspace.closest import Passage, closest
from qcode.workspace.files import Located
from qcode.workspace.match import Matches, match, without_numbers
from qcode.workspace.passage import line_of

_TELLING_CHARACTERS = 4
"""A shorter new_string may stand anywhere by chance."""
_SHOWN_PLACES = 10
_MARGIN = 2


def several(located: Located, text: str, matches: Matches) -> str:
    """The passage occurs more than once."""
    numbers = [str(line_of(text, place.start)) for place in matches.places]
    more = ", …" if len(numbers) > _SHOWN_PLACES else ""
    how = "" if matches.step == "exact" else f" ({matches.step})"
    all_of_them = ', or set count to "all"' if matches.step == "exact" else ""
    return (
        f"{located.shown}: the passage occurs {len(numbers)} times, not once{how}: lines "
        f"{', '.join(numbers[:_SHOWN_PLACES])}{more}. Quote more of the lines around it"
        f"{all_of_them}. Nothing was changed."
    )


def already(located: Located, text: str, new: str) -> str:
    """That the change is there already; empty = it is not."""
    at = text.find(new) if len(new.strip()) >= _TELLING_CHARACTERS else -1
    if at < 0:
        return ""
    first = line_of(text, at)
    last = first + new.removesuffix("\n").count("\n")
    return (
        f"{located.shown}: old_string is not in the file, but new_string is already there, "
        f"{span(first, last)}: this change seems to be made. Nothing was changed.\n"
        f"{_shown(text, first, last)}"
    )


def not_found(located: Located, text: str, old: str) -> str:
    """The passage is not there; what comes closest is."""
    head = f"{located.shown}: old_string is not in the file. Nothing was changed."
    head += _hint(text, old)
    passage = closest(text, old)
    if passage is None:
        return f"{head} Nothing in it resembles old_string; read the file again."
    last = passage.first + len(passage.lines) - 1
    return (
        f"{head} The closest is {span(passage.first, last)}:\n"
        f"{_shown(text, passage.first, last)}\n{_why(passage)}"
        "Copy old_string from there."
    )


def changed_since(located: Located, text: str, old: str) -> str:
    """The file is not what the model has read; it sees the place as it is now."""
    head = f"{located.shown} changed on disk since it was read, so nothing was changed."
    found = match(text, old, "")
    if found is not None and len(found.places) == 1:
        first = line_of(text, found.places[0].start)
        last = line_of(text, max(found.places[0].start, found.places[0].end - 1))
    elif (passage := closest(text, old)) is not None:
        first, last = passage.first, passage.first + len(passage.lines) - 1
    else:
        return f"{head} old_string is no longer in it; read it again."
    return (
        f"{head} The place now reads:\n{_shown(text, first, last)}\nIf it still fits, edit again."
    )


def _shown(text: str, first: int, last: int) -> str:
    """The lines with a margin, numbered."""
    lines = text.removesuffix("\n").split("\n")
    return around(lines, max(1, first - _MARGIN), min(len(lines), last + _MARGIN))


def _why(passage: Passage) -> str:
    return f"{passage.difference} " if passage.difference else ""


def _hint(text: str, old: str) -> str:
    """Why it may be missing, as far as the passage itself tells."""
    bare = old.replace("\\n", "\n").replace("\\t", "\t").replace('\\"', '"')
    if bare != old and text.count(bare) == 1:
        return ' old_string is escaped once too often (\\n, \\t, \\").'
    if without_numbers(old) is not None:
        return " Leave the line numbers out."
    return ""
