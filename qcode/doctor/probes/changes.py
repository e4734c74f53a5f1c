"""What a person changes, by kind of server and by its version. Data, each row with its source.

Facts are of November 2026: the servers' sources and documents as `server/quirks.py` names them,
their issue trackers where a number stands.
"""

import re
from collections.abc import Mapping

from qcode.server.base import ServerFacts
from qcode.server.families import plain_name
from qcode.server.quirks import OLLAMA, QUIRKS, parse_version

_PARSERS: tuple[tuple[str, str, str], ...] = (
    # pattern of the model's name, parser of calls, parser of reasoning: as vLLM and SGLang say
    (r"qwen-?3-?coder|qwen-?3\.[5-9]", "qwen3_coder", "qwen3"),
    (r"qwen-?3|qwq", "hermes", "qwen3"),
    (r"qwen-?2\.5", "hermes", ""),
)
_SGLANG = {"hermes": "qwen25"}
_OWN = "the parser of your model (its card names it)"

_LLAMA_PARSER_BUILD = 10_566
"""The Qwen parser ends the thinking at `<tool_call>` from there on; absent in b10068."""
_OLLAMA_CALLS = (0, 19, 0)


def calls_parser(facts: ServerFacts) -> str:
    """For calls that come as text."""
    parser, _ = _parsers(facts)
    match facts.kind:
        case "vllm" | "nim":
            return f"Start vLLM with `--enable-auto-tool-choice --tool-call-parser {parser}`."
        case "sglang":
            name = _SGLANG.get(parser, parser)
            return f"Start SGLang with `--tool-call-parser {name}`."
        case "llamacpp" | "llamacpp-router" | "llama-swap":
            return _llama(facts, "start llama-server with `--jinja` and without `--chat-template`")
        case kind if kind in OLLAMA:
            return _ollama(facts)
        case _:
            return _CALLS.get(facts.kind, _ELSE)


_ELSE = "Look in the server's documents for its tool-call parser, and update it."
_CALLS: Mapping[str, str] = {
    "lmstudio": "Update LM Studio and its runtime (llama.cpp or MLX), and load a model that it "
    "marks with a hammer: other models' calls stay text.",
    "mlx_lm": "Update with `pip install -U mlx-lm`, and serve a conversion whose "
    "tokenizer_config.json has the model's own chat template.",
    "mlx-vlm": "Update with `pip install -U mlx-vlm`.",
    "omlx": "Update oMLX to 0.6.5 or newer.",
    "transformers": "Update with `pip install -U 'transformers[serving]'`.",
    "llama-cpp-python": "Start it with `--chat_format chatml-function-calling`, or take "
    "llama-server, which parses calls by the model's template.",
}


def calls_template(facts: ServerFacts) -> str:
    """For arguments that are no JSON."""
    parser, _ = _parsers(facts)
    if facts.kind in ("vllm", "nim", "sglang"):
        name = _SGLANG.get(parser, parser) if facts.kind == "sglang" else parser
        return (
            f"The parser does not fit the model: start with `--tool-call-parser {name}`, and with "
            "no other."
        )
    return calls_parser(facts)


def calls_in_thinking(facts: ServerFacts) -> str:
    """For calls that stay within the reasoning (`vllm#39056`, `lmstudio#1592`, `sglang` 0.5.23)."""
    match facts.kind:
        case "vllm" | "nim":
            parser, reasoning = _parsers(facts)
            return (
                "Update vLLM to 0.19 or newer, and start it with "
                f"`--reasoning-parser {reasoning or 'NAME'} --tool-call-parser {parser}`."
            )
        case "sglang":
            return "Update SGLang to 0.5.23 or newer."
        case "lmstudio":
            return (
                'Update LM Studio (its bug 1592); until then `thinking = "off"` below [agent] in '
                "qcode's settings (`qcode config path`) keeps calls out of the thinking."
            )
        case _:
            return calls_parser(facts)


def reasoning_parser(facts: ServerFacts) -> str:
    """For `<think>` in the text."""
    _, parser = _parsers(facts)
    match facts.kind:
        case "vllm" | "nim" | "sglang":
            return (
                f"Start {QUIRKS[facts.kind].name} with `--reasoning-parser {parser or 'NAME'}`"
                f"{'' if parser else ': ' + _OWN}."
            )
        case "llamacpp" | "llamacpp-router" | "llama-swap":
            return "Start llama-server with `--reasoning-format auto` instead of `none`."
        case "lmstudio":
            return (
                "Turn on `When applicable, separate reasoning_content and content in API "
                "responses` in LM Studio's settings (Developer)."
            )
        case kind if kind in OLLAMA:
            return _ollama(facts)
        case _:
            return _UPDATES.get(facts.kind, "Update the server, or look for its reasoning parser.")


_UPDATES: Mapping[str, str] = {
    "mlx_lm": "Update with `pip install -U mlx-lm`.",
    "mlx-vlm": "Update with `pip install -U mlx-vlm`.",
    "transformers": "Update with `pip install -U 'transformers[serving]'`.",
    "omlx": "Update oMLX.",
    "llama-cpp-python": "Take llama-server, which tells reasoning from text.",
}


