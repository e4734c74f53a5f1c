"""Which hunks the session made, by what its log tells of its calls."""

from qcode.protocol.display import DiffBlock
from qcode.protocol.events import ToolCallFinished
from qcode.protocol.messages import ToolMessage
from qcode.tui.review.chrome import file_line
from qcode.tui.review.page import Look, page
from qcode.tui.review.state import ReviewState
from qcode.tui.review.whose import IN_PART, NOT_MINE, whose
from qcode.workspace.diff import unified
from qcode.workspace.patches import between

OLD = "".join(f"line {number}\n" for number in range(60))


def finished(*blocks: DiffBlock, edited: tuple[str, ...] = ("a.py",)) -> ToolCallFinished:
    return ToolCallFinished(ToolMessage("c1", "edit", "done"), blocks, edited=edited)


def block(before: str, after: str) -> DiffBlock:
    return DiffBlock("a.py", unified(before, after, "a.py"), 1, 1)


def test_hunks_that_no_edit_made_are_told_from_those_of_the_session() -> None:
    first = OLD.replace("line 10\n", "ten\n")
    second = first.replace("line 30\n", "thirty\n")
    now = second.replace("line 31\n", "}\nmine\n").replace("line 50\n", "fifty\r\n")
    state = ReviewState([between("a.py", OLD, now)])
    log = [finished(block(OLD, first)), finished(block(first, second))]
    found = whose(log, state)
    assert found.others == {1: IN_PART, 2: NOT_MINE}
    assert found.untold == frozenset()
    heads = [line.text for line in page(state, Look(80, others=found.others)).lines]
    assert sum(NOT_MINE in head for head in heads) == 1


def test_line_ends_and_lines_of_signs_alone_tell_nothing() -> None:
    after = OLD.replace("line 10\n", "ten\n)\n")
    state = ReviewState([between("a.py", OLD, after.replace("ten\n)\n", "ten\r\n)\n\n"))])
    assert whose([finished(block(OLD, after))], state).others == {}


def test_where_a_call_did_not_tell_its_lines_the_head_says_that_it_is_not_known() -> None:
    state = ReviewState([between("a.py", OLD, OLD.replace("line 10\n", "ten\n"))])
    found = whose([finished()], state)
    assert found.others == {}
    assert "who changed what is not known" in file_line(state, 80, found.untold).text
    assert "not known" not in file_line(state, 80).text
