"""Every kind of block in every state, as sheets: what stands on them is drawn without an app."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from msgspec.structs import replace
from rich.segment import Segment
from rich.style import Style
from textual.color import Color

from qcode.protocol.display import (
    DiffBlock,
    FileBlock,
    MatchesBlock,
    OutputBlock,
    TextBlock,
    TodoBlock,
    TodoItem,
)
from qcode.tui import themes
from qcode.tui.blocks import (
    AnswerBlock,
    Block,
    CallBlock,
    NoteBlock,
    PromptBlock,
    ReasoningBlock,
    ShellBlock,
    TurnBlock,
)
from qcode.tui.drawing.draw import draw
from qcode.tui.drawing.view import View
from qcode.tui.lines import BLANK, Line
from qcode.tui.paint import Brush, painted
from qcode.tui.palette import Palette
from qcode.tui.screens.conversation import MARGIN
from qcode.tui.sheet import gap
from tests.tui.snapshots.svg import svg

NOW = 112.0


@dataclass(frozen=True, slots=True)
class Opened:
    """A block as it is when somebody opened it."""

    block: Block


_BLANK = " \n"
"""A context row without words."""

PATCH = (
    """\
--- a/src/acme/pages.py
+++ b/src/acme/pages.py
@@ -38,6 +38,8 @@
 def paginate(items, size):
     \"\"\"Split items into pages of `size`.\"\"\"
