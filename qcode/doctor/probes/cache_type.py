"""In which numbers the cache is kept, as far as it is told; and that the sources disagree."""

from qcode.doctor.base import Finding, Measure, Result, Subject
from qcode.doctor.probes import started
from qcode.doctor.probes.advice import LLAMACPP

_COARSE = ("q4_0", "q4_1", "iq4_nl", "q5_0", "q5_1", "int4", "fp4")
_FINE = ("f32", "f16", "bf16", "auto", "float16", "bfloat16")
_DISAGREE = (
    "Field reports on Qwen 3.5 disagree: one says that only bf16 is right, two that q8_0 costs "
    "nothing; measured on Qwen3.6-35B-A3B, q8_0 chose the same token as f16 in 96.8 % of places"
)
_SOURCE = "defilantech/LLMKube 601; llama.cpp pull request 21038; field articles, early 2026"


class CacheType:
    """The flags of the server, where anybody tells them."""

    name = "cache type"
    label = "looking for the cache's type"

    def absent(self, subject: Subject) -> str:
        """Where it is nobody's choice."""
        known = (*LLAMACPP, "vllm", "sglang", "nim")
        return "" if subject.facts.kind in known else "the server does not tell its cache's type"

    def estimate(self, subject: Subject) -> float:
        """Questions alone."""
        return 0.5

    async def run(self, subject: Subject) -> Result:
        """Coarse ones are a fault; of the others it is said what is known."""
        types, where = await _types(subject)
        if not types:
            said = "the server does not tell in which numbers it keeps its cache; --deep measures "
            said += "whether that loses anything"
            return Result(probe=self.name, verdict="unclear", said=said)
        measured: dict[str, Measure] = {"keys": types[0], "values": types[1], "told_by": where}
        said = f"keys {types[0]}, values {types[1]} ({where})"
        if any(each in _COARSE for each in types):
            found = (_coarse(subject, types, where),)
            return Result(
                probe=self.name, verdict="fails", said=said, findings=found, measured=measured
            )
        notes = () if all(each in _FINE for each in types) else (_disputed(types, where),)
        return Result(
            probe=self.name, verdict="works", said=said, findings=notes, measured=measured
        )


async def _types(subject: Subject) -> tuple[tuple[str, str] | None, str]:
    match subject.facts.kind:
        case "vllm" | "nim":
            labels, _ = await started.metrics(subject, "vllm:cache_config_info")
            told = labels.get("cache_dtype")
            return ((told, told), "/metrics") if told else (None, "")
        case "sglang":
            dtype = (await started.settings(subject)).get("kv_cache_dtype")
            return ((dtype, dtype), "/server_info") if isinstance(dtype, str) else (None, "")
    words, where = await started.flags(subject)
    if not any("llama" in word for word in words[:2]):  # some other program in front of it
        return None, ""
    keys = started.value(words, "-ctk", "--cache-type-k", "LLAMA_ARG_CACHE_TYPE_K") or "f16"
    values = started.value(words, "-ctv", "--cache-type-v", "LLAMA_ARG_CACHE_TYPE_V") or "f16"
    return (keys, values), where


def _coarse(subject: Subject, types: tuple[str, str], where: str) -> Finding:
    flags = "`-ctk q8_0 -ctv q8_0`" if subject.facts.kind in LLAMACPP else "an 8-bit cache"
    return Finding(
        id="cache.coarse",
        weight="slow",
        title=f"The cache is kept in {types[0]} and {types[1]}, which is too coarse for code.",
        cost="Names and numbers that were read come back a little wrong: edits miss their place "
        "and are tried again. `qcode doctor --deep` measures it.",
        change=f"Start the server with {flags}, or with f16 where it fits.",
        evidence={"keys": types[0], "values": types[1], "told_by": where},
        source=_SOURCE,
    )


def _disputed(types: tuple[str, str], where: str) -> Finding:
    return Finding(
        id="cache.disputed",
        weight="note",
        title=f"The cache is kept in {types[0]} and {types[1]}, of which sources say opposite "
        "things.",
        cost=f"{_DISAGREE}.",
        change="Nothing for now: `qcode doctor --deep` measures whether it loses anything here.",
        evidence={"keys": types[0], "values": types[1], "told_by": where},
        source=_SOURCE,
    )
