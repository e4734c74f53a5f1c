"""Flags of `llama-server` as fields of xllamacpp's `CommonParams`, which go by other names.

Fields as in xllamacpp 2026.10.11549; flags as in llama.cpp's `common/arg.cpp` at that build.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

Setter = Callable[[Any, str], None]


def apply(params: Any, flags: Sequence[tuple[str, str]]) -> tuple[str, ...]:
    """Set what `flags` say; returns the names of those that have no counterpart.

    Raises ValueError for a value that is none.
    """
    unknown = []
    for name, value in flags:
        if setter := SETTERS.get(name):
            setter(params, value)
        else:
            unknown.append(name)
    return tuple(unknown)


def _field(path: str, kind: Callable[[str], Any], params: Any, value: str) -> None:
    *way, last = path.split(".")
    for step in way:
        params = getattr(params, step)
    setattr(params, last, kind(value))


def _is(path: str, means: Any, params: Any, _: str) -> None:
    """A switch."""
    _field(path, lambda _: means, params, "")


def _number(path: str) -> Setter:
    return partial(_field, path, int)


def _fraction(path: str) -> Setter:
    return partial(_field, path, float)


def _text(path: str) -> Setter:
    return partial(_field, path, str)


def _switch(path: str, *, means: Any = True) -> Setter:
    return partial(_is, path, means)


def _word(path: str) -> Setter:
    """`on` or `off`; a bare switch is on."""
    return partial(_field, path, lambda value: value in ("on", "", "1", "true"))


def _one_of(path: str, prefix: str) -> Setter:
    """A member of the enumeration that the field has: `q8_0` -> GGML_TYPE_Q8_0."""

    def set_it(params: Any, value: str) -> None:
        *way, last = path.split(".")
        for step in way:
            params = getattr(params, step)
        kind = type(getattr(params, last))
        name = f"{prefix}{value.upper().replace('-', '_')}"
        if name not in kind.__members__:
            raise ValueError(f"{value!r} is none of {', '.join(kind.__members__)}")
        setattr(params, last, kind.__members__[name])

    return set_it


def _attention(params: Any, value: str) -> None:
    kind = type(params.flash_attn_type)
    word = {"on": "ENABLED", "": "ENABLED", "off": "DISABLED"}.get(value, "AUTO")
    params.flash_attn_type = kind.__members__[f"LLAMA_FLASH_ATTN_TYPE_{word}"]


def _experts(layers: str) -> str:
    """Experts of the first so many layers stay in the system's memory."""
    return ",".join(
        rf"blk\.{layer}\.ffn_(up|down|gate|gate_up)_(ch|)exps=CPU" for layer in range(int(layers))
    )


def _kwargs(params: Any, value: str) -> None:
    """JSON; each value of the field is JSON of its own."""
    said: dict[str, Any] = json.loads(value)
    held = dict(params.default_template_kwargs)
    params.default_template_kwargs = held | {key: json.dumps(it) for key, it in said.items()}


def _preserve(params: Any, _: str) -> None:
    _kwargs(params, '{"preserve_thinking": true}')


def _layers(params: Any, value: str) -> None:
    params.n_gpu_layers = {"auto": -1, "all": -2}.get(value) or int(value)


def _speculative(params: Any, value: str) -> None:
    import xllamacpp  # noqa: PLC0415 - only the engine's own process has it

    kinds = xllamacpp.common_speculative_type.__members__
    names = [
        f"COMMON_SPECULATIVE_TYPE_{word.upper().replace('-', '_')}" for word in value.split(",")
    ]
    params.speculative.types = [kinds[name] for name in names]
    params.load_mtp = "draft-mtp" in value.split(",")


SETTERS: Mapping[str, Setter] = {
    "--ctx-size": _number("n_ctx"),
    "--parallel": _number("n_parallel"),
    "--threads": _number("cpuparams.n_threads"),
    "--threads-batch": _number("cpuparams_batch.n_threads"),
    "--threads-http": _number("n_threads_http"),
    "--batch-size": _number("n_batch"),
    "--ubatch-size": _number("n_ubatch"),
    "--predict": _number("n_predict"),
    "--gpu-layers": _layers,
    "--n-gpu-layers": _layers,
    "--cpu-moe": _switch(
        "tensor_buft_overrides", means=r"\.ffn_(up|down|gate|gate_up)_(ch|)exps=CPU"
    ),
    "--n-cpu-moe": partial(_field, "tensor_buft_overrides", _experts),
    "--override-tensor": _text("tensor_buft_overrides"),
    "--fit": _word("fit_params"),
    "--flash-attn": _attention,
    "--cache-type-k": _one_of("cache_type_k", "GGML_TYPE_"),
    "--cache-type-v": _one_of("cache_type_v", "GGML_TYPE_"),
    "--cache-ram": _number("cache_ram_mib"),
    "--cache-reuse": _number("n_cache_reuse"),
    "--ctx-checkpoints": _number("n_ctx_checkpoints"),
    "--checkpoint-min-step": _number("checkpoint_min_step"),
    "--kv-unified": _switch("kv_unified"),
    "--no-kv-unified": _switch("kv_unified", means=False),
    "--swa-full": _switch("swa_full"),
    "--jinja": _switch("use_jinja"),
    "--chat-template": _text("chat_template"),
    "--chat-template-file": partial(
        _field, "chat_template", lambda value: Path(value).read_text(encoding="utf-8")
    ),
    "--chat-template-kwargs": _kwargs,
    "--reasoning-preserve": _preserve,
    "--reasoning-format": _one_of("reasoning_format", "COMMON_REASONING_FORMAT_"),
    "--reasoning-budget": _number("sampling.reasoning_budget_tokens"),
    "--rope-scaling": _one_of("rope_scaling_type", "LLAMA_ROPE_SCALING_TYPE_"),
    "--rope-scale": partial(_field, "rope_freq_scale", lambda value: 1.0 / float(value)),
    "--rope-freq-base": _fraction("rope_freq_base"),
    "--yarn-orig-ctx": _number("yarn_orig_ctx"),
    "--mmproj": _text("mmproj.path"),
    "--no-mmproj": _switch("no_mmproj"),
    "--metrics": _switch("endpoint_metrics"),
    "--props": _switch("endpoint_props"),
    "--slots": _switch("endpoint_slots"),
    "--no-slots": _switch("endpoint_slots", means=False),
    "--slot-save-path": _text("slot_save_path"),
    "--sleep-idle-seconds": _number("sleep_idle_seconds"),
    "--spec-type": _speculative,
    "--spec-draft-n-max": _number("speculative.draft.n_max"),
    "--spec-draft-n-min": _number("speculative.draft.n_min"),
    "--spec-draft-p-min": _fraction("speculative.draft.p_min"),
    "--temp": _fraction("sampling.temp"),
    "--top-p": _fraction("sampling.top_p"),
    "--top-k": _number("sampling.top_k"),
    "--min-p": _fraction("sampling.min_p"),
    "--presence-penalty": _fraction("sampling.penalty_present"),
    "--repeat-penalty": _fraction("sampling.penalty_repeat"),
    "--timeout": partial(_field, "timeout_read", int),
    "--no-warmup": _switch("warmup", means=False),
    "--no-ui": _switch("ui", means=False),
    "--no-webui": _switch("ui", means=False),
    "--no-context-shift": _switch("ctx_shift", means=False),
}
"""Long name of a flag -> what it sets."""
