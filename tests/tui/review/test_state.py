"""Decisions in a review: what they lead to, and the way back."""

from hypothesis import given
from hypothesis import strategies as st

from qcode.tui.review.outcome import prompt_of
from qcode.tui.review.state import MARKS, ReviewState
from qcode.workspace.patches import FileChange, between
from qcode.workspace.review import result

OLD = "".join(f"line {number}\n" for number in range(60))
NEW = OLD.replace("line 10\n", "ten\n").replace("line 30\n", "30\nmore\n").replace("line 50\n", "")


def files() -> list[FileChange]:
    binary = FileChange("logo.png", "binary")
    return [between("src/a.py", OLD, NEW), between("b.txt", None, "new\n"), binary]


def test_items_are_counted_through_all_files() -> None:
    state = ReviewState(files())
    assert [(item.number, item.file, item.place) for item in state.items] == [
        (0, 0, 1),
        (1, 0, 2),
        (2, 0, 3),
        (3, 1, 1),
        (4, 2, 1),
    ]
    assert state.items[4].hunk is None


def test_moving_stays_inside() -> None:
    state = ReviewState(files())
    state.move(-1)
    assert state.cursor == 0
    state.move_file(1)
    assert state.cursor == 3
    state.move(9)
    assert state.cursor == 4
    state.move_file(1)
    assert state.cursor == 4
    state.move_file(-2)
    assert state.cursor == 0


def test_a_decision_goes_on_to_the_next_that_is_left() -> None:
    state = ReviewState(files())
    state.go(1)
    state.decide("keep")
    assert state.cursor == 2
    state.go(0)
    state.decide("drop")
    assert state.cursor == 2
    state.go(4)
    state.decide("keep")
    assert state.cursor == 4


def test_the_rest_leaves_what_was_decided() -> None:
    state = ReviewState(files())
    state.decide("drop")
    state.rest("keep")
    assert [state.mark(number) for number in range(5)] == ["drop", *["keep"] * 4]
    state.undo()
    assert state.count("left") == 4


def test_a_hunk_that_does_not_apply_is_left_out_and_says_why() -> None:
    state = ReviewState(files(), {1: "its lines are gone"})
    state.go(1)
    state.decide("keep")
    state.rest("keep")
    replies = state.replies()
    assert [reply.choice for reply in replies] == ["keep", "drop", "keep", "keep", "keep"]
    assert replies[1].comment == "it does not apply: its lines are gone"
    assert state.count("conflict") == 1


def test_comments_become_words_for_the_model() -> None:
    state = ReviewState(files())
    state.go(1)
    state.comment(" use a name ")
    state.go(2)
    state.comment("why?")
    state.go(4)
    state.comment("too large")
    state.go(3)
    state.comment("gone again")
    state.comment("")
    assert prompt_of(state) == (
        "src/a.py lines 31-32: use a name\n"
        "src/a.py at line 52 (lines removed): why?\n"
        "logo.png: too large"
    )
    assert [reply.comment for reply in state.replies()] == [
        "",
        "use a name",
        "why?",
        "",
        "too large",
    ]


def test_nothing_to_review_can_be_asked_anything() -> None:
    state = ReviewState([])
    state.move(1)
    state.move_file(1)
    state.decide("keep")
    state.rest("drop")
    state.comment("x")
    state.expand(5)
    assert (state.item, state.file, state.replies(), state.undo()) == (None, None, (), False)


DEEDS = st.lists(
    st.one_of(
        st.tuples(st.just("go"), st.integers(-1, 6)),
        st.tuples(st.just("decide"), st.sampled_from(["keep", "drop", "edited"])),
        st.tuples(st.just("rest"), st.sampled_from(["keep", "drop"])),
        st.tuples(st.just("comment"), st.sampled_from(["", "words", "other"])),
        st.tuples(st.just("move"), st.integers(-2, 2)),
    ),
    max_size=20,
)


@given(DEEDS)
def test_undoing_everything_is_the_beginning(deeds: list[tuple[str, object]]) -> None:
    state = ReviewState(files(), {3: "why not"})
    for name, argument in deeds:
        getattr(state, name)(argument)
        assert 0 <= state.cursor < len(state.items)
        assert sum(state.count(mark) for mark in MARKS) == 5
    while state.undo():
        pass
    assert (state.choices, state.comments) == ({}, {})


@given(st.lists(st.sampled_from(["keep", "drop"]), min_size=3, max_size=3))
def test_replies_make_the_same_text_as_the_choices(kinds: list[str]) -> None:
    state = ReviewState(files()[:1])
    for number, kind in enumerate(kinds):
        state.go(number)
        state.decide("keep" if kind == "keep" else "drop")
    hunks = state.files[0].hunks
    wanted = {number: state.choice(number) for number in range(3)}
    assert result(OLD, hunks, wanted) == result(OLD, hunks, state.chosen(0))
