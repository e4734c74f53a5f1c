"""The files that a command line reads and changes, where that can be proven by its words alone.

A line of which it can is judged by the columns of the mode table about files. When in doubt it
cannot: then the column about commands holds. Links, file names behind a glob, programs and the
settings of a repository are looked at by the engine.
"""

import re
from collections.abc import Iterator, Sequence
from typing import Literal

import msgspec
from msgspec.structs import replace

from qcode.permission.editors import EDITORS, IN_PLACE, READERS, Editor
from qcode.permission.folders import LOOPS, Folders, below, cd_target, folders, is_path
from qcode.permission.readonly import COMMANDS, GIT, Reader
from qcode.permission.shell import Line, Simple
from qcode.permission.words import Word, lex, names

BUILTINS = names("cd command echo false printf pwd test true type")
"""Of the shell's own: nobody looks for a program."""

_SEARCHERS = names("du egrep fgrep find grep ls rg tree")
"""Without a path they take the folder they are in."""
_RECURSIVE = r"-\w*[rR]\w*|-\w*d.*|--(?:r|der|di).*"
"""Options with which `grep` reads all that is in a folder; those that were not listed, too."""
_CONTENTS = names("blame diff grep log show")
"""Of git: they show what stands in files, in all of them where none is named."""

Depth = Literal["one", "file", "below", "hidden"]
"""What of a path is meant: itself; itself, and it must be no folder; what is below it as well, with
`hidden` also names that begin with a dot."""


class Touch(msgspec.Struct, frozen=True):
    """Something that is done to a path."""

    kind: Literal["read", "edit"]
    path: str
    """As bash takes it, from the folder in which the line begins."""
    spelled: Literal["fixed", "glob"] = "fixed"
    depth: Depth = "one"
    onto: str = ""
    """Where it comes to, with all that is below: itself, or into that folder."""


class Touched(msgspec.Struct, frozen=True):
    """What is known of a line."""

    touches: tuple[Touch, ...] = ()
    whole: bool = True
    """True = it does nothing else, if the engine finds no harm in what follows."""
    programs: frozenset[str] = frozenset()
    """Names that are looked for on the search path."""
    git: frozenset[str] = frozenset()
    """Folders in which git reads a repository's settings."""


_UNKNOWN = Touched(whole=False)


def touched(line: Line) -> Touched:
    """What `line` does to files. Pure."""
    where = folders(line)
    parts = [_of_simple(command, where) for command in line.commands]
    opened = Touched(
        tuple(each for file in line.files for each in _redirected(file.kind, file.target, where))
    )
    told = all(file.target.kind == "fixed" and is_path(file.target) for file in line.files)
    found = _joined([*parts, opened])
    whole = found.whole and told and where.sure and _is_clear(line) and _in_order(line, found)
    programs = found.programs | {_name(wrapper.words) for wrapper in line.wrappers}
    return replace(found, whole=whole, programs=programs - BUILTINS)


def touched_by(command: Simple) -> Touched:
    """What one command does to files, wherever it stands."""
    return _of_simple(command, Folders(("",)))


def _joined(parts: Sequence[Touched]) -> Touched:
    return Touched(
        tuple(dict.fromkeys(touch for part in parts for touch in part.touches)),
        all(part.whole for part in parts),
        frozenset().union(*(part.programs for part in parts)),
        frozenset().union(*(part.git for part in parts)),
    )


def _is_clear(line: Line) -> bool:
    """Nothing about it is unclear but that it opens files."""
    return set(line.unclear) <= {str(file) for file in line.files} and bool(
        line.commands or line.files
    )


# What of a line happens before what


def _in_order(line: Line, found: Touched) -> bool:
    """Can nothing that it does change what a later name in it means?"""
    edits = [touch for touch in found.touches if touch.kind == "edit"]
    if not edits:
        return True
    paths = [path for touch in found.touches for path in (touch.path, touch.onto)]
    if any(".." in path.split("/") for path in paths):
        return False
    globs = any(touch.spelled == "glob" for touch in found.touches)
    if globs and any(part.startswith("-") for path in paths for part in path.split("/")):
        return False
    if found.git and any(_name(command.words) == "cd" for command in line.commands):
        return False
    return not _moves(line) or _moves_last(line)


