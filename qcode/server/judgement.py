"""A call was read in a text: did it leak, or is it an example that somebody quotes? Pure.

Those who explain the format write about it: words go on behind the call, an example is announced,
the name stands for any name. A call that leaked ends the text, or another call follows it.
"""

import re
from typing import Literal

import msgspec

from qcode.server.found import Found, NotYet
from qcode.server.offered import Offered
from qcode.server.openings import HALF_TAG, OPENER, is_example

Verdict = Literal["call", "text", "later"]
"""`later` = what follows decides, and has not come yet."""

_PLACEHOLDER = re.compile(
    r"[A-Z_]+|(?:function|tool|your|example)_(?:function_)?name|(?:example|your)_\w+|name|\W.*"
)
"""Stands for a name, as in explanations of the format."""
_GO_ON = (",", ";", ")", "'", '"', "“", "”", "\u2018", "\u2019", "»", "«")
"""What words begin with that belong to a sentence, or a quotation, which began before the call."""

_Follower = Literal["end", "call", "text", "unknown"]


class Place(msgspec.Struct, frozen=True):
    """Where in a text a call was opened."""

    words: str
    """The last words before it, up to the call before."""
    is_first: bool
    """No words stand before it in the whole text."""
    in_span: bool
    """A code span seems to be open there."""

    @property
    def is_inline(self) -> bool:
        """Whether words stand before it on its line."""
        return bool(self.words) and not self.words.endswith("\n")

    @property
    def is_example(self) -> bool:
        """Whether the words announce one."""
        return is_example(self.words)


def verdict(
    found: Found, place: Place, behind: str, offered: Offered, *, is_ended: bool
) -> Verdict:
    """On a whole call: `behind` is the text after it and its closing tags; all of it, if
    `is_ended`."""
    follower = _follower(behind, is_ended=is_ended)
    known = all(offered.has(name) for name, _ in found.calls)
    if follower == "unknown":
        return "later"
    if place.in_span and behind.startswith("`"):
        return "text"
    if found.is_bare_json:
        leaked = known and follower == "end" and place.is_first
    elif not known:
        leaked = found.is_wrapped and follower != "text" and not _PLACEHOLDER.fullmatch(found.name)
    else:
        leaked = follower != "text" or not _is_talked_about(place, behind)
    return "call" if leaked else "text"


def is_half(seen: NotYet, place: Place, offered: Offered, *, is_bare_json: bool) -> bool:
    """Whether the text ended within a call."""
    known = bool(seen.name) and offered.has_begin(seen.name)
    if place.in_span:
        return False
    if is_bare_json:
        return known and place.is_first
    if place.is_inline:
        return known
    return known or (seen.is_wrapped and not _PLACEHOLDER.fullmatch(seen.name))


def _follower(behind: str, *, is_ended: bool) -> _Follower:
    rest = behind.lstrip()
    if not rest or (is_ended and HALF_TAG.match(rest)):
        return "end" if is_ended else "unknown"
    return "call" if OPENER.match(rest) else "text"


def _is_talked_about(place: Place, behind: str) -> bool:
    """Whether a call with words behind it stands in a sentence, or was announced as an example."""
    words = behind.lstrip()
    goes_on = words[:1].islower() or words.startswith(_GO_ON)
    return goes_on or place.is_inline or place.is_example
