"""What a person may change between two requests."""

from dataclasses import dataclass, field

from qcode.protocol.inputs import SetSampling


@dataclass(slots=True)
class Settings:
    """Read at each request and each call; never part of the system text."""

    mode: str
    """Permission mode: plan, ask, edit, auto."""
    model: str
    thinking_budget: int
    """Tokens; 0 = thinking off."""
    max_tokens: int = 32_768
    """Upper bound of one answer, thinking included; lowered to what the context has left."""
    sampling: SetSampling = field(default_factory=SetSampling)
    """Overrides; None in a field = the preset of the mode."""
