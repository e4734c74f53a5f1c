"""Finds tasks in a repository. Each is proven before it is one: the tests pass, they fail with the
bug or without the commit, and they pass again.
"""

import random
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path, PurePosixPath

import msgspec
from msgspec.structs import replace

from qcode.bench.copies import Copies, Judge, folder, tail
from qcode.bench.mutations import python
from qcode.bench.process import Ran
from qcode.bench.reach import swept
from qcode.bench.repository import Changed, put
from qcode.bench.roles import PYTHON, is_code, is_test
from qcode.bench.task import Kind, Swap, Task
from qcode.bench.textual import other
from qcode.bench.verdict import says_so
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


class Wanted(msgspec.Struct, frozen=True):
    """What is to be made."""

    count: int
    kinds: tuple[Kind, ...]
    seed: int
    """Decides which bugs; the same for the same commit gives the same tasks."""
    seconds: float = 1800.0
    """After so long no more are looked for."""


def make(copies: Copies, tests: Judge, wanted: Wanted, tell: Tell) -> tuple[Task, ...]:
    """Tasks, as many as are wanted or as there are. Raises InputError where HEAD does not pass."""
    end = time.monotonic() + wanted.seconds
    head = copies.repository.head()
    with folder("copy") as place:
        copies.lay(Task(id="", kind="bug", title="", commit=head), place)
        tests.ready(place)
        ran = _must_pass(tests, place, tell)
        quick = replace(tests, limit_seconds=_limit(ran, tests))
        shop = _Shop(copies, quick, place, swept(place), tell, end)
        half = replace(shop, end=(time.monotonic() + end) / 2)  # the rest is for bugs
        found = list(_redone(half if "bug" in wanted.kinds else shop, _share(wanted)))
        if "bug" in wanted.kinds:
            found += _bugs(shop, head, wanted.count - len(found), wanted.seed)
    return tuple(_numbered(found))


def _share(wanted: Wanted) -> int:
    """Of commits: half, where there are to be bugs, too; these stand in for what is lacking."""
    if "redo" not in wanted.kinds:
        return 0
    return wanted.count // 2 if "bug" in wanted.kinds else wanted.count


def _must_pass(tests: Judge, place: Path, tell: Tell) -> Ran:
    tell(f"{tests.command}: does it pass on HEAD?")
    ran = tests.first(place)
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


class _Shop(msgspec.Struct, frozen=True):
    """Where tasks are made."""

    copies: Copies
    tests: Judge
    folder: Path
    """A copy of HEAD, in which bugs are tried."""
    loaded: frozenset[str]
    """Code of HEAD that the tests come by; empty = it is not known."""
    tell: Tell
    end: float
    """When to look for no more, by `time.monotonic`."""

    def is_reached(self, path: str) -> bool:
        """Whether the tests may come by a file."""
        return not self.loaded or PurePosixPath(path).suffix not in PYTHON or path in self.loaded

    def reaches(self, tests: Sequence[Changed], code: Sequence[Changed]) -> bool:
        """Whether the command runs one of the tests, and comes by some of the code."""
        runs = any(not self.loaded or it.path in self.loaded for it in tests)
        return runs and any(self.is_reached(it.path) for it in code)

    def is_late(self) -> bool:
        """Whether it took too long; says so."""
        if time.monotonic() < self.end:
            return False
        self.tell("no more are looked for: --make-budget TIME is the time for all tasks.")
        return True


def _bugs(shop: _Shop, head: str, count: int, seed: int) -> Iterator[Task]:
    chance = random.Random(f"{head} {seed}")
    found = 0
    for tried, bug in enumerate(_proposals(shop, head, chance)):
        if found == count or tried == count * _TRIES or shop.is_late():
            return
        swap = bug.swap
        proof = _caught(shop, bug)
        if proof is None:
            shop.tell(f"no test catches: {swap.what}, {swap.path}")
            continue
        found += 1
        shop.tell(f"bug {found} of {count}: {swap.what}, {swap.path}")
        line = bug.source[: swap.start].count(b"\n") + 1
        title = f"{swap.what}, {swap.path}:{line}"
        told = says_so(proof)
        yield Task(id="", kind="bug", title=title, commit=head, swap=swap, is_told=told)


