"""What a scripted server answers beside chat completions, by path.

The words are those of llama.cpp b11549; a generic server knows `/v1/models` and nothing else; an
Ollama's are in `ollama_words`.
"""

from dataclasses import dataclass
from typing import Any, Literal

import jinja2

from tests.support import ollama_words
from tests.support.http1 import Json
from tests.support.render import Style, render_request
from tests.support.script import Body, Received

Kind = Literal["llamacpp", "ollama", "generic"]

LOADING = {"error": {"message": "Loading model", "type": "unavailable_error", "code": 503}}


@dataclass(frozen=True, slots=True)
class About:
    """What a scripted server says of itself."""

    kind: Kind = "generic"
    model: str = "scripted-model"
    style: Style = "3.5"
    """Whose template `/apply-template` renders with."""
    context_tokens: int = 32768
    slots: int = 1
    build: str = "b11549"
    token_characters: int = 1
    """Of a rendered prompt, when it is counted."""


def answer(about: About, request: Received, *, running: int) -> tuple[int, Json]:
    """Status and body for anything but a chat completion."""
    route = request.method, request.path.partition("?")[0]
    if route == ("GET", "/v1/models"):
        return 200, {"object": "list", "data": [_model(about)]}
    if about.kind == "generic":
        return 404, "Not Found"
    if about.kind == "ollama":
        return ollama_words.answer(about.model, about.context_tokens, request)
    match route:
        case "GET", "/health" | "/v1/health":
            return 200, {"status": "ok"}
        case "GET", "/props":
            return 200, _props(about)
        case "GET", "/slots":
            return 200, [{"id": n, "is_processing": n < running} for n in range(about.slots)]
        case "POST", "/tokenize":  # one token a byte
            return 200, {"tokens": list(str(request.body["content"]).encode())}
        case "POST", "/detokenize":
            return 200, {"content": bytes(request.body["tokens"]).decode(errors="replace")}
        case "POST", "/apply-template":
            return _apply_template(about, request.body)
        case "POST", "/v1/chat/completions/input_tokens":
            status, told = _apply_template(about, request.body)
            return status, _counted(about, told) if status == 200 else told
    return 404, _error(404, "File Not Found", "not_found_error")


def _model(about: About) -> dict[str, Any]:
    if about.kind != "llamacpp":
        return {"id": about.model, "object": "model"}
    meta = {"n_ctx": about.context_tokens, "n_ctx_train": 262144}
    return {"id": about.model, "object": "model", "owned_by": "llamacpp", "meta": meta}


def _props(about: About) -> dict[str, Any]:
    return {
        "build_info": f"{about.build}-scripted",
        "total_slots": about.slots,
        "default_generation_settings": {"n_ctx": about.context_tokens},
        "modalities": {"vision": False, "audio": False},
        "is_sleeping": False,
    }


def _apply_template(about: About, body: Body) -> tuple[int, Json]:
    try:
        return 200, {"prompt": render_request(body, about.style)}
    except (jinja2.TemplateError, ValueError, TypeError) as error:
        return 500, _error(500, f"Jinja Exception: {error}", "server_error")


def _counted(about: About, told: Json) -> dict[str, Any]:
    prompt = str(told["prompt"]) if isinstance(told, dict) else ""
    tokens = len(prompt) // about.token_characters
    return {"object": "response.input_tokens", "input_tokens": tokens}


def _error(code: int, message: str, kind: str) -> dict[str, Any]:
    return {"error": {"code": code, "message": message, "type": kind}}
