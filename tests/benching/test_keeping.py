"""The folder of a bench: nothing that was tried is lost, and nothing is tried twice."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qcode.bench.attempting import Trial
from qcode.bench.keeping import ATTEMPTS, Kept, go_on
from qcode.bench.task import Attempt, Plan, Setting, Task
from qcode.protocol.errors import InputError


def plan(tasks: int = 2, settings: int = 2, repeat: int = 2) -> Plan:
    return Plan(
        qcode="0",
        date="2026-11-21T00:00:00Z",
        repository="/somewhere/shop",
        commit="0" * 40,
        command="make test",
        tasks=tuple(
            Task(id=f"bug-{at:02}", kind="bug", title="< became <=", commit="0" * 40)
            for at in range(1, tasks + 1)
        ),
        settings=tuple(Setting(f"s{at}") for at in range(1, settings + 1)),
        repeat=repeat,
    )


def tried(trial: Trial) -> Attempt:
    return Attempt(
        task=trial.task.id,
        setting=trial.setting.name,
        number=trial.number,
        solved=True,
        code=0,
        seconds=1.0,
    )


def test_settings_come_one_after_another_and_rounds_behind_each_other(tmp_path: Path) -> None:
    kept = Kept.new(tmp_path, plan())
    order = [(it.number, it.setting.name, it.task.id) for it in kept.left()]
    assert order == sorted(order)
    assert len(order) == 8


def test_a_bench_goes_on_where_it_was(tmp_path: Path) -> None:
    first = Kept.new(tmp_path, plan())
    done: list[Trial] = []

    def until_the_third(trial: Trial) -> Attempt:
        if len(done) == 3:
            raise KeyboardInterrupt
        done.append(trial)
        return tried(trial)

    with pytest.raises(KeyboardInterrupt):
        go_on(first, until_the_third, lambda _: None)
    again = Kept.open(tmp_path)
    assert again.plan == first.plan
    assert len(again.attempts()) == 3
    rest: list[Trial] = []
    go_on(again, lambda trial: rest.append(trial) or tried(trial), lambda _: None)  # type: ignore[func-returns-value]  # append says nothing
    assert not [it for it in rest if it in done]
    assert len(again.attempts()) == 8
    assert again.left() == []


def test_a_line_that_a_crash_cut_off_is_tried_again(tmp_path: Path) -> None:
    kept = Kept.new(tmp_path, plan(1, 1, 2))
    first, second = kept.left()
    kept.add(tried(first))
    with (tmp_path / ATTEMPTS).open("ab") as file:
        file.write(b'{"task":"bug-01","sett')
    assert kept.left() == [second]
    kept.add(tried(second))
    assert kept.left() == []
    assert len(kept.attempts()) == 2


@given(st.binary(max_size=300))
def test_whatever_stands_in_the_file_is_read(data: bytes) -> None:
    import tempfile  # noqa: PLC0415 - tmp_path is of one example alone

    with tempfile.TemporaryDirectory() as name:
        kept = Kept.new(Path(name), plan(1, 1, 1))
        (Path(name) / ATTEMPTS).write_bytes(data)
        kept.attempts()
        kept.add(tried(kept.left()[0]))
        assert kept.left() == []


def test_another_bench_is_not_written_over(tmp_path: Path) -> None:
    Kept.new(tmp_path, plan())
    with pytest.raises(InputError, match="--resume"):
        Kept.new(tmp_path, plan())


def test_what_is_no_bench_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="holds no bench"):
        Kept.open(tmp_path)
    (tmp_path / "bench.json").write_text('{"format": "other"}')
    with pytest.raises(InputError, match="is no plan of a bench"):
        Kept.open(tmp_path)
