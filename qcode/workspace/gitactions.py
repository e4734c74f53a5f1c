"""What a person does with single hunks in a repository: take them back, stage, unstage.

A file is only written while the hunk still stands in it, and what stood there is kept in git's
object store, so that nothing is lost by a slip. Filters of the repository never run: a file that
has one is left to git itself.
"""

import asyncio
import os
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import msgspec

from qcode.protocol.errors import InputError
from qcode.protocol.text import one_line
from qcode.workspace.files import Loaded, Located, Workspace, load
from qcode.workspace.git import Reply, ask
from qcode.workspace.gitdiff import Place, place_of
from qcode.workspace.patches import FILE, PROGRAM, FileChange, patch_of
from qcode.workspace.review import Choice, Hunk, Row, edited, fits, merged, result, reversed_hunk
from qcode.workspace.save import save
from qcode.workspace.trouble import FileTrouble

WHOLE = 0
"""The number of what has no hunks: it is taken or left as a whole."""


class Done(msgspec.Struct, frozen=True):
    """What became of an action on hunks of one file."""

    failed: Mapping[int, str] = msgspec.field(default_factory=dict)
    """By number of the hunk: why nothing was done about it."""
    was: str = ""
    """Git's name for the file as it stood before; `git cat-file -p` shows it."""


async def revert(folder: Path, change: FileChange, numbers: Collection[int]) -> Done:
    """Take these hunks of the file back in the working tree; the rest of it stays."""
    return await rewrite(folder, change, dict.fromkeys(numbers, Choice("drop")))


async def rewrite(folder: Path, change: FileChange, choices: Mapping[int, Choice]) -> Done:
    """Bring the file in the working tree to what was chosen: `drop` takes a hunk back, `edited`
    puts the person's lines in its place. Hunks that are not named stay."""
    try:
        return await _rewrite(folder, change, choices)
    except (InputError, FileTrouble, OSError) as error:
        return Done(dict.fromkeys(choices, one_line(str(error), 300)))


async def stage(folder: Path, change: FileChange, numbers: Collection[int]) -> Done:
    """Put these hunks into the index, which else stays as it is."""
    return await _index(folder, change, numbers, ())


async def unstage(folder: Path, change: FileChange, numbers: Collection[int]) -> Done:
    """Take these hunks out of the index; the file itself stays."""
    return await _index(folder, change, numbers, ("--reverse",))


async def _rewrite(folder: Path, change: FileChange, choices: Mapping[int, Choice]) -> Done:
    place = place_of(folder)
    located = _located(folder, change)
    if change.hunks and change.kind == "deleted":
        data = _bytes(result("".join(change.hunks[0].old), change.hunks, choices))
        await asyncio.to_thread(_write, located, data, None, change.old_mode)
        return Done()
    if change.hunks:
        turned = [
            _turned(hunk, choices[hunk.number])
            for hunk in change.hunks
            if hunk.number in choices and choices[hunk.number].kind != "keep"
        ]
        return await _lines_back(place, located, change, turned)
    return await _whole_back(place, located, change)


async def _lines_back(
    place: Place, located: Located, change: FileChange, turned: Sequence[Hunk]
) -> Done:
    was = await asyncio.to_thread(load, located)
    name = await _kept(place, was)
    text, ends = _as_git_has_it(was.data, turned)
    failed = {number: why for number, why in fits(text, turned).items() if why}
    if len(failed) == len(turned):
        return Done(failed)
    data = _bytes(merged(text, turned, {}).replace("\n", ends))
    is_gone = change.kind == "new" and not data and not any(hunk.new for hunk in turned)
    if is_gone:
        await asyncio.to_thread(_remove, located, was)
    else:
        await asyncio.to_thread(_write, located, data, was, "")
    return Done(failed, name)


def _turned(hunk: Hunk, choice: Choice) -> Hunk:
    """From the hunk's new side to what was chosen."""
    if choice.kind == "drop":
        return reversed_hunk(hunk)
    rows: list[Row] = [("-", line) for line in hunk.new]
    rows += [("+", line) for line in edited(hunk, choice.text)]
    return Hunk(hunk.number, hunk.new_start, hunk.new_start, tuple(rows))


def _as_git_has_it(data: bytes, turned: Sequence[Hunk]) -> tuple[str, str]:
    """The text, and its line ends where git shows others than the file has (`core.autocrlf`)."""
    text = data.decode("utf-8", "surrogateescape")
    only_crlf = text.count("\r\n") == text.count("\n") > 0
    if only_crlf and not any("\r\n" in line for hunk in turned for line in hunk.old):
        return text.replace("\r\n", "\n"), "\r\n"
    return text, "\n"


