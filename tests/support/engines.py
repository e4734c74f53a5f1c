"""Real engines beside llama.cpp's own server, each in an environment of its own.

They are large (PyTorch, MLX, a llama.cpp compiled on the spot) and so no dependency of the tests:
`python -m tests.support.engines` (`make engines`) installs them under `.engines/`, or where
`QCODE_ENGINES` says. A test whose engine is not there skips and says so.
"""

import os
import socket
import subprocess
import sys
import time
import venv
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Self
from urllib.error import URLError
from urllib.request import urlopen

from tests.support.hf_model import write_folder
from tests.support.llama import make_model
from tests.support.render import Style, source

START_SECONDS = 120.0


@dataclass(frozen=True, slots=True)
class Kind:
    """One engine: what to install, and how it is started with the tiny model."""

    name: str
    packages: tuple[str, ...]
    command: Callable[[Path, int], Sequence[str]]
    """(model, port) -> arguments; the first is a program of the environment."""
    model: Callable[[Path, Style], Path]
    """Writes the tiny model as this engine reads it."""
    ready: str
    """A path that answers when it serves."""
    lacks: frozenset[Literal["calls", "usage"]] = frozenset()
    """What a stream of this engine does not hold: calls read out of the text, counts of tokens."""


def _folder(place: Path, style: Style) -> Path:
    path = place / f"tiny-{style}"
    write_folder(path, source(style))
    return path


KINDS = (
    Kind(
        "mlx_lm",
        ("mlx-lm[cpu]",),
        lambda model, port: (
            *("mlx_lm.server", "--model", str(model)),
            *("--port", str(port), "--host", "127.0.0.1", "--max-tokens", "2000"),
        ),
        _folder,
        "/health",
    ),
    Kind(
        "transformers",
        ("torch", "transformers[serving]"),
        lambda model, port: (
            *("transformers", "serve", str(model)),
            *("--port", str(port), "--host", "127.0.0.1", "--device", "cpu"),
        ),
        _folder,
        "/health",
    ),
    Kind(
        "llama-cpp-python",
        ("llama-cpp-python[server]",),
        lambda model, port: (
            *("python", "-m", "llama_cpp.server", "--model", str(model), "--n_ctx", "16384"),
            *("--port", str(port), "--host", "127.0.0.1", "--n_threads", "1"),
        ),
        make_model,
        "/v1/models",
        frozenset({"calls", "usage"}),
    ),
)


def place(kind: Kind) -> Path:
    """The environment of an engine."""
    root = os.environ.get("QCODE_ENGINES") or Path(__file__).parents[2] / ".engines"
    return Path(root) / kind.name


def is_installed(kind: Kind) -> bool:
    """Whether its installation came to its end."""
    return (place(kind) / "installed").exists()


class EngineServer:
    """One running engine; the constructor returns when it serves."""

    def __init__(self, kind: Kind, folder: Path, style: Style = "3.6") -> None:
        self.kind = kind
        self.model = kind.model(folder, style)
        self.port = _free_port()
        self.base_url = f"http://127.0.0.1:{self.port}/v1"
        self._log = folder / f"{kind.name}.log"
        program, *arguments = kind.command(self.model, self.port)
        hub = folder / "hub"  # the engines scan a cache of models; this one is empty
        hub.mkdir(exist_ok=True)
        offline = {"HF_HUB_OFFLINE": "1", "HF_HUB_CACHE": str(hub), "OMP_NUM_THREADS": "1"}
        with self._log.open("ab") as log:
            self.process = subprocess.Popen(
                [str(place(kind) / "bin" / program), *arguments],
                env={**os.environ, **offline},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self._wait()

    def close(self) -> None:
        """End it."""
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(10)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _wait(self) -> None:
        until = time.monotonic() + START_SECONDS
        while not self._answers():
            if time.monotonic() > until or self.process.poll() is not None:
                self.close()
                tail = self._log.read_text(encoding="utf-8", errors="replace")[-2000:]
                raise RuntimeError(f"{self.kind.name} did not start; its log ends:\n{tail}")
            time.sleep(0.2)  # nothing tells when it listens

    def _answers(self) -> bool:
        url = f"http://127.0.0.1:{self.port}{self.kind.ready}"
        try:
            with urlopen(url, timeout=2) as reply:
                return bool(reply.status == 200)
        except (URLError, OSError):
            return False


def install(kind: Kind) -> None:
    """Make the environment; one that is whole is left as it is."""
    if is_installed(kind):
        return
    venv.create(place(kind), with_pip=True, clear=True)
    pip = (str(place(kind) / "bin" / "python"), "-m", "pip", "install", "-q")
    subprocess.run([*pip, *kind.packages], check=True)
    (place(kind) / "installed").touch()


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


if __name__ == "__main__":
    for wanted in KINDS:
        if len(sys.argv) < 2 or wanted.name in sys.argv[1:]:
            sys.stderr.write(f"installing {wanted.name}\n")
            install(wanted)
