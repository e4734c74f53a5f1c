"""`python -m tests.fuzz [SECONDS [TARGET …]]`: targets under atheris, each in its own process.

atheris is no requirement: `pip install atheris` where it has a wheel (Linux, Python 3.11). A crash
leaves its input in the folder; `python -m tests.fuzz 0 TARGET FILE` tries that again.
"""

import importlib
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.fuzz.targets import TARGETS

USUAL_SECONDS = 300


def run(name: str, corpus: str, seconds: int) -> None:
    """In this process; does not return."""
    # By name: an optional tool, which no type checker needs to know.
    atheris = importlib.import_module("atheris")
    atheris.instrument_all()
    atheris.Setup(
        [name, corpus, f"-max_total_time={seconds}", "-max_len=2048", "-timeout=20"], TARGETS[name]
    )
    atheris.Fuzz()


def main(words: list[str]) -> int:
    """Every target that is named, one after the other; 1 = one of them did not hold."""
    if words[:1] == ["one"]:
        run(words[1], words[2], int(words[3]))
    seconds, names = int(words[0]) if words else USUAL_SECONDS, words[1:2] or list(TARGETS)
    if words[2:]:
        TARGETS[names[0]](Path(words[2]).read_bytes())
        return 0
    failed = []
    for name in names:
        with tempfile.TemporaryDirectory() as corpus:
            command = [sys.executable, "-m", "tests.fuzz", "one", name, corpus, str(seconds)]
            if subprocess.run(command, check=False).returncode:
                failed.append(name)
    sys.stdout.write(f"{len(names)} targets, {seconds} s each; failed: {failed or 'none'}\n")
    return bool(failed)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
