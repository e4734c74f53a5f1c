"""Drawing knows no Textual, and loads what is heavy only when it is needed."""

import subprocess
import sys

DRAWS = """
import sys
from qcode.tui.blocks import AnswerBlock, CallBlock
from qcode.tui.drawing.draw import draw
from qcode.tui.drawing.view import View
draw(CallBlock("1", "read", "a.py", "ok"), View(80))
print(*sorted({"markdown_it", "pygments", "textual", "rich"} & set(sys.modules)))
draw(AnswerBlock("# a", "done"), View(80))
print(*sorted({"markdown_it", "pygments", "textual", "rich"} & set(sys.modules)))
draw(AnswerBlock("```py\\nx\\n```", "done"), View(80))
print(*sorted({"markdown_it", "pygments", "textual", "rich"} & set(sys.modules)))
"""


def test_markdown_and_colours_load_with_the_first_text_that_needs_them() -> None:
    ran = subprocess.run([sys.executable, "-c", DRAWS], capture_output=True, text=True, check=True)
    assert ran.stdout.split("\n")[:3] == ["", "markdown_it", "markdown_it pygments"]
