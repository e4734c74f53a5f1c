"""Who gets the mouse: the app, or the terminal that selects with it."""

import sys

import pytest

from tests.e2e.rig import Cli
from tests.e2e.test_terminal import Serve, app, ready

if sys.platform == "win32":
    pytest.skip("no pseudo terminals there", allow_module_level=True)

MOUSE = 1003
F2, EDIT = "\x1bOQ", "\x07"


def test_the_mouse_stays_off_behind_an_editor(cli: Cli, serve: Serve) -> None:
    serve()
    cli.environ["VISUAL"] = """sh -c 'echo edited > "$0"'"""
    with app(cli) as terminal:
        ready(terminal).wait_until(lambda seen: MOUSE in seen.modes)
        terminal.type(F2)
        terminal.wait_until(lambda seen: MOUSE not in seen.modes)
        terminal.type(EDIT)
        terminal.wait_for("❯ edited")
        terminal.settle()
        assert MOUSE not in terminal.modes
        terminal.type(F2)
        terminal.wait_until(lambda seen: MOUSE in seen.modes)
