"""The fence of macOS: a profile for `sandbox-exec`, which denies what it does not name.

Written from what the system's own profiles say, and golden in its tests; no Mac has run it yet. A
trial decides there as everywhere (`qcode sandbox check`): a profile that the system does not take,
or that breaks a promise, is no fence.

There are no namespaces: no network is closed but by closing all of it, this machine's own ports
included, and what leaves its group is not ended with it (`promises.weaker`).
"""

import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from qcode.sandbox.fence import Ahead, Inside, Message, Wrapped
from qcode.sandbox.founding import Network
from qcode.sandbox.ground import Ground
from qcode.sandbox.guarded import Guarded
from qcode.sandbox.moved import moved
from qcode.sandbox.passing import pass_away, passing
from qcode.sandbox.secrets import listed

PROGRAM = "/usr/bin/sandbox-exec"
"""Never looked for in PATH."""
_SERVICES = (
    *("com.apple.system.opendirectoryd.libinfo", "com.apple.system.opendirectoryd.membership"),
    *("com.apple.system.notification_center", "com.apple.system.logger", "com.apple.logd"),
    *("com.apple.cfprefsd.agent", "com.apple.cfprefsd.daemon", "com.apple.FSEvents"),
)
"""Users and groups, notes to the log, preferences, changes of files; no keychain, no pasteboard,
nothing that starts programs elsewhere."""
_BASE = """\
(version 1)
(deny default)
(allow process-exec)
(allow process-fork)
(allow signal (target same-sandbox))
(allow process-info* (target same-sandbox))
(allow sysctl-read)
(allow user-preference-read)
(allow ipc-posix-sem)
(allow pseudo-tty)
(allow file-read* file-write* file-ioctl (literal "/dev/ptmx"))
(allow file-read* file-write* file-ioctl
  (require-all (regex "^/dev/ttys[0-9]+$") (extension "com.apple.sandbox.pty")))
(allow file-write-data file-ioctl
  (literal "/dev/null") (literal "/dev/zero") (literal "/dev/dtracehelper"))
(allow file-read*)"""
_TEMPORARY = ("/private/tmp", "/private/var/tmp", "/private/var/folders")


class Seatbelt:
    """See `Fence`."""

    name = "seatbelt"

    def __init__(self, ground: Ground) -> None:
        self._ground = ground
        self._tmp: Path | None = None

    def around(self, inside: Inside) -> Wrapped:
        """`sandbox-exec` and the profile as its argument."""
        if not os.access(PROGRAM, os.X_OK):
            raise OSError(f"{PROGRAM} is missing")
        tmp = self._private()
        words = (PROGRAM, "-p", profile(self._ground, tmp), *inside.words)
        return Wrapped(words, moved(inside.environment, tmp), ())

    def ahead(self) -> Ahead | None:
        """It starts quickly."""
        return None

    def message(self, inside: Inside) -> Message:
        """Nothing waits for one."""
        raise OSError("seatbelt takes its profile when it starts")

    def network(self) -> Network | None:
        """There is none inside."""
        return None

    def left(self) -> None:
        """Nothing stood in."""

    def close(self) -> None:
        """No command follows. Never raises."""
        if self._tmp is not None:
            pass_away(self._tmp)
            self._tmp = None

    def _private(self) -> Path:
        if self._tmp is None or not self._tmp.is_dir():
            self._tmp = passing().resolve()
        return self._tmp


def profile(ground: Ground, tmp: Path) -> str:
    """For commands on `ground`; of the rules that fit, the last one counts. Raises OSError."""
    folders = [*(str(it.folder) for it in ground.guarded()), str(tmp)]
    rules = (
        _BASE,
        _rule("allow mach-lookup", (f"(global-name {quoted(name)})" for name in _SERVICES)),
        # what a path leads through must still be looked up, so of these only contents are denied
        _rule("deny file-read-data", map(_subpath, _TEMPORARY)),
        _rule("deny file-read*", map(_subpath, _secrets(ground))),
        _rule("allow file-read*", map(_subpath, (*map(str, ground.shown), *folders))),
        _rule("allow file-write*", map(_subpath, folders)),
        _rule("deny file-read* file-write*", map(_subpath, _inside(_secrets(ground), folders))),
        *map(_protected, ground.guarded()),
        _rule("allow network-bind network-inbound network-outbound", [_subpath(str(tmp))]),
    )
    return "\n".join(rule for rule in rules if rule) + "\n"


def _secrets(ground: Ground) -> list[str]:
    """By name, existing or not, and what the names lead to."""
    found = (it for path in listed(ground, "darwin") for it in (path, os.path.realpath(path)))
    return list(dict.fromkeys(found))


def _inside(paths: Iterable[str], folders: Iterable[str]) -> list[str]:
    kept = tuple(f"{folder.rstrip('/')}/" for folder in folders)
    return [path for path in paths if path.startswith(kept)]


def _protected(guarded: Guarded) -> str:
    """Names that are neither written nor made, and their parents not moved away.

    In either case: most volumes take `.MCP.json` for `.mcp.json`.
    """
    folder = guarded.folder
    here = (name for name in guarded.existing if os.path.lexists(folder / name))
    names = list(dict.fromkeys((*guarded.names, *here)))
    parents = dict.fromkeys(parent for name in names for parent in _parents(name))
    written = (_pattern(folder, name, "(/|$)") for name in names)
    moved_away = (_pattern(folder, name, "$") for name in parents)
    whole = _rule("deny file-write*", written)
    return f"{whole}\n{_rule('deny file-write-unlink file-write-create', moved_away)}"


def _parents(name: str) -> Iterator[str]:
    parts = name.split("/")
    yield from ("/".join(parts[:end]) for end in range(1, len(parts)))


def _pattern(folder: Path, name: str, end: str) -> str:
    either = "".join(
        f"[{it.lower()}{it.upper()}]" if it.isalpha() else re.escape(it) for it in name
    )
    return f"(regex {quoted(f'^{_escaped(str(folder))}/{either}{end}')})"


def _escaped(path: str) -> str:
    """For a POSIX expression, where a backslash before a letter means something else."""
    return re.sub(r"([][\\.*+?^$(){}|])", r"\\\1", path)


def _subpath(path: str) -> str:
    return f"(subpath {quoted(path)})"


def _rule(head: str, filters: Iterable[str]) -> str:
    said = "".join(f"\n  {one}" for one in filters)
    return f"({head}{said})" if said else ""


def quoted(text: str) -> str:
    """A string of the profile's language. Raises OSError for what it cannot hold."""
    if not text.isprintable():
        raise OSError(f"seatbelt cannot name {text!r}")
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
