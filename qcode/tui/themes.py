"""Themes: one TOML file each, from the package and from the user's own folder.

A file that cannot be used is left out with a sentence that names it and the line; the app starts
all the same.
"""

import os
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Literal, cast, get_args

import msgspec

import qcode
from qcode.protocol.errors import ConfigError
from qcode.protocol.text import one_line
from qcode.tui import private
from qcode.tui.palette import ANSI, Colours, Depth, Palette

if TYPE_CHECKING:
    from textual.theme import Theme as TextualTheme

Appearance = Literal["dark", "light"]

DARK, LIGHT = "night", "paper"
"""What is shown to who has chosen nothing."""

LARGEST = 65_536
"""Bytes of a theme; more is not one."""

_HEX = re.compile(r"#[0-9a-fA-F]{6}")
_PARTS = Colours.__struct_fields__
_NEEDED = _PARTS[: _PARTS.index("faint")]
_PLACE = re.compile(r"\s*\(at line (\d+), column \d+\)|\s*\(at end of document\)")
_CHOICE = "theme"
"""File in the state folder."""


class Theme(msgspec.Struct, frozen=True):
    """One theme."""

    name: str
    title: str
    appearance: Appearance
    colours: Colours
    path: Path


class Found(msgspec.Struct, frozen=True):
    """All themes there are."""

    themes: tuple[Theme, ...]
    """By name; of two with one name the later folder's."""
    notices: tuple[str, ...] = ()
    """A sentence for each file that was left out."""

    def get(self, name: str) -> Theme | None:
        """The theme of that name."""
        return next((theme for theme in self.themes if theme.name == name), None)


def shipped() -> Path:
    """The folder of our own themes: in the package once it is installed, else in the checkout."""
    package = Path(qcode.__file__).parent
    inside = package / "themes"
    return inside if inside.is_dir() else package.parent / "themes"


def load(folders: Iterable[Path] = ()) -> Found:
    """Our own themes, then those of `folders`, a later one over an earlier. Reads files."""
    found: dict[str, Theme] = {}
    notices = []
    for path in _files(dict.fromkeys((shipped(), *folders))):
        try:
            theme = read(path)
        except ConfigError as error:
            notices.append(f"{error} The theme is left out.")
        else:
            found[theme.name] = theme
    return Found(tuple(sorted(found.values(), key=_order)), tuple(notices))


def _files(folders: Iterable[Path]) -> Iterator[Path]:
    for folder in folders:
        with suppress(OSError):  # most people have no folder of their own
            yield from sorted(folder.glob("*.toml"))


def _order(theme: Theme) -> tuple[bool, str]:
    """Ours by name first."""
    return theme.name not in (DARK, LIGHT), theme.name


def read(path: Path) -> Theme:
    """One file. Raises ConfigError with file and line."""
    text = _text(path)
    try:
        tables = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        place = _PLACE.search(str(error))
        line = place[1] if place and place[1] else text.count("\n") + 1
        what = _PLACE.sub("", str(error)).rstrip(".")
        raise ConfigError(f"{path}:{line}: not valid TOML: {what}.") from error
    except RecursionError:
        raise ConfigError(f"{path}:1: the file nests too deep.") from None
    return _theme(path, text, tables)


def _text(path: Path) -> str:
    try:
        with path.open("rb") as file:
            data = file.read(LARGEST + 1)
    except OSError as error:
        raise ConfigError(f"{path} cannot be read ({error.strerror}).") from error
    if len(data) > LARGEST:
        raise ConfigError(f"{path} is longer than {LARGEST:,} bytes: not a theme.")
    try:
        return data.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise ConfigError(f"{path}:{line}: the file is not UTF-8. Save it as UTF-8.") from error


def _theme(path: Path, text: str, tables: Mapping[str, object]) -> Theme:
    for key in tables:
        if key not in ("name", "title", "appearance", "palette"):
            raise _wrong(path, text, key, f"there is no key {key!r} in a theme")
    name = tables.get("name", path.stem)
    if not isinstance(name, str) or not one_line(name, 60) or name.split() != [name]:
        raise _wrong(path, text, "name", f"name is {name!r}. Write one word")
    appearance = tables.get("appearance")
    if appearance not in get_args(Appearance):
        raise _wrong(path, text, "appearance", f"appearance is {appearance!r}. Write dark or light")
    title = one_line(str(tables.get("title", name)), 60)
    colours = _colours(path, text, tables.get("palette"))
    return Theme(one_line(name, 60), title, cast(Appearance, appearance), colours, path)


