"""A layout as flags of llama-server, in the spelling of the build, each with its reason."""

from collections.abc import Iterator

from qcode.serve.base import Engine, Flag, Machine, ModelFile
from qcode.serve.builds import has
from qcode.serve.decided import Decided
from qcode.serve.needs import DRAFTED, KV_SHARE, Layout
from qcode.serve.placing import COMFORT
from qcode.serve.room import MIB

_KV_SOURCE = "LLMKube #601: +0.09 % perplexity on 35B-A3B; llama.cpp PR 21038"
_EXPERTS_SOURCE = "RTX 5080 16 GB, 35B-A3B Q4_K_M: 70 tok/s by hand, 65 by fit"
_MTP_SOURCE = "llama.cpp PR 22673; reported in July 2026: 27B +75 to 79 %, 35B-A3B +31 to 43 %"
_CHECKPOINT_SOURCE = "llama.cpp b11549, tools/server/server-context.cpp"
_CARD = "Qwen3.5 and 3.6 model cards"
_QWEN = ("qwen35", "qwen35moe")
"""Architectures whose card has sampling values for coding."""


def flags(found: Decided) -> tuple[Flag, ...]:
    """In the order in which a person reads them."""
    model, engine, layout = found.model, found.engine, found.layout
    return (
        *_context(found),
        *_placing(found),
        *_cache(engine, layout),
        *_going_back(found),
        *_template(model, engine),
        *_drafting(layout),
        *_vision(model, layout),
        *_sampling(model),
        *_watching(found.slot_folder),
        *_sleeping(found.sleep_seconds),
    )


def _context(found: Decided) -> Iterator[Flag]:
    model, layout, factor = found.model, found.layout, found.yarn_factor
    tokens = layout.context_tokens
    yield Flag("--ctx-size", str(tokens), f"{tokens:,} tokens{_of_trained(found)}")
    if factor > 1:
        source = f"{_CARD}: YaRN to 1,010,000; factor as small as the length allows"
        why = f"stretches positions {factor:g} times, at every length"
        yield Flag("--rope-scaling", "yarn", why, source)
        yield Flag("--rope-scale", f"{factor:g}", why, source)
        yield Flag("--yarn-orig-ctx", str(model.trained_tokens), "what it is stretched from", _CARD)
    if layout.slots == 1:
        yield Flag("--parallel", "1", "one conversation at a time keeps the whole cache to itself")
        return
    yield Flag("--parallel", str(layout.slots), "conversations at once")
    yield Flag(
        "--kv-unified",
        "",
        "they share one pool, so each may be as long as the context; without it each has a part",
        "llama.cpp b11549, tools/server/README.md",
    )


def _of_trained(found: Decided) -> str:
    tokens, trained = found.layout.context_tokens, found.model.trained_tokens
    if not trained or tokens >= trained:
        return ", all that it was trained for" if tokens == trained else ""
    of = f" of {trained:,} that it was trained for"
    if found.is_asked:
        return f"{of}, as asked for"
    if not found.layout.is_on_gpu:
        return f"{of}; the processor reads slowly, so more is for --context to ask"
    return f"{of}; {'more does not fit' if tokens < COMFORT else 'more is for --context to ask'}"


def _placing(found: Decided) -> Iterator[Flag]:
    machine, layout = found.machine, found.layout
    if not layout.is_on_gpu:
        yield from _threads(machine, "all of the model is computed by the processor")
        return
    if not has(found.engine.build, "fit"):
        yield from _by_hand(found.model, layout)
    if layout.expert_layers_off or layout.layers_off:
        yield from _threads(machine, "a part of the model is computed by the processor")


def _threads(machine: Machine, why: str) -> Iterator[Flag]:
    yield Flag("--threads", str(machine.cores), f"{why}: one thread for each physical core")


def _by_hand(model: ModelFile, layout: Layout) -> Iterator[Flag]:
    """For builds that do not fit the model to the memory themselves."""
    on_gpu = model.layers - layout.layers_off
    number = str(on_gpu) if layout.layers_off else "999"
    yield Flag("--n-gpu-layers", number, "this build does not fit the model to the GPU by itself")
    if layout.expert_layers_off:
        why = "experts of so many layers stay in the system's memory, the rest is on the GPU"
        yield Flag("--n-cpu-moe", str(layout.expert_layers_off), why, _EXPERTS_SOURCE)


