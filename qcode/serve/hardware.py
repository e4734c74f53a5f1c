"""What this machine is: processor, memory, graphics processors. Starts nothing, changes nothing."""

import os
import sys
from pathlib import Path
from typing import Literal

from qcode.serve.base import Machine


def look() -> Machine:
    """The machine that qcode runs on. Raises nothing: what cannot be found out is left out."""
    pages = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") if os.name == "posix" else 0
    system: Literal["linux", "macos", "windows"] = (
        "windows" if os.name == "nt" else "macos" if sys.platform == "darwin" else "linux"
    )
    return Machine(system, "", os.cpu_count() or 1, pages, pages)
