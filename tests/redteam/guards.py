"""Each guard of qcode, and its absence: what shows that a case tests just that guard.

Nothing in qcode switches one off. Here, in the tests, the function that is the guard is replaced
wherever qcode's modules hold it, by one that does what careless agents did.
"""

import os
import re
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from qcode.bench import repository as bench_repository
from qcode.cli import bench_tasks
from qcode.config import files as config_files
from qcode.config import load as config_load
from qcode.engine.connecting import Connections
from qcode.engine.reach import Looking
from qcode.permission import judge as judgement
from qcode.permission import (
    modes,
    patterns,
    readonly,
    rules,
    runners,
    shell,
    trust,
    words,
    wrappers,
)
from qcode.permission.code import runs_code
from qcode.permission.shell import Line, Simple
from qcode.permission.words import Word
from qcode.protocol import hosts, text
from qcode.sandbox import head, reach
from qcode.sandbox.environment import child_environment
from qcode.server import chunks
from qcode.server.reader import Limits
from qcode.tools import address, web
from qcode.tui.drawing import inline, visible, wrap
from qcode.tui.lines import Line as Drawn
from qcode.tui.lines import Span
from qcode.workspace import files, held, places, save, straight
from qcode.workspace.secrets import Secrets
from tests.redteam.attempts import absent, fenced

_SPLIT = shell.split
_HOLDERS = ("qcode.", "tests.redteam.attempts.")

Without = Callable[[], AbstractContextManager[None]]


@contextmanager
def _swapped(owner: Any, name: str, instead: object) -> Iterator[None]:
    kept = getattr(owner, name)
    setattr(owner, name, instead)
    try:
        yield
    finally:
        setattr(owner, name, kept)


def _everywhere(original: object, instead: object) -> Without:
    """Wherever a module of qcode holds `original`."""

    @contextmanager
    def without() -> Iterator[None]:
        with ExitStack() as stack:
            for module in [it for name, it in sys.modules.items() if name.startswith(_HOLDERS)]:
                for name in [key for key, value in vars(module).items() if value is original]:
                    stack.enter_context(_swapped(module, name, instead))
            stack.callback(_SPLIT.cache_clear)
            _SPLIT.cache_clear()
            yield

    return without


def _all(*parts: Without) -> Without:
    @contextmanager
    def without() -> Iterator[None]:
        with ExitStack() as stack:
            for part in parts:
                stack.enter_context(part())
            yield

    return without


def _attribute(owner: Any, name: str, instead: object) -> Without:
    @contextmanager
    def without() -> Iterator[None]:
        _SPLIT.cache_clear()
        with _swapped(owner, name, instead):
            yield
        _SPLIT.cache_clear()

    return without


# ---------------------------------------------------------------------------- carelessness


def _one_command(line: str) -> Line:
    """A line is one command, its words are what stands between blanks."""
    return Line(line, (Simple(tuple(Word(word) for word in line.split()) or (Word(""),)),))


def _begins(pattern: patterns.CommandPattern, command: Simple) -> bool:
    """A rule is the beginning of a text."""
    said = " ".join(word.text for word in command.words)
    return said.startswith(pattern.text.removesuffix(":*").removesuffix(" *").strip())


def _starts_known(line: Line) -> bool:
    """A command reads only when its first word does."""
    name = line.text.split()[:1]
    return bool(name) and (name[0] in readonly.COMMANDS or name[0] == "git")


def _as_text(path: str, base: str, line: str) -> bool:
    """A path lies below another one when it begins with its letters."""
    return path.startswith(f"{base}/{line.strip('/').rstrip('*').rstrip('/')}")


def _written(workspace: files.Workspace, path: str) -> files.Located:
    """Where a path leads is what it says."""
    at = Path(os.path.abspath(workspace.root / path))  # noqa: PTH100 - `resolve` would be the guard
    inside = str(at).startswith(str(workspace.root))
    return files.Located(at, str(at), "workspace" if inside else "outside")


def _taken_in(pattern: patterns.PathPattern, access: Any) -> bool:
    """A rule allows whatever it matches."""
    path = patterns._absolute(access.target, pattern.root)
    return path is not None and patterns._below(path, pattern.base, pattern.line)


def _opened(path: Path, flags: int) -> int:
    return os.open(path, flags & ~getattr(os, "O_NOFOLLOW", 0))


def _listed(path: str) -> dict[str, bool]:
    return {one.name: one.is_dir() for one in Path(path).iterdir()}


@contextmanager
def _held(folder: Path) -> Iterator[held.Held]:
    fd = os.open(folder, os.O_RDONLY)
    try:
        yield held.Held(folder, fd)
    finally:
        os.close(fd)


def _written_over(
    folder: held.Held, located: files.Located, data: bytes, was: files.Loaded
) -> None:
    located.path.write_bytes(data)


def _inherit_all(
    inherited: Mapping[str, str], added: Mapping[str, str], passed: object = ()
) -> dict[str, str]:
    return {**inherited, **added}


def _first_line(said: str, width: int = 100) -> str:
    return said.split("\n")[0][:width]


