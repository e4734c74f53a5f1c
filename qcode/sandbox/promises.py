"""What a fence promises, in words; each is tried by the function of its name in `probes`."""

from collections.abc import Mapping
from typing import Literal

from qcode.sandbox.seccomp import MACHINES

Verdict = Literal["held", "detected", "not held", "not tried"]
"""`detected`: it can be broken, is found out after the command, and undone."""

PROMISES: Mapping[str, str] = {
    "workspace-is-writable": "the workspace can be written",
    "loopback-inside-works": "a test server on 127.0.0.1 works inside",
    "writes-outside": "nothing outside of the workspace is written",
    "links-out": "nor by a link that leads out",
    "attributes-outside": "nor are rights and times of files there changed",
    "secrets": "keys and tokens in the home folder are not read",
    "own-state": "nor qcode's own settings and sessions",
    "protected-names": "git's hooks and config, agents' and editors' settings stay as they are",
    "missing-names": "and none of them is made",
    "network-outside": "no network, not even this machine's own ports",
    "sockets": "no docker, D-Bus, ssh-agent or other socket outside",
    "processes": "no process outside is read, signalled or traced",
    "process-list": "nor seen",
    "terminal": "no terminal",
    "rights": "no rights, and no way to gain any",
    "mounts": "no mounts and no namespaces",
    "kernel": "no setting of the kernel",
    "private-tmp": "a /tmp of its own",
    "session-ends": "what left its group ends with it",
    "vsock": "no socket to a hypervisor, and none of the unusual families",
    "calls": "no call to the kernel that ways out are built from",
}

_LANDLOCK: Mapping[str, Verdict] = {
    "attributes-outside": "not held",
    "loopback-inside-works": "not held",
    "protected-names": "detected",
    "missing-names": "detected",
    "process-list": "not held",
}
_SEATBELT: Mapping[str, Verdict] = dict.fromkeys(
    (
        *("loopback-inside-works", "process-list", "rights", "mounts", "kernel"),
        *("session-ends", "vsock", "calls"),
    ),
    "not held",
)
"""Some of them hold on a Mac for anybody without rights; nothing here can try them there."""
_WEAKER = {"landlock": _LANDLOCK, "seatbelt": _SEATBELT}
_FILTERED = ("vsock", "calls")


def weaker(fence: str, machine: str) -> Mapping[str, Verdict]:
    """Promises that `fence` does not make; it counts without them.

    Where the numbers of the kernel's calls are not known for `machine`, none are filtered.
    """
    known = _WEAKER.get(fence, {})
    return known if machine in MACHINES else {**known, **dict.fromkeys(_FILTERED, "not held")}
