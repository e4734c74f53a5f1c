"""The same plan by bubblewrap: for systems that let only that program make user namespaces.

Its init ends with the shell, so what a command leaves running ends with it and is no job.

Where a protected name does not exist, nothing is bound over what stands in for it: for every bind
bwrap reads all mounts again, 0.2 ms each and 33 of them in an empty workspace. There, and over a
folder of secrets, lies a file system in memory, on which nobody may write. A command owns it: it
may give itself the right and write, one page at most, and what it writes is seen by nobody but its
own processes, and gone with them. On the disk nothing has changed below.

What it is told comes through a descriptor (`--args`): among its words everybody on the machine
could read the values of variables, in `ps`. They are not its own environment either: it runs
outside of the fence, and LD_LIBRARY_PATH, where the user has it passed on, may lead into the
workspace.
"""

import marshal
import os
import platform
import shlex
import shutil
import subprocess
import threading
from collections.abc import Mapping
from contextlib import suppress

from qcode.sandbox import seccomp
from qcode.sandbox.bwrap_arguments import arguments, ended, options
from qcode.sandbox.fence import Ahead, Inside, Message, Wrapped
from qcode.sandbox.founding import Network, found
from qcode.sandbox.ground import Ground
from qcode.sandbox.handed import compiled
from qcode.sandbox.handed import words as handed_words
from qcode.sandbox.memory import in_memory
from qcode.sandbox.standing import Standing

CLOSED = "--unshare-net"
"""Where the session has no network: one of its own, and closed."""
FOUNDING = (
    *("--unshare-user", "--unshare-net", "--die-with-parent", "--dev-bind", "/", "/"),
    *("--cap-add", "CAP_NET_BIND_SERVICE", "--"),
)
"""What makes the network of the session; bwrap brings its loopback up."""
TRYING = ("--unshare-user", "--ro-bind", "/", "/", "--", "/bin/true")
ENTERING = ("kernel.py", "entering.py")
SECONDS = 20.0
_LIMIT = '{ ulimit -u "$1" || ulimit -p "$1"; } 2>/dev/null; '
"""The first is bash's word for it, the second dash's."""
_LIMITED = ("/bin/sh", "-c", _LIMIT + 'shift; exec "$@"', "sh")
WORDS = "QCODE_WORDS"
END = "QCODE_END"
_WHOLE = f'[ "${END}" = whole ] || exit 125; '
LATER = (
    *("/bin/sh", "-c"),
    f'{_WHOLE}{_LIMIT}eval "unset {WORDS} {END}; exec ${WORDS}"',
    "sh",
)
"""The same for words that are not known yet: they come in a variable, for a shell to read. Another
one comes behind it: words may end well where they were cut."""
LONGEST_WORDS = 120_000
"""Bytes of such a variable; the kernel takes no string of more than 131,072."""


