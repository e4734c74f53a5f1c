"""What was made ready before a prompt came, as an answer tells of it."""

import msgspec


class Ahead(msgspec.Struct, frozen=True):
    """Cached tokens of an answer that are there because somebody saw to it before the prompt
    came."""

    tokens: int = 0
    """Read while nobody waited."""
    seconds: float = 0.0
    """What that took: so long the person would have waited."""
    restored_tokens: int = 0
    """Lost by the server, and taken back from its disk."""
    loading_seconds: float = 0.0
    """Of loading the model, before the prompt came."""
