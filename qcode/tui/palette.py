"""Colours of a theme -> the style of every name in `lines.STYLES`.

A theme gives colours by their part (`accent`, `added`); what is made of them stands here, so that
every theme looks like qcode. `#rrggbb` colours are blended for tints; the sixteen of the terminal
cannot be, so where they rule, a tint gives way to bold, underline or reverse.
"""

from collections.abc import Mapping
from typing import Literal

import msgspec
from msgspec.structs import replace
from rich.color import Color
from rich.color_triplet import ColorTriplet
from rich.style import Style

from qcode.tui.lines import STYLES

Depth = Literal["true", "256", "16", "none"]
"""How many colours are shown; `none` = bold, dim, reverse and underline alone."""

ANSI = (
    *("black", "red", "green", "yellow", "blue", "magenta", "cyan", "white"),
    *("bright_black", "bright_red", "bright_green", "bright_yellow"),
    *("bright_blue", "bright_magenta", "bright_cyan", "bright_white"),
)
"""The terminal's own colours; `default` is its text or its background."""


class Colours(msgspec.Struct, frozen=True, kw_only=True):
    """A dozen colours, each `#rrggbb`, or each one of `ANSI` or `default`."""

    background: str
    surface: str
    """Of bars and panels; behind code in a sentence."""
    foreground: str
    muted: str
    """Grey for what is not read twice."""
    accent: str
    added: str
    removed: str
    warning: str
    error: str
    faint: str = ""
    """Lines, line numbers; empty = between muted and background. So on for the next: empty = made
    of the others."""
    keyword: str = ""
    name: str = ""
    string: str = ""
    number: str = ""
    kind: str = ""
    """Types."""

    @property
    def blends(self) -> bool:
        """Whether they can be mixed."""
        return self.background.startswith("#")

    def part(self, name: str) -> str:
        """A colour, or what stands for it where the theme leaves it out."""
        found: str = getattr(self, name, "")
        if found:
            return found
        if name in _SHARES:
            share = _SHARES[name]
            return mix(self.background, self.muted, share) if self.blends else self.muted
        return str(getattr(self, _INSTEAD[name]))


_SHARES = {"faint": 0.62, "soft": 0.8}
"""Between background and muted: lines, and words that may be overlooked."""

_INSTEAD = {
    "keyword": "accent",
    "name": "foreground",
    "string": "added",
    "number": "warning",
    "kind": "accent",
}

TERMINAL = Colours(
    background="default",
    surface="default",
    foreground="default",
    muted="bright_black",
    accent="cyan",
    added="green",
    removed="red",
    warning="yellow",
    error="bright_red",
    keyword="magenta",
    string="green",
    number="yellow",
    kind="cyan",
)
"""What stands for a dark theme where the terminal has sixteen colours."""

TERMINAL_LIGHT = replace(
    TERMINAL, accent="blue", warning="magenta", error="red", number="blue", kind="blue"
)
"""The same for a light one: cyan and yellow cannot be read there."""


class Look(msgspec.Struct, frozen=True):
    """A style, by the parts that colours play."""

    colour: str = ""
    back: str = ""
    tint: float = 0.0
    """So much of `back` is laid over the background; 0 = all of it."""
    signs: str = ""
    """What stands with the colours: bold, italic, underline, strike, reverse, dim."""
    flat: str | None = None
    """Signs where there are no tints; None = `signs`."""
    bare: str | None = None
    """Signs where there are no colours at all; None = those of `flat`."""

    @property
    def of_sixteen(self) -> str:
        """Signs beside the terminal's own colours."""
        return self.signs if self.flat is None else self.flat

    @property
    def of_none(self) -> str:
        """Signs on their own."""
        return self.of_sixteen if self.bare is None else self.bare


