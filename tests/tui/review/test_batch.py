"""One review of several calls: what is said of each is what was decided about its hunks."""

from hypothesis import given
from hypothesis import strategies as st

from qcode.protocol.display import DiffBlock
from qcode.protocol.events import ApprovalRequested, ProposedCall
from qcode.protocol.inputs import ApprovalReply, CallReply, HunkReply
from qcode.protocol.messages import ToolCall
from qcode.tui.review.batch import reply, shown
from qcode.tui.review.state import ReviewState
from qcode.workspace.patches import proposed


def block(name: str, hunks: int) -> DiffBlock:
    """A change of so many hunks."""
    rows = [f"@@ -{at}0 +{at}0 @@\n-{name}{at}\n+new {name}{at}\n" for at in range(1, hunks + 1)]
    return DiffBlock(name, f"--- a/{name}\n+++ b/{name}\n" + "".join(rows), hunks, hunks)


def asked(*counts: int) -> ApprovalRequested:
    """The first call, and those behind it, with so many hunks each."""
    first, *rest = (block(f"f{at}", count) for at, count in enumerate(counts))
    behind = tuple(
        ProposedCall(f"c{at}", f"edit {one.path}", (one,)) for at, one in enumerate(rest, 1)
    )
    call = ToolCall("c0", "edit", "{}")
    return ApprovalRequested("r", call, (), "", (first,), proposed=behind)


def state_of(request: ApprovalRequested) -> ReviewState:
    """As the screen begins with."""
    return ReviewState([proposed(one.path, one.patch) for one in shown(request)])


def test_each_call_gets_its_own_hunks_counted_from_0() -> None:
    request = asked(2, 1, 2)
    state = state_of(request)
    state.go(1)
    state.decide("drop")
    state.go(3)
    state.decide("edited", "mine\n")
    state.go(4)
    state.comment("why?")
    assert reply(request, state, "all") == ApprovalReply(
        "r",
        "allow",
        hunks=(HunkReply(0, "keep"), HunkReply(1, "drop")),
        also=(
            CallReply("c1", "allow", hunks=(HunkReply(0, "keep"),)),
            CallReply(
                "c2",
                "allow",
                hunks=(HunkReply(0, "edited", "mine\n"), HunkReply(1, "keep", "", "why?")),
            ),
        ),
    )


def test_a_review_that_was_left_answers_only_calls_of_which_all_is_decided() -> None:
    request = asked(1, 2, 2)
    state = state_of(request)
    for number in (1, 3, 4):
        state.go(number)
        state.decide("drop")
    made = reply(request, state, "decided")
    assert [one.call_id for one in made.also] == ["c2"]


@given(st.lists(st.integers(1, 4), min_size=1, max_size=5), st.data())
def test_no_decision_is_lost_or_goes_to_another_call(
    counts: list[int], data: st.DataObject
) -> None:
    request = asked(*counts)
    state = state_of(request)
    for item in state.items:
        state.go(item.number)
        state.decide(data.draw(st.sampled_from(["keep", "drop"])))
    made = reply(request, state, "all")
    calls = [made.hunks, *(one.hunks for one in made.also)]
    assert [len(hunks) for hunks in calls] == counts
    assert all([one.hunk for one in hunks] == [*range(len(hunks))] for hunks in calls)
    flat = [one.choice for hunks in calls for one in hunks]
    assert flat == [state.choice(item.number).kind for item in state.items]