def _moves(line: Line) -> bool:
    return any(_is_move(command.words) for command in line.commands)


def _is_move(words: Sequence[Word]) -> bool:
    editor = EDITORS.get(words[0].text)
    if editor is None:
        return False
    return editor.moves or (editor.onto and _is_deep(words, editor))


def _is_deep(words: Sequence[Word], editor: Editor) -> bool:
    deep = editor.deep
    return deep is not None and any(deep.fullmatch(word.text) for word in words[1:])


def _moves_last(line: Line) -> bool:
    """One moves, one after another, and none behind it names a file."""
    at = next(at for at, command in enumerate(line.commands) if _is_move(command.words))
    behind = [touched_by(command) for command in line.commands[at + 1 :]]
    if line.wrappers or line.files or any(one.touches or one.git for one in behind):
        return False
    signs = {token for token in lex(line.text) if isinstance(token, str)}
    return signs <= {"&&", ";", "\n"} and not LOOPS.search(line.text)


# One command


def _name(words: Sequence[Word]) -> str:
    return words[0].text


def _redirected(kind: Literal["read", "edit"], target: Word, folders: Folders) -> Iterator[Touch]:
    """Whether it stands before or behind a `cd`, nobody counts: both."""
    for folder in dict.fromkeys(("", *folders.possible)):
        yield Touch(kind, below(folder, target.text))


def _of_simple(command: Simple, folders: Folders) -> Touched:
    words = command.words
    if words[0].kind != "fixed":
        return _UNKNOWN
    name = _name(words)
    found = _of_git(words) if name == "git" else _of_words(name, words)
    touches = tuple(
        _placed(touch, folder) for touch in found.touches for folder in _in(folders, name)
    )
    git = frozenset(folders.possible) if found.git else frozenset()
    return replace(
        found, touches=tuple(dict.fromkeys(touches)), programs=frozenset({name}), git=git
    )


def _in(folders: Folders, name: str) -> tuple[str, ...]:
    """`cd a && …` names `a` from where the line begins."""
    return ("",) if name == "cd" and len(folders.possible) == 1 else folders.possible


def _placed(touch: Touch, folder: str) -> Touch:
    onto = below(folder, touch.onto) if touch.onto else ""
    return replace(touch, path=below(folder, touch.path), onto=onto)


def _of_words(name: str, words: Sequence[Word]) -> Touched:
    if name == "cd":
        target = cd_target(words)
        return _UNKNOWN if target is None else Touched((Touch("read", target),))
    arguments = words[1:]
    if name == "sed" and any(IN_PLACE.fullmatch(word.text) for word in arguments):
        return _edited(words, EDITORS[name])
    if name != "sed" and name in EDITORS:
        return _edited(words, EDITORS[name])
    reader = READERS.get(name) or COMMANDS.get(name)
    if reader is None:
        return _UNKNOWN
    return _read(name, arguments, reader)


def _of_git(words: Sequence[Word]) -> Touched:
    rest = words[2:] if len(words) > 1 and words[1].text == "--no-pager" else words[1:]
    reader = GIT.get(rest[0].text) if rest else None
    if reader is None:
        return _UNKNOWN
    found = _read(f"git {rest[0].text}", rest[1:], reader)
    depth: Depth = "below" if rest[0].text in _CONTENTS else "one"
    paths = [Touch("read", ".", depth=depth)]
    for touch in found.touches:  # `HEAD:a.py` is `a.py` as it was
        paths += [touch, replace(touch, path=touch.path.rpartition(":")[2] or ".")]
    return Touched(tuple(dict.fromkeys(paths)), found.whole, git=frozenset({""}))


