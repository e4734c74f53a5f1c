"""Refusals that servers give in words of their own, and what a person does about each. Data.

Words from the sources of llama.cpp b11549, vLLM 0.33, SGLang 0.5.23, Ollama 0.33, LM Studio,
mlx-lm 0.32, transformers 5.23 (read in November 2026).
"""

import re
from typing import Literal

import msgspec

from qcode.protocol.errors import (
    BadAnswer,
    ImagesRefused,
    OutOfMemory,
    ServerError,
    TemplateRefused,
    ToolsRefused,
)


class Hint(msgspec.Struct, frozen=True):
    """One kind of refusal."""

    pattern: str
    """Compiled where it is used: a refusal is rare, and all of these are 2 ms of every start."""
    error: type[ServerError]
    what: str
    """A clause: what the server could not do."""
    advice: str
    """A sentence."""
    again: Literal["", "again"] = ""
    """Whether the same request may succeed."""

    def sentence(self, where: str, words: str) -> str:
        """The whole of it, with the server's own words."""
        told = f" ({words})" if words else ""
        return f"{where} {self.what}{told}. {self.advice}"


def _any(*patterns: str) -> str:
    return "(?is)" + "|".join(patterns)


HINTS: tuple[Hint, ...] = (
    Hint(
        _any(
            r"image input is not supported",
            r"not a multimodal model",
            r"(?:model|images?)\b.{0,80}(?:not|n't) support.{0,20}(?:images?|vision|multimodal)",
            r"missing data required for image input",
            r"at most 0 image",
        ),
        ImagesRefused,
        "takes no images",
        "Leave them out, load a model that sees, or give llama-server its projector (--mmproj).",
    ),
    Hint(
        _any(r"enable-auto-tool-choice", r"tool-call-parser"),
        ToolsRefused,
        "was started without tool calls",
        "Start it with `--enable-auto-tool-choice --tool-call-parser qwen3_coder` (SGLang: the "
        "second alone; another model: its own parser).",
    ),
    Hint(
        _any(r"requires? --jinja", r"tools? .{0,40}jinja flag"),
        ToolsRefused,
        "was started without tool calls",
        "Start llama-server with `--jinja`.",
    ),
    Hint(
        _any(r"does not support (?:tools|function)", r"tool (?:use|calling) is not supported"),
        ToolsRefused,
        "has a model that was not made for tool calls",
        "Choose another with `model` (Ollama: `ollama show NAME` lists `tools`).",
    ),
    Hint(
        _any(
            r"requires more (?:system )?memory",
            r"insufficient system resources",
            r"model loading was stopped due to",
        ),
        OutOfMemory,
        "has too little memory for the model",
        "Choose a smaller model or quant, or a shorter context.",
    ),
    Hint(
        _any(
            r"compute error",
            r"out of (?:device )?memory",
            r"outof(?:device|host)?memory",
            r"cuda error",
            r"failed to allocate",
            r"model runner has unexpectedly stopped",
            r"enginedeaderror|engine ?core encountered",
        ),
        OutOfMemory,
        "failed while computing",
        "As a rule its memory is full: look at its own output, load a smaller model or quant, or "
        "a shorter context (llama-server: -c, -ctk q8_0 -ctv q8_0).",
        again="again",
    ),
    Hint(
        _any(
            r"jinja",
            r"failed to (?:parse|apply) (?:chat )?(?:template|tools|messages)",
            r"failed to parse tool call arguments",
            r"chat template",
            r"conversation roles must alternate",
            r"system message must be at the beginning",
            r"no user query found",
        ),
        TemplateRefused,
        "cannot put this conversation into its chat template",
        "A newer download of the model often has a mended one; llama-server takes another with "
        "--chat-template-file. `qcode servers` tells what renders.",
    ),
    Hint(
        _any(r"unexpected fields"),
        BadAnswer,
        "refuses a field that qcode sent",
        "It may be another kind of server than it was taken for: see `qcode servers`.",
    ),
)


def find(raw: str) -> Hint | None:
    """The first that fits the words of a refusal."""
    return next((hint for hint in HINTS if re.search(hint.pattern, raw)), None)
