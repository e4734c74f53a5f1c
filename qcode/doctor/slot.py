"""What an examination does to whoever else uses the server: seen, told, and put back if possible.

llama.cpp saves and restores a slot where it was started with `--slot-save-path`. No server tells
what it saved under which name, and none deletes it: one name for all runs, so that files do not
pile up. In a folder of ours the file is deleted once it was given back; elsewhere it is written
over with an empty slot, where the server has one to spare, and stays as it is where it has none.
"""

from contextlib import suppress
from pathlib import Path

import msgspec

from qcode.doctor.base import Subject
from qcode.server import liveness
from qcode.server.ask import NoAnswer
from qcode.server.endpoint import root

SAVE_SECONDS = 60.0
"""Some gigabytes to a disk."""
MOST_SLOTS = 4

_RUNNING = {"vllm": "vllm:num_requests_running", "sglang": "sglang:num_running_reqs"}
"""The gauge of a server's `/metrics` that counts requests at work."""


async def is_busy(subject: Subject) -> bool:
    """Whether it answers somebody now. False too where it does not tell."""
    kind, asker = subject.facts.kind, subject.asker
    if kind in _RUNNING:
        return await _gauge(subject, _RUNNING[kind]) > 0
    return kind == "llamacpp" and await liveness.doing(asker, subject.facts) == "busy"


def tells_busy(subject: Subject) -> bool:
    """Whether a server of this kind says that it is at work at all."""
    return subject.facts.kind in ("llamacpp", *_RUNNING)


class Saved(msgspec.Struct, frozen=True):
    """Slots whose content lies in a file of the server's."""

    slots: tuple[int, ...] = ()


async def save(subject: Subject) -> Saved:
    """Save what the slots hold, where the server does that; without it, none."""
    if subject.facts.kind != "llamacpp":
        return Saved()
    numbers = range(_count(subject))
    kept = [number for number in numbers if await _did(subject, number, "save") > 0]
    return Saved(tuple(kept))


async def restore(subject: Subject, saved: Saved) -> bool:
    """Put it back; whether all of it is."""
    done = [await _did(subject, number, "restore") > 0 for number in saved.slots]
    return all(done)


async def clear(subject: Subject, saved: Saved, folder: Path) -> None:
    """What was given back leaves no copy: a conversation is the person's, and gigabytes are theirs.

    `folder`: where the servers that qcode starts keep their slots.
    """
    elsewhere = [number for number in saved.slots if not _deleted(folder / _name(number))]
    spare = [at for at in range(_count(subject)) if at not in saved.slots]
    if elsewhere and spare and await _answered(subject, spare[0], "erase", elsewhere[0]):
        for number in elsewhere:
            await _answered(subject, spare[0], "save", number)


def _deleted(file: Path) -> bool:
    with suppress(OSError):
        file.unlink()
        return True
    return False


def _name(number: int) -> str:
    return f"qcode-doctor-{number}.bin"


def _count(subject: Subject) -> int:
    return min(subject.facts.slots or 1, MOST_SLOTS)


async def _answered(subject: Subject, number: int, action: str, name_of: int) -> bool:
    url = f"{root(subject.facts.base_url)}/slots/{number}?action={action}"
    try:
        reply = await subject.asker.post(url, {"filename": _name(name_of)}, SAVE_SECONDS)
    except NoAnswer:
        return False
    return reply.status == 200


async def _did(subject: Subject, number: int, action: str) -> int:
    """Tokens that were saved or restored; 0 = it cannot, or there was nothing."""
    url = f"{root(subject.facts.base_url)}/slots/{number}?action={action}"
    body = {"filename": _name(number)}
    try:
        reply = await subject.asker.post(url, body, SAVE_SECONDS)
    except NoAnswer:
        return 0
    told = reply.fields.get("n_saved" if action == "save" else "n_restored")
    return told if reply.status == 200 and isinstance(told, int) else 0


async def _gauge(subject: Subject, name: str) -> float:
    """The sum of a gauge of Prometheus; 0.0 where it is not told."""
    try:
        reply = await subject.asker.get(f"{root(subject.facts.base_url)}/metrics")
    except NoAnswer:
        return 0.0
    total = 0.0
    for line in reply.body.decode(errors="replace").splitlines():
        if line.startswith((f"{name}{{", f"{name} ")):
            total += _number(line.rpartition(" ")[2])
    return total


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return 0.0