def _read(name: str, arguments: Sequence[Word], reader: Reader) -> Touched:
    options, operands = _divided(arguments)
    said, paths = operands[: reader.words], operands[reader.words :]
    if reader.words >= 1000:  # whatever they are, only globs look at files
        paths = [word for word in said if word.kind == "glob"]
    fits = (
        reader.least <= len(operands) <= reader.most
        and all(_is_option(word, reader.options) for word in options)
        and all(re.fullmatch(reader.first, word.text, re.DOTALL) for word in said)
        and all(word.kind == "fixed" for word in said if word not in paths)
        and all(map(is_path, paths))
    )
    depth = _depth(name, [word.text for word in options])
    touches = [Touch("read", word.text, _spelled(word), depth) for word in paths]
    if not paths and name in _SEARCHERS:
        touches = [Touch("read", ".", depth=depth)]
    return Touched(tuple(touches), fits)


def _depth(name: str, options: Sequence[str]) -> Depth:
    """What of a folder's files is read. `find` and `ls` tell names; `diff` follows links in it."""
    if name == "diff":
        return "file"
    if name in ("grep", "egrep", "fgrep"):
        return "hidden" if any(re.fullmatch(_RECURSIVE, one) for one in options) else "one"
    if name != "rg":
        return "one"
    hidden = any(one == "--hidden" or re.fullmatch(r"-[\w.]*[u.][\w.]*", one) for one in options)
    return "hidden" if hidden else "below"


def _edited(words: Sequence[Word], editor: Editor) -> Touched:
    options, operands = _divided(words[1:])
    least = 1 + bool(editor.first) + editor.onto
    fits = (
        len(operands) >= least
        and all(_is_option(word, editor.options) for word in options)
        and (not editor.first or _is_first(operands[0], editor))
    )
    paths = operands[bool(editor.first) :]
    fits = fits and all(map(is_path, paths))
    if editor.onto:
        return Touched(tuple(_carried(words, paths, editor)), fits and paths[-1].kind == "fixed")
    depth: Depth = "hidden" if _is_deep(words, editor) else "one"
    touches = [Touch("edit", word.text, _spelled(word), depth) for word in paths]
    return Touched((*touches, *_copies(touches, options, editor)), fits)


def _is_first(word: Word, editor: Editor) -> bool:
    return word.kind == "fixed" and bool(re.fullmatch(editor.first, word.text))


def _carried(words: Sequence[Word], paths: Sequence[Word], editor: Editor) -> Iterator[Touch]:
    """Each file and where it comes to; one that is moved is gone from where it was."""
    if not paths:
        return
    target = paths[-1].text
    for word in paths[:-1]:
        depth: Depth = "hidden" if _is_move(words) else "one"
        kind: Literal["read", "edit"] = "edit" if editor.moves else "read"
        yield Touch(kind, word.text, _spelled(word), depth, target)


def _copies(touches: Sequence[Touch], options: Sequence[Word], editor: Editor) -> Iterator[Touch]:
    """`sed -i.bak` leaves `FILE.bak`."""
    if editor.suffix is None:
        return
    for option in options:
        if found := editor.suffix.fullmatch(option.text):
            yield from (replace(touch, path=touch.path + found[1]) for touch in touches)


def _divided(arguments: Sequence[Word]) -> tuple[list[Word], list[Word]]:
    """Options, and operands. A word that is known only when it runs is both: it fits nowhere."""
    texts = [word.text for word in arguments]
    end = texts.index("--") if "--" in texts else len(texts)
    options = [
        word
        for word in arguments[:end]
        if word.kind == "computed" or (word.text.startswith("-") and word.text != "-")
    ]
    operands = [word for word in arguments[:end] if word not in options]
    return options, [*operands, *arguments[end + 1 :]]


def _is_option(word: Word, pattern: str) -> bool:
    return word.kind == "fixed" and re.fullmatch(pattern, word.text) is not None


def _spelled(word: Word) -> Literal["fixed", "glob"]:
    return "glob" if word.kind == "glob" else "fixed"
