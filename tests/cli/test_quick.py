"""What is imported while somebody waits is never looked through for garbage again."""

import gc
import subprocess
import sys

CODE = """
import gc
from qcode.cli.quick import quick
before = gc.get_freeze_count()
with quick():
    assert not gc.isenabled()
    import qcode.cli.prompt, qcode.assemble, qcode.server.network
assert gc.isenabled()
print(gc.get_freeze_count() - before, sum(gc.get_count()))
"""


def test_imports_are_neither_searched_while_they_are_made_nor_afterwards() -> None:
    line = (sys.executable, "-I", "-c", f"import sys; sys.path[:] = {sys.path!r}\n{CODE}")
    done = subprocess.run(line, capture_output=True, check=True)
    frozen, young = map(int, done.stdout.split())
    assert frozen > 10_000
    assert young < gc.get_threshold()[0]
