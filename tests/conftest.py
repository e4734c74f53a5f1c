"""What every test stands on: an empty home, no network but loopback, scripted servers."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests.long import LONG
from tests.support import guard
from tests.support.llama_words import About
from tests.support.script import Answer
from tests.support.scripted_server import Otherwise, ScriptedServer, StartScripted

settings.register_profile(
    "qcode",
    deadline=None,  # CI machines stall; a time limit per test is pytest-timeout's business
    max_examples=30 if os.environ.get("CI") else 60,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("qcode")

guard.install()

# Under nohup the one is ignored, behind `&` in a script the other, and so they would be by all that
# we start.
if hasattr(signal, "SIGHUP"):
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark those that CI leaves out."""
    for item in items:
        if item.nodeid.startswith(LONG):
            item.add_marker(pytest.mark.long)


@pytest.fixture(autouse=True)
def home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty home of the test's own; the person's settings, keys and keyring are out of reach.

    Set in the environment, so that it holds for subprocesses too.
    """
    folder = tmp_path_factory.mktemp("home")
    for name in os.environ:
        if name.startswith(("OPENAI_", "QCODE_", "XDG_")) or name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)
    places = {
        "HOME": folder,
        "USERPROFILE": folder,
        "XDG_CONFIG_HOME": folder / ".config",
        "XDG_DATA_HOME": folder / ".local" / "share",
        "XDG_STATE_HOME": folder / ".local" / "state",
        "XDG_CACHE_HOME": folder / ".cache",
        "QCODE_HOME": folder / "qcode",
    }
    for name, place in places.items():
        monkeypatch.setenv(name, str(place))
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.null.Keyring")
    return folder


@pytest.fixture(autouse=True)
def loopback_only() -> Iterator[None]:
    """Fails a test that tried to leave the machine, also where the code took the refusal calmly."""
    guard.attempts.clear()
    yield
    assert not guard.attempts, f"the test tried to reach {guard.attempts}"


@pytest.fixture
def scripted() -> Iterator[StartScripted]:
    """Starts scripted servers: `server = scripted(Reply(text="Hello."))`.

    At the end of the test each is closed, and replies left over or requests too many fail it.
    """
    servers: list[ScriptedServer] = []

    def start(
        *replies: Answer, about: About | None = None, otherwise: Otherwise | None = None
    ) -> ScriptedServer:
        servers.append(ScriptedServer(*replies, about=about, otherwise=otherwise).start())
        return servers[-1]

    yield start
    for server in servers:
        server.close()
    for server in servers:
        server.check()
