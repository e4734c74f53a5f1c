"""Which code the tests come by at all: a bug anywhere else is caught by none, and trying costs a
run of the tests each. Python tells by the byte code that it leaves beside what it has loaded.
"""

import shutil
from pathlib import Path


def swept(folder: Path) -> frozenset[str]:
    """Files of Python that were loaded since the last time; their byte code is taken away.

    Empty = nothing was: the tests are not Python's, or keep theirs elsewhere.
    """
    caches = [path for path in folder.rglob("__pycache__") if not path.is_symlink()]
    found = {
        (cache.parent / f"{code.name.split('.')[0]}.py").relative_to(folder).as_posix()
        for cache in caches
        for code in cache.glob("*.pyc")
    }
    for cache in caches:
        shutil.rmtree(cache, ignore_errors=True)
    return frozenset(found)
