"""A GPU that is there and not used: what that costs, and the command that changes it."""

from collections.abc import Iterator

from qcode.serve import rates
from qcode.serve.base import Engine, Gpu, Machine, ModelFile
from qcode.serve.room import is_used

_WHEELS = "https://xorbitsai.github.io/xllamacpp/whl"
"""Where xllamacpp keeps its wheels for GPUs (its README, 2026.10)."""
_CUDA_13_DRIVER = 595
"""From this driver on its CUDA 13.2 wheel runs on every card that it is made for."""
_SOURCE = "git clone --depth 1 https://github.com/ggml-org/llama.cpp && cd llama.cpp"


def unused(machine: Machine, model: ModelFile, engine: Engine) -> Iterator[str]:
    """A remark for each kind of GPU that `engine` leaves idle. None where another one is used."""
    if any(is_used(gpu, engine) for gpu in machine.gpus):
        return
    told: set[str] = set()
    for gpu in machine.gpus:
        if gpu.vendor not in told and not (gpu.vendor == "intel" and gpu.is_unified):
            told.add(gpu.vendor)
            yield _remark(gpu, machine, model, engine)


def _remark(gpu: Gpu, machine: Machine, model: ModelFile, engine: Engine) -> str:
    if gpu.memory_bytes == 0:
        return (
            f"{gpu.name} has no driver that can be reached, so the processor computes alone. "
            "Install NVIDIA's driver; in a container, start it with --gpus all."
        )
    name = "this llama-server" if engine.backend == "llama-server" else "this xllamacpp"
    return (
        f"{gpu.name} is not used: {name} was built for {_built_for(engine)}. {_loss(gpu, model)} "
        f"Install one that uses it: {command(gpu, machine, engine)}"
    )


def _built_for(engine: Engine) -> str:
    return " and ".join(engine.uses) if engine.uses else "the processor alone"


def _loss(gpu: Gpu, model: ModelFile) -> str:
    read = rates.read_bytes(model)
    here = rates.on_processor(read)
    there = rates.on_gpu(gpu, read, has_experts=model.expert_bytes > 0)
    if there is None or model.size_bytes > gpu.memory_bytes:
        return f"The processor writes {here}, a GPU many times that."
    return f"The processor writes {here}, the GPU would write {there}."


def command(gpu: Gpu, machine: Machine, engine: Engine) -> str:
    """What to type."""
    if gpu.vendor == "apple":
        return "brew install llama.cpp" if engine.backend == "llama-server" else _pip("")
    if engine.backend == "xllamacpp":
        return _pip(_wheel(gpu))
    if machine.system == "windows":
        return "winget install llama.cpp" if gpu.vendor != "nvidia" else _pip(_wheel(gpu))
    if machine.system == "macos":
        return "brew install llama.cpp"
    return f"{_SOURCE} && cmake -B build {_option(gpu)} && cmake --build build -j -t llama-server"


def native() -> str:
    """What builds one with all instructions of this processor."""
    return f"{_SOURCE} && cmake -B build && cmake --build build -j -t llama-server"


def _pip(wheel: str) -> str:
    index = f" --force-reinstall --index-url {_WHEELS}/{wheel}" if wheel else " -U"
    return f"pip install xllamacpp{index}"


def _wheel(gpu: Gpu) -> str:
    if gpu.vendor == "amd":
        return "rocm-7.2.4"
    if gpu.vendor == "intel":
        return "vulkan"
    major = gpu.driver.split(".")[0]
    is_new = major.isdecimal() and int(major) >= _CUDA_13_DRIVER
    return "cu132" if is_new else "cu128"


def _option(gpu: Gpu) -> str:
    return {"nvidia": "-DGGML_CUDA=ON", "amd": "-DGGML_HIP=ON"}.get(gpu.vendor, "-DGGML_VULKAN=ON")
