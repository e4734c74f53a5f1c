"""Where sessions lie and what they are called: `<root>/<project>/<id>.jsonl`."""

import hashlib
import os
import re
from datetime import datetime
from pathlib import Path

_UNSAFE = re.compile(r"[^a-z0-9]+")
_ID = re.compile(r"[A-Za-z0-9._-]+")
_SLUG_LENGTH = 40


def project(folder: Path) -> str:
    """A folder's name as part of a path: readable, and one per real path."""
    real = Path(os.path.realpath(folder))
    slug = _UNSAFE.sub("-", real.name.lower()).strip("-")[:_SLUG_LENGTH].rstrip("-")
    digest = hashlib.sha256(os.fsencode(real)).hexdigest()[:8]
    return f"{slug or 'folder'}-{digest}"


def new_id(now: datetime) -> str:
    """`20261121-0900-3f9a`: sorts by time (UTC), safe on every file system."""
    return f"{now:%Y%m%d-%H%M}-{os.urandom(2).hex()}"


def logs(root: Path, project_name: str = "") -> list[Path]:
    """The logs of one project, or of all (empty), oldest id first."""
    found = root.glob(f"{project_name or '*'}/*.jsonl")
    return sorted((path for path in found if _ID.fullmatch(path.stem)), key=lambda path: path.stem)


def companions(log: Path) -> list[Path]:
    """Files that belong to a log: tails that were cut off it."""
    return sorted(log.parent.glob(f"{log.stem}.cut-*"))
