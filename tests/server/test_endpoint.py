"""Addresses are made uniform, and what is no address is refused."""

import pytest

from qcode.protocol.errors import ConfigError
from qcode.server.endpoint import Patience, is_private, normalise, root


@pytest.mark.parametrize(
    ("given", "made"),
    [
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080/v1"),
        ("http://127.0.0.1:8080/", "http://127.0.0.1:8080/v1"),
        ("http://127.0.0.1:8080/v1/", "http://127.0.0.1:8080/v1"),
        ("localhost:8080", "http://localhost:8080/v1"),
        ("http://h/v1/chat/completions", "http://h/v1"),
        ("https://openrouter.ai/api/v1", "https://openrouter.ai/api/v1"),
        ("https://h/compatible-mode", "https://h/compatible-mode/v1"),
        ("http://[::1]:8080", "http://[::1]:8080/v1"),
    ],
)
def test_an_address_ends_in_v1_with_or_without_it(given: str, made: str) -> None:
    assert normalise(given) == made
    assert normalise(made) == made


@pytest.mark.parametrize("given", ["ftp://h", "http://", "http://h:99999", "http://[::1", "a b://"])
def test_what_is_no_address_is_refused(given: str) -> None:
    with pytest.raises(ConfigError):
        normalise(given)


def test_an_address_with_a_password_is_refused_without_repeating_it() -> None:
    with pytest.raises(ConfigError) as raised:
        normalise("http://me:secret@host/v1")
    assert "secret" not in str(raised.value)


def test_the_root_is_without_v1() -> None:
    assert root("http://h:1/v1") == "http://h:1"


@pytest.mark.parametrize(
    "address",
    [
        "http://127.0.0.1:1/v1",
        "http://[::1]:1/v1",
        "http://192.168.1.4/v1",
        "http://box/v1",
        "http://box.local/v1",
        "http://localhost/v1",
    ],
)
def test_proxies_stay_out_of_the_local_network(address: str) -> None:
    assert is_private(address)


@pytest.mark.parametrize(
    "address",
    ["https://openrouter.ai/api/v1", "http://8.8.8.8/v1", "http://localhost.example.com/v1"],
)
def test_public_hosts_are_reached_as_the_environment_says(address: str) -> None:
    assert not is_private(address)


def test_waits_double_up_to_the_longest() -> None:
    patience = Patience(first_wait_seconds=1, longest_wait_seconds=3)
    assert [patience.wait_seconds(attempt) for attempt in (1, 2, 3, 4)] == [1, 2, 3, 3]
