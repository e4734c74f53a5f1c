"""Why an engine did not start: told by its last words."""

import signal

import pytest

from qcode.serve.hints import Cause, cause, told

LOGS: dict[str, Cause] = {
    "ggml_backend_cuda_buffer_type_alloc_buffer: allocating 20480.00 MiB on device 0: "
    "cudaMalloc failed: out of memory\nllama_model_load: error loading model: unable to allocate "
    "CUDA0 buffer\nsrv    load_model: failed to load model, 'm.gguf'": "memory",
    "ggml_vulkan: Device memory allocation failed.\nvk::Device::allocateMemory: "
    "ErrorOutOfDeviceMemory": "memory",
    "error: invalid argument: --kv-unifid": "flag",
    'error while handling argument "-fa": error: unknown value for --flash-attn': "flag",
    "gguf_init_from_file_impl: invalid magic characters: 'this', expected 'GGUF'\n"
    "llama_model_load: error loading model: llama_model_loader: failed to load model": "file",
    "llama_model_load: error loading model: tensor 'blk.3.ffn_up.weight' data is not within the "
    "file bounds, model is corrupted or incomplete": "file",
    "llama_model_load: error loading model: error loading model architecture: unknown model "
    "architecture: 'qwen9'": "architecture",
    "srv start: couldn't bind HTTP server socket, hostname: 127.0.0.1, port: 8080": "port",
    "llama-server: error while loading shared libraries: libcudart.so.13: cannot open shared "
    "object file": "library",
    "": "unknown",
}
"""As llama.cpp writes them, b8000 to b11549 -> the cause."""


@pytest.mark.parametrize("log", LOGS)
def test_the_cause_is_read_from_what_it_said(log: str) -> None:
    assert cause(log, 1) == LOGS[log]


def test_a_signal_is_a_cause_where_it_said_nothing() -> None:
    assert cause("", -signal.SIGKILL) == "killed"
    assert cause("", 128 + signal.SIGKILL) == "killed"
    assert cause("", -signal.SIGILL) == "library"
    assert "was ended by SIGKILL" in told("it", "", -signal.SIGKILL)


def test_the_cause_comes_before_its_echo() -> None:
    log = "\n".join(["E invalid magic", "E second", *(f"E echo {n}" for n in range(9))])
    said = told("It", log, 1)
    assert [row for row in said.splitlines() if row.startswith("  ")] == [
        "  E invalid magic",
        "  E second",
        "  E echo 7",
        "  E echo 8",
    ]


def test_the_last_errors_are_told_and_not_the_chatter() -> None:
    log = "\n".join([*("load: fine" for _ in range(50)), "E failed to fit", "cleaning up"])
    said = told("It", log, 1)
    assert "  E failed to fit" in said
    assert "load: fine" not in said
    assert len(told("It", "x" * 100_000, 1)) < 1_000
