"""Faults of behaviour, each planted in a server that is well otherwise, and what must be found."""

from dataclasses import dataclass

from tests.support.mind import Fault

KINDS = (
    "llamacpp",
    "ollama",
    "lmstudio",
    "vllm",
    "sglang",
    "mlx_lm",
    "transformers",
    "generic",
)
"""Recordings of `tests/server/wires`."""


@dataclass(frozen=True, slots=True)
class Planted:
    """One fault in a server of one kind."""

    kind: str
    fault: Fault
    found: str
    """`Finding.id`."""
    change: str
    """Words that the advice must hold."""


PLANTED: tuple[Planted, ...] = (
    Planted("vllm", "tools_refused", "calls.refused", "--tool-call-parser qwen3_coder"),
    Planted("vllm", "calls_as_text", "calls.parser", "--enable-auto-tool-choice"),
    Planted("sglang", "calls_as_text", "calls.parser", "--tool-call-parser qwen3_coder"),
    Planted("llamacpp", "calls_as_text", "calls.parser", "--jinja"),
    Planted("ollama", "calls_as_text", "calls.parser", "ollama pull qwen3.6:27b"),
    Planted("lmstudio", "calls_as_text", "calls.parser", "hammer"),
    Planted("mlx_lm", "calls_as_text", "calls.parser", "mlx-lm"),
    Planted("vllm", "arguments_broken", "calls.arguments", "--tool-call-parser qwen3_coder"),
    Planted("lmstudio", "arguments_broken", "calls.arguments", "LM Studio"),
    Planted("generic", "arguments_broken", "calls.arguments", "tool-call parser"),
    Planted("vllm", "calls_joined", "calls.parallel", "--tool-call-parser"),
    Planted("llamacpp-old", "one_call_unless_told", "calls.single", "b8929"),
    Planted("sglang", "calls_in_thinking", "calls.thinking", "0.5.23"),
    Planted("lmstudio", "calls_in_thinking", "calls.thinking", "1592"),
    Planted("vllm", "calls_in_thinking", "calls.thinking", "--reasoning-parser qwen3"),
    Planted("vllm", "schema_ignored", "schema.ignored", "structured-outputs"),
    Planted("generic", "schema_ignored", "schema.ignored", "tool"),
    Planted("lmstudio", "switch_ignored", "thinking.switch", "0.4.17"),
    Planted("ollama", "switch_ignored", "thinking.switch", "ollama show"),
    Planted("llamacpp", "switch_ignored", "thinking.switch", "--chat-template"),
    Planted("transformers", "switch_ignored", "thinking.switch", "transformers"),
    Planted("vllm", "thinking_in_text", "thinking.parser", "--reasoning-parser qwen3"),
    Planted("llamacpp", "thinking_in_text", "thinking.parser", "--reasoning-format auto"),
    Planted("lmstudio", "thinking_in_text", "thinking.parser", "reasoning_content"),
    Planted("vllm", "filed_as_thinking", "thinking.misfiled", "0.19"),
    Planted("sglang", "budget_ignored", "budget.ignored", "--enable-strict-thinking"),
    Planted("llamacpp", "budget_ignored", "budget.ignored", "--reasoning-format auto"),
    Planted("vllm", "budget_refused", "budget.refused", "--reasoning-parser qwen3"),
    Planted("llamacpp", "min_p_ignored", "sampling.min_p", "--samplers"),
    Planted("llamacpp", "top_k_ignored", "sampling.top_k", "--samplers"),
    Planted("vllm", "min_p_ignored", "sampling.min_p", "logits processor"),
    Planted("lmstudio", "presence_ignored", "sampling.presence_penalty", "MLX"),
    Planted("lmstudio", "repeat_ignored", "sampling.repeat_penalty", "MLX"),
    Planted("ollama", "presence_ignored", "sampling.presence_penalty", "PARAMETER"),
    Planted("mlx_lm", "presence_ignored", "sampling.presence_penalty", "mlx-lm"),
    Planted("sglang", "repeat_ignored", "sampling.repeat_penalty", "logits processor"),
    Planted("vllm", "limit_ignored", "limits.max_tokens", "max_tokens"),
    Planted("generic", "limit_ignored", "limits.max_tokens", "proxy"),
    Planted("sglang", "cut_unsaid", "limits.finish", "finish_reason"),
    Planted("vllm", "cut_thinking_unsaid", "limits.finish", "finish_reason"),
    Planted("ollama", "cut_unsaid", "limits.finish", "finish_reason"),
    Planted("llamacpp", "image_dropped", "sight.dropped", "--mmproj"),
    Planted("sglang", "image_refused", "sight.refused", "sees"),
    Planted("ollama", "tax", "wrapper.tax", "ollama show --modelfile"),
    Planted("lmstudio", "tax", "wrapper.tax", "qcode serve"),
)
