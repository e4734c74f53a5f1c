"""`-o FILE`: the final message as a file, whole or not at all."""

import os
import secrets
import stat
from pathlib import Path

from qcode.protocol.errors import InputError


def check(path: Path) -> None:
    """Raises InputError for a file that surely cannot be written: said before any work is done."""
    if _special(path):
        return
    real = Path(os.path.realpath(path))
    if real.is_dir():
        raise InputError(f"-o {path} is a folder. Name a file in it.")
    if not real.parent.is_dir():
        raise InputError(f"-o {path}: there is no folder {real.parent}. Make it first.")
    if not os.access(real.parent, os.W_OK | os.X_OK):
        raise InputError(f"-o {path}: {real.parent} cannot be written to. Name another folder.")


def save(path: Path, words: str) -> None:
    """Write `words` and a line end; nothing for no words. Raises InputError, and then the file is
    as it was."""
    data = f"{words}\n".encode() if words else b""
    try:
        if _special(path):
            path.write_bytes(data)
        else:
            _replace(Path(os.path.realpath(path)), data)
    except OSError as error:
        raise InputError(
            f"The answer could not be written to {path} ({error.strerror}). "
            "What was there before is unchanged."
        ) from error


def _special(path: Path) -> bool:
    """A pipe or a device, such as `/dev/stderr` or the shell's `>(…)`: nothing to be replaced."""
    return path.exists() and not path.is_file() and not path.is_dir()


def _replace(real: Path, data: bytes) -> None:
    """A temporary file in the same folder takes the old one's place."""
    spare = real.with_name(f".{real.name[:100]}.{secrets.token_hex(6)}.tmp")
    try:
        descriptor = os.open(spare, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        if real.exists():
            spare.chmod(stat.S_IMODE(real.stat().st_mode))
        spare.replace(real)
    finally:
        spare.unlink(missing_ok=True)  # after the rename there is none