def _loose_host(host: str) -> str | None:
    """A name is trusted by its last letters."""
    return host.rsplit("\0", 1)[-1].lower()


def _loose_labels(host: str) -> tuple[str, ...] | None:
    return tuple(_loose_host(host).split(".")) if host else None  # type: ignore[union-attr]  # never None


async def _never(*_: object) -> bool:
    return False


def _cut_off(spans: Sequence[Span], width: int) -> list[Drawn]:
    return [Drawn(wrap.clip(spans, width))]


def _as_if_fenced(row: modes.Row, access: Any, fence: modes.Fence) -> modes.Cell:
    return _CELL(row, access, "holds")


_CELL = modes._cell

_PARSER = _all(
    _everywhere(shell.split, _one_command), _attribute(patterns.CommandPattern, "covers", _begins)
)

GUARDS: Mapping[str, Without] = {
    "parser": _PARSER,
    "code": _everywhere(runs_code, lambda words: ""),
    "wrappers": _everywhere(wrappers.unwrap, lambda argv: None),
    "unwrapping": _all(
        _everywhere(wrappers.unwrap, lambda argv: None), _everywhere(runs_code, lambda words: "")
    ),
    "runners": _everywhere(runners.inside, lambda argv: None),
    "limits": _all(
        _attribute(shell, "MOST_PARTS", 10**9),
        _attribute(shell, "LONGEST", 10**9),
        _attribute(shell, "DEEPEST", 10**9),
    ),
    "invisible": _everywhere(words.oddities, lambda line: iter(())),
    "strictest": _attribute(rules.Rule, "touches", lambda rule, access: False),
    "read-only": _everywhere(readonly.is_read_only, _starts_known),
    "fence-column": _attribute(modes, "_cell", _as_if_fenced),
    "told": _attribute(modes, "TOLD", frozenset()),
    "components": _everywhere(patterns._below, _as_text),
    "looking": _attribute(
        Looking, "reached", lambda looking, line: judgement.Reached((), "proven")
    ),
    "resolving": _attribute(files.Workspace, "resolve", _written),
    "names": _everywhere(places.protects, lambda components: False),
    "closed": _all(
        _attribute(Secrets, "around", lambda secrets, path, shown: ""),
        _attribute(Secrets, "is_one", lambda secrets, path: False),
        _attribute(Secrets, "below", lambda secrets, folder: False),
    ),
    "naming": _attribute(patterns.PathPattern, "covers", _taken_in),
    "holding": _all(
        _everywhere(straight.open_straight, _opened),
        _everywhere(straight.folder_entries, _listed),
        _everywhere(held.held, _held),
        _attribute(save, "_replace", _written_over),
    ),
    "unchanged": _attribute(save, "_replace", _written_over),
    "fence": _attribute(fenced, "MODE", ["plain"]),
    "environment": _everywhere(child_environment, _inherit_all),
    "sanitiser": _all(
        _everywhere(text.plain, lambda said: said),
        _everywhere(text.one_line, _first_line),
        _everywhere(visible.safe, lambda said: said),
        _everywhere(visible.visible, lambda said: said),
    ),
    "project-keys": _attribute(config_files, "_permit", lambda key, where: None),
    "trust": _everywhere(
        trust.standing, lambda now, trusted, declined="": trust.Standing("trusted")
    ),
    "consent": _attribute(config_load, "CONSENT", {}),
    "sizes": _everywhere(Limits, lambda: Limits(*[10**12 for _ in Limits.__struct_fields__])),
    "hosts": _all(
        _everywhere(hosts.plain_host, _loose_host),
        _everywhere(patterns.host_labels, _loose_labels),
    ),
    "urls": _all(
        _attribute(address, "_SIGN", re.compile("(?!)")),
        _attribute(address, "_host_and_port", lambda netloc, scheme: (netloc, 80)),
    ),
    "proxy": _everywhere(
        head.parse, lambda said: head.Wanted(said.decode("latin-1").split()[1], 443, b"")
    ),
    "addresses": _all(
        _everywhere(hosts.why_not_public, lambda address: ""),
        _everywhere(reach.why_closed, lambda address: ""),
        _attribute(reach.Reach, "refuses", lambda self, host: ""),
    ),
    "endpoints": _everywhere(web._is_endpoint, _never),
    "beyond": _attribute(
        modes, "TABLE", {name: replace(row, beyond="allow") for name, row in modes.TABLE.items()}
    ),
    "depth": _everywhere(chunks.decoded, lambda payload, decoder: decoder.decode(payload)),
    "wrapping": _everywhere(wrap.chop, _cut_off),
    "served-port": _attribute(Connections, "is_served", lambda self, port: False),
    "bench-fence": _everywhere(bench_tasks._fence, lambda sandbox: ()),
    "clearing": _everywhere(bench_repository.clear, lambda top, name: top / name),
    "targets": _attribute(inline._Pieces, "_address", lambda pieces, address, words: None),
    "absence": _attribute(absent, "CARELESS", [True]),
}
"""Name -> what it is like without it."""
