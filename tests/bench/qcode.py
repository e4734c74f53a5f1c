"""The installed program in a subprocess, in an empty home, and what a run of it took."""

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

LAUNCHER = Path(__file__).with_name("launch.py")
LIMIT_SECONDS = 120.0


@dataclass(frozen=True, slots=True)
class Ran:
    """One run. Times are `time.monotonic()`, as in `script.Received`."""

    began: float
    """When the process was started."""
    ended: float
    cpu_seconds: float
    """User and system, of the process and of those it waited for."""
    peak_bytes: int
    """The most memory that was resident at once."""
    out: str
    err: str

    @property
    def seconds(self) -> float:
        """Start to end."""
        return self.ended - self.began


@dataclass(frozen=True, slots=True)
class Qcode:
    """The program with a home of its own."""

    home: Path
    """Made anew; sessions, settings and logs land in it."""

    def run(self, *arguments: str) -> Ran:
        """`qcode ARGUMENT…`; AssertionError when it fails, with what it said."""
        return self._run(*program(), *arguments)

    def prompt(self, base_url: str, folder: Path, words: str, *more: str) -> Ran:
        """`qcode -p WORDS` in `folder`, against the server at `base_url`."""
        return self.run("-p", words, "--base-url", base_url, "-C", str(folder), *more)

    def imports(self, *arguments: str) -> frozenset[str]:
        """Names of all modules that a run loads, those of the interpreter's own start included.

        Read from `python -v`, where the import system itself tells of each module, whoever asked
        for it and in which thread.
        """
        return self._verbose(*program(), *arguments)

    def _verbose(self, *arguments: str) -> frozenset[str]:
        told = self._run(sys.executable, "-v", *arguments).err
        rows = (line.split("'") for line in told.splitlines() if line.startswith("import '"))
        return frozenset(row[1] for row in rows)

    def script_imports(self) -> frozenset[str]:
        """What the console script loads before it comes to qcode: installers differ in it."""
        script = Path(program()[0]).read_text(encoding="utf-8")
        lines = [line for line in script.splitlines() if line in ("import re", "import sys")]
        return self._verbose("-c", "\n".join(lines))

    def _run(self, *command: str) -> Ran:
        result = self.home / "took"
        done = subprocess.run(
            [sys.executable, "-I", "-S", str(LAUNCHER), str(result), *command],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            env=self.environment(),
            timeout=LIMIT_SECONDS,
            check=True,
        )
        began, ended, cpu_seconds, peak, status = result.read_text(encoding="ascii").split()
        assert int(status) == 0, f"{command} failed ({status}):\n{done.stderr[-2000:]}"
        unit = 1 if sys.platform == "darwin" else 1024
        times = (float(began), float(ended), float(cpu_seconds))
        return Ran(*times, int(peak) * unit, done.stdout, done.stderr)

    def environment(self) -> dict[str, str]:
        """That of this process, without what would change qcode's behaviour."""
        kept = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("OPENAI_", "QCODE_", "XDG_", "PYTHON", "GIT_"))
            and not name.lower().endswith("_proxy")
        }
        return kept | {"HOME": str(self.home), "QCODE_HOME": str(self.home / "qcode")}


def program() -> tuple[str, ...]:
    """The console script beside this interpreter, as a person starts it."""
    return (str(Path(sys.executable).with_name("qcode")),)
