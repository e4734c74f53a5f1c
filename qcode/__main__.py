"""python -m qcode."""

import os
import sys


def _without_folder() -> list[str]:
    """The import path without the current folder, which `-m` puts first: what a repository calls
    `json.py` is no module of ours. Unless qcode itself was found there, as in its own checkout."""
    ours = os.path.dirname(os.path.dirname(__file__))  # noqa: PTH120 - pathlib is not loaded yet
    is_put_there = sys.path and not sys.flags.safe_path and sys.path[0] != ours
    return sys.path[1:] if is_put_there else sys.path


if __name__ == "__main__":
    sys.path[:] = _without_folder()
    from qcode.cli.main import main  # not before

    raise SystemExit(main())
