"""A plan as a command for other servers: vLLM, SGLang, Ollama, mlx_lm.

They do not run llama.cpp's files, Ollama aside: what is printed names the repository that the file
was converted from. Flags: vLLM 0.33 and its recipes, SGLang 0.5.23 (server_args), Ollama 0.33,
mlx-lm 0.32.2.
"""

import re
import shlex
from collections.abc import Iterator, Mapping, Sequence

from qcode.protocol.errors import InputError
from qcode.serve.base import Plan
from qcode.serve.command import Address, short_name
from qcode.serve.printing_words import comment, one_a_line, why

_FP8 = frozenset({"Qwen/Qwen3.6-35B-A3B", "Qwen/Qwen3.6-27B", "Qwen/Qwen3.5-35B-A3B"})
"""Published as `…-FP8`, too."""
_QWEN = ("qwen35", "qwen35moe")
_ANSWER_TOKENS = "32768"
"""Qwen's cards, for most requests; mlx_lm stops at 512 unless told."""
_SAMPLING = ("--temp", "0.6", "--top-p", "0.95", "--top-k", "20", "--min-p", "0")


_WHY_VLLM = {
    "--max-model-len": "tokens of a conversation; what it has room for is said when it starts",
    "--reasoning-parser": "thinking comes apart from the answer",
    "--enable-auto-tool-choice": "without these two a request with tools is refused",
    "--tool-call-parser": "without these two a request with tools is refused",
    "--enable-prefix-caching": "what was read once is not read again",
    "--enable-prompt-tokens-details": "qcode shows what was remembered",
    "--language-model-only": "text alone: no memory for eyes",
    "--default-chat-template-kwargs": "thinking of earlier turns stays in the prompt, so that it "
    "only grows",
}
_WHY_SGLANG = {
    "--context-length": "tokens of a conversation",
    "--mem-fraction-static": "of the GPU, for weights and cache; the rest is to compute in",
    "--reasoning-parser": "thinking comes apart from the answer",
    "--tool-call-parser": "calls come as calls, not as text",
    "--enable-cache-report": "qcode shows what was remembered",
    "--enable-strict-thinking": "a budget of thinking is kept to",
    "--mamba-radix-cache-strategy": "lets a hybrid model go back to a branch of a conversation",
    "--page-size": "lets a hybrid model go back to a branch of a conversation",
}
_WHY_MLX = {
    "--max-tokens": "it stops an answer at 512 unless told",
    "--temp --top-p --top-k --min-p": "thinking, precise coding (model cards); for programs that "
    "send none",
    "--prompt-cache-size": "conversations that are remembered",
    "--chat-template-args": "thinking of earlier turns stays in the prompt, so that it only grows",
}
_WHY_OLLAMA = {
    "OLLAMA_CONTEXT_LENGTH": "unless told it loads far less, and cuts the prompt in silence",
    "OLLAMA_NUM_PARALLEL": "conversations at once: each takes a whole context",
    "OLLAMA_FLASH_ATTENTION": "a quantised cache needs it",
    "OLLAMA_KV_CACHE_TYPE": "how exactly the cache is kept",
}


def _commented(told: Mapping[str, str], command: Sequence[str]) -> str:
    """With the reasons of those flags that it has."""
    has = {names: text for names, text in told.items() if names.split()[0] in command}
    return "".join((*why(has), one_a_line(command)))


def vllm(plan: Plan, address: Address) -> str:
    """`vllm serve`, with tool calls and thinking, which it does not have unless told."""
    origin = _origin(plan, "vLLM")
    command = (
        *("vllm", "serve", _fp8(origin), "--host", address.host, "--port", str(address.port)),
        *("--max-model-len", str(plan.context_tokens)),
        *("--reasoning-parser", "qwen3"),
        *("--enable-auto-tool-choice", "--tool-call-parser", "qwen3_coder"),
        *("--enable-prefix-caching", "--enable-prompt-tokens-details"),
        *("--language-model-only",),
        *_kept_thinking(plan, "--default-chat-template-kwargs"),
    )
    return "".join((*_weights_note(origin), *_parser_note(plan), _commented(_WHY_VLLM, command)))


def sglang(plan: Plan, address: Address) -> str:
    """`sglang serve`; the cache strategy is what lets a hybrid model branch."""
    origin = _origin(plan, "SGLang")
    command = (
        *("sglang", "serve", "--model-path", _fp8(origin)),
        *("--host", address.host, "--port", str(address.port)),
        *("--context-length", str(plan.context_tokens), "--mem-fraction-static", "0.8"),
        *("--reasoning-parser", "qwen3", "--tool-call-parser", "qwen3_coder"),
        *("--enable-cache-report", "--enable-strict-thinking"),
        *("--mamba-radix-cache-strategy", "extra_buffer", "--page-size", "64"),
    )
    return "".join((*_weights_note(origin), *_parser_note(plan), _commented(_WHY_SGLANG, command)))


