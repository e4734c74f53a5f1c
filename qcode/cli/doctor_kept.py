"""What doctor found, in the user's state: written here, read where servers are met."""

import sys
from collections.abc import Callable
from pathlib import Path

from qcode.config import private
from qcode.config.paths import make
from qcode.doctor import kept
from qcode.doctor.report import Report
from qcode.headless.exits import ExitCode
from qcode.headless.talk import talk
from qcode.protocol.errors import ConfigError
from qcode.protocol.text import one_line
from qcode.server.base import ServerFacts


def keep(state: Path, found: Report, say: Callable[[str], None] = talk) -> bool:
    """Remember it for the next runs; whether it is. A disk that is full stops nothing."""
    if (encoded := kept.encoded(found)) is None:
        return False
    name, data = encoded
    try:
        private.write(make(state / kept.FOLDER) / name, data)
    except (OSError, ConfigError) as error:
        say(f"what was found is not kept ({error}): runs go on as before.")
        return False
    return True


def forget(state: Path, base_url: str, model: str = "") -> int:
    """Drop what is known of a server, and name it; without an address, of all.

    Where servers get any port, another one's file counts if it is of this `model`.
    """
    lines = []
    for file, known in kept.known(state / kept.FOLDER, base_url):
        if base_url and known and known.base_url != base_url and known.model != model:
            continue
        file.unlink(missing_ok=True)
        lines.append(f"forgotten: {_named(known, file)}\n")
    if not lines:
        about = f"of {base_url}" if base_url else "of any server"
        also = " `qcode doctor --forget all` drops those of all servers." if base_url else ""
        lines.append(f"Nothing was known {about}.{also}\n")
    sys.stdout.write("".join(lines))
    return ExitCode.OK


def _named(known: kept.Kept | None, file: Path) -> str:
    if known is None:
        return f"{file.name}, which could not be read"
    where = f"{one_line(known.model, 80)} at {one_line(known.base_url, 80)}"
    return f"{where}, examined {_told(known)}"


def line(state: Path, facts: ServerFacts) -> str:
    """`2026-11-21, 2 findings`; empty = it was not examined as it is now."""
    if (known := kept.read(state / kept.FOLDER, facts)) is None:
        return ""
    return _told(known)


def _told(known: kept.Kept) -> str:
    count = len(known.findings)
    return f"{known.date[:10]}, {count or 'no'} finding{'' if count == 1 else 's'}"
