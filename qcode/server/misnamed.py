"""A name of a model that a server does not list, where it takes any: whose answers they are.

Who measures says whom it measured; who only talks is told it (`answering.remarks`).
"""

from pathlib import PurePath

from qcode.server.base import ServerFacts
from qcode.server.quirks import QUIRKS


def instead(facts: ServerFacts) -> str:
    """The one model that answers in the place of `facts.model`; empty = that is its name."""
    if QUIRKS[facts.kind].model_name != "ignored" or len(facts.models) != 1:
        return ""
    (listed,) = facts.models
    return "" if _file(facts.model) == _file(listed) else listed


def _file(name: str) -> str:
    """A path and the name of its file are one model."""
    return PurePath(name.replace("\\", "/")).name.removesuffix(".gguf")
