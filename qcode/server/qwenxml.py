"""A call in Qwen's XML form (and the like `<invoke name=…>`), found in text.

    <tool_call> <function=NAME> { <parameter=KEY>\\nVALUE\\n</parameter> } </function> </tool_call>

VALUE is raw: it may hold such tags itself, and models leave tags out. So the text is read in every
way in which its tags can be taken, the likeliest first, and a way counts only if nothing of the
format is left over behind the call. Where a call might have been cut off, no way counts.
"""

import json
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from qcode.protocol.text import well_formed
from qcode.server import hermes
from qcode.server.found import Found, Look, NotYet
from qcode.server.offered import Offered
from qcode.server.openings import is_only_tags
from qcode.server.values import typed

_TAG = re.compile(
    r"<(?P<close>/)?[ \t]*"
    r"(?P<what>tool_call|function_calls|function_invocation|function|parameter|invoke)"
    r"(?P<rest>[ \t]*=[^<>\n]*|[ \t]+[^<>\n]*|)>"
)
_NAME = re.compile(r"""\s*(?:name\s*)?=\s*(?P<quote>["']?)(?P<name>[\w.:/$ -]+?)(?P=quote)\s*""")
_SPACE = re.compile(r"\s*")
_HALF_TAG = re.compile(r"<(?P<tag>/?\w*)(?:\s*(?:=|name\s*=)\s*[\"']?(?P<name>[^<>\"'\n]*))?[\"']?")
_KINDS = {
    "tool_call": "wrapper",
    "function_calls": "wrapper",
    "function": "function",
    "invoke": "function",
    "function_invocation": "function",
    "parameter": "parameter",
}
_MOST_STEPS = 4_000
"""Readings of one text that are tried: honest ones need a few, hostile ones would never end."""
_MOST_FIELDS = 60
_WIDEST_INDENT = 80


@dataclass(frozen=True, slots=True)
class _Tag:
    start: int
    end: int
    kind: str
    closes: bool
    name: str
    """Of a function or a field that it opens."""
    indent: int
    """Blanks before it on its line; -1 = something else stands before it."""
    is_last: bool
    """Nothing but tags of its kind stands behind it on its line."""

    @property
    def is_alone(self) -> bool:
        return self.indent >= 0 and self.is_last

    def opens(self, kind: str) -> bool:
        return self.kind == kind and not self.closes


@dataclass(frozen=True, slots=True)
class _Value:
    text: str
    next_at: int
    is_risky: bool
    """It holds the opening of a call: perhaps it is one, and the value was never closed."""
    is_closed: bool = True
    holds_closing: bool = False
    """Such a tag as would close it stands on a line of its own within."""
    is_doubled: bool = False
    """Its field, or an earlier one, seems to be given once more within."""


@dataclass(frozen=True, slots=True)
class _Reading:
    arguments: str
    end: int
    """Before the closing tags."""
    is_risky: bool = False
    risky_last: str = ""
    """The last value, if it is risky."""
    is_plausible: bool = True
    is_doubled: bool = False


def look(text: str, offered: Offered, *, is_ended: bool) -> Look:
    """At the opening tag with which `text` begins. `is_ended`: nothing follows `text`."""
    return _Looking(text, offered, is_ended=is_ended).look()


