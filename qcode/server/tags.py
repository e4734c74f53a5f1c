"""The tags of Qwen's XML form in a text: what each opens or closes, how it stands on its line."""

import re
from collections.abc import Iterator

import msgspec

from qcode.server.openings import is_only_tags

_TAG = re.compile(
    r"<(?P<close>/)?[ \t]*"
    r"(?P<what>tool_call|function_calls|function_invocation|function|parameter|invoke)"
    r"(?P<rest>[ \t]*=[^<>\n]*|[ \t]+[^<>\n]*|)>"
)
_TAG_OF_ANY_CASE = re.compile(_TAG.pattern, re.IGNORECASE)
_NAME = re.compile(r"""\s*(?:name\s*)?=\s*(?P<quote>["']?)(?P<name>[\w.:/$ -]+?)(?P=quote)\s*""")
_SPACE = re.compile(r"\s*")
_KINDS = {
    "tool_call": "wrapper",
    "function_calls": "wrapper",
    "function": "function",
    "invoke": "function",
    "function_invocation": "function",
    "parameter": "parameter",
}
_WIDEST_INDENT, _WIDEST_REST = 80, 80
"""Lines may be long, and full of tags: further away nothing is looked at."""


class Tag(msgspec.Struct, frozen=True):
    """One tag."""

    start: int
    end: int
    kind: str
    """`wrapper`, `function` or `parameter`."""
    closes: bool
    name: str
    """Of a function or a field that it opens."""
    indent: int
    """Blanks before it on its line; -1 = something else stands before it."""
    is_last: bool
    """Nothing but tags of the format stands behind it on its line."""

    @property
    def is_alone(self) -> bool:
        """Nothing else stands on its line."""
        return self.indent >= 0 and self.is_last

    def opens(self, kind: str) -> bool:
        """Whether it opens a `kind`."""
        return self.kind == kind and not self.closes


class Tags:
    """All tags of a text that begins with one, and what stands at a place of it.

    Capitals are the format's only where its first tag has some: in a value they are data.
    """

    def __init__(self, text: str) -> None:
        self._text = text
        self._all = list(_tags(text, _TAG if text[1:2].islower() else _TAG_OF_ANY_CASE))
        self._number = {tag.start: number for number, tag in enumerate(self._all)}

    def at(self, place: int) -> Tag | None:
        """The tag that begins there."""
        number = self._number.get(place)
        return None if number is None else self._all[number]

    def after(self, place: int) -> Tag | None:
        """The tag there, blanks before it or not."""
        return self.at(self.skip(place))

    def behind(self, tag: Tag) -> list[Tag]:
        """All that follow it."""
        return self._all[self._number[tag.start] + 1 :]

    def skip(self, place: int) -> int:
        """Behind the blanks there."""
        match = _SPACE.match(self._text, place)
        return match.end() if match else place

    def past_closers(self, place: int) -> tuple[int, bool]:
        """Behind all closing tags of calls there; and whether one of them closes a whole call."""
        has_wrapper = False
        while (tag := self.after(place)) and tag.closes and tag.kind != "parameter":
            place = tag.end
            has_wrapper = has_wrapper or tag.kind == "wrapper"
        return place, has_wrapper

    @property
    def has_wrapper_end(self) -> bool:
        """Whether a whole call is closed anywhere."""
        return any(tag.closes and tag.kind == "wrapper" for tag in self._all)

    def is_clean(self, place: int) -> bool:
        """No tag of the format is left over from there up to the next call."""
        for tag in self._all:
            if tag.start < place:
                continue
            if tag.indent >= 0 and not tag.closes and tag.kind != "parameter":
                return True
            if tag.kind == "parameter" and tag.indent == 0 and (tag.is_last or not tag.closes):
                return False
            if tag.is_alone and tag.closes:
                return False
        return True


def tags_in(text: str) -> Iterator[Tag]:
    """One after the other."""
    return _tags(text, _TAG)


def _tags(text: str, pattern: re.Pattern[str]) -> Iterator[Tag]:
    """`<function>` and `<parameter type="x">` are of some other format."""
    for match in pattern.finditer(text):
        kind, closes = _KINDS[match["what"].lower()], bool(match["close"])
        named = _NAME.fullmatch(match["rest"])
        if kind == "wrapper" or closes or named:
            name = named["name"].strip() if named and not closes else ""
            yield _tag(match, kind, name, closes=closes)


def _tag(match: re.Match[str], kind: str, name: str, *, closes: bool) -> Tag:
    text, start, end = match.string, match.start(), match.end()
    before = text[max(0, start - _WIDEST_INDENT) : start].rpartition("\n")[2]
    rest = text[end : end + _WIDEST_REST].partition("\n")[0]
    indent = len(before) if not before.strip() else -1
    return Tag(start, end, kind, closes, name, indent, is_only_tags(rest))
