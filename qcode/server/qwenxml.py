"""A call in Qwen's XML form (and the like `<invoke name=…>`), found in text.

    <tool_call> <function=NAME> { <parameter=KEY>\\nVALUE\\n</parameter> } </function> </tool_call>

VALUE is raw: it may hold such tags itself, and models leave tags out. So the text is read in every
way in which its tags can be taken (`readings`), and a way counts only if nothing of the format is
left over behind the call. Where a call might have been cut off, no way counts.
"""

import re
from typing import Literal

from qcode.server import hermes
from qcode.server.found import Found, Look, NotYet
from qcode.server.offered import Offered
from qcode.server.readings import Reading, Readings
from qcode.server.tags import Tag, Tags, tags_in

_HALF_TAG = re.compile(r"<(?P<tag>/?\w*)(?:\s*(?:=|name\s*=)\s*[\"']?(?P<name>[^<>\"'\n]*))?[\"']?")


def look(text: str, offered: Offered, *, is_ended: bool) -> Look:
    """At the opening tag with which `text` begins. `is_ended`: nothing follows `text`."""
    return _Looking(text, offered, is_ended=is_ended).look()


class _Looking:
    def __init__(self, text: str, offered: Offered, *, is_ended: bool) -> None:
        self.text = text
        self.tags = Tags(text)
        self.offered = offered
        self.is_ended = is_ended

    def look(self) -> Look:
        at = self._past_wrappers()
        is_wrapped = at > 0
        if self.text[at : at + 1] in ("{", "["):
            return hermes.look(self.text, at)
        function = self.tags.at(at)
        if function is None or not function.opens("function"):
            return self._head(at, is_wrapped=is_wrapped)
        is_known = is_wrapped or self.offered.has(function.name)
        if self.is_ended and not is_known and not self.tags.has_wrapper_end:
            return "none"  # a bare tag of no tool: prose
        return self._body(function, is_wrapped=is_wrapped)

    def _past_wrappers(self) -> int:
        """Behind `<tool_call>`, which models write twice at times."""
        at = 0
        for _ in range(2):
            tag = self.tags.at(at)
            if tag and tag.opens("wrapper"):
                at = self.tags.skip(tag.end)
        return at

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

    def _body(self, function: Tag, *, is_wrapped: bool) -> Look:
        readings = Readings(self.text, self.tags, self.offered, is_ended=self.is_ended)
        for reading in readings.of(function):
            end, has_closer = self.tags.past_closers(reading.end)
            match self._judge(reading, end, has_closer=has_closer):
                case "good":
                    is_wrapped = is_wrapped or has_closer
                    return Found(function.name, reading.arguments, end, is_wrapped)
                case "later":
                    return NotYet(function.name, is_wrapped)
                case "cut":
                    readings.ran_out = True
        return NotYet(function.name, is_wrapped) if readings.ran_out else "none"

    def _judge(
        self, reading: Reading, end: int, *, has_closer: bool
    ) -> Literal["good", "bad", "cut", "later"]:
        """Whether a way counts; `end`: behind its closing tags, one of a whole call among them."""
        behind = self.tags.skip(end)
        tag = self.tags.at(behind)
        goes_on_inside = tag is not None and tag.kind == "parameter"
        is_sure = has_closer and not reading.is_risky and not goes_on_inside
        may_wait = not is_sure and not self.is_ended
        if may_wait and (reading.is_risky or behind >= len(self.text)):
            return "later"
        if goes_on_inside or not reading.is_plausible:
            return "bad"
        if may_wait and tag is None:
            return "later"
        if not is_sure and not self.tags.is_clean(end):
            return "bad"
        return "cut" if reading.is_doubled or self._is_cut(reading) else "good"

    def _is_cut(self, reading: Reading) -> bool:
        """The last value holds the opening of a call that has no end within it: was the value
        never closed, and are these the closings of the next call?"""
        if not reading.values or not reading.values[-1].holds_opening:
            return False
        opened = 0
        for tag in tags_in(reading.values[-1].text):
            if tag.kind == "function":
                is_real = not tag.closes and self.offered.has(tag.name)
                opened = max(opened - 1, 0) if tag.closes else opened + is_real
        return opened > 0
