"""What keeping files costs, in folders of 100,000 files, with git and without."""

import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from statistics import median

from tests.bench.figure import Figure
from tests.bench.ground import REPEATS, Ground
from tests.bench.start import committed, fill
from tests.workspace.trees import Driver


def checkpoints(ground: Ground) -> Iterator[Figure]:
    """A step with an edit alone, then what stands before and behind a command."""
    plain, tracked = ground.folder("plain"), ground.folder("tracked")
    fill(plain)
    fill(tracked)
    committed(tracked)
    for folder, kind in ((tracked, "git"), (plain, "no git")):
        yield from _in(folder, ground.place / f"store-{kind}", kind)


def _in(folder: Path, store: Path, kind: str) -> Iterator[Figure]:
    what = f"checkpoints ({kind}, 100,000 files)"
    driver = Driver(folder, store)
    target = folder / "area_00" / "part_000" / "module_00.py"
    cpu = [
        _cpu(partial(driver.edit, str(target), partial(target.write_text, f"{number}")))
        for number in range(REPEATS)
    ]
    yield Figure(f"{what}: a step with an edit, CPU", median(cpu) * 1000, "ms", 50)
    first = _wall(lambda: driver.command(lambda: None))
    yield Figure(f"{what}: before the first command, once", first, "s")
    time.sleep(0.1)  # files that were changed just now are looked at again
    before = [_wall(driver.keeper.before_command) for _ in range(REPEATS)]
    yield Figure(f"{what}: before another command", median(before) * 1000, "ms", digits=0)
    behind = [_behind(driver, target, number) for number in range(REPEATS)]
    yield Figure(f"{what}: behind a command", median(behind) * 1000, "ms", 400, digits=0)
    again = _wall(driver.undo)
    yield Figure(f"{what}: undo of 7 commands, 100 files", again, "s")


def _behind(driver: Driver, target: Path, number: int) -> float:
    """After a command that changed 100 files."""
    for path in sorted(target.parent.iterdir())[:100]:
        path.write_text(f"changed {number}\n")
    began = time.perf_counter()
    note = driver.keeper.after_command(1)
    took = time.perf_counter() - began
    assert note is not None
    driver.ids.append(note.id)
    return took


def _cpu(do: Callable[[], object]) -> float:
    began = time.process_time()
    do()
    return time.process_time() - began


def _wall(do: Callable[[], object]) -> float:
    began = time.perf_counter()
    do()
    return time.perf_counter() - began
