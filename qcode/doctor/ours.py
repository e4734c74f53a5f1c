"""qcode's own side: the fence, the keyring, programs, the terminal, the folders it keeps things in.

Asks no server. Most of what may be missing here is a note: qcode works without it, otherwise.
"""

import os
import shutil
import stat
from collections.abc import Callable, Mapping
from pathlib import Path

import msgspec

from qcode.config import ring
from qcode.doctor.base import Finding, Result
from qcode.protocol.errors import ConfigError
from qcode.sandbox.choose import CHECK, choose
from qcode.sandbox.ground import Ground
from qcode.workspace.programs import installed

LEAST_BYTES = 200_000_000
FEW_BYTES = 2_000_000_000
"""Sessions and snapshots of files grow by the day."""
LEAST_COLUMNS, LEAST_ROWS = 60, 16
KEYRING_SECONDS = 3.0


class Terminal(msgspec.Struct, frozen=True):
    """What stdout is."""

    columns: int
    """0 = no terminal: nothing is said of it."""
    rows: int
    environ: Mapping[str, str]


class Own(msgspec.Struct, frozen=True):
    """Where qcode works here, and what the person accepted."""

    folder: Path
    state: Path
    """Exists."""
    folders: tuple[Path, ...]
    """Configuration first, then data and state: some may not exist yet."""
    terminal: Terminal
    accepted: tuple[str, ...] = ()
    """Weaker fences that count."""


def examined(own: Own) -> tuple[Result, ...]:
    """All checks, in the order in which they are shown. Each is a fact of this machine."""
    return (
        fence(own),
        permissions(own.folders, settings=own.folders[0]),
        disk(own.state),
        keyring(lambda: ring.ask("http://127.0.0.1:1", KEYRING_SECONDS)),
        *(installed_program(*row) for row in PROGRAMS),
        *((terminal(own.terminal),) if own.terminal.columns else ()),
    )


def fence(own: Own) -> Result:
    """Whether commands can be fenced."""
    environ = own.terminal.environ
    ground = Ground.of((own.folder,), own.folders, (), environ)
    choice = choose(ground, own.state, environ, own.accepted)
    if choice.fence is not None:
        name = choice.fence.name
        choice.fence.close()
        return _works("sandbox", f"{name} holds every promise that was tried")
    return _fails(
        "sandbox",
        f"no fence: {choice.why}",
        Finding(
            id="own.sandbox",
            weight="note",
            title="No fence holds here: commands of the model run as you do.",
            cost="Each command is asked about; --sandbox required refuses to run.",
            change=CHECK.strip("."),
        ),
    )


def permissions(folders: tuple[Path, ...], settings: Path | None = None) -> Result:
    """Whether somebody else may read or write what qcode keeps.

    `settings`: the one of them that holds no conversation. Who may write there decides what qcode
    does; who may only read it learns little.
    """
    there = [folder for folder in folders if folder.is_dir()]
    if os.name != "posix":
        return _unclear("folders", "permissions are the system's here")
    open_ones = [each for each in there if stat.S_IMODE(each.stat().st_mode) & 0o077]
    locked = [each for each in there if not os.access(each, os.R_OK | os.W_OK | os.X_OK)]
    if locked:
        return _fails("folders", f"{locked[0]} cannot be written", _locked(locked[0]))
    private = [each for each in open_ones if each != settings or _is_writable(each)]
    if private:
        return _fails("folders", f"{private[0]} is open to others", _open(open_ones))
    if open_ones:
        said = f"others may read the settings in {open_ones[0]}, and nothing else"
        return Result(
            probe="folders", verdict="works", said=said, findings=(_readable(open_ones[0]),)
        )
    return _works("folders", "what qcode keeps is open to nobody else")


def _locked(folder: Path) -> Finding:
    return Finding(
        id="own.folders.locked",
        weight="broken",
        title=f"qcode cannot write in {folder}.",
        cost="Sessions are not saved.",
        change=f"chown -R $(id -un) '{folder}' && chmod u+rwx '{folder}'",
    )


def _is_writable(folder: Path) -> bool:
    return bool(stat.S_IMODE(folder.stat().st_mode) & 0o002)