async def _whole_back(place: Place, located: Located, change: FileChange) -> Done:
    if change.kind == "mode":
        mode = 0o755 if change.old_mode == PROGRAM else 0o644
        await asyncio.to_thread(os.chmod, located.path, mode)
        return Done()
    if change.kind != "binary" or change.old_mode not in (FILE, PROGRAM) or not change.old_blob:
        raise InputError(
            f"{change.path} is taken back as a whole: git restore, git mv or rm in a shell."
        )
    await _no_filter(place, change)
    blob = await ask(place.top, ["cat-file", "blob", change.old_blob], limit_bytes=2**26)
    if blob.code or len(blob.out) == 2**26:
        raise InputError(f"git has no old content of {change.path} at hand.")
    was = await asyncio.to_thread(load, located) if located.path.exists() else None
    name = await _kept(place, was) if was else ""
    await asyncio.to_thread(_write, located, blob.out, was, change.old_mode)
    return Done({}, name)


def _located(folder: Path, change: FileChange) -> Located:
    """The file itself. Raises InputError for one that a link leads to: git knows the link."""
    located = Workspace(folder).resolve(change.path)
    if located.path != Path(os.path.realpath(folder), change.path):
        raise InputError(f"{change.path} is, or lies behind, a symbolic link. Change it yourself.")
    return located


def _write(located: Located, data: bytes, was: Loaded | None, mode: str) -> None:
    save(located, data, was)
    if mode == PROGRAM:
        located.path.chmod(0o755)


def _remove(located: Located, was: Loaded) -> None:
    if load(located).digest != was.digest:
        raise InputError(f"{located.shown} changed a moment ago. Nothing was done.")
    located.path.unlink()


async def _kept(place: Place, was: Loaded) -> str:
    words = ["hash-object", "-w", "--stdin", "--no-filters"]
    return _good(await ask(place.top, words, was.data), "keep the old text").out.decode().strip()


async def _index(
    folder: Path, change: FileChange, numbers: Collection[int], turn: tuple[str, ...]
) -> Done:
    try:
        place = place_of(folder)
        await _no_filter(place, change)
        if not change.hunks:
            await _whole_index(place, change, turn)
            return Done()
    except InputError as error:
        return Done(dict.fromkeys(numbers, one_line(str(error), 300)))
    failed = {}
    # reversed from the end, so that the places of those above stay as the patch has them
    for hunk in sorted(change.hunks, key=lambda hunk: -hunk.number):
        if hunk.number in numbers:
            failed[hunk.number] = await _apply(place, change, hunk, turn)
    return Done({number: why for number, why in failed.items() if why})


async def _apply(place: Place, change: FileChange, hunk: Hunk, turn: tuple[str, ...]) -> str:
    """Why it could not be done; empty = it is."""
    patch = _bytes(patch_of(_from_top(place, change), [hunk]))
    words = ["apply", "--cached", "--whitespace=nowarn", *turn, "-"]
    reply = await ask(place.top, words, patch)
    if not reply.code:
        return ""
    other = () if turn else ("--reverse",)
    check = ["apply", "--cached", "--check", *other, "-"]
    if not (await ask(place.top, check, patch)).code:
        return "it is not staged" if turn else "it is staged already"
    return f"git apply: {one_line(reply.error.removeprefix('error: '), 200)}"


async def _whole_index(place: Place, change: FileChange, turn: tuple[str, ...]) -> None:
    paths = [_from_top(place, change).path]
    if change.old_path:
        paths.append(place.prefix + change.old_path)
    words = ["reset", "--quiet", "--"] if turn else ["add", "--all", "--"]
    _good(await ask(place.top, ["--literal-pathspecs", *words, *paths]), "change its index")


def _from_top(place: Place, change: FileChange) -> FileChange:
    return replace(change, path=place.prefix + change.path)


async def _no_filter(place: Place, change: FileChange) -> None:
    """Raises InputError where what git keeps of the file is not what the file has."""
    path = place.prefix + change.path
    reply = _good(await ask(place.top, ["check-attr", "-z", "filter", "--", path]), "tell filters")
    value = reply.out.decode("utf-8", "replace").split("\0")[2:3]
    if value and value[0] not in ("unspecified", "unset"):
        name = one_line(value[0], 40)
        raise InputError(f"{change.path} goes through the filter {name!r}. Use git itself for it.")


def _good(reply: Reply, deed: str) -> Reply:
    if reply.code:
        raise InputError(f"git could not {deed}: {one_line(reply.error, 200)}")
    return reply


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")
