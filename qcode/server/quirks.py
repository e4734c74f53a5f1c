"""How servers differ, as data. One row a kind; a class only for what lies beyond chat completions.

Facts are of November 2026; beside each its source.
"""

import re
from collections.abc import Mapping

from msgspec.structs import replace

from qcode.server.quirk import Quirks, Version

ALL_SAMPLING: Mapping[str, str] = {
    name: name for name in ("temperature", "top_p", "top_k", "min_p", "presence_penalty")
}


# `include_usage`: without it a stream tells no token counts (OpenAI's API reference,
# "stream_options"; all servers of the table take it, transformers with a line in its log).
# Sampling: what OpenAI's own API has, since some servers refuse a request with any other field
# (transformers serve 5.23: 422).
PLAIN = Quirks(
    source="OpenAI's API reference, chat completions",
    extra={"stream_options": {"include_usage": True}},
)

_LLAMACPP = replace(
    PLAIN,
    name="llama.cpp",
    source="llama.cpp b11549: tools/server/*.cpp, tools/server/README.md",
    # `timings_per_token` counts exactly where a chunk holds several tokens: 246 bytes a chunk, and
    # 0.3 ms of reading per 1,000 of them (measured at b11549)
    extra={**PLAIN.extra, "return_progress": True, "timings_per_token": True},
    health_path="/health",  # server-http.cpp: open without a key
    sampling={
        **ALL_SAMPLING,
        "repeat_penalty": "repeat_penalty",
        "penalty_window": "repeat_last_n",  # the penalties look at 64 tokens unless told more
    },
    switch="kwargs",
    budget=("thinking_budget_tokens",),
    budget_message="reasoning_budget_message",
    control="reasoning_control",
    continuation="llamacpp",
    counting="llamacpp",
    since={
        # Sampled builds: the feature is in this one and not in the one sampled before.
        "thinking_budget_tokens": (8672,),
        "context": (9093,),
        "continue_final_message": (9294,),
        "reasoning_control": (9538,),
        "input_tokens": (9713,),
        "reasoning_budget_message": (10068,),
        "reasoning_effort": (10566,),
        "reasoning_preserved": (11063,),
    },
)

_VLLM = replace(
    PLAIN,
    name="vLLM",
    source="vLLM 0.33.0: entrypoints/*; docs/features/reasoning_outputs.md",
    # 0.33 takes `reasoning_content` too; 0.32, as run here, took this name alone
    reasoning_field="reasoning",
    # a chunk may hold several tokens: the count in each is exact
    extra={"stream_options": {"include_usage": True, "continuous_usage_stats": True}},
    health_path="/health",  # the front process answers while the engine works
    sampling={**ALL_SAMPLING, "repeat_penalty": "repetition_penalty"},
    switch="kwargs",
    budget=("thinking_token_budget",),
    budget_flag="--reasoning-parser",  # without it each request with a budget is a 400
    effort="reasoning_effort",  # gpt-oss is rendered without a template
    continuation="vllm",
    counting="vllm",
)

# Not warmed: a chat completion of one token ends behind the words to come, so it helps only where a
# prefix inside a prompt is found again. For the hybrid models of Qwen vLLM keeps states at the ends
# of large blocks alone (`mamba_cache_mode: align`), SGLang at the ends of prompts (`no_buffer`),
# mlx_lm where a whole prompt ended: as a rule it would be read twice. And they serve others, too.

_MLX = replace(
    PLAIN,
    name="mlx_lm.server",
    source="mlx-lm 0.32.2: mlx_lm/server.py",
    sampling={
        **ALL_SAMPLING,
        "repeat_penalty": "repetition_penalty",
        "penalty_window": "presence_context_size",  # 20 tokens unless told more
    },
    switch="kwargs",
)

_OLLAMA_SINCE: Mapping[str, Version] = {
    "tools_after_thinking": (0, 19, 0),
    "presence_penalty": (0, 30, 0),
}