def _cache(engine: Engine, layout: Layout) -> Iterator[Flag]:
    if layout.kv_type != "f16":
        share = KV_SHARE[layout.kv_type]
        why = "asked for"
        if layout.kv_type == "q8_0":
            why = f"takes {share:.0%} of f16, for which there is no room at this length"
        yield Flag("--cache-type-k", layout.kv_type, why, _KV_SOURCE)
        yield Flag("--cache-type-v", layout.kv_type, why, _KV_SOURCE)
    if not has(engine.build, "flash_attn_value"):
        yield Flag("--flash-attn", "", "a switch in this build, and off without it")
    elif layout.kv_type == "q8_0":
        yield Flag("--flash-attn", "on", "a quantised cache of values needs it")


def _going_back(found: Decided) -> Iterator[Flag]:
    if not has(found.engine.build, "ctx_checkpoints"):
        return
    if found.model.state_bytes:
        yield Flag(
            "--ctx-checkpoints",
            str(found.checkpoints),
            "the model has a running state that cannot be cut: without a kept one, each change "
            "behind is read again from the first token",
            _CHECKPOINT_SOURCE,
        )
    mib = found.cache_ram_bytes // MIB
    why = "MiB for conversations that lost their slot; one that comes back is not read again"
    none = "no memory is left to keep conversations that lost their slot"
    yield Flag("--cache-ram", str(mib), why if mib else none, _CHECKPOINT_SOURCE)


def _template(model: ModelFile, engine: Engine) -> Iterator[Flag]:
    yield Flag("--jinja", "", "the model's own chat template: tool calls need it")
    if not has(engine.build, "fit"):
        yield Flag("--reasoning-format", "deepseek", "thinking comes apart from the answer")
    if "preserve_thinking" not in model.template:
        return
    why = "thinking of earlier turns stays in the prompt, so that it only grows"
    if not has(engine.build, "reasoning_preserve"):
        value = '{"preserve_thinking":true}'
        yield Flag("--chat-template-kwargs", value, why, "Qwen3.6 model card")
    elif not has(engine.build, "reasoning_preserved_by_default"):
        yield Flag("--reasoning-preserve", "", why, "llama.cpp from b10068; default from b11063")


def _drafting(layout: Layout) -> Iterator[Flag]:
    if layout.mtp:
        why = (
            "the model's own head guesses ahead, and writes faster for it; in one report a changed "
            "end of the prompt was read anew for it: qcode doctor measures both"
        )
        yield Flag("--spec-type", "draft-mtp", why, _MTP_SOURCE)
        yield Flag("--spec-draft-n-max", str(DRAFTED), "tokens ahead", _MTP_SOURCE)


def _vision(model: ModelFile, layout: Layout) -> Iterator[Flag]:
    if layout.vision and model.projector:
        yield Flag("--mmproj", str(model.projector.absolute()), "asked for: it sees images")
    else:
        why = "text alone: no memory for eyes, and a checkpoint at every point of the prompt"
        yield Flag("--no-mmproj", "", why, _CHECKPOINT_SOURCE)


def _sampling(model: ModelFile) -> Iterator[Flag]:
    """For programs that send none; qcode sends its own."""
    if model.architecture in _QWEN:
        values = {"--temp": "0.6", "--top-p": "0.95", "--top-k": "20", "--min-p": "0"}
        for name, value in values.items():
            yield Flag(name, value, "thinking, precise coding; for programs that send none", _CARD)


def _watching(slot_folder: str) -> Iterator[Flag]:
    yield Flag("--metrics", "", "rates and lengths for qcode doctor and bench")
    yield Flag("--slots", "", "shows what each conversation keeps")
    if slot_folder:
        why = "a conversation is saved at its end and goes on later without being read again"
        yield Flag("--slot-save-path", slot_folder, why)


def _sleeping(seconds: int) -> Iterator[Flag]:
    if seconds:
        why = "without a request for so long it lets go of the memory (serve.sleep_minutes)"
        yield Flag("--sleep-idle-seconds", str(seconds), why)
