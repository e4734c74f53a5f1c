"""One card for each call, in each of its states."""

import pytest

from qcode.protocol.display import (
    Block,
    DiffBlock,
    FileBlock,
    MatchesBlock,
    OutputBlock,
    TextBlock,
    TodoBlock,
    TodoItem,
)
from qcode.tui.blocks import CallBlock, CallState, ShellBlock
from qcode.tui.drawing.draw import draw
from qcode.tui.drawing.view import View
from tests.tui.drawing.looking import copied, shown, styles
from tests.tui.drawing.test_diff import PATCH


def call(name: str, summary: str, *blocks: Block, state: CallState = "ok") -> CallBlock:
    return CallBlock("1", name, summary, state, blocks=blocks)


def test_a_read_says_which_lines() -> None:
    (row,) = shown(call("read", "tests/a.py", FileBlock("tests/a.py", 1, 84, 1084)), 60)
    assert row == "   ● read   tests/a.py".ljust(60 - len("1–84 of 1,084")) + "1–84 of 1,084"


def test_of_a_file_that_was_not_counted_only_the_lines_are_told() -> None:
    assert shown(call("read", "a", FileBlock("a", 5, 9, 0)))[0].endswith(" 5–9")


def test_an_edit_shows_the_change_and_the_row_above() -> None:
    rows = shown(call("edit", "p.py", DiffBlock("p.py", PATCH, 4, 2)))
    assert rows[0].endswith("+4 −2  applied")
    assert rows[1:] == [
        "     │ 41   def paginate(items, size):",
        "     │ 42 -     pages = len(items) // size",
        "     │ 42 +     if not items:",
        "     │ 43 +         return []",
        "     │ 44 +     pages = -(-len(items) // size)",
        "     │ ⋯",
        "     │ 90 - end",
        "     │ 92 + end ‹no line end›",
    ]


def test_an_opened_edit_shows_all_of_its_context() -> None:
    rows = shown(call("edit", "p.py", DiffBlock("p.py", PATCH, 4, 2)), opened=True)
    assert "     │ 45       return pages" in rows


def test_a_large_edit_is_eight_rows_until_it_is_opened() -> None:
    patch = "--- a/x\n+++ b/x\n@@ -0,0 +1,500 @@\n" + "".join(f"+row {at}\n" for at in range(500))
    block = call("write", "x", DiffBlock("x", patch, 500, 0))
    rows = shown(block)
    assert len(rows) == 9
    assert rows[-1] == "     │ … 493 more rows"
    assert len(shown(block, opened=True)) == 501


def test_what_waits_for_the_person_says_so_and_shows_the_change() -> None:
    rows = shown(call("edit", "p.py", DiffBlock("p.py", PATCH, 4, 2), state="waiting"))
    assert rows[0].startswith("   ? edit   p.py")
    assert rows[0].endswith("+4 −2  waits for you")
    assert len(rows) > 4


def test_changes_to_several_files_are_summed() -> None:
    two = (DiffBlock("a", PATCH, 1, 2), DiffBlock("b", PATCH, 3, 4))
    assert shown(call("patch", "a b", *two))[0].endswith("2 files  +4 −6  applied")


def test_a_command_shows_the_end_of_its_output_without_colours() -> None:
    tail = "".join(f"\x1b[3{at % 8}mrow {at}\x1b[0m\n" for at in range(30))
    rows = shown(call("shell", "make", OutputBlock("make", tail, 0, 2.1)))
    assert rows[0].endswith("2.1 s  exit 0  ✓")
    assert rows[1] == "     │ … 23 rows above"
    assert rows[2:] == [f"     │ row {at}" for at in range(23, 30)]


def test_an_opened_command_shows_all_of_it_and_where_the_rest_is() -> None:
    block = OutputBlock("make \\\n  all", "done\n", 0, 2.1, "/tmp/out.txt")
    rows = shown(call("shell", "make", block), opened=True)
    assert rows[1:] == [
        "     │ $ make \\",
        "     │ $   all",
        "     │ done",
        "     │ all of it: /tmp/out.txt",
    ]


def test_a_command_that_failed_says_how() -> None:
    block = call("shell", "false", OutputBlock("false", "", 3, 0.1), state="error")
    assert shown(block) == [
        "   ✗ shell  false".ljust(80 - 17) + "0.1 s  exit 3  ✗ ".rstrip().rjust(17)
    ]


def test_a_command_without_an_exit_code_says_so() -> None:
    assert shown(call("shell", "top", OutputBlock("top", "", None, 75)))[0].endswith(
        "75 s  no exit code"
    )


