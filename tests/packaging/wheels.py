"""Builds the wheel of this checkout."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def build_wheel(into: Path) -> Path:
    """The path of the wheel, built with the tools of this environment: no network is needed."""
    line = (sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(into))
    done = subprocess.run(
        line, cwd=ROOT, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    (wheel,) = into.glob("qcode-*.whl")
    return wheel
