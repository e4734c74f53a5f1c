"""Keys: whose they are, where they go, and that no log has them."""

import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qcode.config.secrets import endpoint_key, is_loopback, origin_of, scrub, without_password
from qcode.protocol.errors import ConfigError

REMOTE = "https://api.example.com/v1"
LOCAL = "http://127.0.0.1:8080/v1"


@pytest.mark.parametrize("url", [REMOTE, LOCAL])
def test_the_named_variable_comes_first_then_ours_then_the_common_one(url: str) -> None:
    environ = {"MINE": "k1", "QCODE_API_KEY": "k2", "OPENAI_API_KEY": "k3"}
    for variable, wanted in (("MINE", "MINE"), ("", "QCODE_API_KEY")):
        key = endpoint_key(url, variable, environ)
        assert key is not None
        assert (key.value, key.source) == (environ[wanted], wanted)
    del environ["QCODE_API_KEY"]
    key = endpoint_key(url, "", environ)
    assert key is not None
    assert key.source == "OPENAI_API_KEY"


def test_a_named_variable_that_is_not_set_is_an_error_and_no_other_key_is_sent() -> None:
    with pytest.raises(ConfigError, match="names MINE, which is not set"):
        endpoint_key(REMOTE, "MINE", {"OPENAI_API_KEY": "other"})


@pytest.mark.parametrize("value", ["a b", "a\nb", "kéy", "a\x00b"])
def test_a_key_that_cannot_be_sent_is_refused_without_showing_it(value: str) -> None:
    with pytest.raises(ConfigError) as caught:
        endpoint_key(REMOTE, "", {"QCODE_API_KEY": value})
    assert value not in str(caught.value)


def test_without_any_key_there_is_none() -> None:
    assert endpoint_key(REMOTE, "", {}) is None  # the keyring of the tests is empty


BACKEND = """
import keyring.backend, keyring.errors
class Keyring(keyring.backend.KeyringBackend):
    priority = 1
    def get_password(self, service, username):
        if username == "https://locked.example:443":
            raise keyring.errors.KeyringLocked()
        return f"{service} {username}".replace(" ", "-")
    def set_password(self, service, username, password): raise NotImplementedError
    def delete_password(self, service, username): raise NotImplementedError
"""


def asked(url: str, folder: Path) -> str:
    """What a fresh process finds that has a real keyring backend of ours."""
    (folder / "ours.py").write_text(BACKEND)
    code = (
        "import sys; from qcode.config.secrets import endpoint_key\n"
        f"print(endpoint_key({url!r}, '', {{}}) and endpoint_key({url!r}, '', {{}}).value)\n"
        "print('keyring' in sys.modules)"
    )
    environ = {"PYTHONPATH": str(folder), "PYTHON_KEYRING_BACKEND": "ours.Keyring"}
    run = subprocess.run(
        [sys.executable, "-c", code], env=environ, capture_output=True, text=True, check=True
    )
    return run.stdout


def test_the_keyring_is_asked_by_origin(tmp_path: Path) -> None:
    assert asked(REMOTE, tmp_path) == "qcode-https://api.example.com:443\nTrue\n"


def test_the_keyring_is_not_even_loaded_for_this_machine(tmp_path: Path) -> None:
    assert asked(LOCAL, tmp_path) == "None\nFalse\n"


def test_a_locked_keyring_is_no_key(tmp_path: Path) -> None:
    assert asked("https://locked.example/v1", tmp_path) == "None\nTrue\n"


def test_a_key_does_not_show_itself() -> None:
    key = endpoint_key(REMOTE, "", {"QCODE_API_KEY": "very-secret"})
    assert "very-secret" not in f"{key!r} {key}"


@pytest.mark.parametrize(
    ("url", "local"),
    [
        ("http://localhost:1/v1", True),
        ("http://a.localhost/v1", True),
        ("http://127.9.9.9/v1", True),
        ("http://[::1]:8080/v1", True),
        ("http://192.168.0.2/v1", False),
        ("http://localhost.evil.com/v1", False),
        ("http://127.0.0.1.evil.com/v1", False),
        ("http://localhost@evil.com/v1", False),
    ],
)
def test_only_this_machine_is_this_machine(url: str, local: bool) -> None:  # noqa: FBT001 - a table
    assert is_loopback(url) is local


def test_an_origin_always_says_its_port() -> None:
    assert origin_of("https://Example.com/v1") == "https://example.com:443"
    assert origin_of("http://[::1]/v1") == "http://[::1]:80"


@given(st.text(), st.text(min_size=8), st.text())
def test_a_known_secret_never_survives(before: str, secret: str, after: str) -> None:
    if secret not in "[secret]" and secret not in before + "[secret]" + after:
        assert secret not in scrub(before + secret + after, [secret])


@pytest.mark.parametrize(
    "text",
    [
        "Authorization: Bearer abc.def-ghi",
        "Authorization: Basic abc.def-ghi",
        '{"authorization": "Bearer abc.def-ghi"}',
        "x-api-key=abc.def-ghi",
        "the key sk-abcdefghijklmnop leaked",
        "http://user:abc.def-ghi@host/v1",
    ],
)
def test_what_looks_like_a_secret_is_taken_out(text: str) -> None:
    clean = scrub(text)
    assert "abc.def-ghi" not in clean
    assert "abcdefghijklmnop" not in clean


def test_short_words_are_no_secrets() -> None:
    assert scrub("none of this", ["none", ""]) == "none of this"
    assert without_password("http://host/v1") == "http://host/v1"