LOOKS: Mapping[str, Look] = {
    "text": Look("foreground"),
    "dim": Look("muted", bare="dim"),
    "faint": Look("soft", bare="dim"),
    "accent": Look("accent", bare="bold"),
    "strong": Look(signs="bold"),
    "emphasis": Look(signs="italic", bare="underline"),
    "strike": Look(signs="strike", bare="dim"),
    "heading": Look("accent", signs="bold"),
    "link": Look("accent", signs="underline"),
    "code": Look("foreground"),
    "code.inline": Look("name", "surface", flat="bold"),
    "quote": Look("muted", signs="italic", bare="dim"),
    "rule": Look("faint", bare="dim"),
    "prompt": Look("foreground", signs="bold"),
    "cursor": Look(signs="reverse"),
    "selection": Look(back="accent", tint=0.34, flat="reverse"),
    "match": Look("warning", signs="bold", bare="bold underline"),
    "ok": Look("added", bare=""),
    "warning": Look("warning", bare="bold"),
    "error": Look("error", bare="bold"),
    "add": Look("added", "added", 0.11, bare=""),
    "add.word": Look("foreground", "added", 0.32, flat="bold underline", bare="bold underline"),
    "remove": Look("removed", "removed", 0.11, bare="dim"),
    "remove.word": Look("foreground", "removed", 0.32, flat="bold underline", bare="underline"),
    "gutter": Look("faint", bare="dim"),
    "focus": Look(back="accent", tint=0.17, flat="reverse"),
    "mode.plan": Look("accent", signs="bold"),
    "mode.ask": Look("added", signs="bold"),
    "mode.edit": Look("warning", signs="bold"),
    "mode.auto": Look("error", signs="bold", bare="bold reverse"),
    "bar": Look("accent"),
    "bar.empty": Look("faint", bare="dim"),
    "surface": Look(back="surface"),
    "syntax.keyword": Look("keyword", bare="bold"),
    "syntax.name": Look("name"),
    "syntax.string": Look("string", bare=""),
    "syntax.number": Look("number"),
    "syntax.comment": Look("muted", signs="italic", bare="dim"),
    "syntax.operator": Look("muted", bare=""),
    "syntax.type": Look("kind"),
    "syntax.error": Look("error", signs="underline"),
}
"""Name in `lines.STYLES` -> how it is made."""


class Palette:
    """The `Paint` of all widgets: names of styles -> a style. Cheap: each is made once."""

    def __init__(self, colours: Colours, depth: Depth = "true") -> None:
        self.version = 0
        """Grows with `become`: what was drawn before has the old colours."""
        self.become(colours, depth)

    def become(self, colours: Colours, depth: Depth) -> None:
        """Take other colours, for all who hold this palette."""
        self.version += 1
        self.colours = _terminal(colours) if depth == "16" and colours.blends else colours
        self.depth = depth
        self._known = {name: self._made(LOOKS[name]) for name in STYLES}

    def __call__(self, names: str) -> Style:
        """The styles of `names`, divided by blanks, laid over one another from left to right.

        Raises KeyError for a name that is not in `lines.STYLES`.
        """
        known = self._known.get(names)
        if known is None:
            known = Style.combine(self._known[name] for name in self._told(names.split()))
            if known.reverse:  # colours turned round would be a row of patches
                known = known.without_color
            self._known[names] = known
        return known

    def _told(self, names: list[str]) -> list[str]:
        """Without the colours of a language where those of a changed row are all that tells it."""
        if self.depth == "true" and self.colours.blends:
            return names
        bare = names[0] in ("add", "remove")
        return [name for name in names if not (bare and name.startswith(("syntax.", "code")))]

    def _made(self, look: Look) -> Style:
        if self.depth == "none":
            return Style.parse(look.of_none)
        if not self.colours.blends:
            part = look.back if look.colour and look.tint else look.colour  # no tint tells it
            return Style.parse(look.of_sixteen) + Style(color=self._part(part))
        return Style.parse(look.signs) + Style(
            color=self._part(look.colour), bgcolor=self._back(look)
        )

    def _part(self, name: str) -> str | None:
        return self.colours.part(name) if name else None

    def _back(self, look: Look) -> str | None:
        if not look.back:
            return None
        back = self.colours.part(look.back)
        return mix(self.colours.background, back, look.tint) if look.tint else back


def _terminal(colours: Colours) -> Colours:
    """The sixteen colours that come nearest to what a theme is."""
    light = luminance(colours.background) > luminance(colours.foreground)
    return TERMINAL_LIGHT if light else TERMINAL


def mix(under: str, over: str, share: float) -> str:
    """`share` of the colour `over` laid on `under`, both `#rrggbb`.

    >>> mix("#000000", "#ffffff", 0.5)
    '#808080'
    """
    pairs = zip(triplet(under), triplet(over), strict=True)
    return ColorTriplet(*(round(low + (high - low) * share) for low, high in pairs)).hex


def triplet(colour: str) -> ColorTriplet:
    """Red, green and blue of `#rrggbb`."""
    return Color.parse(colour).get_truecolor()


def contrast(one: str, other: str) -> float:
    """WCAG 2's ratio of two colours `#rrggbb`, from 1 to 21."""
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def luminance(colour: str) -> float:
    """WCAG 2's relative luminance, from 0 to 1."""
    red, green, blue = (_linear(part / 255) for part in triplet(colour))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linear(part: float) -> float:
    return part / 12.92 if part <= 0.04045 else float(((part + 0.055) / 1.055) ** 2.4)


def depth(color_system: str | None, environ: Mapping[str, str]) -> Depth:
    """How many colours to use: `color_system` is what rich's console found out."""
    if environ.get("NO_COLOR"):
        return "none"
    known: Mapping[str | None, Depth] = {"truecolor": "true", "256": "256", None: "none"}
    return known.get(color_system, "16")
