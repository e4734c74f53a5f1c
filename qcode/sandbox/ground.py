"""What a fence stands on: fixed when the session starts, never from the words of a model."""

import os
import sys
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path

import msgspec

from qcode.sandbox import bare, keys, sockets
from qcode.sandbox.guarded import Guarded, workspace
from qcode.sandbox.repository import repositories


class Ground(msgspec.Struct, frozen=True):
    """The folders that a fence must know. All resolved."""

    writable: tuple[Path, ...]
    """The workspace first, then folders that were added by hand."""
    home: Path
    own: tuple[Path, ...] = ()
    """qcode's configuration, sessions and state: hidden."""
    shown: tuple[Path, ...] = ()
    """To be read though it lies in what is hidden: long outputs."""
    runtime: Path | None = None
    """XDG_RUNTIME_DIR."""
    sockets: tuple[Path, ...] = ()
    """Sockets that variables named (SSH_AUTH_SOCK, DOCKER_HOST …)."""
    keys: tuple[Path, ...] = ()
    """Keys elsewhere than usual, as variables said (XDG_CONFIG_HOME, KUBECONFIG …): hidden."""
    repositories: tuple[Guarded, ...] = ()
    """What git writes of the workspace's elsewhere."""
    processes: int = 8_192
    """Processes and threads of one command; the kernel does not count those of root."""

    @classmethod
    def of(
        cls,
        writable: Iterable[Path],
        own: Iterable[Path],
        shown: Iterable[Path],
        environment: Mapping[str, str],
    ) -> "Ground":
        """Resolves them, and takes home and sockets from the variables of this process."""
        runtime = Path(environment.get("XDG_RUNTIME_DIR", ""))
        folders = _resolved(writable)
        home = home_of(environment)
        elsewhere = (it for folder in folders for it in repositories(folder))
        return cls(
            writable=folders,
            repositories=tuple(dict.fromkeys(elsewhere)),
            home=home,
            own=_resolved(own),
            shown=tuple(path for path in _resolved(shown) if path.exists()),
            runtime=runtime.resolve() if runtime.is_absolute() and runtime.is_dir() else None,
            sockets=sockets.named(environment),
            keys=keys.moved(environment, folders, home),
        )

    def guarded(self) -> tuple[Guarded, ...]:
        """All folders that are written, with the names in them that are not."""
        made = (workspace(folder, self.home, bare.names(folder)) for folder in self.writable)
        return (*made, *self.repositories)


def home_of(environment: Mapping[str, str]) -> Path:
    """Where keys lie: a service or a cron job may have no HOME, its user has one all the same."""
    named = Path(environment.get("HOME", ""))
    if not named.is_absolute() and sys.platform != "win32":
        import pwd  # noqa: PLC0415 - there is none on Windows

        with suppress(KeyError):  # a number without a name, in a container
            named = Path(pwd.getpwuid(os.getuid()).pw_dir)
    return named.resolve() if named.is_absolute() else Path("/")


def _resolved(paths: Iterable[Path]) -> tuple[Path, ...]:
    return tuple(dict.fromkeys(path.resolve() for path in paths))
