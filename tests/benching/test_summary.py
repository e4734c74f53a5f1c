"""What attempts come to: the table, the object, the page."""

import json
import re
from collections.abc import Mapping
from html.parser import HTMLParser

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qcode.bench.page import page
from qcode.bench.summary import Summary, summary
from qcode.bench.task import Attempt, Plan, Setting, Task
from qcode.bench.task_tables import amount, data, text
from qcode.protocol.cells import cells
from tests.benching.test_keeping import plan

HOSTILE = "<script>alert(1)</script>\"'&\x1b[31m\u202e</title>"
VOID = {"meta", "circle", "line", "path", "rect"}


def attempts(made: Plan, solved: Mapping[str, str], seconds: float = 10.0) -> list[Attempt]:
    """`solved`: setting -> a sign a task, `+` = solved, `.` = not tried; one attempt each."""
    return [
        Attempt(
            task=task.id,
            setting=setting,
            number=1,
            solved=sign == "+",
            code=0,
            seconds=seconds + at,
            read_tokens=12_000,
            reread_tokens=500,
            generated_tokens=2_100,
        )
        for setting, signs in solved.items()
        for at, (task, sign) in enumerate(zip(made.tasks, signs, strict=True))
        if sign != "."
    ]


def found(solved: Mapping[str, str]) -> Summary:
    made = plan(len(next(iter(solved.values()))), len(solved), 1)
    return summary(made, attempts(made, solved))


def test_shares_and_medians_of_a_setting() -> None:
    row, other = found({"s1": "++-+", "s2": "..+-"}).rows
    assert (row.solved, row.tried, row.seconds) == (3, 4, 11.5)
    assert row.share.low < 0.75 < row.share.high
    assert (other.solved, other.tried) == (1, 2)


def test_a_difference_is_proven_or_plainly_not() -> None:
    proven = found({"s1": "++++++-", "s2": "-------"})
    (pair,) = proven.pairs
    assert (pair.first_better, pair.second_better) == (6, 0)
    assert pair.is_proven
    assert "proven: s1 solves more than s2" in text(proven)
    lacking = found({"s1": "-------", "s2": "+++++--"})
    assert not lacking.pairs[0].is_proven
    assert "no difference in what they solve is proven: at least 6 tasks" in text(lacking)
    assert "\nproven: " not in text(lacking)
    uneven = found({"s1": "++++++--", "s2": "------++"})
    assert "no difference in what they solve is proven\n" in text(uneven)


def test_more_pairs_need_more_tasks() -> None:
    assert found({"s1": "+", "s2": "-"}).fewest_unlike == 6
    assert found({"s1": "+", "s2": "-", "s3": "-", "s4": "+"}).fewest_unlike == 8


def test_the_faster_one_is_named() -> None:
    made = plan(7, 2, 1)
    quick = attempts(made, {"s2": "+++++++"}, seconds=1.0)
    slow = attempts(made, {"s1": "+++++++"}, seconds=30.0)
    assert "proven: s2 is faster than s1" in text(summary(made, [*slow, *quick]))


def test_who_gives_up_at_once_is_not_called_fast() -> None:
    made = plan(7, 2, 1)
    idle = attempts(made, {"s2": "-------"}, seconds=1.0)
    works = attempts(made, {"s1": "+++++++"}, seconds=30.0)
    (pair,) = summary(made, [*works, *idle]).pairs
    assert (pair.first_better, pair.faster, pair.slower) == (7, 0, 0)


def test_only_tasks_that_both_tried_are_compared() -> None:
    (pair,) = found({"s1": "+++.", "s2": ".--+"}).pairs
    assert (pair.tasks, pair.first_better) == (2, 2)


def test_several_pairs_are_corrected_for_being_several() -> None:
    alone = found({"s1": "++++++", "s2": "------"}).pairs[0]
    among = found({"s1": "++++++", "s2": "------", "s3": "------"}).pairs[0]
    assert among.chance == pytest.approx(3 * alone.chance)


def test_attempts_of_one_task_are_one_witness() -> None:
    made = plan(1, 2, 10)
    many = [
        Attempt(task="bug-01", setting=name, number=at, solved=name == "s1", code=0)
        for name in ("s1", "s2")
        for at in range(1, 11)
    ]
    (pair,) = summary(made, many).pairs
    assert (pair.tasks, pair.first_better) == (1, 1)
    assert not pair.is_proven


signs = st.integers(1, 6).flatmap(
    lambda n: st.lists(st.text("+-.", min_size=n, max_size=n), min_size=1, max_size=3)
)


@given(signs)
def test_the_table_is_at_most_eighty_columns_and_the_page_is_well_formed(rows: list[str]) -> None:
    solved = {f"s{at}": row for at, row in enumerate(rows, 1)}
    made = plan(len(rows[0]), len(rows), 1)
    tried = attempts(made, solved)
    came_to = summary(made, tried)
    assert max(cells(line) for line in text(came_to).splitlines()) <= 80
    parsed(page(came_to, tried))
    assert json.dumps(data(came_to, tried))


def test_a_setting_against_itself_is_never_better() -> None:
    for pair in found({"s1": "+-+-", "s2": "+-+-"}).pairs:
        assert (pair.first_better, pair.second_better, pair.chance) == (0, 0, 1.0)


class Strict(HTMLParser):
    """Every tag that opens closes, in order."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words.append(data)


def parsed(html: str) -> Strict:
    """Parsed to the end, with nothing left open."""
    strict = Strict()
    strict.feed(html)
    strict.close()
    assert strict.open == []
    return strict


def test_the_page_says_hostile_names_and_does_nothing_that_they_say() -> None:
    made = plan(1, 1, 1)
    made = msgspec.structs.replace(
        made,
        repository=f"/x/{HOSTILE}",
        command=HOSTILE,
        tasks=(Task(id=HOSTILE, kind="redo", title=HOSTILE, commit=HOSTILE),),
        settings=(Setting(HOSTILE),),
    )
    tried = Attempt(
        task=HOSTILE, setting=HOSTILE, number=1, solved=True, code=0, model=HOSTILE, tail=HOSTILE
    )
    html = page(summary(made, [tried]), [tried])
    strict = parsed(html)
    assert "script" not in {tag for tag, _ in strict.tags}
    assert "\x1b" not in html
    assert "\u202e" not in html
    assert "<script>alert(1)</script>" in " ".join(strict.words)
    assert "\x1b" not in text(summary(made, [tried]))


def test_the_page_needs_nothing_else() -> None:
    came_to = found({"s1": "+-", "s2": "++"})
    html = page(came_to, attempts(came_to.plan, {"s1": "+-", "s2": "++"}))
    strict = parsed(html)
    loading = {"src", "href", "data", "action", "poster", "background"}
    assert not [tag for tag, given in strict.tags if loading & given.keys()]
    assert not [name for _, given in strict.tags for name in given if name.startswith("on")]
    assert "url(" not in html
    assert "@import" not in html
    assert "default-src 'none'" in html
    assert "prefers-color-scheme:dark" in html
    assert len(re.findall("<svg ", html)) >= 3


@pytest.mark.parametrize(
    ("tokens", "told"),
    [(0, "0"), (999, "999"), (1000, "1.0k"), (12_345, "12.3k"), (999_600, "1.0M"), (4e6, "4.0M")],
)
def test_tokens_are_told_in_few_signs(tokens: float, told: str) -> None:
    assert amount(tokens) == told
