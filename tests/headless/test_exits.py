"""Exit codes are a promise: changing one is a breaking change."""

import typing

from qcode.headless.exits import BY_ERROR, BY_TURN_END, ExitCode, of_error, of_turn
from qcode.protocol import errors
from qcode.protocol.errors import ServerGone, SessionError, SessionNotSaved
from qcode.protocol.events import TurnEnd

GOLDEN = {
    "OK": 0,
    "FAILED": 1,
    "USAGE": 2,
    "CREDENTIALS": 41,
    "INPUT": 42,
    "SANDBOX": 44,
    "CONFIG": 52,
    "TURNS": 53,
    "STRUCTURED": 54,
    "BUDGET": 55,
    "UNTRUSTED": 56,
    "LOOP": 57,
    "DENIED": 58,
    "UNAVAILABLE": 75,
    "INTERRUPTED": 130,
    "TERMINATED": 143,
}


def test_the_codes_are_those_that_scripts_rely_on() -> None:
    assert {code.name: int(code) for code in ExitCode} == GOLDEN


def test_every_end_of_a_turn_has_a_code() -> None:
    assert set(BY_TURN_END) == set(typing.get_args(TurnEnd))


def test_only_the_end_of_work_is_success() -> None:
    assert [end for end, code in BY_TURN_END.items() if code is ExitCode.OK] == ["end_turn"]


def test_errors_are_known_by_their_class() -> None:
    assert all(hasattr(errors, name) for name in BY_ERROR)
    assert of_error(ServerGone("nobody")) is ExitCode.UNAVAILABLE
    assert of_error(SessionError("locked")) is ExitCode.INPUT
    assert of_error(SessionNotSaved("full")) is ExitCode.FAILED
    assert of_turn("error", "CredentialsRefused") is ExitCode.CREDENTIALS
    assert of_turn("error", "SomethingNew") is ExitCode.FAILED
