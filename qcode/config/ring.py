"""The keyring of the system, asked with a time limit: a locked one may wait for its password.

It cannot list what it holds. So the endpoints that got a key here stand in a file of ours, which
holds no key. Several backends, and none of them is ours: all that they raise becomes a sentence.
"""

import json
import logging
import queue
import threading
from collections.abc import Callable
from typing import TypeVar

from qcode.config.paths import make, paths
from qcode.protocol.errors import ConfigError

LOG = logging.getLogger(__name__)

SERVICE = "qcode"
"""Under this name the keyring keeps keys; the user name is the endpoint's `scheme://host:port`."""

LIMIT_SECONDS = 5.0

T = TypeVar("T")


def ask(origin: str, limit_seconds: float = LIMIT_SECONDS) -> str:
    """The key of an endpoint; empty = it holds none. Raises ConfigError."""

    def work() -> str:
        # Deferred: 80 ms, and most servers need no key.
        import keyring  # noqa: PLC0415

        return keyring.get_password(SERVICE, origin) or ""

    return _limited(work, limit_seconds)


def put(origin: str, key: str, limit_seconds: float = LIMIT_SECONDS) -> str:
    """Keep a key; returns the name of the backend that has it. Raises ConfigError."""

    def work() -> str:
        import keyring  # noqa: PLC0415 - as above

        keyring.set_password(SERVICE, origin, key)
        if keyring.get_password(SERVICE, origin) != key:  # the null backend forgets in silence
            raise RuntimeError("it did not keep the key")
        return str(keyring.get_keyring().name)

    name = _limited(work, limit_seconds)
    _remember({*remembered(), origin})
    return name


def drop(origin: str, limit_seconds: float = LIMIT_SECONDS) -> bool:
    """Forget a key; False = there was none. Raises ConfigError."""

    def work() -> bool:
        import keyring  # noqa: PLC0415 - as above

        if keyring.get_password(SERVICE, origin) is None:
            return False
        keyring.delete_password(SERVICE, origin)
        return True

    was_there = _limited(work, limit_seconds)
    _remember({*remembered()} - {origin})
    return was_there


def remembered() -> tuple[str, ...]:
    """The endpoints that got a key by `put`, whether or not the keyring has it still."""
    try:
        found = json.loads(paths().endpoints_file.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):  # none yet, or somebody wrote in it: a help only
        return ()
    return tuple(str(one) for one in found) if isinstance(found, list) else ()


def _remember(origins: set[str]) -> None:
    file = paths().endpoints_file
    try:
        make(file.parent)
        file.write_text(json.dumps(sorted(origins), indent=1) + "\n", encoding="utf-8")
    except OSError as error:
        LOG.warning("%s cannot be written: %s", file, error.strerror)


def _limited(work: Callable[[], T], limit_seconds: float) -> T:
    """The result of `work`, done in a thread that is left alone when it takes too long."""
    results: queue.Queue[T | Exception] = queue.Queue()

    def run() -> None:
        try:
            results.put(work())
        except Exception as error:  # noqa: BLE001 - whatever a backend raises becomes a sentence
            results.put(error)

    threading.Thread(target=run, daemon=True).start()
    try:
        result = results.get(timeout=limit_seconds)
    except queue.Empty:
        raise ConfigError(
            f"The keyring did not answer within {limit_seconds:g} s: it may be locked and wait for "
            f"its password. {_INSTEAD}"
        ) from None
    if isinstance(result, Exception):
        raise ConfigError(_sentence(result)) from result
    return result


_INSTEAD = "Mend that, or set the key as QCODE_API_KEY in the environment."


def _sentence(error: Exception) -> str:
    """Never the text of an error that we do not know: it may quote the key."""
    kind = type(error).__name__
    LOG.info("the keyring failed: %s", kind)
    known = {
        "NoKeyringError": "There is no keyring here.",
        "KeyringLocked": "The keyring is locked.",
        "InitError": "The keyring cannot be opened.",
        "PasswordSetError": "The keyring did not take the key.",
        "PasswordDeleteError": "The keyring did not delete the key.",
        "RuntimeError": "The keyring does not keep keys.",
    }
    return f"{known.get(kind, f'The keyring failed ({kind}).')} {_INSTEAD}"