-    pages = len(items) // size
+    if not items:
+        return []
+    pages = -(-len(items) // size)
     return [items[i * size : (i + 1) * size] for i in range(pages)]
"""
    + 2 * _BLANK
    + """\
@@ -90,4 +92,4 @@
 def header(page, pages):
-    return "page %d of %d" % (page, pages)
+    return f"page {page} of {pages}"
"""
    + 2 * _BLANK
)
DIFF = DiffBlock("src/acme/pages.py", PATCH, 4, 2)
NEW_FILE = DiffBlock(
    "tests/test_empty.py",
    "--- /dev/null\n+++ b/tests/test_empty.py\n@@ -0,0 +1,12 @@\n"
    + "".join(f"+assert paginate([], {number}) == []\n" for number in range(12)),
    *(12, 0),
)
PLAN = TodoBlock(
    (
        TodoItem("Find where the pages are counted", "done"),
        TodoItem("Mend the rounding", "doing"),
        TodoItem("Add a test for the empty list, and one for a list that fills its last page"),
    )
)
FAILED = OutputBlock(
    "pytest -q tests/test_pages.py",
    "F                                                                  [100%]\n"
    + "".join(f"tests/test_pages.py:{line}: in test_empty\n" for line in range(12, 20))
    + "E   assert [[]] == []\n1 failed in 0.31s\n",
    *(1, 2.14),
    spill="~/.local/state/qcode/results/c7.txt",
)
MATCHES = MatchesBlock(
    "def paginate",
    (
        *("src/acme/pages.py", "38:def paginate(items, size):"),
        *("src/acme/old/pages.py", "12:def paginate(items: Sequence[T], size: int = 20, *, "
          "orphans: int = 0, first: int = 1) -> list[Sequence[T]]:"),
    ),
    2,
)  # fmt: skip
FILES = MatchesBlock("**/*.py", ("src/acme/pages.py", "src/acme/api.py", "tests/test_pages.py"), 3)

ANSWER = """\
The count was rounded **down**, so an empty list gave *one empty page*. `paginate` now returns no \
pages for an empty list and rounds up otherwise; see [the docs](https://example.org/paginate) and \
https://example.org/issues/4 for ~~why~~ how.

# What changed

1. The guard for an empty list
   - it stands first, so that nothing is divided
   - it costs nothing
2. Rounding *up* with `-(-n // size)`, which is the usual way to write a ceiling of a quotient of \
whole numbers in Python without floats

## In code

```python
def paginate(items: Sequence[T], size: int = 20) -> list[Sequence[T]]:
    \"\"\"Split items into pages of `size`.\"\"\"
    if not items:  # nothing to split
        return []
    return [items[at : at + size] for at in range(0, len(items), size)]
```

### Where

| file | lines | why |
|---|---:|:---:|
| `src/acme/pages.py` | 38–48 | the bug itself |
| tests/test_pages.py | 12 | one more case, which nobody had thought of when the tests were made |

> Nothing else calls it with a size of zero.
> That would be an error.

- [x] mended
- [ ] released

---

Some words of 日本語 and a word that does not end: \
supercalifragilisticexpialidocious/supercalifragilisticexpialidocious/supercalifragilistic.
"""
THOUGHT = (
    "The test wants no pages for an empty list, so look at how pages are counted first.\n\n"
    "`len(items) // size` rounds down: 5 items in pages of 2 give 2 pages, and the fifth is lost."
)


def call(name: str, summary: str, state: str = "ok", **said: object) -> CallBlock:
    """A card."""
    # `said` holds fields of any type; the constructor is given what the test names
    return CallBlock("c1", name, summary, state, **{"began": 100.0, **said})  # type: ignore[arg-type]


_EDIT = call("edit", "src/acme/pages.py", blocks=(DIFF,))
_LONG = "python -m pytest -q --maxfail=1 -p no:cacheprovider tests/test_pages.py tests/test_api.py"
_ARGUMENTS = replace(call("read", "pages.py"), notes=("arguments were mended: a comma",))

SHEETS: Mapping[str, Sequence[Block | Opened]] = {
    "said": (
        PromptBlock("The pagination test fails on an empty page. Fix it.", 1),
        PromptBlock(
            "Look at this picture, and at these lines:\n\n    pages = len(items) // size\n\nWhat "
            "is wrong with them? Tell me before you change anything, I want to know first.",
            *(2, 2),
        ),
        PromptBlock("Leave the old module alone.", 2, kind="steer"),
        PromptBlock("Then write the changelog.", kind="queued"),
        PromptBlock("Your answer was empty. Go on.", 2, kind="qcode"),
        PromptBlock("\n".join(f"line {number} of a long paste" for number in range(40)), 3),
        ReasoningBlock(THOUGHT, 100.0, 6.2, 412, state="done"),
        Opened(ReasoningBlock(THOUGHT, 100.0, 6.2, 412, state="done")),
        ReasoningBlock(THOUGHT, 100.0, 0.0, 1_234, 4_096),
        ReasoningBlock(THOUGHT, 100.0, 48.4, 4_096, 4_096, "done", "budget"),
        ReasoningBlock("", 0.0, 0.0, 1_204, state="done"),
        AnswerBlock("I'll look at the test first, and then", "open"),
        AnswerBlock("The test is the the the the the", "void"),
        NoteBlock("it repeated itself: asked again", "warning", "loop"),
        TurnBlock("end_turn", "", 48.2, 7, 3_411),
    ),
    "answer": (AnswerBlock(ANSWER, "done"),),
    "states": (
        CallBlock("c1", "edit", state="writing", written=1_312),
        CallBlock("c1", "", state="writing"),
        call("edit", "src/acme/pages.py", "waiting", blocks=(DIFF,)),
        call("shell", _LONG, "waiting"),
        call("shell", _LONG, "running", output="".join(f"test {n} ok\n" for n in range(9))),
        call("read", "src/acme/pages.py", "running"),
        call("glob", "**/*.py", blocks=(FILES,)),
        _ARGUMENTS,
        call("edit", "src/acme/pages.py", "error", said="src/acme/pages.py: the passage occurs 3 "
             "times, not once. Quote more of its lines."),
        call("shell", "rm -rf build", "denied", said="The person said no: ask before you delete."),
        call("shell", "make all", "cancelled", output="cc -c a.c\n"),
        call("shell", "pytest -q", "error", blocks=(FAILED,)),
        call("edit", "src/acme/pages.py", blocks=(DIFF,), notes=("1 hunk kept, 1 refused: “use "
             "math.ceil, it reads better than two minus signs, which nobody understands”",)),
    ),
    "cards": (
        call("read", "src/acme/pages.py", blocks=(FileBlock("src/acme/pages.py", 1, 84, 84),)),
        call("read", "a.log", blocks=(FileBlock("a.log", 200, 400, 0),)),
        call("read", "src/acme/a/very/long/path/to/a/module/that/nobody/ever/opens/since/it/was/"
             "written/pages.py", blocks=(FileBlock("x", 1, 84, 1_084),)),
        call("grep", '"def paginate"', blocks=(MATCHES,)),
        Opened(call("grep", '"def paginate"', blocks=(MATCHES,))),
        Opened(call("glob", "**/*.py", blocks=(FILES,))),
        call("grep", '"nowhere"', blocks=(MatchesBlock("nowhere", (), 0),)),
        _EDIT,
        Opened(_EDIT),
        call("write", "tests/test_empty.py", blocks=(NEW_FILE,)),
        call("edit", "2 files", blocks=(DIFF, NEW_FILE)),
        call("shell", "pytest -q tests/test_pages.py", "error", blocks=(FAILED,)),
        Opened(call("shell", "pytest -q tests/test_pages.py", "error", blocks=(FAILED,))),
        call("shell", "true", blocks=(OutputBlock("true", "", 0, 0.01),)),
        call("shell", "sleep 900", "error", blocks=(OutputBlock("sleep 900", "", None, 120.0),)),
        call("todo", "1 of 3 done", blocks=(PLAN,)),
        call("ask", "Which of them?", blocks=(TextBlock("The second one."),)),
        call("fetch", "https://example.org", seconds=3.2),
    ),
    "notes": (
        NoteBlock("re-read 60,392 tokens: the tool list changed · 48 s", kind="reread"),
        NoteBlock("edit mode: edits go ahead, commands wait for your word", "info", "mode"),
        NoteBlock("The server is gone: connection refused. Trying again in 2 s.", "warning"),
        NoteBlock(
            "No server answers at http://127.0.0.1:8080 (connection refused). Start it or change "
            "base_url; `qcode doctor` checks.",
            *("error", "state"),
        ),
        ShellBlock("git status --short", "done", " M src/acme/pages.py\n?? out.txt\n", 0, 0.02),
        ShellBlock("make all", "running", "cc -c a.c\ncc -c b.c\n"),
        ShellBlock("pytest -q", "done", "1 failed in 0.31s\n", 1, 2.1, "tell"),
        TurnBlock("end_turn", "", 8.04, 1, 212),
        TurnBlock("cancelled", "", 3.1, 1, 97),
        TurnBlock("max_steps", "", 480.0, 50, 32_120),
        TurnBlock("error", "The server closed the connection three times. `qcode doctor` checks."),
    ),
}  # fmt: skip


def sheet(name: str, width: int, theme_name: str) -> str:
    """An SVG of that sheet."""
    theme = themes.load().get(theme_name)
    assert theme is not None
    base = Style(color=theme.colours.foreground, bgcolor=theme.colours.background)
    back = Color.parse(theme.colours.background)
    brush = Brush(Palette(theme.colours), base, (), back, width)
    rows: list[Sequence[Segment]] = [
        list(painted(line, (), brush).strip) for line in _lines(SHEETS[name], width)
    ]
    return svg(rows, width, (theme.colours.foreground, theme.colours.background))


def _lines(blocks: Sequence[Block | Opened], width: int) -> Iterator[Line]:
    above: Block | None = None
    for one in blocks:
        block = one.block if isinstance(one, Opened) else one
        yield from [BLANK] * gap(above, block)
        yield from draw(block, View(width - MARGIN, isinstance(one, Opened), NOW))
        above = block
