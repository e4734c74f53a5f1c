"""Finds tasks in a repository. Each is proven before it is one: the tests pass, they fail with the
bug or without the commit, and they pass again.
"""

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

import msgspec

from qcode.bench.copies import Copies, Judge, folder, tail
from qcode.bench.mutations import python
from qcode.bench.process import Ran
from qcode.bench.repository import Changed, put
from qcode.bench.roles import PYTHON, is_code, is_test
from qcode.bench.task import Kind, Swap, Task
from qcode.bench.textual import other
from qcode.protocol.errors import InputError
from qcode.protocol.text import one_line

_COMMITS = 300
"""Of the history, how many are looked at."""
_MOST_FILES = 6
_MOST_LINES = 200
"""Of code, in a commit that counts as small."""
_TRIES = 8
"""Proposals that are tried for each task that is wanted."""
_LARGEST_FILE = 400_000
_LEAST_SECONDS = 20.0
_TIMES = 5
"""A run of the tests that takes so many times as long as the first one hangs."""

Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be made."""

    count: int
    kinds: tuple[Kind, ...]
    seed: int
    """Decides which bugs; the same for the same commit gives the same tasks."""


def make(copies: Copies, tests: Judge, wanted: Wanted, tell: Tell) -> tuple[Task, ...]:
    """Tasks, as many as are wanted or as there are. Raises InputError where HEAD does not pass."""
    head = copies.repository.head()
    with folder("copy") as place:
        copies.lay(Task(id="", kind="bug", title="", commit=head), place)
        tests.ready(place)
        ran = _must_pass(tests, place, tell)
        quick = replace(tests, limit_seconds=_limit(ran, tests))
        found = list(_redone(copies, quick, _share(wanted), tell))
        if "bug" in wanted.kinds:
            again = _Place(copies, quick, place, tell)
            found += _bugs(again, head, wanted.count - len(found), wanted.seed)
    return tuple(_numbered(found))


def _share(wanted: Wanted) -> int:
    """Of commits: half, where there are to be bugs, too; these stand in for what is lacking."""
    if "redo" not in wanted.kinds:
        return 0
    return wanted.count // 2 if "bug" in wanted.kinds else wanted.count


def _must_pass(tests: Judge, place: Path, tell: Tell) -> Ran:
    tell(f"{tests.command}: does it pass on HEAD?")
    ran = tests.run(place)
    if ran.code == 0:
        return ran
    how = "took too long" if ran.code is None else f"ended with {ran.code}"
    raise InputError(
        f"{tests.command} {how} on a fresh copy of HEAD, so it can judge nothing. --verify CMD "
        f"names another, --prepare CMD what a fresh copy needs first. It said: {tail(ran)[-1500:]}"
    )


def _limit(ran: Ran, tests: Judge) -> float:
    return min(max(ran.seconds * _TIMES, _LEAST_SECONDS), tests.limit_seconds)


def _numbered(tasks: Sequence[Task]) -> Iterator[Task]:
    for kind in ("bug", "redo"):
        for number, task in enumerate((it for it in tasks if it.kind == kind), 1):
            yield msgspec.structs.replace(task, id=f"{kind}-{number:02}")


@dataclass(frozen=True, slots=True)
class _Place:
    """A copy of HEAD in which bugs are tried."""

    copies: Copies
    tests: Judge
    folder: Path
    tell: Tell


def _bugs(place: _Place, head: str, count: int, seed: int) -> Iterator[Task]:
    chance = random.Random(f"{head} {seed}")
    found = 0
    for tried, (mode, swap) in enumerate(_proposals(place, head, chance)):
        if found == count or tried == count * _TRIES:
            return
        if _is_caught(place, mode, swap):
            found += 1
            place.tell(f"bug {found} of {count}: {swap.what}, {swap.path}")
            line = _line(place.folder / swap.path, swap)
            title = f"{swap.what}, {swap.path}:{line}"
            yield Task(id="", kind="bug", title=title, commit=head, swap=swap)


def _line(path: Path, swap: Swap) -> int:
    return path.read_bytes()[: swap.start].count(b"\n") + 1


def _proposals(place: _Place, head: str, chance: random.Random) -> Iterator[tuple[str, Swap]]:
    """One of each file in turn, files and bugs by chance."""
    entries = [it for it in place.copies.entries(head) if is_code(it.path)]
    entries = [it for it in entries if it.size <= _LARGEST_FILE and it.mode != "120000"]
    chance.shuffle(entries)
    queues = []
    for it in entries:
        source = (place.folder / it.path).read_bytes()
        swaps = (python if PurePosixPath(it.path).suffix in PYTHON else other)(it.path, source)
        chance.shuffle(swaps)
        queues.append((it.mode, swaps))
    while queues := [(mode, swaps) for mode, swaps in queues if swaps]:
        for mode, swaps in queues:
            yield mode, swaps.pop()


def _is_caught(place: _Place, mode: str, swap: Swap) -> bool:
    """The tests fail with it, in time, and pass again without it."""
    path = place.folder / swap.path
    source = path.read_bytes()
    put(path, swap.applied(source), mode)
    try:
        caught = place.tests.run(place.folder).code
    finally:
        put(path, source, mode)
    return caught not in (0, None) and place.tests.run(place.folder).code == 0


def _redone(copies: Copies, tests: Judge, count: int, tell: Tell) -> Iterator[Task]:
    found = tried = 0
    for commit in copies.repository.commits(_COMMITS) if count else ():
        if found == count or tried == count * _TRIES:
            return
        task = _candidate(copies, commit)
        if task is None:
            continue
        tried += 1
        if _is_judged(copies, tests, task):
            found += 1
            tell(f"commit {found} of {count}: {task.title}")
            yield task


def _candidate(copies: Copies, commit: str) -> Task | None:
    """A small commit of code and tests; None = it is another one."""
    changed = copies.repository.changed(commit)
    code = [it for it in changed if is_code(it.path)]
    has_tests = any(is_test(it.path) and it.how != "D" for it in changed)
    if not code or not has_tests or len(code) > _MOST_FILES or not _is_small(code):
        return None
    message = copies.repository.message(commit)
    return Task(
        id="",
        kind="redo",
        title=f"{commit[:8]} {one_line(message.partition(chr(10))[0], 60)}",
        commit=commit,
        reverted=tuple(it.path for it in code),
        message=message,
    )


def _is_small(code: Sequence[Changed]) -> bool:
    return all(it.lines for it in code) and sum(it.lines for it in code) <= _MOST_LINES


def _is_judged(copies: Copies, tests: Judge, task: Task) -> bool:
    """The tests pass with the commit and fail without it, in time."""
    with folder("copy") as place:
        whole = Task(id="", kind="redo", title="", commit=task.commit)
        copies.lay(whole, place)
        try:
            tests.ready(place)
        except InputError:  # it could be prepared since, and not yet then
            return False
        if tests.run(place).code != 0:
            return False
        copies.revert(task, place)
        return tests.run(place).code not in (0, None)
