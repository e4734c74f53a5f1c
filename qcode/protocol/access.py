"""What a call would touch, said before it runs. The verdict is made in `permission`."""

import re
from typing import Literal

import msgspec

AccessKind = Literal["read", "edit", "shell", "network"]

Place = Literal["workspace", "protected", "outside", "secret"]
"""Where a path lies once `..` and links are resolved. Protected: names such as `.git`. Secret: keys
and what qcode keeps of its own, wherever they lie."""

PROCESS = re.compile(r"/proc/\d+(?!/(?:mounts|net)(?:/|$))(?=/|$)")
"""A secret, too: what a process was told, keys in its environment among it, and has open. Not what
`/proc/mounts` and `/proc/net` lead to, which is the system's."""

Answer = Literal["allow", "ask", "deny"]

NETWORK_CALL = "network"
"""Name of the call in an `ApprovalRequested` that no model made: a command inside the fence wants
to reach a host. Its arguments are `host`, `port` and, where it is known, `commands`, as those of
`Connected`; no message holds it and no result follows."""


class _Wanted(msgspec.Struct):
    commands: tuple[str, ...] = ()


def wanting(call: str, arguments: str) -> tuple[str, ...]:
    """The commands of a `NETWORK_CALL`; of any other call none."""
    if call != NETWORK_CALL:
        return ()
    try:
        return msgspec.json.decode(arguments, type=_Wanted).commands
    except msgspec.MsgspecError:
        return ()


class Access(msgspec.Struct, frozen=True):
    """One thing that a call would touch."""

    kind: AccessKind
    target: str
    """A path as the tool wrote it; once resolved: relative to the root with `/`, or absolute when
    outside. For `shell` the command line, for `network` the host."""
    place: Place = "workspace"
    """Only for paths; set by resolving, never by a tool."""


class Verdict(msgspec.Struct, frozen=True):
    """Allow, ask or deny, and because of what."""

    answer: Answer
    because: str
    """A clause for people: `user config: deny Bash(rm:*)`, `ask mode asks before edits`."""
