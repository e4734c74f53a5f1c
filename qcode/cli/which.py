"""Which session the flags mean. Light: the app asks before its first paint."""

from pathlib import Path

from qcode.cli.options import Options
from qcode.protocol.errors import InputError
from qcode.session.store import Store


def which(options: Options, store: Store, folder: Path) -> str:
    """Id of the session that goes on; empty = a new one. Raises InputError, SessionError."""
    goes_on = options.continue_ or options.resume is not None
    if options.fork and not goes_on:
        raise InputError("--fork-session needs --continue or --resume: it copies a session.")
    if options.no_session and goes_on:
        raise InputError("--no-session and --continue or --resume exclude each other.")
    if not goes_on:
        return ""
    return store.find(options.resume, folder) if options.resume else store.latest(folder)
