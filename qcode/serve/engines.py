"""Which engine would run a model here: a `llama-server`, else the package `xllamacpp`."""

import importlib.util
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from qcode.protocol.errors import ConfigError
from qcode.serve.answers import kept
from qcode.serve.base import Engine, Gpu, Machine
from qcode.serve.boot import start_of

ASK_SECONDS = 30.0
"""For one question to a binary: the first start of a CUDA build takes seconds."""

_BUILD = re.compile(r"^version: (\d+) |\(build (\d+)|\bb(\d{4,})\b", re.MULTILINE)
"""`version: 9999 (abc)`, then `version: 0.1.0-dev (build 10434, commit abc)`, `b10217-abc`."""
_LEAST_BUILD = 1000
"""Below it is no build of llama.cpp: one that was made without its history counts from 1."""
_DEVICE = re.compile(r"^\s+([A-Za-z]+)\d*: ", re.MULTILINE)

_NOTHING = "nothing"

USES = {
    "CUDA": "cuda",
    "VULKAN": "vulkan",
    "ROCM": "rocm",
    "HIP": "rocm",
    "MTL": "metal",
    "METAL": "metal",
    "SYCL": "sycl",
}
"""Name of a device without its number, in capitals -> what it computes with."""

NONE = (
    "There is nothing here that runs a model: no llama-server is on the PATH, and xllamacpp is not "
    "installed. Install llama.cpp (macOS: brew install llama.cpp; elsewhere a release from "
    "https://github.com/ggml-org/llama.cpp/releases) or, for the processor alone: "
    "pip install 'qcode[local]'."
)


def find(machine: Machine, binary: str = "", memory: Path | None = None) -> Engine:
    """The first that is here; `binary` comes before all others. `memory` is a folder for what
    programs told. Raises ConfigError."""
    if machine.system == "windows":
        raise ConfigError("Models are served on Linux and macOS. On Windows use WSL.")
    if binary:
        return of_binary(_named(binary), machine.gpus, memory)
    for name in ("llama-server", "llama"):
        if path := shutil.which(name):
            return of_binary(path, machine.gpus, memory)
    if found := _package(machine):
        return found
    raise ConfigError(NONE)


def of_binary(path: str, gpus: Sequence[Gpu] = (), memory: Path | None = None) -> Engine:
    """A `llama-server` as it tells of itself, or told before on a machine with these `gpus`. Raises
    ConfigError where it does not start."""

    def told(question: str, ask: Callable[[], str]) -> str:
        return ask() if memory is None else kept(memory, path, question, ask)

    build = told("--version", lambda: str(_build(path)))
    nothing = "" if gpus else _NOTHING  # a driver that comes later may bring some
    found = told(f"--list-devices {_drivers(gpus)}", lambda: " ".join(_uses(path)) or nothing)
    names = () if found == _NOTHING else tuple(found.split())
    return Engine("llama-server", path, int(build), names)


def _build(path: str) -> int:
    found = _BUILD.search(_asked([path, "--version"]))
    build = int(found[1] or found[2] or found[3]) if found else 0
    return build if build >= _LEAST_BUILD else 0


def _uses(path: str) -> tuple[str, ...]:
    return uses(_DEVICE.findall(_asked([*start_of(path), "--list-devices"])))


def _drivers(gpus: Sequence[Gpu]) -> str:
    """What decides on its devices beside itself."""
    names = ("CUDA_", "HIP_", "ROCR_", "GGML_", "LD_LIBRARY_", "DYLD_", "VK_")
    said = sorted(f"{name}={value}" for name, value in os.environ.items() if name.startswith(names))
    return "; ".join((*(f"{gpu.name} {gpu.driver}" for gpu in gpus), *said))


def uses(devices: Sequence[str]) -> tuple[str, ...]:
    """What devices such as `CUDA0` compute with; the processor is none."""
    names = (name.rstrip("0123456789").upper() for name in devices)
    return tuple(dict.fromkeys(USES[name] for name in names if name in USES))


def _named(binary: str) -> str:
    path = shutil.which(str(Path(binary).expanduser()))
    if path is None:
        raise ConfigError(
            f"serve.binary is {binary!r}, and there is no such program. Write the path of a "
            "llama-server, or remove the setting."
        )
    return path


def _asked(words: Sequence[str]) -> str:
    """What it prints. Raises ConfigError where it cannot be started, or fails."""
    try:
        done = subprocess.run(
            words,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=ASK_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise ConfigError(f"{words[0]} cannot be started ({error}).") from error
    said = (done.stdout + done.stderr).decode("utf-8", "replace")
    if done.returncode != 0:
        last = (said.strip().splitlines() or ["it says nothing"])[-1]
        raise ConfigError(
            f"{' '.join(words)} fails with exit code {done.returncode}: {last[:300]}. Repair it, "
            "take it off the PATH, or name another as serve.binary."
        )
    return said


def _package(machine: Machine) -> Engine | None:
    if importlib.util.find_spec("xllamacpp") is None:
        return None
    from importlib import metadata  # noqa: PLC0415 - 40 ms, which a keeper need not spend

    version = metadata.version("xllamacpp")
    last = version.partition("+")[0].rsplit(".", 1)[-1]  # 2026.10.11549
    build = int(last) if last.isdecimal() and int(last) >= 1000 else 0
    found: tuple[str, ...] = ("metal",) if machine.system == "macos" else ()
    if machine.gpus and not found:  # built by hand it may use one; else nobody needs to know
        found = uses(_devices())
    return Engine("xllamacpp", version, build, found)


def _devices() -> list[str]:
    """Asked in a process of its own: loading it takes a tenth of a second and much memory."""
    code = "import xllamacpp; print(*(it['name'] for it in xllamacpp.get_device_info()), sep='\\n')"
    try:
        return _asked([sys.executable, "-I", "-c", code]).split()
    except ConfigError:
        return []
