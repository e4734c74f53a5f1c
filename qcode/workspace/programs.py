"""Programs that qcode itself starts."""

import os
import shutil


def installed(name: str) -> str | None:
    """Where it is; None = it is not. Never from a relative entry of PATH: in a repository that is
    whatever the repository has under that name."""
    entries = os.environ.get("PATH", os.defpath).split(os.pathsep)
    return shutil.which(name, path=os.pathsep.join(it for it in entries if os.path.isabs(it)))  # noqa: PTH117 - strings all the way
