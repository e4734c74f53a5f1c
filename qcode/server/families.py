"""How models differ, as data: the sampling that their makers recommend, and how they think.

Facts are of November 2026, beside each its source; "unconfirmed" = the maker's own words were not
read. `min_p` is sent as 0 to every model, since llama.cpp's own is 0.05.
"""

import re

from qcode.server.base import ServerFacts
from qcode.server.family import Family, Mode, Modes, Preset, Values


def _values(temperature: float, top_p: float, top_k: int = 0, presence: float = 0.0) -> Values:
    """`top_k` 0 = the maker names none, and none is sent: servers spell "all" in three ways."""
    values = {"temperature": temperature, "top_p": top_p, "presence_penalty": presence}
    return values | {"top_k": top_k, "min_p": 0.0} if top_k else values | {"min_p": 0.0}


def _modes(thinking: Values, coding: Values, instruct: Values, reasoning: Values) -> Modes:
    return Modes(thinking, coding, instruct, reasoning)


def _one(values: Values) -> Modes:
    """The maker names one set for all work."""
    return Modes(values, values, values, values)


_QWEN_CODING = _values(0.6, 0.95, 20)
_QWEN_THINKING = _values(1.0, 0.95, 20, 1.5)
_QWEN_CALM = _values(1.0, 0.95, 20)  # the same without the penalty
_QWEN_INSTRUCT = _values(0.7, 0.8, 20, 1.5)
_QWEN3_INSTRUCT = _values(0.7, 0.8, 20)
_CODER = {**_QWEN3_INSTRUCT, "repeat_penalty": 1.05}
_GLM_AGENT = _values(0.7, 1.0)
_GLM = _values(1.0, 0.95)
_GLM_KEEPS = {"clear_thinking": False}

