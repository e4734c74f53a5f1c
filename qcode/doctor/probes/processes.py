"""Who listens on a port of this machine, by Linux's own files. Elsewhere, and where the process is
another person's, nothing is told."""

from pathlib import Path

PROC = Path("/proc")
_LISTENING = "0A"
_OWN = "LLAMA_ARG_"


def listening(port: int, proc: Path = PROC) -> tuple[str, ...]:
    """Words of the command line of who listens there; none = not to be known.

    Behind them llama.cpp's own variables as `NAME=value`; no other variable is looked at.
    """
    wanted = {f"socket:[{inode}]" for inode in _inodes(port, proc)}
    if not wanted:
        return ()
    for process in proc.glob("[0-9]*"):
        if _holds(process, wanted):
            return _words(process)
    return ()


def _inodes(port: int, proc: Path) -> set[str]:
    found = set()
    for table in ("net/tcp", "net/tcp6"):
        for line in _text(proc / table).splitlines()[1:]:
            columns = line.split()
            if len(columns) < 10 or columns[3] != _LISTENING:
                continue
            if int(columns[1].rpartition(":")[2], 16) == port:
                found.add(columns[9])
    return found


def _holds(process: Path, wanted: set[str]) -> bool:
    try:
        return any(str(link.readlink()) in wanted for link in (process / "fd").iterdir())
    except OSError:  # another person's, or gone
        return False


def _words(process: Path) -> tuple[str, ...]:
    words = [word for word in _text(process / "cmdline").split("\0") if word]
    variables = _text(process / "environ").split("\0")
    return (*words, *(each for each in variables if each.startswith(_OWN)))


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
