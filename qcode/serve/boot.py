"""How a process of our own is started: this very Python and package, and nothing of the folder."""

import sys
from pathlib import Path

ROOT = str(Path(__file__).parents[2])

_CODE = "import sys; sys.path[:] = {path!r}; from qcode.serve.{name} import main; sys.exit(main())"


def words(name: str) -> tuple[str, ...]:
    """The command line of a module of this room.

    -I: neither PYTHONPATH nor the folder that it is started in may put another qcode in its place.
    What we ourselves were loaded from is known to be right.
    """
    here = str(Path.cwd())
    path = [one for one in sys.path if one == ROOT or one not in ("", here)]
    return (sys.executable, "-I", "-c", _CODE.format(path=path, name=name))
