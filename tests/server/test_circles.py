"""Repeated calls: a note first, a loop then; honest repetition is neither."""

import json

from hypothesis import given
from hypothesis import strategies as st

from qcode.server.circles import CallLoop, CallWatch, Note

Seen = Note | CallLoop | None


def see(
    watch: CallWatch, name: str, result: str = "r", *, changed: bool = False, **fields: object
) -> Seen:
    """One call with `fields` as its arguments."""
    return watch.see(name, json.dumps(fields), result, changed=changed)


def test_the_second_call_with_the_same_result_is_noted_with_its_step() -> None:
    watch = CallWatch()
    assert watch.see("read", '{"path": "a.py"}', "r", changed=False, step=3) is None
    assert watch.see("grep", '{"pattern": "x"}', "g", changed=False, step=4) is None
    note = watch.see("read", '{"path": "a.py"}', "r", changed=False, step=5)
    assert note == Note(3, 2)
    assert "step 3" in note.text


def test_the_fourth_is_a_loop_and_so_is_each_after_it() -> None:
    watch = CallWatch()
    seen = [see(watch, "read", path="a.py") for _ in range(6)]
    assert [type(one) for one in seen] == [type(None), Note, Note, CallLoop, CallLoop, CallLoop]
    last = seen[-1]
    assert isinstance(last, CallLoop)
    assert (last.period, last.times) == (1, 6)
    assert "a.py" in last.detail


def test_blanks_and_the_order_of_keys_make_no_other_call() -> None:
    watch = CallWatch()
    watch.see("read", '{"path":"a.py","limit":5}', "r", changed=False)
    again = watch.see("read", '{ "limit": 5, "path": "a.py" }', "r", changed=False)
    assert isinstance(again, Note)


def test_another_result_is_no_repeat() -> None:
    watch = CallWatch()
    for n in range(20):
        assert see(watch, "shell", f"result {n}", command="make status") is None


def test_forty_similar_edits_are_none() -> None:
    watch = CallWatch()
    for n in range(40):
        assert see(watch, "read", f"file {n}", path=f"a{n}.py") is None
        edited = see(watch, "edit", "done", changed=True, path=f"a{n}.py", old="a", new="b")
        assert edited is None


def test_running_the_tests_after_each_edit_is_none() -> None:
    watch = CallWatch()
    for n in range(20):
        assert see(watch, "edit", "done", changed=True, path="a.py", old=f"{n}", new="b") is None
        assert see(watch, "shell", "1 failed", command="pytest") is None


def test_looking_after_a_job_is_none() -> None:
    watch = CallWatch()
    for action in ("read", "list") * 20:
        assert see(watch, "shell", "no new output", action=action, job="job-1") is None


def test_waiting_in_the_shell_is_none() -> None:
    watch = CallWatch()
    for _ in range(20):
        assert see(watch, "shell", "pending", command="sleep 30; cat build.status") is None


def test_what_is_read_while_waiting_is_none() -> None:
    watch = CallWatch()
    for _ in range(20):
        assert see(watch, "shell", "no new output", action="read", job="job-1") is None
        assert see(watch, "read", "empty", path="build.log") is None


def test_circles_without_news_are_loops_in_the_third_round() -> None:
    for period in (2, 3, 4):
        watch = CallWatch()
        seen = [see(watch, "read", path=f"{n % period}.py") for n in range(3 * period)]
        assert all(isinstance(one, Note | None) for one in seen[:-1])
        assert isinstance(seen[-1], CallLoop)
        assert seen[-1].period == period


def test_a_circle_with_changes_is_a_loop_in_the_fourth_round() -> None:
    watch = CallWatch()
    seen: list[Seen] = []
    for _ in range(4):
        seen.append(see(watch, "write", "done", changed=True, path="a.py", content="x"))
        seen.append(see(watch, "shell", "1 failed", command="pytest"))
    assert seen[:-1] == [None] * 7
    assert isinstance(seen[-1], CallLoop)
    assert (seen[-1].period, seen[-1].times) == (2, 4)


def test_a_circle_with_news_is_none() -> None:
    watch = CallWatch()
    for n in range(20):
        assert not isinstance(see(watch, "read", f"{n}", path="a.log"), CallLoop)
        assert not isinstance(see(watch, "read", f"{n}", path="b.log"), CallLoop)


def test_after_a_change_and_after_forgetting_all_is_new() -> None:
    watch = CallWatch()
    for _ in range(3):
        see(watch, "read", path="a.py")
    see(watch, "write", "done", changed=True, path="b.py", content="x")
    assert see(watch, "read", path="a.py") is None
    watch.forget()
    assert see(watch, "read", path="a.py") is None


def test_arguments_that_are_no_json_are_compared_as_they_are() -> None:
    watch = CallWatch()
    assert watch.see("read", '{"path": ', "r", changed=False) is None
    assert isinstance(watch.see("read", '{"path": ', "r", changed=False), Note)
    assert watch.see("read", '{"path": \ud800', "r", changed=False) is None


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 1), st.booleans()), max_size=60))
def test_a_loop_needs_four_equal_calls_or_three_rounds(calls: list[tuple[int, int, bool]]) -> None:
    watch, made = CallWatch(), []
    for call, result, changed in calls:
        made.append((call, result, changed))
        seen = see(watch, "read", str(result), changed=changed, path=str(call))
        if isinstance(seen, CallLoop):
            tail = made[-seen.period * seen.times :] if seen.period > 1 else made
            assert tail.count(made[-1]) >= min(seen.times, 4)
            assert seen.times >= (3 if seen.period > 1 else 4)


def test_only_so_many_calls_are_remembered() -> None:
    watch = CallWatch()
    see(watch, "read", path="first.py")
    for n in range(400):
        see(watch, "read", path=f"{n}.py")
    assert see(watch, "read", path="first.py") is None
