"""The exact change, by kind of server and build. Words alone; no probe is asked here.

Builds and flags: llama.cpp b11549, `common/arg.cpp`, and sampled builds before it; vLLM 0.33 and
SGLang 0.5.23, their arguments; Ollama 0.33, `envconfig`; LM Studio's `lms load --help`.
"""

from qcode.server.base import ServerFacts
from qcode.server.quirks import parse_version

LEAST_TOKENS = 32_768
"""Less, and an agent compacts every few steps."""
GOOD_TOKENS = 65_536
"""What Ollama advises for agents; the makers of Qwen say 128k for its thinking."""

LLAMACPP = ("llamacpp", "llamacpp-router", "llama-swap")

_CONTEXT_FLAGS = {
    "llamacpp": "start llama-server with `-c {tokens}{alone}`",
    "llamacpp-router": "set `ctx-size = {tokens}` for the model in the router's preset, or start "
    "it with `-c {tokens}{alone}`",
    "llama-swap": "add `-c {tokens}{alone}` to the model's `cmd:` in llama-swap's configuration",
    "ollama": "set `context_tokens = {tokens}` below `[server]` in qcode's settings, or start "
    "Ollama with `OLLAMA_CONTEXT_LENGTH={tokens}`",
    "ollama-chat": "set `context_tokens = {tokens}` below `[server]` in qcode's settings",
    "lmstudio": "load the model with `lms load {model} --context-length {tokens}`",
    "vllm": "start vLLM with `--max-model-len {tokens}`",
    "sglang": "start SGLang with `--context-length {tokens}`",
    "nim": "start the container with `NIM_MAX_MODEL_LEN={tokens}`",
    "llama-cpp-python": "start it with `--n_ctx {tokens}` (2,048 unless told)",
    "mlx-vlm": "start it with `--max-kv-size {tokens}`",
}


def build(facts: ServerFacts) -> int:
    """Of llama.cpp; 0 = not told."""
    told = parse_version(facts.version)
    return told[0] if facts.kind in LLAMACPP and told else 0


def at_build(facts: ServerFacts) -> str:
    """` (build b11549)`; empty where none is told."""
    number = build(facts)
    return f" (build b{number})" if number else ""


def context(facts: ServerFacts, tokens: int, slots: int = 1) -> str:
    """How the server is given a context of so many tokens. `slots` that divide what there is: one
    of them is enough, and they are left out with it."""
    words = _CONTEXT_FLAGS.get(facts.kind, "load the model with a context of {tokens} tokens")
    alone = " -np 1" if slots > 1 else ""
    told = words.format(tokens=tokens, alone=alone, model=facts.model)
    said = f"{told[0].upper()}{told[1:]}."
    if facts.kind in LLAMACPP:
        said += " Where memory does not suffice, `-ctk q8_0 -ctv q8_0` halves what it takes."
    return said


def checkpoints(facts: ServerFacts) -> str:
    """How llama.cpp is made to keep states that it can go back to."""
    number = build(facts)
    if number and number < 8_672:
        return f"Update llama.cpp: b{number} keeps no checkpoints that serve chats (b10068 does)."
    if number and number < 9_294:
        return (
            "Start llama-server with `--ctx-checkpoints 32 --checkpoint-every-n-tokens 8192`, or "
            f"better update it: from b10068 on it keeps one at each question (this is b{number})."
        )
    if number and number < 10_068:
        return (
            "Start llama-server with `--ctx-checkpoints 32 --checkpoint-min-step 256`, or better "
            f"update it: from b10068 on it keeps one at each question (this is b{number})."
        )
    return (
        f"Start llama-server{at_build(facts)} with `--ctx-checkpoints 32`, its default: 0 keeps "
        "none. Each takes 80 to 230 MiB of memory. `--cache-reuse` does not help this model."
    )


_CACHE_FLAGS = {
    "llamacpp": "Start llama-server without `--no-cache-prompt`.",
    "llamacpp-router": "Start llama-server without `--no-cache-prompt`.",
    "llama-swap": "Take `--no-cache-prompt` out of the model's `cmd:`, and `cache_prompt` out of "
    "its `setParams`.",
    "vllm": "Start vLLM with `--enable-prefix-caching` and without `--no-enable-prefix-caching`. "
    "For hybrid models it keeps states at whole blocks alone: what is shorter is read again.",
    "sglang": "Start SGLang without `--disable-radix-cache`; for hybrid models with "
    "`--mamba-scheduler-strategy extra_buffer --page-size 64`.",
    "mlx_lm": "Start it with `--prompt-cache-size 20`; the cache of a hybrid model serves only "
    "prompts that extend it.",
    "ollama": "Update Ollama to 0.30 or newer, whose engine keeps what it has read.",
    "ollama-chat": "Update Ollama to 0.30 or newer, whose engine keeps what it has read.",
    "transformers": "Start it with `--continuous-batching`: without it nothing is kept.",
    "lmstudio": "Look whether another program uses the same model; with a llama.cpp engine of its "
    "own (`llama-server`) the same file can be measured without LM Studio.",
}


def cache(facts: ServerFacts) -> str:
    """How the server is made to keep what it has read."""
    known = _CACHE_FLAGS.get(facts.kind)
    return known or "Look for its setting of a prompt or prefix cache, and turn it on."
