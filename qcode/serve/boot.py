"""How processes are started: those of our own, and engines.

One of our own is this very Python and package, and nothing of the folder.
"""

import os
import sys
from pathlib import Path

ROOT = str(Path(__file__).parents[2])

_CODE = (
    "import sys; sys.path[:] = {path!r}; {lean}"
    "from qcode.serve.{name} import main; sys.exit(main())"
)
_LEAN = "sys.modules['typing_extensions'] = None; "
"""`msgspec` does not depend on it and takes `typing` then: with `inspect` and what else comes along
it is 10 ms and 1.3 MB of a process that stays for hours."""


def words(name: str) -> tuple[str, ...]:
    """The command line of a module of this room.

    -I: neither PYTHONPATH nor the folder that it is started in may put another qcode in its place.
    What we ourselves were loaded from is known to be right.
    """
    here = str(Path.cwd())
    path = [one for one in sys.path if one == ROOT or one not in ("", here)]
    lean = _LEAN if name == "keeper" else ""
    return (sys.executable, "-I", "-c", _CODE.format(path=path, name=name, lean=lean))


def start_of(program: str) -> tuple[str, ...]:
    """The words that begin an engine's command line: newer builds have one program for all."""
    return (program, "serve") if Path(program).stem == "llama" else (program,)


def environment() -> dict[str, str]:
    """What an engine gets: nothing of ours, no keys, and no second word beside the flags."""
    ours = ("QCODE_", "OPENAI_", "LLAMA_ARG_", "LLAMA_API_KEY")
    return {name: value for name, value in os.environ.items() if not name.startswith(ours)}
