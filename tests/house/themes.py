"""Makes docs/themes.md and its pictures: `python -m tests.house.themes`.

The pictures are drawn here, cell by cell, so that they are small and fetch no font.
"""

from html import escape
from pathlib import Path

from rich.color import Color
from rich.style import Style
from rich.terminal_theme import MONOKAI, TerminalTheme

from qcode.protocol.cells import cells
from qcode.tui.lines import BLANK, Line, Span
from qcode.tui.palette import Palette
from qcode.tui.themes import Theme, load

DOCS = Path(__file__).parents[2] / "docs"
PAGE = DOCS / "themes.md"
PICTURES = DOCS / "themes"

COLUMNS = 68
_WIDTH, _HEIGHT, _EDGE = 8.4, 19, 12
"""Of a cell and of the margin, in pixels."""

LIGHT = TerminalTheme(
    (255, 255, 255),
    (30, 30, 30),
    [
        *((0, 0, 0), (180, 30, 30), (20, 110, 40), (140, 100, 0)),
        *((30, 70, 180), (130, 40, 130), (0, 110, 130), (200, 200, 200)),
    ],
    [
        *((110, 110, 110), (200, 50, 50), (30, 130, 50), (160, 120, 0)),
        *((50, 90, 210), (150, 60, 150), (0, 130, 150), (255, 255, 255)),
    ],
)
"""A light terminal, for the theme that follows it; a dark one is rich's MONOKAI."""


def _row(*pairs: tuple[str, str]) -> Line:
    return Line(tuple(Span(text, style) for text, style in pairs))


def _diff(number: str, sign: str, code: list[tuple[str, str]], base: str = "") -> Line:
    laid = [(text, f"{base} {style}" if base else style) for text, style in code]
    used = sum(len(text) for text, _ in code)
    rest = [(" " * (COLUMNS - 14 - used), base)] if base else []
    return _row(
        ("     │ ", "rule"),
        (f"{number} ", "gutter"),
        (f"{sign}   ", base or "text"),
        *laid,
        *rest,
    )


SAMPLE: tuple[Line, ...] = (
    _row(
        (" qcode", "strong"),
        ("  ~/src/acme", "dim"),
        (" " * 26, "text"),
        ("main +2  Qwen3.6-35B-A3B", "dim"),
    ),
    _row(("─" * COLUMNS, "rule")),
    _row((" ❯ ", "accent"), ("The pagination test fails on an empty page. Fix it.", "prompt")),
    BLANK,
    _row(("   ▸ thought 6.2 s · 412 tokens", "dim")),
    _row(("   I'll look at ", "text"), ("tests/test_pages.py", "code.inline"), (" first.", "text")),
    BLANK,
    _row(
        ("   ● ", "ok"),
        ("read   ", "strong"),
        ("tests/test_pages.py", "text"),
        (" 1–84 of 84", "dim"),
    ),
    _row(
        ("   ● ", "ok"),
        ("edit   ", "strong"),
        ("src/acme/pages.py ", "text"),
        ("+3 ", "add"),
        ("−1", "remove"),
    ),
    _diff(
        "41",
        " ",
        [("def ", "syntax.keyword"), ("paginate", "syntax.name"), ("(items, size):", "text")],
    ),
    _diff("42", "-", [("    pages = ", "text"), ("len(items) // size", "remove.word")], "remove"),
    _diff("42", "+", [("    pages = ", "text"), ("-(-len(items) // size)", "add.word")], "add"),
    _diff(
        "43",
        " ",
        [
            ("    return ", "syntax.keyword"),
            ('"page %d"', "syntax.string"),
            (" % ", "syntax.operator"),
            ("1", "syntax.number"),
            ("  # from 1", "syntax.comment"),
        ],
    ),
    _row(
        ("   ● ", "error"),
        ("shell  ", "strong"),
        ("pytest -q", "text"),
        ("   2.1 s  exit 1", "error"),
    ),
    BLANK,
    _row(("─" * COLUMNS, "rule")),
    _row(("   /think", "text"), ("      thinking budget", "dim")),
    _row(
        (" ❯ /theme", "text focus"),
        ("      choose the colours", "dim focus"),
        (" " * (COLUMNS - 33), "focus"),
    ),
    _row(
        (" ask ", "mode.ask"),
        ("  think 1.2k/4k   ctx ", "dim"),
        ("▕██", "bar"),
        ("░░░░░░▏", "bar.empty"),
        ("  98 tok/s   ", "dim"),
        ("writing 0:04", "accent"),
    ),
)


