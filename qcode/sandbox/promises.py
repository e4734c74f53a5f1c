"""What a fence promises, in words; each is tried by the function of its name in `probes`."""

from collections.abc import Mapping

PROMISES: Mapping[str, str] = {
    "workspace-is-writable": "the workspace can be written",
    "loopback-inside-works": "a test server on 127.0.0.1 works inside",
    "writes-outside": "nothing outside of the workspace is written",
    "links-out": "nor by a link that leads out",
    "secrets": "keys and tokens in the home folder are not read",
    "own-state": "nor qcode's own settings and sessions",
    "protected-names": "git's hooks and config, agents' and editors' settings stay as they are",
    "missing-names": "and none of them is made",
    "network-outside": "no network, not even this machine's own ports",
    "sockets": "no docker, D-Bus, ssh-agent or other socket outside",
    "processes": "no process outside is seen, the fence's own is not entered",
    "terminal": "no terminal",
    "rights": "no rights, and no way to gain any",
    "mounts": "no mounts and no namespaces",
    "kernel": "no setting of the kernel",
    "private-tmp": "a /tmp of its own",
    "session-ends": "what left its group ends with it",
    "vsock": "no socket to a hypervisor",
}

LATER = frozenset({"vsock"})
"""Told, but a fence counts without them: they take seccomp."""
