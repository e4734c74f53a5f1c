"""How a process of our own is started: this very Python and package, and nothing of the folder."""

import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]

_CODE = (
    "import sys; sys.path.append({root!r}); from qcode.serve.{name} import main; sys.exit(main())"
)


def words(name: str, *arguments: str) -> tuple[str, ...]:
    """The command line of a module of this room. -I: neither PYTHONPATH nor the folder that it is
    started in may put another qcode in its place."""
    return (sys.executable, "-I", "-c", _CODE.format(root=str(ROOT), name=name), *arguments)
