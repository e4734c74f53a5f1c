"""What the lists of the terminal app show of the settings."""

import os
from functools import partial
from typing import Literal

from qcode.config.load import Loaded, shown
from qcode.config.model import Config, spelled
from qcode.config.profiles import said_by, with_profile
from qcode.config.secrets import own_key, without_password
from qcode.fencing import gives_up_sandbox
from qcode.permission.rules import Rule
from qcode.protocol.text import plain
from qcode.tui.home import Held


def held(loaded: Loaded, rules: tuple[Rule, ...], api_key: str = "") -> Held:
    """What the lists of the app show. `api_key`: that of the first server."""
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
    url = config.server.base_url
    key_for = partial(_key, config, api_key)
    addresses = {name: with_profile(config, name).server.base_url for name in config.profiles}
    return Held(fence, rules, tuple(profiles), tuple(settings), url, addresses, key_for)


def _key(config: Config, api_key: str, base_url: str) -> str:
    """As the engine sends it: the first server's goes nowhere else."""
    if base_url == config.server.base_url:
        return api_key
    key = own_key(base_url, "", os.environ)
    return key.value if key else ""