def switch(facts: ServerFacts) -> str:
    """For thinking that does not go off."""
    match facts.kind:
        case "lmstudio":
            return (
                "Update LM Studio to 0.4.17 or newer, where `reasoning_effort: none` is heard; "
                "until then turn Enable Thinking off in the settings of the model there."
            )
        case kind if kind in OLLAMA:
            return f"{_ollama(facts)} `ollama show {facts.model}` must list `thinking`."
        case "llamacpp" | "llamacpp-router" | "llama-swap":
            return (
                "Start llama-server with the model's own template (no `--chat-template`; "
                "`--chat-template-file FILE` for a mended one): this one does not read "
                "enable_thinking."
            )
        case "vllm" | "nim" | "sglang":
            return (
                "Start the server without `--chat-template`: the template in use does not read "
                "enable_thinking, the model's own does."
            )
        case _:
            return _UPDATES.get(
                facts.kind, "Serve the model with a chat template that reads enable_thinking."
            )


def budget(facts: ServerFacts) -> str:
    """For a thinking budget that does not hold."""
    row = QUIRKS[facts.kind]
    if row.budget_flag:
        return f"Start {row.name} with {_flag(facts, row.budget_flag)}."
    if row.name.startswith("llama"):
        return (
            "Start llama-server with the model's own template and `--reasoning-format auto`: the "
            "budget holds only where it knows the tags of the thinking."
        )
    return _UPDATES.get(facts.kind, f"Update {row.name}.")


def _flag(facts: ServerFacts, flag: str) -> str:
    if flag.endswith("-parser"):
        return f"`{flag} {_parsers(facts)[1] or 'NAME'}`"
    return f"`{flag}`"


def sampling(facts: ServerFacts, name: str) -> str:
    """For a value that changes nothing."""
    version = parse_version(facts.version)
    match facts.kind:
        case kind if kind in OLLAMA:
            if version and version < (0, 30, 0):
                return "Update Ollama to 0.30 or newer: before it penalties were not applied."
            return f"Set it where it is heard: `PARAMETER {_plain(name)} VALUE` in a Modelfile."
        case "lmstudio":
            return (
                "Load the GGUF of the model: LM Studio's MLX engine applies no penalties "
                "(mlx-engine PR 319). Or set the value in the app, below the model's Inference."
            )
        case "llamacpp" | "llamacpp-router" | "llama-swap":
            return (
                "Start llama-server without `--samplers`: the list that it was given leaves "
                f"{_plain(name)} out."
            )
        case "vllm" | "nim" | "sglang":
            return f"Start the server without a logits processor of your own; then {name} is heard."
        case _:
            return _UPDATES.get(facts.kind, "Nothing can be changed here: qcode does without it.")


def schema(facts: ServerFacts) -> str:
    """For an answer that does not keep to its schema."""
    match facts.kind:
        case "vllm" | "nim":
            return "Start vLLM with `--structured-outputs-config.backend auto`, the default."
        case "sglang":
            return "Start SGLang with `--grammar-backend xgrammar`, the default."
        case "llamacpp" | "llamacpp-router" | "llama-swap":
            return _llama(facts, "start llama-server with `--jinja`")
        case "lmstudio":
            return "Update LM Studio; on MLX models it needs the mlx runtime with outlines."
        case kind if kind in OLLAMA:
            return "Update Ollama: `response_format` holds from 0.5 on."
        case _:
            return "qcode asks for values by a tool and does without."


def limit(facts: ServerFacts) -> str:
    """For an answer that does not end at its limit."""
    word = QUIRKS[facts.kind].max_tokens
    known = facts.kind not in ("generic", "llama-swap")
    behind = "" if known else " A proxy in front of it may drop the field."
    return f"Update the server: it does not honour `{word}`.{behind}"


def _parsers(facts: ServerFacts) -> tuple[str, str]:
    name = plain_name(facts.model)
    for pattern, calls, reasoning in _PARSERS:
        if re.search(pattern, name):
            return calls, reasoning
    return "NAME", ""


def _llama(facts: ServerFacts, start: str) -> str:
    build = parse_version(facts.version)
    if any(build) and build < (_LLAMA_PARSER_BUILD,):
        return f"Update llama.cpp from b{build[0]} to b{_LLAMA_PARSER_BUILD} or newer; and {start}."
    return f"{start[0].upper()}{start[1:]}."


def _ollama(facts: ServerFacts) -> str:
    version = parse_version(facts.version)
    if version and version < _OLLAMA_CALLS:
        return f"Update Ollama from {facts.version} to 0.19 or newer."
    return f"Pull the model again (`ollama pull {facts.model}`): its parser is named in the model."


def _plain(name: str) -> str:
    return {"repeat_penalty": "repeat_penalty", "penalty_window": "repeat_last_n"}.get(name, name)