def mlx(plan: Plan, address: Address) -> str:
    """`mlx_lm.server`, on Apple's machines."""
    origin = _origin(plan, "mlx_lm")
    bits = 8 if plan.model.quantisation.startswith(("Q8", "UD-Q8", "BF16", "F16")) else 4
    command = (
        *("mlx_lm.server", "--model", f"mlx-community/{origin.split('/')[1]}-{bits}bit"),
        *("--host", address.host, "--port", str(address.port)),
        *("--max-tokens", _ANSWER_TOKENS, *_SAMPLING, "--prompt-cache-size", "20"),
        *_kept_thinking(plan, "--chat-template-args"),
    )
    note = "It has no limit of context: what does not fit into memory ends it."
    return comment(note) + _commented(_WHY_MLX, command)


def ollama(plan: Plan, address: Address) -> str:
    """The server's variables, and a Modelfile for the same GGUF file."""
    variables = {
        "OLLAMA_HOST": f"{address.host}:{address.port}",
        "OLLAMA_CONTEXT_LENGTH": str(plan.context_tokens),
        "OLLAMA_NUM_PARALLEL": str(plan.slots),
        "OLLAMA_FLASH_ATTENTION": "1",
        "OLLAMA_KV_CACHE_TYPE": "f16" if plan.kv_type == "bf16" else plan.kv_type,
    }
    name = short_name(plan)
    host = f"OLLAMA_HOST={shlex.quote(variables['OLLAMA_HOST'])}"
    return (
        comment("Ollama chooses what goes to the GPU itself, and has no flag for it.")
        + "".join(why(_WHY_OLLAMA))
        + "".join(f"{key}={shlex.quote(value)} \\\n" for key, value in variables.items())
        + "  ollama serve\n\n"
        + comment("in another terminal:")
        + f"cat > Modelfile <<'MODELFILE'\n{''.join(_modelfile(plan))}MODELFILE\n"
        + f"{host} ollama create {shlex.quote(name)} -f Modelfile\n"
    )


def _modelfile(plan: Plan) -> Iterator[str]:
    path = f"hf.co/{plan.model.hub}" if plan.model.hub else str(plan.model.path.absolute())
    if "\n" in path:
        raise InputError(f"{path!r} cannot stand in a Modelfile. Rename the file.")
    yield f"FROM {path}\n"
    yield f"PARAMETER num_ctx {plan.context_tokens}\n"
    if plan.model.architecture in _QWEN:
        # its own renderer writes tool calls as the model knows them; templates of files do not
        yield "TEMPLATE {{ .Prompt }}\nRENDERER qwen3.5\nPARSER qwen3.5\n"
        for name, value in (("temperature", "0.6"), ("top_p", "0.95"), ("top_k", "20")):
            yield f"PARAMETER {name} {value}\n"


def _origin(plan: Plan, server: str) -> str:
    if plan.model.origin:
        return plan.model.origin
    found = re.search(r"Qwen3\.[56]-\d+B(?:-A\d+B)?", plan.model.path.name, re.IGNORECASE)
    if found is None:
        raise InputError(
            f"{server} does not run GGUF files, and {plan.model.path.name} does not say which "
            "model it was converted from. Print llama-server or ollama, which run the file itself."
        )
    return f"Qwen/{found[0].upper().replace('QWEN', 'Qwen')}"


def _fp8(origin: str) -> str:
    return f"{origin}-FP8" if origin in _FP8 else origin


def _weights_note(origin: str) -> Iterator[str]:
    if origin.endswith("35B-A3B"):
        yield comment(
            "FP8 takes about 42 GB, BF16 84; for 24 GB: Qwen/Qwen3.5-35B-A3B-GPTQ-Int4, 21 GB "
            "(vLLM's recipes)."
        )


def _parser_note(plan: Plan) -> Iterator[str]:
    if plan.model.architecture in _QWEN:
        yield comment(
            "If long arguments of calls come late and all at once, try --tool-call-parser "
            "qwen3_xml (club-3090 #72, #145)."
        )


def _kept_thinking(plan: Plan, flag: str) -> tuple[str, ...]:
    if "preserve_thinking" in plan.model.template:
        return (flag, '{"preserve_thinking":true}')
    return ()