QUIRKS: Mapping[str, Quirks] = {
    "generic": PLAIN,
    "llamacpp": replace(
        _LLAMACPP,
        # the default, but `--no-cache-prompt` turns it off (tools/server/README.md)
        extra={**_LLAMACPP.extra, "cache_prompt": True},
        model_name="ignored",  # server-context.cpp, single mode
        warming="llamacpp",  # measured at b11549; see `warming`
    ),
    # The router of llama.cpp: the same engine behind names that are checked
    # (tools/server/server-models.cpp). `/props?model=` may load a model: never asked.
    "llamacpp-router": replace(_LLAMACPP, name="llama.cpp router"),
    # Not warmed: what is read ahead there (`/completion` behind a name) was not measured, and a
    # name that is not loaded would load.
    # What stands behind it is a llama.cpp as a rule; beside chat completions it routes little.
    "llama-swap": replace(
        _LLAMACPP,
        name="llama-swap",
        source="llama-swap after v250 (2026-08-22): internal/server/api.go, README",
        continuation="",
        counting="",
        since={},
    ),
    # top_k and min_p are ignored at /v1; temperature and top_p are 1.0 when absent there.
    "ollama": replace(
        PLAIN,
        name="Ollama",
        source="Ollama 0.33.0-rc2: openai/openai.go, server/routes.go",
        reasoning_field="reasoning",  # `reasoning_content` is ignored
        health_path="/",
        switch="effort",
        continuation="ollama",
        warming="load",  # reading: it runs a llama-server, but its raw door is not routed
        since=_OLLAMA_SINCE,
    ),
    # Where a request must say how long a context it needs, which `/v1` does not take.
    "ollama-chat": Quirks(
        name="Ollama (/api/chat)",
        source="Ollama 0.33.2: api/types.go, server/routes.go, llm/llama_server.go",
        reasoning_field="thinking",
        # Unless both are said, a prompt that is too long loses its oldest messages, or its middle,
        # without a word; with both it is refused. Another `shift` loads the model anew.
        extra={"truncate": False, "shift": False},
        health_path="/",
        sampling={
            **{name: f"options.{name}" for name in (*ALL_SAMPLING, "repeat_penalty")},
            "penalty_window": "options.repeat_last_n",
        },
        max_tokens="options.num_predict",
        switch="think",
        continuation="ollama",
        chat_path="/api/chat",
        context="options.num_ctx",
        warming="load",  # see above
        since=_OLLAMA_SINCE,
    ),
    "lmstudio": replace(
        PLAIN,
        name="LM Studio",
        source="lmstudio-ai/docs 2026-04-29; bug tracker 1773, 1990, 2057, 2413",
        sampling={
            "temperature": "temperature",
            "top_p": "top_p",
            "top_k": "top_k",
            "presence_penalty": "presence_penalty",
            "repeat_penalty": "repeat_penalty",
        },
        switch="effort",  # `chat_template_kwargs` does not reach the template
    ),
    "vllm": _VLLM,
    "sglang": replace(
        _VLLM,
        name="SGLang",
        source="SGLang 0.5.23: entrypoints/http_server.py, entrypoints/openai/*",
        reasoning_field="reasoning_content",
        health_path="",  # `/health` generates a token while idle
        budget=("custom_params", "thinking_budget"),
        budget_flag="--enable-strict-thinking",
        continuation="sglang",
        counting="sglang",
    ),
    "mlx_lm": _MLX,  # emits `reasoning`, reads `reasoning_content`: the template's name
    "mlx-vlm": replace(
        _MLX,
        name="mlx-vlm",
        source="mlx-vlm 0.7.10: mlx_vlm/server/schemas.py",
        switch="request",
        budget=("thinking_budget",),
    ),
    "omlx": replace(
        PLAIN,
        name="oMLX",
        source="jundot/omlx: omlx/api/openai_models.py, omlx/server.py (2026, after 0.7)",
        sampling={**ALL_SAMPLING, "repeat_penalty": "repetition_penalty"},
        switch="kwargs",
        budget=("thinking_budget",),
    ),
    # presence_penalty is ignored; top_k, min_p and the like are refused with 422.
    "transformers": replace(
        PLAIN,
        name="transformers serve",
        source="transformers 5.23.0: cli/serving/chat_completion.py",
        reasoning_field="",  # history keeps role, content, tool_calls and tool_call_id
        sampling={"temperature": "temperature", "top_p": "top_p"},
        switch="kwargs",
    ),
    "llama-cpp-python": replace(
        PLAIN,
        name="llama-cpp-python",
        source="llama-cpp-python 0.3.36: llama_cpp/server/app.py, types.py",
        model_name="ignored",  # an unknown name gets the default model
        sampling={**ALL_SAMPLING, "repeat_penalty": "repeat_penalty"},
        counting="llama-cpp-python",
        separates=False,
        passes_calls=False,
    ),
    "nim": replace(
        PLAIN,
        name="NVIDIA NIM",
        source="NVIDIA NIM for LLMs docs, Thinking Budget Control",
        switch="kwargs",
        budget=("nvext", "max_thinking_tokens"),
        budget_flag="NIM_ENABLE_BUDGET_CONTROL=1",
    ),
    "dashscope": replace(
        PLAIN,
        name="DashScope",
        source="Alibaba Model Studio docs, Deep thinking (2026-10-29)",
        sampling={
            "temperature": "temperature",
            "top_p": "top_p",
            "top_k": "top_k",
            "presence_penalty": "presence_penalty",
        },
        switch="top",
        budget=("thinking_budget",),
        hosts=("dashscope*.aliyuncs.com",),
    ),
    "openrouter": replace(
        PLAIN,
        name="OpenRouter",
        source="OpenRouter docs, Parameters and Reasoning tokens",
        reasoning_field="reasoning",
        sampling={**ALL_SAMPLING, "repeat_penalty": "repetition_penalty"},
        switch="reasoning",
        budget=("reasoning", "max_tokens"),
        hosts=("openrouter.ai",),
    ),
}


OLLAMA = ("ollama", "ollama-chat")
"""One server, two doors."""


def since(kind: str, version: str, feature: str) -> bool:
    """Whether a server of this version has a feature of `Quirks.since`.

    True where no version is told (llama.cpp built from a tarball says `b0`): most are new.
    """
    told = parse_version(version)
    return not any(told) or told >= QUIRKS[kind].since.get(feature, ())


def of(kind: str, version: str) -> Quirks:
    """The row, less what this version is too old for: fields that it would ignore."""
    row = QUIRKS[kind]
    absent = {feature for feature in row.since if not since(kind, version, feature)}
    return replace(
        row,
        budget=() if absent.intersection(row.budget) else row.budget,
        budget_message="" if row.budget_message in absent else row.budget_message,
        control="" if row.control in absent else row.control,
        sampling={name: word for name, word in row.sampling.items() if name not in absent},
    )


def parse_version(text: str) -> Version:
    """The numbers in front: `b11549-1a2b3c` is (11549,), `0.33.0-rc2` is (0, 33, 0).

    Empty when there are none.
    """
    found = re.match(r"[bv]?(\d{1,9}(?:\.\d{1,9})*)", text)
    return tuple(map(int, found[1].split("."))) if found else ()