FAMILIES: tuple[Family, ...] = (
    # Distilled into Qwen and Llama, and named after both: before all Qwen.
    Family(
        "DeepSeek-R1",
        r"deepseek-?r1",
        "model card of DeepSeek-R1 (0.5 to 0.7 recommended; as quoted by others, unconfirmed)",
        _one(_values(0.6, 0.95)),
        thinks="always",
        opens=True,
    ),
    Family(
        "Qwen3-Coder-Next",
        r"qwen-?3-?coder-?next",
        "model card of Qwen3-Coder-Next",
        _one(_values(1.0, 0.95, 40)),
        thinks="never",
        xml=True,
    ),
    Family(
        "Qwen3-Coder",
        r"qwen-?3-?coder",
        "model card of Qwen3-Coder-30B-A3B",
        _one(_CODER),
        thinks="never",
        xml=True,
    ),
    Family(
        "Qwen3.8",
        r"qwen-?3\.8",
        "model card of Qwen3.8-27B; its template, rendered: effort stands in the system text",
        _modes(_QWEN_CALM, _QWEN_CALM, _QWEN_INSTRUCT, _QWEN_INSTRUCT),
        levels=("low", "medium", "xhigh"),
        frozen=True,
        opens=True,
        closes="field",
        xml=True,
    ),
    Family(
        "Qwen3.6-27B",  # differs from the 35B's card in the penalty while thinking
        r"qwen-?3\.6.*\b27b",
        "model card of Qwen3.6-27B",
        _modes(_QWEN_CALM, _QWEN_CODING, _QWEN_INSTRUCT, _QWEN_INSTRUCT),
        opens=True,
        xml=True,
    ),
    Family(
        "Qwen3.6",
        r"qwen-?3\.6",
        "model card of Qwen3.6-35B-A3B",
        _modes(_QWEN_THINKING, _QWEN_CODING, _QWEN_INSTRUCT, _QWEN_INSTRUCT),
        opens=True,
        xml=True,
    ),
    Family(
        "Qwen3.5 small",  # cards differ in the last mode
        r"qwen-?3\.5.*-(0\.8|2|4|9)b\b",
        "model card of Qwen3.5-4B",
        _modes(_QWEN_THINKING, _QWEN_CODING, _QWEN_INSTRUCT, _QWEN_THINKING),
        xml=True,
    ),
    Family(
        "Qwen3.5",
        r"qwen-?3\.5",
        "model cards of Qwen3.5-122B-A10B, 35B-A3B and 27B",
        _modes(_QWEN_THINKING, _QWEN_CODING, _QWEN_INSTRUCT, _values(1.0, 1.0, 40, 2.0)),
        opens=True,
        xml=True,
    ),
    Family(
        "Qwen3 Thinking",
        r"qwen-?3(?![.\d]).*thinking|qwq",
        "model card of Qwen3-30B-A3B-Thinking-2507 (as quoted by others, unconfirmed)",
        _one(_QWEN_CODING),
        thinks="always",
        opens=True,
    ),
    Family(
        "Qwen3 Instruct",
        r"qwen-?3(?![.\d]).*instruct",
        "model card of Qwen3-30B-A3B-Instruct-2507; Qwen docs, quickstart: it never thinks",
        _one(_QWEN3_INSTRUCT),
        thinks="never",
    ),
    Family(
        "Qwen3",
        r"qwen-?3(?![.\d])",
        "model card of Qwen3-32B, best practices",
        _modes(_QWEN_CODING, _QWEN_CODING, _QWEN3_INSTRUCT, _QWEN3_INSTRUCT),
    ),
    Family(
        "Qwen2.5",
        r"qwen-?2\.5",
        "generation_config of Qwen2.5-Coder-32B-Instruct (unconfirmed)",
        _one(_CODER),
        thinks="never",
    ),
    Family(
        "gpt-oss",
        r"gpt-?oss",
        "OpenAI's README of gpt-oss, as quoted in Together's docs; template: `Reasoning: LEVEL`",
        _one(_values(1.0, 1.0)),
        thinks="levels",
        levels=("low", "medium", "high"),
        frozen=True,
        closes="",
    ),
    Family(
        "GLM-5.3",
        r"glm-?5\.3",
        "template of GLM-5.3: effort low, high or max at its head, no switch; values unconfirmed",
        _one(_GLM),
        thinks="levels",
        keeps=_GLM_KEEPS,
        levels=("low", "high", "high"),
        frozen=True,
    ),
    Family(
        "GLM-4.7 to 5.2",
        r"glm-?(4\.[789]|5)",
        "Z.ai's recommendation for GLM-4.7 in Unsloth's docs; docs.z.ai, Thinking Mode",
        _modes(_GLM, _GLM_AGENT, _GLM, _GLM),
        keeps=_GLM_KEEPS,
    ),
    Family(
        "GLM-4.5 and 4.6",
        r"glm-?4\.[56]",
        "card of GLM-4.7, section on GLM-4.5 to 4.7; template: `/nothink` behind every question",
        _modes(_GLM, _values(1.0, 0.95, 40), _GLM, _GLM),
        frozen=True,
    ),
    Family(
        "Gemma 4",
        r"gemma-?4",
        "Google's recommendation in Unsloth's docs; template: `<|think|>` heads the system text",
        _one(_values(1.0, 0.95, 64)),
        frozen=True,
        closes="",
    ),
    Family(
        "Gemma 3",
        r"gemma-?3",
        "Gemma team's values (as quoted by others, unconfirmed)",
        _one(_values(1.0, 0.95, 64)),
        thinks="never",
    ),
    Family(
        "DeepSeek-V4",
        r"deepseek-?v4",
        "vLLM recipes, DeepSeek-V4-Pro",
        _one(_values(1.0, 1.0)),
        switch="thinking",
    ),
    Family(
        "DeepSeek-V3",  # 3.1 and 3.2 think when asked; the first V3 has no such keyword
        r"deepseek-?v3",
        "model card of DeepSeek-V3.2",
        _one(_values(1.0, 0.95)),
        switch="thinking",
    ),
    Family(
        "Magistral",
        r"magistral",
        "model card of Magistral-Small-2506",
        _one(_values(0.7, 0.95)),
        thinks="always",
        closes="",
    ),
    Family(
        "Devstral",
        r"devstral",
        "model card of Devstral-Small-2507 (as quoted by others, unconfirmed); it never thinks",
        _one(_values(0.15, 1.0)),
        thinks="never",
    ),
    Family(
        "Mistral",
        r"mistral|ministral|codestral",
        "model card of Mistral-Small-3.2 (as quoted by others, unconfirmed)",
        _one(_values(0.15, 1.0)),
        thinks="never",
    ),
)

GENERIC = Family(
    "generic",
    "",
    # Said openly, because servers' defaults range from greedy (mlx_lm) to 1.0 (Ollama's /v1).
    "qcode, for a model that it does not know",
    _one(_values(0.7, 0.95)),
    thinks="unknown",
)


def family(model: str) -> Family:
    """The first family whose pattern is in the name, else the generic one."""
    whole = plain_name(model)
    for name in (whole.rpartition("/")[2], whole):  # the end of a path says more than its folders
        for row in FAMILIES:
            if re.search(row.pattern, name):
                return row
    return GENERIC


def family_of(facts: ServerFacts) -> Family:
    """That of the model which answers. Some servers take any name: where it says nothing, that of
    the one model they list does."""
    found = family(facts.model)
    return family(facts.models[0]) if found is GENERIC and len(facts.models) == 1 else found


def plain_name(model: str) -> str:
    """A name as the patterns expect it: file names, repository ids and Ollama's tags alike.

    >>> plain_name("unsloth/Qwen3.6-35B-A3B-GGUF:UD-Q4_K_XL")
    'unsloth/qwen3.6-35b-a3b-gguf-ud-q4-k-xl'
    """
    return re.sub(r"[\s_:]+", "-", model.lower().replace("\\", "/"))


def mode(preset: Preset, thinking_budget: int) -> Mode:
    """Which of the published values hold. Without thinking, code is general work."""
    if thinking_budget > 0:
        return "thinking_coding" if preset == "coding" else "thinking_general"
    return "instruct_reasoning" if preset == "reasoning" else "instruct_general"


def sampling(model: str, wanted: Mode) -> Values:
    """The values to send for a model in a mode."""
    return family(model).modes.of(wanted)
