"""When nobody has used it for long enough."""

from hypothesis import given
from hypothesis import strategies as st

from qcode.serve.idle import Idle

LIMIT = 10.0


@given(st.lists(st.tuples(st.floats(0.01, 30), st.integers(0, 3)), min_size=1, max_size=30))
def test_it_is_over_exactly_when_nobody_was_seen_for_the_limit(
    steps: list[tuple[float, int]],
) -> None:
    now, last = 100.0, 100.0
    idle = Idle(LIMIT, now)
    for seconds, users in steps:
        now += seconds
        last = now if users else last
        assert idle.is_over(users, now) == (now - last >= LIMIT)


def test_who_stays_keeps_it() -> None:
    idle = Idle(LIMIT, 0.0)
    assert not any(idle.is_over(1, float(now)) for now in range(0, 1000, 7))
    assert not idle.is_over(0, 1002.0)
    assert idle.is_over(0, 1005.0 + LIMIT)
