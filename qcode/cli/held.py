"""What the lists of the terminal app show of the settings."""

from typing import Literal

from qcode.assemble import gives_up_sandbox
from qcode.config.load import Loaded, shown
from qcode.config.model import spelled
from qcode.config.profiles import said_by
from qcode.config.secrets import without_password
from qcode.permission.rules import Rule
from qcode.protocol.text import plain
from qcode.tui.home import Held


def held(loaded: Loaded, rules: tuple[Rule, ...]) -> Held:
    """What the lists of the app show."""
    config = loaded.config
    profiles = (
        (name, ", ".join(f"{key} {value}" for key, value in said_by(one).items()))
        for name, one in config.profiles.items()
    )
    settings = (
        (spelled(key), plain(without_password(f"{value}")), f"{origin}")
        for key, value, origin in shown(loaded)
    )
    fence: Literal["off", "none"] = "off" if gives_up_sandbox(config.permission) else "none"
    return Held(fence, rules, tuple(profiles), tuple(settings), config.server.base_url)
