"""`qcode auth`, with a real keyring backend in a process of its own."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from qcode.config import ring
from qcode.config.paths import make, paths

REMOTE = "https://api.example.com/v1"
ORIGIN = "https://api.example.com:443"
KEY = "sk-very-secret-0123456789"


@dataclass(slots=True)
class Auth:
    """Runs `qcode auth` in a folder."""

    folder: Path
    environ: dict[str, str]
    seen: list[str] = field(default_factory=list)
    """All that was printed: no key may be in it."""

    def __call__(
        self, *argv: str, stdin: str = "", environ: Mapping[str, str] | None = None
    ) -> "subprocess.CompletedProcess[str]":
        """Run to the end."""
        done = subprocess.run(
            [sys.executable, "-m", "qcode", "auth", *argv],
            cwd=self.folder,
            env={**self.environ, **(environ or {})},
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
            timeout=30,
        )
        assert "Traceback" not in done.stderr, done.stderr
        self.seen.append(done.stdout + done.stderr)
        return done

    @property
    def kept(self) -> dict[str, str]:
        """What the keyring holds."""
        file = Path(self.environ["RING_FILE"])
        return dict(json.loads(file.read_text())) if file.exists() else {}


@pytest.fixture
def auth(tmp_path: Path) -> Auth:
    """An empty keyring."""
    return Auth(
        tmp_path,
        {
            **os.environ,
            "PYTHONPATH": str(Path(__file__).parents[2]),
            "PYTHON_KEYRING_BACKEND": "tests.cli.ring_backend.Keyring",
            "RING_FILE": str(tmp_path / "ring.json"),
        },
    )


def configure(text: str) -> None:
    file = paths().config_file
    make(file.parent)
    file.write_text(text)


def test_a_key_from_a_pipe_is_kept_listed_used_and_removed(auth: Auth) -> None:
    assert auth("set", REMOTE, stdin=f"{KEY}\n").returncode == 0
    assert auth.kept == {f"qcode {ORIGIN}": KEY}
    assert auth("list").stdout.split() == [ORIGIN, "keyring"]
    assert used(auth, REMOTE) == KEY
    assert auth("remove", "https://API.example.com/v1/").returncode == 0
    assert auth.kept == {}
    assert auth("list").stdout == ""
    assert KEY not in "".join(auth.seen)


def used(auth: Auth, url: str, variable: str = "") -> str:
    """The key that a run would send to `url`."""
    code = (
        "import os; from qcode.config.secrets import endpoint_key\n"
        f"key = endpoint_key({url!r}, {variable!r}, os.environ); print(key.value if key else '')"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], env=auth.environ, capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


def test_the_environment_comes_first_and_that_is_said(auth: Auth) -> None:
    auth("set", REMOTE, stdin=KEY)
    auth.environ["OPENAI_API_KEY"] = "other-key"
    assert used(auth, REMOTE) == "other-key"
    row = auth("list").stdout
    assert row.split()[:2] == [ORIGIN, "OPENAI_API_KEY;"]
    assert "OPENAI_API_KEY is set in the environment" in auth("set", REMOTE, stdin=KEY).stderr


def test_a_profile_stands_for_its_endpoint(auth: Auth) -> None:
    configure(
        '[server]\nbase_url = "http://127.0.0.1:8080/v1"\n'
        f'[profiles.deep]\nbase_url = "{REMOTE}"\n'
        '[profiles.other]\nbase_url = "https://o.example/v1"\napi_key_env = "OTHER_KEY"\n'
    )
    assert auth("set", "deep", stdin=KEY).returncode == 0
    assert auth.kept == {f"qcode {ORIGIN}": KEY}
    assert json.loads(auth("list", "--json").stdout) == [
        {"endpoint": "http://127.0.0.1:8080", "profile": "", "source": "", "note": ""},
        {"endpoint": ORIGIN, "profile": "deep", "source": "keyring", "note": ""},
        {
            "endpoint": "https://o.example:443",
            "profile": "other",
            "source": "",
            "note": "OTHER_KEY is not set",
        },
    ]


def test_a_server_of_this_machine_is_asked_for_only_where_it_was_given_a_key(auth: Auth) -> None:
    configure('[server]\nbase_url = "http://127.0.0.1:8080/v1"\n')
    assert used(auth, "http://127.0.0.1:8080/v1") == ""
    assert auth("set", stdin=KEY).returncode == 0  # the endpoint of the settings
    assert used(auth, "http://127.0.0.1:8080/v1") == KEY
    assert used(auth, "http://127.0.0.1:8081/v1") == ""


@pytest.mark.parametrize(
    ("argv", "stdin", "sentence"),
    [
        (("set", REMOTE), "", "There is no key."),
        (("set",), KEY, "Which endpoint?"),
        (("set", KEY), KEY, "neither the URL of an endpoint nor a profile"),
        (("set", "ftp://x.example"), KEY, "neither the URL"),
        (("remove", REMOTE), "", f"The keyring has no key of {ORIGIN}."),
    ],
)
def test_what_cannot_be_done_ends_with_42(
    auth: Auth, argv: tuple[str, ...], stdin: str, sentence: str
) -> None:
    done = auth(*argv, stdin=stdin)
    assert done.returncode == 42
    assert sentence in done.stderr
    assert auth.kept == {}
    assert KEY not in done.stderr


@pytest.mark.parametrize(
    ("environ", "sentence"),
    [
        ({"PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring"}, "There is no keyring here."),
        (
            {"PYTHON_KEYRING_BACKEND": "keyring.backends.null.Keyring"},
            "The keyring does not keep keys.",
        ),
        ({"RING_MOOD": "locked"}, "The keyring is locked."),
        ({"RING_MOOD": "broken"}, "The keyring failed (ValueError)."),
        ({"PYTHON_KEYRING_BACKEND": "no.such.Backend"}, "The keyring failed"),
    ],
)
def test_a_keyring_that_cannot_is_a_sentence_and_52(
    auth: Auth, environ: dict[str, str], sentence: str
) -> None:
    done = auth("set", REMOTE, stdin=KEY, environ=environ)
    assert done.returncode == 52
    assert sentence in done.stderr
    assert "QCODE_API_KEY" in done.stderr
    assert "secret words" not in done.stderr
    assert KEY not in done.stderr


def test_a_run_does_not_do_without_a_key_that_the_keyring_was_given(auth: Auth) -> None:
    assert auth("set", REMOTE, stdin=KEY).returncode == 0
    auth.environ["RING_MOOD"] = "locked"
    done = subprocess.run(
        [sys.executable, "-m", "qcode", "-p", "hello", "--base-url", REMOTE],
        cwd=auth.folder,
        env=auth.environ,
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )
    assert done.returncode == 52
    assert "The keyring is locked." in done.stderr


def test_a_key_that_no_server_could_be_sent_is_not_kept(auth: Auth) -> None:
    done = auth("set", REMOTE, stdin="two words")
    assert done.returncode == 52
    assert "two words" not in done.stderr
    assert auth.kept == {}


def test_a_keyring_that_waits_for_its_password_stops_nothing(auth: Auth) -> None:
    code = (
        "from qcode.config import ring\n"
        "from qcode.protocol.errors import ConfigError\n"
        "try: ring.ask('https://x:443', 0.2)\n"
        "except ConfigError as error: print(error)"
    )
    began = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**auth.environ, "RING_MOOD": "waits"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert "did not answer within 0.2 s" in done.stdout
    assert time.monotonic() - began < 20  # the thread that waits for a minute keeps nobody


def test_a_list_of_ours_that_somebody_broke_is_no_list() -> None:
    file = paths().endpoints_file
    make(file.parent)
    for text in ("[", '{"a": 1}', "\xff"):
        file.write_text(text, encoding="latin-1")
        assert ring.remembered() == ()


@pytest.mark.skipif(sys.platform == "win32", reason="there are no pseudo-terminals")
def test_on_a_terminal_the_key_is_asked_for_and_not_shown(auth: Auth) -> None:
    import pty  # noqa: PLC0415 - Windows has none

    child, terminal = pty.fork()
    if child == 0:
        os.chdir(auth.folder)
        line = [sys.executable, "-m", "qcode", "auth", "set", REMOTE]
        os.execve(sys.executable, line, auth.environ)
    shown = read_until(terminal, b"(not shown): ")
    os.write(terminal, f"{KEY}\n".encode())
    shown += read_until(terminal, b"is kept in")
    os.waitpid(child, 0)
    os.close(terminal)
    assert auth.kept == {f"qcode {ORIGIN}": KEY}
    assert KEY.encode() not in shown


def read_until(terminal: int, words: bytes) -> bytes:
    """What the terminal shows up to `words`."""
    shown = b""
    while words not in shown:
        shown += os.read(terminal, 1024)
    return shown
