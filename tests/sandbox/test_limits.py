"""A command that takes too much is ended; nothing is looked at while nothing runs."""

import asyncio
import os
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qcode.sandbox.fenced import FencedRunner
from qcode.sandbox.ground import Ground
from qcode.sandbox.limits import Limits
from qcode.sandbox.namespaces import Namespaces
from qcode.sandbox.plain import PlainRunner
from qcode.sandbox.usage import Row, parsed, table, tree
from tests.sandbox.conftest import MakeCommand
from tests.sandbox.fences import marked, why_not
from tests.sandbox.processes import Strays, until

MEGABYTE = 1 << 20
PYTHON = os.path.realpath(sys.executable)
EATER = "import time; kept = bytearray(%d << 20); print(len(kept), flush=True); time.sleep(600)"
fenced = pytest.mark.skipif(bool(why_not()), reason=why_not() or "a fence holds")


def eat(megabytes: int) -> str:
    return f'{PYTHON} -I -S -c "{EATER % megabytes}"'


@pytest.fixture
async def inside(tmp_path: Path, command: MakeCommand) -> AsyncIterator[FencedRunner]:
    """Behind namespaces, where the kernel counts, too, unless it is root's."""
    ground = Ground((command("").folder.resolve(),), tmp_path, processes=64)
    it = FencedRunner(Namespaces(ground), tmp_path / "spill")
    it.limit(Limits(512 * MEGABYTE, 64))
    yield it
    await it.close()


async def test_too_much_memory_ends_it_and_says_so(
    runner: PlainRunner, command: MakeCommand
) -> None:
    runner.limit(Limits(150 * MEGABYTE, 1000))
    output = await runner.run(command(eat(200)), lambda _: None)
    assert output.exit_code is None
    assert output.seconds < 20
    (note,) = output.notes
    assert note.startswith("The command was ended: it used ")
    assert "150 MB are allowed" in note


async def test_what_stays_within_is_left_alone(runner: PlainRunner, command: MakeCommand) -> None:
    runner.limit(Limits(150 * MEGABYTE, 1000))
    output = await runner.run(command(f"timeout 1 {eat(60)}; echo $?"), lambda _: None)
    assert (output.tail or output.head).endswith("124\n")
    assert output.notes == ()


async def test_memory_that_is_shared_counts_once(runner: PlainRunner, command: MakeCommand) -> None:
    runner.limit(Limits(150 * MEGABYTE, 1000))
    code = (
        "import os,time\nkept = bytearray(100 << 20)\n"
        "for _ in range(4):\n    if os.fork() == 0: time.sleep(1.5); os._exit(0)\n"
        "for _ in range(4): os.wait()\nprint('done')"
    )
    (command("").folder / "share.py").write_text(code)
    output = await runner.run(command(f"{PYTHON} share.py"), lambda _: None)
    assert output.head == "done\n"
    assert output.notes == ()


async def test_too_many_processes_end_all_of_them_also_what_left_the_group(
    runner: PlainRunner, command: MakeCommand, strays: Strays
) -> None:
    runner.limit(Limits(4096 * MEGABYTE, 30))
    line = (
        f"setsid sh -c 'echo $$ >>{strays.path}; sleep 600; true' & "
        f"for i in $(seq 40); do sh -c 'echo $$ >>{strays.path}; sleep 600; true' & done; wait"
    )
    output = await runner.run(command(line), lambda _: None)
    assert "30 are allowed" in output.notes[0]
    assert len(strays.numbers()) > 30
    assert await until(lambda: not strays.running())


async def test_a_job_is_watched_as_well(runner: PlainRunner, command: MakeCommand) -> None:
    runner.limit(Limits(150 * MEGABYTE, 1000))
    job = await runner.start(command(eat(200)))
    assert await until(lambda: runner.list()[0].state == "ended by signal 9", 20)
    assert runner.list()[0].id == job


@fenced
async def test_a_fork_bomb_ends_and_the_machine_stays_usable(
    inside: FencedRunner, command: MakeCommand
) -> None:
    began = time.monotonic()
    # the kernel holds everybody but root, whose bomb therefore has a bottom: 1,023 processes
    bottom = "" if os.getuid() else '[ "$1" -gt 0 ] &&'
    define = f"bomb() {{ {bottom} {{ bomb $(($1 - 1)) | bomb $(($1 - 1)) & }}; sleep 600; }}"
    bomb = command(f"{define}; bomb 9; : it-was-a-bomb", 10)
    output = await inside.run(bomb, lambda _: None)
    assert time.monotonic() - began < 30
    assert output.exit_code is None
    assert "64 are allowed" in output.notes[0] or os.getuid()
    assert await until(lambda: not marked("it-was-a-bomb"))
    again = await inside.run(command("echo usable"), lambda _: None)
    assert again.head == "usable\n"


@fenced
async def test_memory_is_watched_inside_too(inside: FencedRunner, command: MakeCommand) -> None:
    inside.limit(Limits(150 * MEGABYTE, 1000))
    output = await inside.run(command(eat(200)), lambda _: None)
    assert "150 MB are allowed" in output.notes[0]


async def test_nothing_is_looked_at_while_nothing_runs(
    runner: PlainRunner, command: MakeCommand
) -> None:
    await runner.run(command("true"), lambda _: None)
    assert await until(lambda: len(asyncio.all_tasks()) == 1, 5)
    spent = time.process_time()
    await asyncio.sleep(1)
    assert time.process_time() - spent < 0.02


def test_this_process_is_in_the_table_and_its_children_in_its_tree() -> None:
    rows = table()
    mine = rows[os.getpid()]
    assert (mine.parent, mine.group) == (os.getppid(), os.getpgrp())
    assert mine.threads >= 1
    assert mine.resident > 5 * MEGABYTE
    assert os.getpid() in tree(rows, os.getpgrp())


def test_what_ps_prints_is_understood() -> None:
    assert dict(parsed("  1     0     1   912\n 77     1    70  2048\nodd\n")) == {
        1: Row(0, 1, 0, 1, 912 * 1024),
        77: Row(1, 70, 0, 1, 2048 * 1024),
    }


@given(
    st.dictionaries(
        st.integers(1, 30),
        st.builds(
            Row, st.integers(0, 30), st.integers(0, 30), st.integers(0, 30), st.just(1), st.just(0)
        ),
    ),
    st.integers(1, 30),
)
def test_a_tree_holds_the_children_of_all_it_holds(rows: dict[int, Row], group: int) -> None:
    found = tree(rows, group)
    for number, row in rows.items():
        assert (number in found) >= (row.parent in found or row.group == group)


def test_none_given_is_most_of_what_there_is() -> None:
    assert Limits.of(512, 99) == Limits(512 * MEGABYTE, 99)
    assert Limits.of().memory_bytes > 512 * MEGABYTE
