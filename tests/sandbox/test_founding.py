"""The process that makes a session's network: what it hands out, and what it says otherwise."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from qcode.sandbox.founding import PORT, found, start
from tests.sandbox.fences import why_not

pytestmark = pytest.mark.skipif(bool(why_not()), reason=why_not() or "a fence holds")


def test_each_network_is_another_one_and_none_is_this() -> None:
    first, second = found(), found()
    try:
        kept = [os.fstat(it).st_ino for it in (first.net, first.user, second.net, second.user)]
        mine = [Path(f"/proc/self/ns/{name}").stat().st_ino for name in ("net", "user")]
        assert len({*kept, *mine}) == 6
        assert first.listener.getsockname() == ("127.0.0.1", PORT)
    finally:
        first.close()
        second.close()


def test_its_listener_is_not_on_this_machines_loopback() -> None:
    network = found()
    try:
        with pytest.raises(OSError, match="refused"):
            socket.create_connection(("127.0.0.1", PORT), 2)
    finally:
        network.close()


def test_a_process_that_fails_is_a_sentence_and_nothing_is_left_open() -> None:
    before = len(os.listdir("/dev/fd"))  # noqa: PTH208 - not files: the descriptors
    for _ in range(3):
        helper = start("['no such thing'](f)")
        with pytest.raises(OSError, match="the process for it ended"):
            helper.receive(3)
        helper.end()
        assert helper.process.returncode is not None
    assert len(os.listdir("/dev/fd")) == before  # noqa: PTH208 - the same


REFUSED = """
from qcode.sandbox.founding import found

open("/proc/sys/user/max_user_namespaces", "w").write("0")
try:
    found()
except OSError as error:
    print(error)
"""


def test_what_the_kernel_refuses_is_said() -> None:
    line = ("unshare", "--user", "--map-root-user", sys.executable, "-c", REFUSED)
    done = subprocess.run(line, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"no namespace to try it in: {done.stderr.splitlines()[-1]}")
    assert done.stdout == (
        "the session's network could not be made: No space left on device at namespaces\n"
    )
