"""Which files of a repository of the hub a person means. Pure.

A model is one GGUF file, or several that are numbered; its eyes are a file of their own, `mmproj`.
"""

import re
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from qcode.protocol.errors import BadAnswer, InputError
from qcode.protocol.text import one_line
from qcode.serve.gguf_names import quantisation

_NAME = re.compile(r"(?:hf:)?([\w.-]{1,96}/[\w.-]{1,96})(?::([\w.-]{1,64}))?")
_PART = re.compile(r"-(\d{5})-of-(\d{5})$")
_EYES = ("F16", "BF16", "F32")
"""Of a projector, the best first: all engines take F16, and more precision shows nothing more."""
_MOST_NAMED = 30


class HubFile(msgspec.Struct, frozen=True):
    """One file of a repository."""

    name: str
    """Its path in the repository."""
    size_bytes: int
    sha256: str
    """Empty = the hub does not tell."""


def listed(name: Any, count: Any, sha256: Any) -> HubFile:
    """A file as the hub lists it. Names and checksums become parts of paths. Raises BadAnswer."""
    is_name = isinstance(name, str) and name.isprintable() and "\\" not in name
    if not is_name or {"", ".", ".."} & set(name.split("/")):
        raise BadAnswer(
            f"The hub lists a file as {one_line(str(name), 80)!r}: nothing was fetched."
        )
    is_sum = isinstance(sha256, str) and re.fullmatch(r"([0-9a-f]{64})?", sha256)
    if not is_sum or not isinstance(count, int) or count < 0:
        raise BadAnswer(f"The hub does not say what {one_line(name, 80)} is: nothing was fetched.")
    return HubFile(name, count, sha256)


def plain(etag: str) -> str:
    """It becomes the name of a file. Raises BadAnswer."""
    if not etag.isalnum() or len(etag) > 128:
        raise BadAnswer(f"The hub names a file by {one_line(etag, 80)!r}: nothing was fetched.")
    return etag


class Named(msgspec.Struct, frozen=True):
    """What stands on the command line."""

    repo: str
    quant: str
    """Empty = the only one."""


def named(text: str) -> Named:
    """`hf:OWNER/REPOSITORY:QUANT`, the first and the last of it optional. Raises InputError."""
    if not (found := _NAME.fullmatch(text)) or ".." in text:
        raise InputError(
            f"{one_line(text, 80)!r} names no model of the hub. Write OWNER/REPOSITORY:QUANT, such "
            "as unsloth/Qwen3.6-35B-A3B-GGUF:UD-Q4_K_XL."
        )
    return Named(found[1], found[2] or "")


def model_files(files: Iterable[HubFile], wanted: Named) -> tuple[HubFile, ...]:
    """The file of the wanted quantisation, or all its parts in order. Raises InputError with what
    there is instead."""
    groups = _groups(files)
    fitting = [stem for stem in groups if not wanted.quant or _is(stem, wanted.quant)]
    if not groups:
        raise InputError(
            f"{wanted.repo} has no GGUF file. Repositories that have some are named so, as a rule: "
            f"{wanted.repo}-GGUF."
        )
    if len(fitting) == 1:
        return _whole(groups[fitting[0]], wanted)
    there = _there(groups)
    if wanted.quant and not fitting:
        raise InputError(f"{wanted.repo} has no {wanted.quant}. There is {there}.")
    what = f"several files of {wanted.quant}" if wanted.quant else "several quantisations"
    raise InputError(f"{wanted.repo} has {what}: {there}. Say which: {wanted.repo}:QUANT.")


def eyes(files: Iterable[HubFile]) -> HubFile | None:
    """The projector that goes with the models of a repository; None = it has none."""
    found = [one for one in files if _is_eyes(one.name)]

    def rank(one: HubFile) -> tuple[int, str]:
        quant = quantisation(one.name)
        return (_EYES.index(quant) if quant in _EYES else len(_EYES), one.name)

    return min(found, key=rank, default=None)


def _groups(files: Iterable[HubFile]) -> dict[str, list[HubFile]]:
    """Stem without number -> the parts."""
    groups: dict[str, list[HubFile]] = {}
    for one in sorted(files, key=lambda file: file.name):
        if one.name.lower().endswith(".gguf") and not _is_eyes(one.name):
            groups.setdefault(_PART.sub("", one.name[: -len(".gguf")]), []).append(one)
    return groups


def _whole(parts: Sequence[HubFile], wanted: Named) -> tuple[HubFile, ...]:
    """Raises InputError where one is missing."""
    told = [_PART.search(one.name[: -len(".gguf")]) for one in parts]
    last = told[-1]
    numbers = [int(one[1]) for one in told if one]
    if last and numbers != list(range(1, int(last[2]) + 1)):
        raise InputError(
            f"{wanted.repo} has only {len(parts)} of {int(last[2])} parts of that model: it cannot "
            "be loaded. Take another quantisation, or ask its maker."
        )
    return tuple(parts)


def _is(stem: str, quant: str) -> bool:
    """`Q4_K_M` is not `UD-Q4_K_M`; what is no quantisation we know is looked for as a word."""
    found = quantisation(stem.rpartition("/")[2])
    if found == quant.upper():
        return True
    plain = not found or not quantisation(quant)
    return plain and re.search(rf"(^|[-./]){re.escape(quant)}($|[-./])", stem, re.I) is not None


def _is_eyes(name: str) -> bool:
    file = name.rpartition("/")[2].lower()
    return file.endswith(".gguf") and "mmproj" in file


def _there(groups: dict[str, list[HubFile]]) -> str:
    rows = [
        f"{one_line(quantisation(stem) or stem, 60)} ({size(sum(f.size_bytes for f in parts))})"
        for stem, parts in groups.items()
    ]
    more = f" and {len(rows) - _MOST_NAMED} more" if len(rows) > _MOST_NAMED else ""
    return ", ".join(rows[:_MOST_NAMED]) + more


class Suspect(msgspec.Struct, frozen=True):
    """Files that are known to be bad if they are older than a day."""

    before: str
    """`2026-03-05`."""
    said: str
    """For people."""


def suspects(known: Iterable[tuple[str, str]], repo: str, name: str) -> tuple[Suspect, ...]:
    """Of what is known to be bad, as (files, what is wrong with them), what this one may be:
    `Qwen3.5 with UD- in the name, uploaded before 2026-02-27` names a model first, a day last."""
    found = []
    for files, wrong in known:
        day = re.search(r"\bbefore (\d{4}-\d\d-\d\d)$", files)
        model = files.partition(" ")[0].lower()
        marked = "UD-" not in files or "UD-" in name.upper()
        if day and marked and model in f"{repo}/{name}".lower():
            found.append(Suspect(day[1], f"{files}: {wrong}"))
    return tuple(found)


def size(count: int) -> str:
    """Bytes for people, as the hub counts them: `22.1 GB`."""
    for unit, scale in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if count >= scale:
            return f"{count / scale:.1f} {unit}"
    return f"{count} bytes"