def test_a_command_that_ran_outside_of_the_sandbox_says_so() -> None:
    for where, words in (("outside", "outside the sandbox  0.1 s"), ("inside", "0.1 s")):
        block = OutputBlock("docker ps", "", 0, 0.1, where=where)  # type: ignore[arg-type] # one of two
        [row] = shown(call("shell", "docker ps", block))
        assert row.split("docker ps")[1].strip() == f"{words}  exit 0  ✓"


def test_a_running_command_counts_and_shows_what_came_last() -> None:
    block = CallBlock("1", "shell", "make", "running", began=10.0, output="a\n10%\r20%\r35%")
    rows = shown(block, now=13.14)
    assert rows[0].startswith("   ◌ shell  make")
    assert rows[0].endswith(" 3.1 s")
    assert rows[1:] == ["     │ a", "     │ 35%"]


def test_a_search_says_how_much_and_shows_it_when_opened() -> None:
    found = ("src/a.py", "12:def f(", "13-    pass", "--", "90:f()", "b.py", "7:f()")
    block = call("grep", "def f", MatchesBlock("def f", found, 3))
    assert [row.split("  ")[-1].strip() for row in shown(block)] == ["3 matches in 2 files"]
    lines = draw(block, View(80, opened=True))
    assert lines[2].text == "     │     12 def f("
    assert "def f(" in copied(lines[2:3]).splitlines()
    assert styles(lines, "src/a.py") == {"link"}


@pytest.mark.parametrize(
    ("rows", "total", "words"),
    [((), 0, "nothing found"), (("a.py",), 1, "1 file"), (("a.py", "b.py"), 200, "200 files")],
)
def test_a_search_for_files_counts_files(rows: tuple[str, ...], total: int, words: str) -> None:
    assert shown(call("glob", "*.py", MatchesBlock("*.py", rows, total)))[0].endswith(f" {words}")


def test_a_plan_has_boxes() -> None:
    items = (TodoItem("find", "done"), TodoItem("fix", "doing"), TodoItem("test"))
    assert shown(call("todo", "1 of 3 done", TodoBlock(items))) == [
        "   ● todo   1 of 3 done",
        "     │ ☑ find",
        "     │ ▣ fix",
        "     │ ☐ test",
    ]


def test_words_of_a_tool_are_shown() -> None:
    assert shown(call("ask", "which?", TextBlock("the\tfirst\none")))[1:] == [
        "     │ the     first",
        "     │ one",
    ]


def test_a_call_that_is_written_counts_its_characters() -> None:
    assert shown(CallBlock("1", "edit", written=1204)) == ["   ✎ writing edit · 1,204 characters"]
    assert shown(CallBlock("1", "")) == ["   ✎ writing a call"]


def test_a_call_that_comes_next_says_so() -> None:
    (row,) = shown(CallBlock("1", "write", "src/a.py", "queued", written=64))
    assert row.split() == ["·", "write", "src/a.py", "next"]


@pytest.mark.parametrize(
    ("state", "mark", "word", "body"),
    [
        ("error", "✗", "failed", ["     │ It failed."]),
        ("denied", "⊘", "denied", ["     │ It failed."]),
        ("cancelled", "○", "stopped", []),
    ],
)
def test_a_call_that_did_not_go_well(
    state: CallState, mark: str, word: str, body: list[str]
) -> None:
    rows = shown(CallBlock("1", "edit", "a.py", state, said="It failed.\n"))
    assert rows[0].startswith(f"   {mark} edit   a.py")
    assert rows[0].endswith(f" {word}")
    assert rows[1:] == body


def test_notes_stand_below_the_head() -> None:
    block = CallBlock("1", "edit", "a", "ok", notes=("repaired: a brace",), seconds=3.0)
    assert shown(block)[1:] == ["     └ repaired: a brace"]


def test_a_long_summary_is_cut_before_the_outcome() -> None:
    (row,) = shown(call("read", "x" * 100, FileBlock("x", 1, 2, 3)), 40)
    assert row == "   ● read   " + "x" * 17 + "…  1–2 of 3"


def test_hidden_characters_of_a_command_are_seen() -> None:
    assert "a‹U+202E›b‹U+200B›" in shown(call("shell", "a\u202eb\u200b"))[0]


def test_a_command_of_the_person() -> None:
    block = ShellBlock("git status", "done", " M a.py\n", 0, 0.1, "tell")
    rows = shown(block, 60)
    assert rows[0].startswith(" ! git status")
    assert rows[0].endswith("the model is told  0.1 s  exit 0  ✓")
    assert rows[1:] == ["     │  M a.py"]
    assert shown(ShellBlock("top"))[0].endswith(" runs")
