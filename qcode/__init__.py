"""A terminal coding agent for models that run on your own machine.

`from qcode import run, Session` drives it from Python; see docs/scripting.md.
"""

TYPE_CHECKING = False  # importing `typing` for it would cost `qcode --version` 10 ms
if TYPE_CHECKING:
    from typing import Any

    from qcode.api import Session as Session
    from qcode.api import Settings as Settings
    from qcode.api import run as run
    from qcode.api import run_async as run_async
    from qcode.sync import SyncSession as SyncSession

__version__ = "0.1.0"

_API = {
    **dict.fromkeys(("Session", "Settings", "run", "run_async"), "qcode.api"),
    "SyncSession": "qcode.sync",
}


def __getattr__(name: str) -> "Any":
    """The Python API, imported when it is asked for: `qcode --version` needs none of it."""
    if name not in _API:
        raise AttributeError(f"module 'qcode' has no attribute {name!r}")
    import importlib  # noqa: PLC0415 - see above

    return getattr(importlib.import_module(_API[name]), name)
