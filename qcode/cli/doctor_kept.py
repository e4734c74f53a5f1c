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


def forget(state: Path, base_url: str) -> int:
    """Drop what is known of a server; without an address, of all."""
    files = list((state / kept.FOLDER).glob(kept.pattern_of(base_url)))
    for file in files:
        file.unlink(missing_ok=True)
    about = f"of {base_url}" if base_url else "of any server"
    many = "1 examination is" if len(files) == 1 else f"{len(files)} examinations are"
    sys.stdout.write(f"{many} forgotten {about}.\n" if files else f"Nothing was known {about}.\n")
    return ExitCode.OK


def line(state: Path, facts: ServerFacts) -> str:
    """`2026-11-21, 2 findings`; empty = it was not examined as it is now."""
    if (known := kept.read(state / kept.FOLDER, facts)) is None:
        return ""
    count = len(known.findings)
    return f"{known.date[:10]}, {count or 'no'} finding{'' if count == 1 else 's'}"