class Bubblewrap:
    """See `Fence`."""

    name = "bubblewrap"

    def __init__(self, ground: Ground, program: str) -> None:
        self._program = program
        self._standing = Standing(ground)
        self._processes = ground.processes
        self._network: Network | None = None
        self._tried = False
        self._founding = threading.Lock()

    def around(self, inside: Inside) -> Wrapped:
        """bwrap and its arguments; what a link leads away cannot be covered by it: OSError."""
        held, protected, said = self._told(inside)
        line = [self._program, "--", *_LIMITED, str(self._processes), *inside.words]
        taken: tuple[int, ...] = ()
        try:
            network = self.network()
            if network is None:
                words, taken = _closed_line(said, line)
            else:
                words, taken = _entering(network, said, line)
        except BaseException:
            _close((*held, *taken))
            raise
        return Wrapped(words, {}, taken, held, protected)

    def ahead(self) -> Ahead | None:
        """bwrap in the network, which waits for what it is told; without one it starts quickly
        enough. Told nothing, it shows its shell an empty root, and ends."""
        network = self.network()
        if network is None:
            return None
        reading, writing = os.pipe()
        after = ("--args", str(reading), "--", *LATER, str(self._processes))
        try:
            words, inherited = _entering(network, b"", [self._program, *after])
        except BaseException:
            _close((reading, writing))
            raise
        return Ahead(words, (*inherited, reading), writing)

    def message(self, inside: Inside) -> Message:
        """What bwrap is told. Its end is marked: of a message that was cut nothing is run."""
        words = shlex.join(inside.words)
        if len(os.fsencode(words)) > LONGEST_WORDS:
            raise ValueError("the command is too long to be handed over")
        held, protected, said = self._told(inside)
        last = ("--unsetenv", END, "--setenv", WORDS, words, "--setenv", END, "whole")
        return Message(said + ended(last), held, protected)

    def _told(self, inside: Inside) -> tuple[tuple[int, ...], tuple[str, ...], bytes]:
        """What is held, what is protected, and what bwrap is told."""
        held, plan = self._standing.stand()
        try:
            said = ended(arguments(plan.places, inside, options(self._program)))
            return held, plan.protected, said
        except BaseException:
            _close(held)
            raise

    def network(self) -> Network | None:
        """See `Fence.network`. bwrap makes it, for often only that program may; whether it can be
        entered is tried. None = each command has a closed one of its own, for this session."""
        with self._founding:
            if not self._tried:
                self._tried = True
                self._network = self._found()
            return self._network

    def _found(self) -> Network | None:
        options(self._program)  # asked here, because this blocks anyway
        try:
            network = found((self._program, *FOUNDING))
        except OSError:
            return None
        with suppress(OSError, subprocess.SubprocessError):
            if _is_entered(network, (self._program, *TRYING)):
                return network
        network.close()
        return None

    def left(self) -> None:
        """A command has ended."""
        self._standing.sweep()

    def close(self) -> None:
        """No command follows."""
        self._standing.close()
        if self._network is not None:
            self._network.close()
        self._network, self._tried = None, False


def _closed_line(said: bytes, words: list[str]) -> tuple[tuple[str, ...], tuple[int, ...]]:
    """With a closed network of its own; and what it inherits. Raises OSError."""
    told = in_memory("arguments", said)
    try:
        taken = _filter()
    except BaseException:
        os.close(told)
        raise
    before = (words[0], CLOSED, *_filtered(taken), "--args", str(told))
    return (*before, *words[1:]), (told, *taken)


def _entering(
    network: Network, said: bytes, words: list[str]
) -> tuple[tuple[str, ...], tuple[int, ...]]:
    """What runs `words` in the network, and what it inherits. Raises OSError."""
    told = in_memory("words", compiled(ENTERING) + marshal.dumps((said, words)))
    inherited: tuple[int, ...] = (told,)
    try:
        user, net = network.spaces()
        inherited = (told, user, net)
        inherited = (*inherited, *(taken := _filter()))
    except BaseException:
        _close(inherited)
        raise
    filtered = taken[0] if taken else -1
    return handed_words(told, ENTERING, f"['enter'](f,{user},{net},{filtered})"), inherited


def _is_entered(network: Network, line: tuple[str, ...]) -> bool:
    words, inherited = _entering(network, b"", list(line))
    try:
        done = subprocess.run(
            words,
            env={},
            cwd="/",
            pass_fds=inherited,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=SECONDS,
            check=False,
        )
    finally:
        _close(inherited)
    return done.returncode == 0


def _close(descriptors: tuple[int, ...]) -> None:
    for descriptor in descriptors:
        os.close(descriptor)


def _filter() -> tuple[int, ...]:
    """A descriptor with the filter of calls, if there is one for this machine."""
    program = seccomp.program(platform.machine())
    return (in_memory("filter", program),) if program else ()


def _filtered(taken: tuple[int, ...]) -> tuple[str, ...]:
    return tuple(word for it in taken for word in ("--seccomp", str(it)))


def program(environment: Mapping[str, str]) -> str | None:
    """Where bubblewrap is; never from a relative entry of PATH."""
    path = ":".join(it for it in environment.get("PATH", "").split(":") if it.startswith("/"))
    return shutil.which("bwrap", path=path)
