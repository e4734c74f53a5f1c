"""The ways to read what stands behind `<function=…>`, the likeliest first.

A value is raw: it may hold the format's tags itself, and models leave closing tags out. So a value
may end in several places, and each of them is one way to read the rest.
"""

import json
from collections.abc import Collection, Iterator, Mapping

import msgspec

from qcode.protocol.text import well_formed
from qcode.server import hermes
from qcode.server.layout import value_in
from qcode.server.offered import Offered, Schema
from qcode.server.openings import is_half_closer
from qcode.server.tags import Tag, Tags
from qcode.server.values import typed

_MOST_STEPS = 4_000
"""Of all ways together: honest texts need a few, hostile ones would never end."""
_MOST_FIELDS = 60
_LONGEST_CLOSER = len("</function_invocation>")


class Value(msgspec.Struct, frozen=True):
    """The value of one field, if it ends where it was taken to."""

    text: str
    next_at: int
    is_closed: bool
    holds_opening: bool
    """Of a call: perhaps it is one, and the value was never closed."""
    holds_closing: bool
    """Such a tag as would close it stands on a line of its own within."""
    is_doubled: bool
    """Its field, or an earlier one, seems to be given once more within."""


class Reading(msgspec.Struct, frozen=True):
    """One way."""

    arguments: str
    end: int
    """Before the closing tags."""
    values: tuple[Value, ...] = ()

    @property
    def is_risky(self) -> bool:
        """A value may have swallowed a call."""
        return any(value.holds_opening for value in self.values)

    @property
    def is_doubled(self) -> bool:
        """A field seems to be given twice."""
        return any(value.is_doubled for value in self.values)

    @property
    def is_plausible(self) -> bool:
        """Who leaves out the closing of one value does not write it within another."""
        are_closed = all(value.is_closed for value in self.values)
        return are_closed or not any(value.holds_closing for value in self.values)


class Readings:
    """Of one function's body."""

    def __init__(self, text: str, tags: Tags, offered: Offered, *, is_ended: bool) -> None:
        self._text = text
        self._words_end = len(text.rstrip())
        self._tags = tags
        self._offered = offered
        self._is_ended = is_ended
        self._fields: Mapping[str, Schema] | None = None
        self._steps = 0
        self.ran_out = False
        """The likeliest way needs more text: no other counts until that has come."""

    def of(self, function: Tag) -> Iterator[Reading]:
        """All ways to read what stands behind its tag."""
        self._fields = self._offered.fields(function.name)
        return self._ways(function.end, {})

    def _ways(self, at: int, given: Mapping[str, Value]) -> Iterator[Reading]:
        """To go on behind the fields that are `given`."""
        if self._must_stop() or len(given) > _MOST_FIELDS:
            return
        at = self._tags.skip(at)
        tag = self._tags.at(at)
        if tag is None:
            yield from self._without_tag(at, given)
        elif tag.opens("parameter"):
            if tag.name not in given:
                for value in self._values(tag, given):
                    yield from self._ways(value.next_at, {**given, tag.name: value})
        elif tag.kind != "parameter" and (tag.closes or given):
            yield self._reading(given, at)

    def _must_stop(self) -> bool:
        self._steps += 1
        return self._steps > _MOST_STEPS or (self.ran_out and not self._is_ended)

    def _without_tag(self, at: int, given: Mapping[str, Value]) -> Iterator[Reading]:
        """The text ends, or JSON stands in the place of fields."""
        if self._is_end(at):
            self.ran_out = True
            if given and self._is_ended:
                yield self._reading(given, at)
        elif self._text[at] == "{" and not given:
            found = hermes.object_at(self._text, at)
            if found is None:
                self.ran_out = True
            else:
                yield Reading(*found)

    def _is_end(self, at: int) -> bool:
        """Whether nothing follows, or the beginning of a closing tag at most."""
        if at >= len(self._text):
            return True
        is_near = self._words_end - at <= _LONGEST_CLOSER  # the text may be long, and asked often
        return self._is_ended and is_near and is_half_closer(self._text[at : self._words_end])

    def _reading(self, given: Mapping[str, Value], end: int) -> Reading:
        fields = self._fields or {}
        values = {name: typed(value.text, fields.get(name)) for name, value in given.items()}
        text = well_formed(json.dumps(values, ensure_ascii=False))
        return Reading(text, end, tuple(given.values()))

    # Where a value may end.

    def _values(self, opener: Tag, given: Mapping[str, Value]) -> Iterator[Value]:
        names = {*given, opener.name}
        line_end = self._text.find("\n", opener.end)
        within = _Within(names, opener, self._tags)
        for tag in self._tags.behind(opener):
            if self._must_stop():
                return
            is_inline = line_end < 0 or tag.start < line_end
            if self._ends(tag, opener, names, is_inline=is_inline):
                yield self._value(opener, tag, within)
            within.add(tag)
        self.ran_out = True

    def _value(self, opener: Tag, tag: Tag, within: "_Within") -> Value:
        """The one that `tag` ends."""
        is_closed = tag.closes and tag.kind == "parameter"
        between = self._text[opener.end : tag.start - max(tag.indent, 0)]
        return Value(
            value_in(between, opener.indent, is_closed=is_closed),
            tag.end if is_closed else tag.start,
            is_closed,
            within.openings > 0,
            within.closings > 0,
            within.is_doubled,
        )

    def _ends(self, tag: Tag, opener: Tag, names: Collection[str], *, is_inline: bool) -> bool:
        """Whether the value may end at `tag`; `is_inline`: on the line on which it began."""
        if tag.opens("parameter"):  # the closing was left out
            is_next = tag.indent >= 0 and tag.name not in names
            return is_next and (self._fields is None or tag.name in self._fields)
        if not tag.closes or tag.kind == "wrapper":
            return False
        if not is_inline and not (tag.is_alone and tag.indent <= max(opener.indent, 0)):
            return False
        if tag.kind == "function":
            return not is_inline and self._goes_on(tag.end, None)
        return self._goes_on(tag.end, names)

    def _goes_on(self, at: int, names: Collection[str] | None) -> bool:
        """Whether the format does, behind a value; None for `names` = behind its function."""
        at = self._tags.skip(at)
        if self._is_end(at):
            self.ran_out = self.ran_out or at >= len(self._text)
            return self._is_ended
        tag = self._tags.at(at)
        if tag is None:
            return False
        if tag.kind == "parameter":
            return names is not None and not tag.closes and tag.name not in names
        return tag.closes or tag.opens("wrapper") or self._offered.has(tag.name)


class _Within:
    """What a value holds, as far as it was gone through."""

    def __init__(self, names: Collection[str], opener: Tag, tags: Tags) -> None:
        self.openings = 0
        """Of calls."""
        self.closings = 0
        """Of fields, alone on their lines."""
        self._names = names
        self._before = opener
        self._tags = tags
        self._is_given_again = False

    @property
    def is_doubled(self) -> bool:
        """A field is closed, and one that was given is opened: not so in a call of its own."""
        return self._is_given_again and not self.openings

    def add(self, tag: Tag) -> None:
        """One tag more."""
        before, self._before = self._before, tag
        if tag.opens("parameter") and tag.indent >= 0 and tag.name in self._names:
            is_next = before.closes and before.is_alone and self._tags.after(before.end) is tag
            self._is_given_again = self._is_given_again or is_next
        self.closings += tag.is_alone and tag.closes and tag.kind == "parameter"
        self.openings += tag.indent >= 0 and not tag.closes and tag.kind != "parameter"
