"""What a fence stands on: fixed when the session starts, never from the words of a model."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Ground:
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