def picture(theme: Theme) -> str:
    """An SVG of the sample in a theme."""
    paint = Palette(theme.colours)
    ink = _Ink(theme)
    width = COLUMNS * _WIDTH + 2 * _EDGE
    height = len(SAMPLE) * _HEIGHT + 2 * _EDGE
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:g}" height="{height}" '
        f'viewBox="0 0 {width:g} {height}" role="img" aria-label="{escape(theme.title)}">',
        "<style>text{font:14px ui-monospace,Menlo,Consolas,'DejaVu Sans Mono',monospace;"
        "white-space:pre}.b{font-weight:700}.i{font-style:italic}.u{text-decoration:underline}"
        "</style>",
        f'<rect width="100%" height="100%" rx="6" fill="{ink.back}"/>',
    ]
    for y, line in enumerate(SAMPLE):
        x = 0
        for span in line.spans:
            parts += ink.drawn(span.text, paint(span.style), x, y)
            x += cells(span.text)
    return "\n".join([*parts, "</svg>"]) + "\n"


class _Ink:
    """Colours as pixels have them."""

    def __init__(self, theme: Theme) -> None:
        self.terminal = LIGHT if theme.appearance == "light" else MONOKAI
        self.fore = self.hex(theme.colours.foreground, is_back=False)
        self.back = self.hex(theme.colours.background, is_back=True)

    def hex(self, colour: str, *, is_back: bool) -> str:
        found = Color.parse(colour).get_truecolor(self.terminal, foreground=not is_back)
        return found.hex

    def drawn(self, text: str, style: Style, x: int, y: int) -> list[str]:
        """A piece of a row: its ground, then its words."""
        fore = self.hex(style.color.name, is_back=False) if style.color else self.fore
        back = self.hex(style.bgcolor.name, is_back=True) if style.bgcolor else ""
        if style.reverse:
            fore, back = back or self.back, fore
        left, top, wide = _EDGE + x * _WIDTH, _EDGE + y * _HEIGHT, cells(text) * _WIDTH
        made = []
        if back and back != self.back:
            size = f'width="{wide:.1f}" height="{_HEIGHT}"'
            made.append(f'<rect x="{left:.1f}" y="{top}" {size} fill="{back}"/>')
        if text.strip():
            made.append(_words(text, style, (left, top + 14, wide), fore))
        return made


def _words(text: str, style: Style, place: tuple[float, float, float], fore: str) -> str:
    signs = [("b", style.bold), ("i", style.italic), ("u", style.underline)]
    names = " ".join(name for name, is_on in signs if is_on)
    kind = f' class="{names}"' if names else ""
    x, y, wide = place
    return (
        f'<text x="{x:.1f}" y="{y:g}" textLength="{wide:.1f}" fill="{fore}"{kind}>'
        f"{escape(text, quote=False).replace(' ', '&#160;')}</text>"
    )


_HEAD = """\
# Themes

`/theme` shows each theme as you go through the list; `⏎` keeps it, `esc` puts the old one back.
With nothing chosen it is `night`, or `paper` where the terminal says that its background is light
(`COLORFGBG`). With `NO_COLOR` set there are no colours: bold, dim, reverse and underline alone.
Where the terminal has sixteen colours, they stand in for those of the theme.

Every word of every theme reaches a contrast of 4.5 on its background and on bars, of `contrast` 7;
tests measure it. Of the colour-blind pair they measure that added and removed lines are told apart
by people who see no red, no green or no blue; the signs `+` and `-` stand there besides.

## Your own

Put a file of the same form into the folder `themes` beside your `config.toml` (`qcode paths` says
where that is); one with the name of ours takes its place. A file with a mistake is named with its
line and left out.

```toml
{sample}```

`faint`, `keyword`, `name`, `string`, `number` and `kind` may be left out. Colours are `#rrggbb`, or
all of them names of the terminal's own: `default`, `red`, `bright_black`, ….

## All themes
"""


def page() -> str:
    """docs/themes.md."""
    themes = load().themes
    sample = next(theme for theme in themes if theme.name == "night").path
    parts = [_HEAD.replace("{sample}", sample.read_text(encoding="utf-8"))]
    for theme in themes:
        parts.append(f"### {theme.title}: `{theme.name}`\n\n{_about(theme)}\n\n{_image(theme)}\n")
    return "\n".join(parts)


def _about(theme: Theme) -> str:
    lines = theme.path.read_text(encoding="utf-8").splitlines()
    return "\n".join(line.removeprefix("# ") for line in lines if line.startswith("# "))


def _image(theme: Theme) -> str:
    return f"![{theme.title}](themes/{theme.name}.svg)"


def made() -> dict[Path, str]:
    """Every file and what stands in it."""
    pictures = {PICTURES / f"{theme.name}.svg": picture(theme) for theme in load().themes}
    return {PAGE: page(), **pictures}


if __name__ == "__main__":
    PICTURES.mkdir(exist_ok=True)
    for old in PICTURES.glob("*.svg"):
        old.unlink()
    for path, text in made().items():
        path.write_text(text, encoding="utf-8", newline="\n")
