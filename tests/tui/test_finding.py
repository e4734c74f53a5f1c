"""Words sought in a long conversation: the loop is held for a slice and no longer."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qcode.tui.blocks import AnswerBlock, Block, CallBlock
from qcode.tui.finding import BLOCK_COST, PIECE, SLICE, Finding, counts, source
from qcode.tui.layout import Place
from qcode.tui.lines import Line, Span
from qcode.tui.seeking import slices
from qcode.tui.sheet import Sheet

MOST = SLICE + PIECE + BLOCK_COST
"""Characters that are looked at without a pause: 5 ms for 200,000."""


def draw(block: Block, width: int, opened: bool) -> list[Line]:  # noqa: FBT001  as in `Draw`
    return [Line((Span(row),)) for row in source(block).split("\n")] if opened else [Line()]


def sheet(*blocks: Block) -> Sheet:
    made = Sheet(draw)
    made.fit(80)
    for index, block in enumerate(blocks):
        made.put(index, block)
    return made


LONG = sheet(*(AnswerBlock(f"{'some words ' * 180} needle {n}", "done") for n in range(5_000)))
ONE = sheet(CallBlock("1", "shell", output="a row of output\n" * 200_000 + "needle"))


@pytest.mark.parametrize(("found", "times"), [(LONG, 5_000), (ONE, 1)])
def test_ten_megabytes_are_counted_in_many_short_slices(found: Sheet, times: int) -> None:
    finding = Finding(found, "Needle")
    done = list(slices(finding.look()))
    characters = sum(len(source(block)) for block in found.blocks)
    assert finding.count == times
    assert max(done) <= MOST
    assert len(done) >= characters // MOST
    assert found.draws == 0


@pytest.mark.parametrize("by", [1, -1])
def test_a_step_that_finds_nothing_is_made_of_the_same_slices(by: int) -> None:
    finding = Finding(LONG, "no such words")
    done = list(slices(finding.seek(by, 2_500)))
    assert finding.place is None
    assert len(done) >= 5_000 * 2_000 // MOST
    assert max(done) <= MOST
    assert list(slices(finding.seek(by, 2_500))) == []  # it is known by now
    assert LONG.draws == 0


def test_a_step_draws_and_opens_only_the_block_it_ends_in() -> None:
    found = sheet(*LONG.blocks[:300], AnswerBlock("the last one", "done"))
    finding = Finding(found, "needle 7")
    for _ in slices(finding.seek(1, 200)):
        pass
    assert finding.current == (7, 0)  # round the end
    assert finding.place == Place(7, found.gap(7))
    assert found.draws == 2  # folded, and opened


def test_the_last_blocks_are_counted_first() -> None:
    finding = Finding(LONG, "needle")
    next(slices(finding.look()))
    assert 0 < finding.count < 200
    assert 4_999 in finding._judged


def test_a_block_that_grew_is_counted_anew_and_once() -> None:
    found = sheet(AnswerBlock("a needle"), AnswerBlock("none"))
    finding = Finding(found, "needle")
    list(finding.look())
    found.put(1, AnswerBlock("needle needle"))
    list(finding.look())
    assert finding.count == 3
    found.cut(1)
    assert list(finding.seek(1, 0))[-1:] == []
    assert finding.place == Place(0, 0)


@given(
    st.lists(st.sampled_from(["ab", "a", "b ", " \n", "x" * 7, "aab"]), max_size=60),
    st.integers(0, 4),
)
def test_pieces_count_what_the_whole_has(parts: list[str], ahead: int) -> None:
    text = "-" * (PIECE - ahead) + "".join(parts)
    for wanted in (re.compile("ab"), re.compile(r"a\s+b"), re.compile("aa")):
        assert sum(count for count, _ in counts(wanted, text)) == len(wanted.findall(text))


@pytest.mark.parametrize("by", [1, -1])
def test_a_step_through_a_conversation_that_was_cut_to_nothing_ends(by: int) -> None:
    found = sheet(AnswerBlock("a needle", "done"))
    finding = Finding(found, "needle")
    found.cut(0)
    assert list(finding.seek(by, 0)) == []
    assert finding.place is None
