"""What a folder would configure, in words: for `qcode trust` and for the question of the app."""

import json
from collections.abc import Iterator

from qcode.cli.trusting import Project
from qcode.config import files
from qcode.config.model import spelled
from qcode.config.origin import Setting
from qcode.permission.trust import patch
from qcode.protocol.text import one_line

LONGEST_VALUE = 4_000


def changes(found: Project) -> Iterator[str]:
    """All that is not as it was trusted, as a unified diff; all of it, where nothing was."""
    was = found.entry.files or {}
    for path in sorted({*was, *found.pieces}):
        before, now = was.get(path), found.pieces.get(path)
        if before and now and before.sha256 == now.sha256:
            continue
        old, new = (one.text if one else None for one in (before, now))
        if (before and old is None) or (now and new is None):
            what = now.kind if now and now.kind != "file" else "no text"
            yield f"{path}: differs ({what})"
        else:
            yield from patch(path, old, new)


def would(found: Project) -> tuple[dict[str, Setting], tuple[str, ...]]:
    """What the folder sets once it is trusted, and sentences about what is left out even then."""
    notices: list[str] = []
    return files.project(found.file, notices), tuple(notices)


def assignment(key: str, setting: Setting) -> str:
    """`agent.thinking = "low"`, on one line, of something that may be hostile."""
    return one_line(
        f"{spelled(key)} = {json.dumps(setting.value, ensure_ascii=False)}", LONGEST_VALUE
    )