class _Bug(msgspec.Struct, frozen=True):
    """One that is proposed."""

    swap: Swap
    source: bytes
    """Of its file, as it was committed: what stands in the copy the tests may have put there."""
    mode: str


def _proposals(shop: _Shop, head: str, chance: random.Random) -> Iterator[_Bug]:
    """One of each file in turn, files and bugs by chance."""
    entries = [it for it in shop.copies.entries(head) if is_code(it.path)]
    entries = [it for it in entries if it.size <= _LARGEST_FILE and it.mode != "120000"]
    entries = [it for it in entries if shop.is_reached(it.path)]
    chance.shuffle(entries)
    queues = []
    for it, source in zip(entries, shop.copies.repository.read(entries), strict=True):
        swaps = (python if PurePosixPath(it.path).suffix in PYTHON else other)(it.path, source)
        chance.shuffle(swaps)
        queues.append([_Bug(swap, source, it.mode) for swap in swaps])
    while queues := [bugs for bugs in queues if bugs]:
        for bugs in queues:
            yield bugs.pop()


def _caught(shop: _Shop, bug: _Bug) -> Ran | None:
    """The tests fail with it, in time, and pass again without it: this run; else None."""
    path = bug.swap.path
    put(shop.folder, path, bug.swap.applied(bug.source), bug.mode)
    try:
        caught = shop.tests.run(shop.folder).code
    finally:
        put(shop.folder, path, bug.source, bug.mode)
    return None if caught in (0, None) else _passing(shop, shop.folder)


def _passing(shop: _Shop, place: Path) -> Ran | None:
    ran = shop.tests.run(place)
    return ran if ran.code == 0 else None


def _redone(shop: _Shop, count: int) -> Iterator[Task]:
    found = tried = 0
    for commit in shop.copies.repository.commits(_COMMITS) if count else ():
        if found == count or tried == count * _TRIES or shop.is_late():
            return
        task = _candidate(shop, commit)
        if task is None:
            continue
        tried += 1
        proof = _judged(shop, task)
        if proof is None:
            shop.tell(f"its tests do not judge it: {task.title}")
            continue
        found += 1
        shop.tell(f"commit {found} of {count}: {task.title}")
        yield msgspec.structs.replace(task, is_told=says_so(proof))


def _candidate(shop: _Shop, commit: str) -> Task | None:
    """A small commit of code and tests; None = it is another one."""
    repository = shop.copies.repository
    changed = repository.changed(commit)
    code = [it for it in changed if is_code(it.path)]
    tests = [it for it in changed if is_test(it.path) and it.how != "D"]
    if not _is_small(code) or not shop.reaches(tests, code):
        return None
    message = repository.message(commit)
    return Task(
        id="",
        kind="redo",
        title=f"{commit[:8]} {one_line(message.partition(chr(10))[0], 60)}",
        commit=commit,
        reverted=tuple(it.path for it in code),
        message=message,
    )


def _is_small(code: Sequence[Changed]) -> bool:
    lines = [it.lines for it in code]
    return 0 < len(code) <= _MOST_FILES and all(lines) and sum(lines) <= _MOST_LINES


def _judged(shop: _Shop, task: Task) -> Ran | None:
    """The tests fail without the commit, in time, and pass with it: this run; else None."""
    with folder("copy") as place:
        shop.copies.lay(task, place)
        try:
            shop.tests.ready(place)
        except InputError:  # it could be prepared since, and not yet then
            return None
        if shop.tests.run(place).code in (0, None):  # first: of most commits it is enough
            return None
        shop.copies.bring_back(task, place)
        return _passing(shop, place)
