"""What tells a project from another one that is put in its place."""

from pathlib import Path

from qcode.workspace.ignore import git_folder, head_of, repository


def identity(folder: Path) -> str:
    """The same as long as it is the same project; another for a second clone at the same path.

    Of a repository, when it was made: git writes `description` then and never again; copies that
    keep times, as backups do, keep it. Without that file, or without git, the folder itself. No
    process is started: two or three files are looked at.
    """
    top = repository(folder)
    if top is None:
        return _of_folder(folder)
    shared = _shared(Path(git_folder(str(top))))
    try:
        return f"git {(shared / 'description').stat().st_mtime_ns}"
    except OSError:  # made without git's templates
        return f"git {_of_folder(shared)}"


def _shared(folder: Path) -> Path:
    """What all work trees of a repository have in common."""
    common = head_of(f"{folder}/commondir").strip()
    return folder / common if common else folder  # most often it is no added work tree


def _of_folder(folder: Path) -> str:
    """Its number, and its age where the system tells it; a number alone may be given again."""
    try:
        status = folder.stat()
    except OSError:
        return "none"
    return f"folder {status.st_ino} {getattr(status, 'st_birthtime', 0)}"
