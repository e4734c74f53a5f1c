"""A real llama.cpp server with the tiny model, in a process of its own so that it can be killed.

The process runs this file: `python -m tests.support.llama OPTIONS`, OPTIONS a JSON object. It ends
when its stdin ends, so that none outlives the tests.
"""

import json
import signal
import subprocess
import sys
import threading
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Protocol, Self

if TYPE_CHECKING:  # the engine's own process needs none of it, and its start is measured
    from tests.support.render import Style

ROOT = Path(__file__).parents[2]
START_SECONDS = 60.0
STOP_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Options:
    """How the server runs; names as in llama.cpp's parameters."""

    model: str
    n_ctx: int = 65536
    n_parallel: int = 1
    port: int = 0
    n_ctx_checkpoints: int = 32
    """0 = like an engine that cannot go back at all inside what it has read."""
    sleep_idle_seconds: int = -1
    """Idle for so long, it unloads the model until the next request; -1 = never."""
    slot_save_path: str = ""
    """Folder in which slots are saved; empty = they cannot be."""
    kv_unified: bool = False
    """Whether several slots share the whole context; else it is divided among them."""
    cache_prompt: bool = True
    """False = `--no-cache-prompt`: reused only for requests that ask for it."""
    cache_ram_mib: int = 8192
    """Of states that were put aside for other conversations; 0 = none are."""
    chat_template: str = ""
    """Instead of the model's own."""


Thinks = Literal["a while", "for ever"]
"""How long the tiny model reasons, if nobody stops it."""


class StartLlama(Protocol):
    """What the fixture `start_llama` gives: one more server, ended with the test."""

    def __call__(
        self, style: "Style" = "3.5", *, n_ctx_checkpoints: int = 32, thinks: Thinks = "a while"
    ) -> "LlamaServer": ...


class LlamaServer:
    """One server, ready when the constructor returns. Close it, or kill it as a crash would."""

    def __init__(self, options: Options, log: Path) -> None:
        command = [sys.executable, "-m", __name__, json.dumps(asdict(options))]
        self._log = log
        with log.open("ab") as errors:
            self.process = subprocess.Popen(
                command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors
            )
        self.origin = self._address()
        """Scheme, host and port."""

    @property
    def base_url(self) -> str:
        """Ends in `/v1`."""
        return f"{self.origin}/v1"

    def close(self) -> None:
        """End the process; safe after `kill` and twice."""
        if self.process.stdin and not self.process.stdin.closed:
            self.process.stdin.close()
        try:
            self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()
        if self.process.stdout:
            self.process.stdout.close()

    def kill(self) -> None:
        """End it as a crash does: open connections are reset."""
        self.process.kill()
        self.process.wait(STOP_SECONDS)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _address(self) -> str:
        """The first line that the process prints; it is ready then."""
        assert self.process.stdout
        guard = threading.Timer(START_SECONDS, self.process.kill)  # a load that hangs ends the wait
        guard.start()
        line = self.process.stdout.readline().decode().strip()
        guard.cancel()
        if not line:
            self.close()
            tail = self._log.read_text(encoding="utf-8", errors="replace")[-2000:]
            raise RuntimeError(f"llama.cpp did not start; the end of {self._log}:\n{tail}")
        return line


def make_model(folder: Path, style: "Style", thinks: Thinks = "a while") -> Path:
    """The tiny model with the test's template in one style; written once per folder."""
    # with them come gguf, numpy and jinja2: 0.2 s of the start of each engine, which has a model
    from tests.support.gguf import write_model  # noqa: PLC0415
    from tests.support.render import source  # noqa: PLC0415
    from tests.support.vocabulary import FOLLOWERS, THINKER  # noqa: PLC0415

    path = folder / ("tiny" if thinks == "a while" else "thinker") / f"{style}.gguf"
    if not path.exists():
        path.parent.mkdir(exist_ok=True)
        write_model(path, source(style), FOLLOWERS if thinks == "a while" else THINKER)
    return path


def serve(options: Options) -> None:
    """Run the server in this process until stdin ends."""
    import xllamacpp  # noqa: PLC0415  only this process needs it; tests import the module without

    params = xllamacpp.CommonParams()
    params.model.path = options.model
    params.n_ctx = options.n_ctx
    params.n_parallel = options.n_parallel
    params.port = options.port
    params.cpuparams.n_threads = 1  # two threads on busy cores wait for each other
    params.cpuparams_batch.n_threads = 1
    params.n_ctx_checkpoints = options.n_ctx_checkpoints
    params.kv_unified = options.kv_unified
    params.cache_prompt = options.cache_prompt
    params.cache_ram_mib = options.cache_ram_mib
    params.chat_template = options.chat_template
    params.sleep_idle_seconds = options.sleep_idle_seconds
    if options.slot_save_path:
        params.slot_save_path = f"{options.slot_save_path}/"  # the name is put behind it as it is
    params.use_jinja = True
    params.endpoint_metrics = True
    params.endpoint_slots = True
    params.fit_params = False  # nothing to fit on a CPU, and the trial allocation costs time
    params.verbosity = 4  # the log names each checkpoint that is made, restored or dropped
    server = xllamacpp.Server(params)
    sys.stdout.write(f"{server.listening_address}\n")
    sys.stdout.flush()
    sys.stdin.read()


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for pytest, which then closes stdin
    serve(Options(**json.loads(sys.argv[1])))
