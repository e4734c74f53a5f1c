"""The status of a session that goes on: what its log left standing, and nothing that runs. Pure."""

from collections.abc import Iterable

from msgspec.structs import replace

from qcode.protocol.events import (
    AnyEvent,
    Compacted,
    Elided,
    MessageCompleted,
    ModeChanged,
    ModelChanged,
    Renamed,
    Rewound,
    SessionStarted,
    StepStarted,
    TurnStarted,
    Usage,
)
from qcode.tui.following import follow
from qcode.tui.status import Status

_LASTING = (
    *(SessionStarted, StepStarted, Usage, MessageCompleted, ModelChanged, ModeChanged, Renamed),
    *(TurnStarted, Compacted, Elided, Rewound),
)
"""All others tell only of what goes on; leaving them out saves half of the time for a long log."""


def recalled(past: Iterable[AnyEvent]) -> Status:
    """`past`: all that the log holds. The same as following each event, and then coming to rest."""
    status = Status()
    for event in past:
        if isinstance(event, _LASTING):
            status = follow(status, event, 0.0)
    rested = replace(status, phase="idle", since=0.0, detail="", turn_since=None, asked=False)
    return replace(rested, calls=(), open_requests=0, progress=None, queued=())