def _colours(path: Path, text: str, palette: object) -> Colours:
    if not isinstance(palette, dict):
        raise _wrong(path, text, "palette", "there is no table [palette]")
    for part, colour in palette.items():
        if part not in _PARTS:
            raise _wrong(path, text, part, f"no colour is called {part!r}")
        if not _is_colour(colour):
            raise _wrong(path, text, part, f"{part} is {colour!r}. Write #rrggbb, or a name")
    if missing := [part for part in _NEEDED if part not in palette]:
        raise _wrong(path, text, "palette", f"missing: {', '.join(missing)}")
    if len({colour.startswith("#") for colour in palette.values()}) > 1:
        odd = next(part for part, colour in palette.items() if not colour.startswith("#"))
        raise _wrong(path, text, odd, "#rrggbb and names cannot be mixed in one theme")
    return Colours(**palette)


def _is_colour(value: object) -> bool:
    return isinstance(value, str) and bool(
        _HEX.fullmatch(value) or value in ANSI or value == "default"
    )


def _wrong(path: Path, text: str, key: str, what: str) -> ConfigError:
    """The complaint, with the line on which `key` is set; 1 where it is not."""
    start = re.search(rf"""^[ \t]*\[?[ \t]*["']?{re.escape(key)}\b""", text, re.MULTILINE)
    line = text.count("\n", 0, start.start()) + 1 if start else 1
    return ConfigError(f"{path}:{line}: {what}.")


def usual(environ: Mapping[str, str]) -> str:
    """The name to begin with: light where the terminal says that its background is."""
    back = environ.get("COLORFGBG", "").rpartition(";")[2]  # set by rxvt, Konsole, iTerm2
    return LIGHT if back in ("7", "15") else DARK


def of_home(state: Path, folders: Sequence[Path]) -> Theme:
    """The one that was chosen, else the usual one. Reads files."""
    found = load(folders)
    return found.get(chosen(state) or usual(os.environ)) or found.themes[0]


def chosen(state: Path) -> str:
    """The name that `keep` left; empty = none was chosen. Reads a file."""
    try:
        with (state / _CHOICE).open(encoding="utf-8") as file:
            return one_line(file.read(200), 60)
    except (OSError, UnicodeDecodeError):
        return ""


def keep(state: Path, name: str) -> None:
    """Remember the choice. Writes a file. Raises ConfigError."""
    try:
        private.make(state)
        (state / _CHOICE).write_text(f"{name}\n", encoding="utf-8")
    except OSError as error:
        raise ConfigError(
            f"The theme cannot be remembered: {state / _CHOICE} ({error.strerror})."
        ) from error


def textual_theme(theme: Theme, depth: Depth) -> "TextualTheme":
    """The same for Textual's own style sheets: `$background`, `$surface`, `$accent`, ….

    With sixteen colours or none the terminal's own background shows.
    """
    # Deferred: files are read before, and in tests without, the import of Textual.
    from textual.theme import Theme as TextualTheme  # noqa: PLC0415 - reason above

    colours = Palette(theme.colours, depth).colours
    flat = depth == "none" or not colours.blends
    css = {part: _css(colours.part(part), depth) for part in _PARTS}
    return TextualTheme(
        name=theme.name,
        primary=css["accent"],
        secondary=css["muted"],
        warning=css["warning"],
        error=css["error"],
        success=css["added"],
        accent=css["accent"],
        foreground=None if flat else css["foreground"],
        background=None if flat else css["background"],
        surface=None if flat else css["surface"],
        panel=None if flat else css["surface"],
        dark=theme.appearance == "dark",
        ansi=flat,
        variables=_variables(css),
    )


def _variables(css: Mapping[str, str]) -> dict[str, str]:
    """What Textual would else derive, in colours that no theme has."""
    return {
        "text": css["foreground"],
        "text-muted": css["muted"],
        "text-disabled": css["muted"],
        "foreground-muted": css["muted"],
        "border": css["accent"],
        "border-blurred": css["faint"],
        "scrollbar": css["faint"],
        "scrollbar-hover": css["muted"],
        "scrollbar-active": css["accent"],
        "scrollbar-background": css["background"],
        "scrollbar-background-hover": css["background"],
        "scrollbar-background-active": css["background"],
        "scrollbar-corner-color": css["background"],
        "link-color": css["accent"],
        "ansi-background": "ansi_default",
        "ansi-foreground": "ansi_default",
        "footer-key-foreground": css["accent"],
    }


def _css(colour: str, depth: Depth) -> str:
    if colour.startswith("#") and depth != "none":
        return colour
    return "ansi_default" if depth == "none" else f"ansi_{colour}"
