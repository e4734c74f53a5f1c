"""Prints what the client saw of each kind."""

import pytest

from tests.sdk.seen import SEEN


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """In one process; workers of xdist keep theirs to themselves."""
    if SEEN:
        terminalreporter.section("seen by claude-agent-sdk")
        for kind, count in sorted(SEEN.items()):
            terminalreporter.write_line(f"{count:5} {kind}")