class _Looking:
    def __init__(self, text: str, offered: Offered, *, is_ended: bool) -> None:
        self.text = text
        self.offered = offered
        self.is_ended = is_ended
        self.tags = [tag for tag in map(self._tag, _TAG.finditer(text)) if tag]
        self.at = {tag.start: number for number, tag in enumerate(self.tags)}
        self.name = ""
        self.fields: Mapping[str, object] | None = None
        self.ran_out = False
        self.steps = 0

    def look(self) -> Look:
        first = self._tag_at(0)
        is_wrapped = first is not None and first.opens("wrapper")
        at = self._skip(first.end) if first and is_wrapped else 0
        if self.text[at : at + 1] == "{":
            return hermes.look(self.text, at, self.offered)
        function = self._tag_at(at)
        if function is None or not function.opens("function"):
            return self._head(at, is_wrapped=is_wrapped)
        self.name = function.name
        self.fields = self.offered.fields(function.name)
        if not is_wrapped and self.fields is None and self.is_ended and not self._has_closer():
            return "none"  # a bare tag of no tool: prose
        return self._body(function, is_wrapped=is_wrapped)

    def _head(self, at: int, *, is_wrapped: bool) -> Look:
        """The text ends before the function's tag does, or goes on as something else."""
        if at >= len(self.text):
            return NotYet(is_wrapped=is_wrapped)
        match = _HALF_TAG.fullmatch(self.text, at)
        if match is None or not any(w.startswith(match["tag"]) for w in ("function", "invoke")):
            return "none"
        name = match["name"] or ""
        if is_wrapped or (name and self.offered.has_begin(name)):
            return NotYet(name, is_wrapped=is_wrapped)
        return "none" if self.is_ended else NotYet()

    def _body(self, function: _Tag, *, is_wrapped: bool) -> Look:
        for reading in self._readings(function.end, {}):
            end, has_closer = self._closers(reading.end)
            verdict = self._judge(reading, end, has_closer=has_closer)
            if verdict == "later":
                self.ran_out = True
                break
            if verdict == "good":
                is_wrapped = is_wrapped or has_closer
                return Found(self.name, reading.arguments, end, is_wrapped, has_closer)
            if verdict == "cut":
                self.ran_out = True
        return NotYet(self.name, is_wrapped) if self.ran_out else "none"

    # The ways to read what stands behind `<function=…>`.

    def _readings(self, at: int, given: Mapping[str, _Value]) -> Iterator[_Reading]:
        self.steps += 1
        if self._must_stop() or len(given) > _MOST_FIELDS:
            return
        at = self._skip(at)
        tag = self._tag_at(at)
        if tag is None:
            yield from self._without_tag(at, given)
        elif tag.opens("parameter"):
            if tag.name not in given:
                for value in self._values(tag, given):
                    yield from self._readings(value.next_at, {**given, tag.name: value})
        elif tag.kind != "parameter" and (tag.closes or given):
            yield self._reading(given, at)

    def _must_stop(self) -> bool:
        """The likeliest way needs more text: no other counts until that has come."""
        return self.steps > _MOST_STEPS or (self.ran_out and not self.is_ended)

    def _without_tag(self, at: int, given: Mapping[str, _Value]) -> Iterator[_Reading]:
        if at >= len(self.text) or (self.is_ended and self._is_half_closer(at)):
            self.ran_out = True
            if given and self.is_ended:
                yield self._reading(given, at)
        elif self.text[at] == "{" and not given:
            found = hermes.object_at(self.text, at)
            if found is None:
                self.ran_out = True
            else:
                yield _Reading(*found)

    def _is_half_closer(self, at: int) -> bool:
        rest = self.text[at:].rstrip()
        closers = ("</function>", "</tool_call>", "</invoke>", "</function_calls>")
        return any(closer.startswith(rest) for closer in closers)

    def _values(self, opener: _Tag, given: Mapping[str, _Value]) -> Iterator[_Value]:
        """The places where the value may end."""
        first_line_end = self.text.find("\n", opener.end)
        opened, closings, is_doubled, before = 0, 0, False, opener
        for tag in self.tags[self.at[opener.start] + 1 :]:
            self.steps += 1
            if self._must_stop():
                return
            is_inline = first_line_end < 0 or tag.start < first_line_end
            if self._ends_value(tag, opener, given, is_inline=is_inline):
                is_closed = tag.closes and tag.kind == "parameter"
                end = tag.start - max(tag.indent, 0)
                text = self._value_text(opener.end, end, is_closed=is_closed)
                text = _outdented(text, opener.indent)
                next_at = tag.end if is_closed else tag.start
                is_doubled = is_doubled and not opened
                yield _Value(text, next_at, opened > 0, is_closed, closings > 0, is_doubled)
            if before.is_alone and before.closes and tag.opens("parameter") and tag.indent >= 0:
                is_given = tag.name in given or tag.name == opener.name
                is_doubled = is_doubled or (is_given and self._skip(before.end) == tag.start)
            before = tag
            closings += tag.is_alone and tag.closes and tag.kind == "parameter"
            opened += tag.indent >= 0 and not tag.closes and tag.kind in ("function", "wrapper")
        self.ran_out = True

    def _ends_value(
        self, tag: _Tag, opener: _Tag, given: Mapping[str, _Value], *, is_inline: bool
    ) -> bool:
        if tag.opens("parameter"):  # the closing was left out
            is_next = tag.indent >= 0 and tag.name not in given and tag.name != opener.name
            return is_next and (self.fields is None or tag.name in self.fields)
        if not tag.closes or tag.kind == "wrapper":
            return False
        if not is_inline and not (tag.is_alone and tag.indent <= max(opener.indent, 0)):
            return False
        if tag.kind == "function":
            return not is_inline and self._is_followed(tag.end, given, after_function=True)
        return self._is_followed(tag.end, {**given, opener.name: _NO_VALUE})

    def _is_followed(
        self, at: int, given: Mapping[str, _Value], *, after_function: bool = False
    ) -> bool:
        """Whether the format goes on at `at`."""
        at = self._skip(at)
        if at >= len(self.text):
            self.ran_out = True
            return self.is_ended
        if self.is_ended and self._is_half_closer(at):
            return True
        tag = self._tag_at(at)
        if tag is None:
            return False
        if tag.kind == "parameter":
            return not after_function and not tag.closes and tag.name not in given
        return tag.closes or tag.opens("wrapper") or self.offered.has(tag.name)

    def _value_text(self, start: int, end: int, *, is_closed: bool) -> str:
        """Exactly one line end on each side belongs to the format."""
        value = self.text[start:end]
        if not is_closed:  # perhaps its closing stands behind its last line
            shorter = value.rstrip()
            if shorter.endswith("</parameter>"):
                value = shorter.removesuffix("</parameter>")
        for line_end in ("\r\n", "\n"):
            if value.startswith(line_end):
                value = value[len(line_end) :]
                break
        for line_end in ("\r\n", "\n"):
            if value.endswith(line_end):
                return value[: -len(line_end)]
        return value

    def _reading(self, given: Mapping[str, _Value], end: int) -> _Reading:
        fields = self.fields or {}
        values = {}
        for key, value in given.items():
            schema = fields.get(key)
            values[key] = typed(value.text, schema if isinstance(schema, dict) else None)
        *_, last = _NO_VALUE, *given.values()
        text = well_formed(json.dumps(values, ensure_ascii=False))
        return _Reading(
            text,
            end,
            any(value.is_risky for value in given.values()),
            last.text if last.is_risky else "",
            _is_plausible(given.values()),
            any(value.is_doubled for value in given.values()),
        )

    # Whether a way counts.

    def _closers(self, at: int) -> tuple[int, bool]:
        """Behind all closing tags at `at`; and whether one of them closes a whole call."""
        has_wrapper = False
        while (tag := self._tag_at(self._skip(at))) and tag.closes and tag.kind != "parameter":
            at = tag.end
            if tag.kind == "wrapper":
                has_wrapper = True
        return at, has_wrapper

    def _judge(self, reading: _Reading, end: int, *, has_closer: bool) -> str:
        if has_closer and not reading.is_risky and not self._goes_on_inside(end):
            if not reading.is_plausible:
                return "bad"
            return "cut" if reading.is_doubled else "good"
        if not self.is_ended and (reading.is_risky or self._skip(end) >= len(self.text)):
            return "later"
        if self._goes_on_inside(end) or not reading.is_plausible:
            return "bad"
        if self._is_text(end) and not self.is_ended:
            return "later"
        if not self._is_clean(end):
            return "bad"
        return "cut" if reading.is_doubled or self._is_cut(reading) else "good"

    def _goes_on_inside(self, at: int) -> bool:
        tag = self._tag_at(self._skip(at))
        return tag is not None and tag.kind == "parameter"

    def _is_text(self, at: int) -> bool:
        at = self._skip(at)
        return at < len(self.text) and self._tag_at(at) is None

    def _is_clean(self, end: int) -> bool:
        """No tag of the format is left over up to the next call."""
        for tag in self.tags:
            if tag.start < end:
                continue
            if tag.indent >= 0 and not tag.closes and tag.kind != "parameter":
                return True
            if tag.kind == "parameter" and tag.indent == 0 and (tag.is_last or not tag.closes):
                return False
            if tag.is_alone and tag.closes:
                return False
        return True

    def _is_cut(self, reading: _Reading) -> bool:
        """The last value holds the opening of a call that has no end within it: was the value
        never closed, and are these the closings of the next call?"""
        opened = 0
        for match in _TAG.finditer(reading.risky_last):
            tag = self._tag(match)
            if tag and tag.kind == "function":
                is_real = not tag.closes and self.offered.has(tag.name)
                opened = max(opened - 1, 0) if tag.closes else opened + is_real
        return opened > 0

    # Tags.

    def _tag(self, match: re.Match[str]) -> _Tag | None:
        text = match.string
        kind, closes = _KINDS[match["what"]], bool(match["close"])
        named = _NAME.fullmatch(match["rest"])
        if kind != "wrapper" and not closes and named is None:
            return None  # `<function>`, `<parameter type="x">`: of some other format
        near = max(0, match.start() - _WIDEST_INDENT)  # lines may be long, and full of tags
        before = text[near : match.start()].rpartition("\n")[2]
        behind = text[match.end() : match.end() + 80].partition("\n")[0]
        return _Tag(
            match.start(),
            match.end(),
            kind,
            closes,
            named["name"].strip() if named and not closes else "",
            len(before) if not before.strip() else -1,
            is_only_tags(behind),
        )

    def _tag_at(self, at: int) -> _Tag | None:
        number = self.at.get(at)
        return None if number is None else self.tags[number]

    def _skip(self, at: int) -> int:
        match = _SPACE.match(self.text, at)
        return match.end() if match else at

    def _has_closer(self) -> bool:
        return any(tag.closes and tag.kind == "wrapper" for tag in self.tags)


def _outdented(text: str, columns: int) -> str:
    """Where the tags are indented and all lines of the value are too, that is the layout's."""
    indent = " " * columns
    lines = text.split("\n")
    if columns < 1 or not all(line.startswith(indent) for line in lines if line.strip()):
        return text
    return "\n".join(line[columns:] for line in lines)


def _is_plausible(values: Collection[_Value]) -> bool:
    """Who leaves out the closing of one value does not write it within another."""
    return all(value.is_closed for value in values) or not any(v.holds_closing for v in values)


_NO_VALUE = _Value("", 0, is_risky=False)