def _readable(folder: Path) -> Finding:
    return Finding(
        id="own.folders.settings",
        weight="note",
        title="Other users of this machine can read qcode's settings.",
        cost="Addresses of servers and rules that you wrote are to be seen; no conversation is.",
        change=f"chmod 700 '{folder}'",
        evidence={"mode": oct(stat.S_IMODE(folder.stat().st_mode))},
    )


def _open(folders: list[Path]) -> Finding:
    names = " ".join(f"'{folder}'" for folder in folders)
    return Finding(
        id="own.folders.open",
        weight="broken",
        title="Other users of this machine can look into what qcode keeps.",
        cost="Conversations, outputs and rules that you approved are not yours alone.",
        change=f"chmod 700 {names}",
        evidence={"mode": oct(stat.S_IMODE(folders[0].stat().st_mode))},
    )


def disk(
    state: Path, free: Callable[[Path], int] = lambda path: shutil.disk_usage(path).free
) -> Result:
    """Whether there is room for sessions and snapshots."""
    left = free(state)
    said = f"{left / 1e9:,.1f} GB free where qcode keeps its state"
    if left >= FEW_BYTES:
        return _works("disk", said)
    finding = Finding(
        id="own.disk",
        weight="broken" if left < LEAST_BYTES else "note",
        title=f"Little room is left: {said}.",
        cost="Sessions and snapshots of files end when it is full.",
        change="Make room, or set QCODE_HOME to a folder on another disk; "
        "`qcode paths` names the folders.",
        evidence={"free_bytes": left},
    )
    return _fails("disk", said, finding)


def keyring(ask: Callable[[], str]) -> Result:
    """Whether a key could be kept in the system's keyring. None is no fault."""
    try:
        ask()
    except ConfigError as error:
        return _unclear("keyring", f"{str(error).partition('. ')[0]}; keys by QCODE_API_KEY")
    import keyring as library  # noqa: PLC0415  80 ms, loaded by the question before

    backend = library.get_keyring()
    if getattr(backend, "priority", 1) <= 0:  # the null backend forgets in silence
        return _unclear("keyring", f"{backend.name} keeps nothing; keys by QCODE_API_KEY")
    return _works("keyring", f"{backend.name} answers")


PROGRAMS = (
    ("git", "own.git", "Branch, status and what git ignores are not told to the model.", "git"),
    ("rg", "own.ripgrep", "Searches in large folders take longer.", "ripgrep"),
)
"""Program, id of the finding, what it costs not to have it, the package that has it."""


def installed_program(name: str, fault: str, cost: str, package: str) -> Result:
    """Whether a program is there; `fault` = the finding where it is not."""
    if found := installed(name):
        return _works(package, found)
    finding = Finding(
        id=fault,
        weight="note",
        title=f"{package} is not installed, or not on the PATH.",
        cost=cost,
        change=f"Install the package {package}: apt install {package}, brew install {package}.",
    )
    return _fails(package, "not found", finding)


def terminal(seen: Terminal) -> Result:
    """Whether the app can be drawn here."""
    said = f"{seen.columns} by {seen.rows}, {_colours(seen.environ)}"
    term = seen.environ.get("TERM", "")
    if term in ("", "dumb"):
        return _fails("terminal", said, _poor(f"The terminal calls itself {term or 'nothing'}."))
    if seen.columns < LEAST_COLUMNS or seen.rows < LEAST_ROWS:
        return _fails("terminal", said, _poor(f"The terminal is small: {said}."))
    return _works("terminal", said)


def _colours(environ: Mapping[str, str]) -> str:
    if environ.get("NO_COLOR"):
        return "no colours (NO_COLOR)"
    if environ.get("COLORTERM") in ("truecolor", "24bit"):
        return "all colours"
    return "256 colours" if "256" in environ.get("TERM", "") else "16 colours"


def _poor(title: str) -> Finding:
    return Finding(
        id="own.terminal",
        weight="note",
        title=title,
        cost="The app is hard to read or cannot be drawn.",
        change="qcode --plain talks line by line; in a better terminal TERM says xterm-256color.",
    )


def _works(name: str, said: str) -> Result:
    return Result(probe=name, verdict="works", said=said)


def _fails(name: str, said: str, finding: Finding) -> Result:
    return Result(probe=name, verdict="fails", said=said, findings=(finding,))


def _unclear(name: str, said: str) -> Result:
    return Result(probe=name, verdict="unclear", said=said)
