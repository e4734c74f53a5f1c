"""A keyring that keeps its keys in a file: a real backend, for processes of tests."""

import json
import os
import time
from pathlib import Path

import keyring.backend
import keyring.errors


class Keyring(keyring.backend.KeyringBackend):
    """Chosen by PYTHON_KEYRING_BACKEND; the file is named by RING_FILE, its mood by RING_MOOD."""

    priority = 1
    name = "a file of the tests"

    def get_password(self, service: str, username: str) -> str | None:
        """The key, or None."""
        self._mood()
        return self._all().get(f"{service} {username}")

    def set_password(self, service: str, username: str, password: str) -> None:
        """Keep it."""
        self._mood()
        self._file().write_text(json.dumps({**self._all(), f"{service} {username}": password}))

    def delete_password(self, service: str, username: str) -> None:
        """Forget it."""
        self._mood()
        kept = {name: key for name, key in self._all().items() if name != f"{service} {username}"}
        self._file().write_text(json.dumps(kept))

    def _mood(self) -> None:
        match os.environ.get("RING_MOOD", ""):
            case "locked":
                raise keyring.errors.KeyringLocked("secret words")
            case "broken":
                raise ValueError("secret words")
            case "waits":
                time.sleep(60)

    def _file(self) -> Path:
        return Path(os.environ["RING_FILE"])

    def _all(self) -> dict[str, str]:
        file = self._file()
        return dict(json.loads(file.read_text())) if file.exists() else {}
