"""What `qcode -p` has loaded by the time that its engine starts. Counted, never timed."""

import subprocess
import sys

import pytest

LATER = (
    *("qcode.assemble", "qcode.engine", "qcode.tools", "qcode.server", "qcode.session"),
    *("qcode.sandbox", "qcode.tui", "qcode.doctor", "qcode.workspace"),
    *("asyncio", "httpx2", "openai", "textual", "tiktoken", "keyring"),
)


def loaded(*modules: str) -> frozenset[str]:
    """Names of all modules of a fresh interpreter that has imported these."""
    code = f"import sys, {', '.join(modules)}; print(*sys.modules)"
    line = (sys.executable, "-I", "-c", f"import sys; sys.path[:] = {sys.path!r}; {code}")
    return frozenset(subprocess.run(line, capture_output=True, check=True).stdout.decode().split())


@pytest.mark.skipif(sys.platform == "win32", reason="there it runs inside WSL")
def test_an_engine_starts_before_anything_that_only_a_run_needs() -> None:
    before = ("qcode.cli.dispatch", "qcode.cli.args", "qcode.cli.once", "qcode.cli.serving")
    found = loaded(*before)
    assert {name for name in LATER if name in found} == set()


BROKEN_OFF = """
import sys
from qcode.cli import dispatch, once

class Interrupts:
    def find_spec(self, name, path=None, target=None):
        if name in ("asyncio.windows_events", "asyncio.unix_events"):
            sys.meta_path.remove(self)
            raise KeyboardInterrupt

sys.meta_path.insert(0, Interrupts())
def interrupted(argv):
    try:
        once.load()
    finally:
        print(*(name for name in sys.modules if name.partition(".")[0] == "asyncio"))
dispatch._run = interrupted
sys.exit(dispatch.dispatch([]))
"""


def test_ctrl_c_between_two_imports_is_told_as_any_other() -> None:
    line = (sys.executable, "-I", "-c", f"import sys; sys.path[:] = {sys.path!r}\n{BROKEN_OFF}")
    ended = subprocess.run(line, capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stderr) == (130, "qcode: Interrupted.\n")
    assert ended.stdout.split() == [], "half of it was left behind"


def test_what_is_imported_meanwhile_is_what_a_run_needs() -> None:
    meanwhile = loaded("qcode.cli.once; qcode.cli.once.load(); import sys")
    run = loaded("qcode.cli.prompt", "qcode.assemble", "qcode.server.network")
    assert run <= meanwhile
