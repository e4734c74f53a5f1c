"""Without the modules, functions and signals that Windows lacks every module of qcode imports.

The packages that qcode stands on look after themselves: they are imported before.
"""

import subprocess
import sys

import pytest

SCRIPT = r"""
import importlib, os, pkgutil, signal, sys, types
import asyncio, ctypes, keyring, openai, subprocess, textual.app  # what is no business of ours
import qcode

names = [found.name for found in pkgutil.walk_packages(qcode.__path__, "qcode.")]
for name in names:  # brings in whatever they stand on
    importlib.import_module(name)
for name in [name for name in sys.modules if name.split(".")[0] == "qcode"]:
    del sys.modules[name]
for name in "fcntl grp posix pty pwd readline resource syslog termios tty".split():
    sys.modules[name] = None
locking = types.ModuleType("msvcrt")
locking.locking, locking.LK_NBLCK = (lambda *given: None), 2
sys.modules["msvcrt"] = locking
lacking = "chown fchown fchmod fork forkpty geteuid getgid getuid getpgid killpg listxattr getxattr"
lacking += " setxattr mkfifo openpty setsid statvfs uname O_NOFOLLOW O_DIRECTORY O_CLOEXEC"
lacking += " O_NONBLOCK O_SYNC pread pwrite getpgrp wait3 wait4 sysconf getloadavg"
for name in lacking.split():
    if hasattr(os, name):
        delattr(os, name)
for name in "SIGKILL SIGHUP SIGQUIT SIGSTOP SIGTSTP SIGUSR1 SIGPIPE SIGCHLD SIGWINCH".split():
    delattr(signal, name)
os.supports_dir_fd = os.supports_follow_symlinks = os.supports_fd = set()
sys.platform = "win32"  # os.name stays: pathlib would make paths of Windows
"""

IMPORTS = """
for name in names:
    importlib.import_module(name)
print(len(names))
"""

ANSWERS = """
sys.argv = ["qcode", *{words!r}]
from qcode.cli.main import main
sys.exit(main())
"""


def simulated(script: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-c", SCRIPT + script],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_every_module_imports() -> None:
    done = simulated(IMPORTS)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) > 100


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--help"], "usage: qcode"),
        (["paths"], "config"),
        (["permissions", "modes"], "acceptEdits"),
        (["config", "show"], "mode"),
        (["sessions", "list"], ""),
    ],
)
def test_what_runs_nothing_answers(words: list[str], says: str) -> None:
    done = simulated(ANSWERS.format(words=words))
    assert (done.returncode, "Traceback" in done.stderr) == (0, False), done.stderr
    assert says in done.stdout
