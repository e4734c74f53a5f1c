"""The generated parts of the README: the help text and the table of modes."""

import os
import re
import subprocess
import sys
from pathlib import Path

README = Path(__file__).parents[2] / "README.md"


def printed(*argv: str) -> str:
    """What qcode prints, on a terminal of 96 columns."""
    environment = {**os.environ, "COLUMNS": "96", "NO_COLOR": "1", "PYTHON_COLORS": "0"}
    found = subprocess.run(
        [sys.executable, "-m", "qcode", *argv],
        capture_output=True,
        text=True,
        check=True,
        env=environment,
    )
    return found.stdout


def renewed(text: str) -> str:
    """`text` with the parts between the marks made anew."""
    text = _between(text, "modes", "\n" + printed("permissions", "modes") + "\n")
    return _between(text, "help", "\n```\n" + printed("--help") + "```\n")


def _between(text: str, mark: str, content: str) -> str:
    pattern = re.compile(rf"(<!-- {mark} -->).*?(<!-- /{mark} -->)", re.S)
    assert pattern.search(text), mark
    return pattern.sub(lambda found: found[1] + content + found[2], text)


if __name__ == "__main__":
    README.write_text(renewed(README.read_text(encoding="utf-8")), encoding="utf-8")
