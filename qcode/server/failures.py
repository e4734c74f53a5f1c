"""What went wrong, as one of three: worth another try, worth waiting for, or final.

Status codes, error bodies and exceptions come in; sentences for people go out. The texts that
servers use are from their sources: llama.cpp b11549, vLLM 0.33, SGLang 0.5.23, LM Studio,
Ollama 0.33, llama-swap 250 (read in November 2026).
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from qcode.protocol.errors import (
    BadAnswer,
    ContextOverflow,
    CredentialsRefused,
    ServerError,
    ServerGone,
    UnknownModel,
)
from qcode.protocol.text import one_line, well_formed

_OVERFLOW = re.compile(
    r"exceed_context_size_error|exceeds the available context size|maximum context length"
    r"|longer than the (?:model's )?context length|context_length_exceeded"
    r"|loaded with context length of only|range of input length should be"
    r"|context size has been exceeded|exceeds max context window",
    re.IGNORECASE,
)
_NO_MODEL = re.compile(
    r"model_not_found|no router for requested model"
    r"|models?\b.{0,200}?(?:not found|does not exist|not exist|is not available|not loaded)",
    re.IGNORECASE | re.DOTALL,
)
_LOADING = re.compile(r"loading|starting|warming up|not ready|initiali[sz]ing", re.IGNORECASE)
_UNPARSED = re.compile(
    r"does not match the expected .{0,40}format|failed to parse input at pos", re.IGNORECASE
)
_HOPELESS = re.compile(
    r"jinja|failed to parse (?:tools|messages|tool call)|input is not supported"
    r"|not_supported_error|template",
    re.IGNORECASE,
)
_LIMITS = (  # (prompt tokens, context tokens) as the groups say
    re.compile(r"input \((?P<prompt>\d+) tokens\).{0,80}length \((?P<context>\d+) tokens\)"),
    re.compile(r"request \((?P<prompt>\d+) tokens\).{0,80}size \((?P<context>\d+) tokens\)"),
    re.compile(r"length (?:is|of) (?:only )?(?P<context>\d+) tokens.{0,200}?(?P<prompt>\d+) input"),
    re.compile(r"length (?:is|of) (?:only )?(?P<context>\d+)"),
    re.compile(r"input length should be \[\d+, ?(?P<context>\d+)\]"),
)
_TRY_AGAIN = (408, 425, 429, 500, 502, 503, 504, 520, 521, 522, 524, 529)
_BUSY = (429, 502, 503, 504, 529)
"""Nothing is wrong with the request: who tries later may have an answer."""


class Broken(Exception):
    """The request may succeed when it is sent again. `error` is raised when tries run out."""

    def __init__(self, because: str, error: ServerError, wait_seconds: float | None = None) -> None:
        super().__init__(because)
        self.because = because
        self.error = error
        self.wait_seconds = wait_seconds
        """As the server asked (`Retry-After`); None = it did not."""


class Unreachable(Broken):
    """Nobody listens at the address: no connection came about."""


class Loading(Exception):
    """The server is up; its model is not loaded yet."""


class Unusable(Exception):
    """The answer breaks a rule that no retry mends; the text is a clause."""


class Cut(Exception):
    """The stream ended before the answer did; the text is a clause."""


@dataclass(frozen=True, slots=True)
class Refusal(Exception):
    """An error object, from a body or from within a stream."""

    words: str
    """The server's own, on one line, cut."""
    raw: str
    """All of it, to be searched."""
    prompt_tokens: int | None = None
    context_tokens: int | None = None

    @property
    def is_unparsed_answer(self) -> bool:
        """llama.cpp could not parse what the model wrote; what it streamed may be whole."""
        return bool(_UNPARSED.search(self.raw))


def read_refusal(body: Any) -> Refusal:
    """The error in `body`: decoded JSON of any of the servers' shapes, or text."""
    error = body.get("error", body) if isinstance(body, dict) else body
    words = error
    if isinstance(error, dict):
        words = next((error[k] for k in ("message", "detail", "error") if error.get(k)), error)
    text = words if isinstance(words, str) else _dump(words)
    raw = _dump(body)
    prompt, context = _numbers(error, raw)
    return Refusal(one_line(well_formed(text), 300), raw, prompt, context)


def read_body(body: bytes) -> Refusal:
    """The error in the body of an answer, JSON or not."""
    try:
        return read_refusal(msgspec.json.decode(body))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return read_refusal(body.decode("utf-8", "replace"))


def from_status(where: str, status: int, refusal: Refusal, retry_after: str = "") -> Exception:
    """What to raise for an HTTP status that is not 200."""
    told = f": {refusal.words}" if refusal.words else ""
    if status in (401, 403):
        return CredentialsRefused(
            f"{where} refused the API key ({status}{told}). Set the key of this server: "
            "export QCODE_API_KEY, or name a variable that holds it in server.api_key_env."
        )
    if status == 413 or _OVERFLOW.search(refusal.raw):
        return overflow(where, refusal)
    if status in (400, 404, 422) and _NO_MODEL.search(refusal.raw):
        return UnknownModel(f"{where} has no such model ({refusal.words}).")
    if status == 503 and _LOADING.search(refusal.raw):
        return Loading(refusal.words)
    kind = ServerGone if status in _BUSY else BadAnswer
    error = kind(f"{where} answered with status {status}{told}.{_hint(status)}")
    if status in _TRY_AGAIN and not _HOPELESS.search(refusal.raw):
        return Broken(f"status {status}{told}", error, _seconds(retry_after))
    return error


def from_stream(where: str, refusal: Refusal) -> Exception:
    """What to raise for an error object within a stream."""
    if _OVERFLOW.search(refusal.raw):
        return overflow(where, refusal)
    error = BadAnswer(f"{where} broke off its answer: {refusal.words or 'no reason given'}.")
    if _HOPELESS.search(refusal.raw) and not refusal.is_unparsed_answer:
        return error
    return Broken(refusal.words or "the server broke off its answer", error)


def overflow(where: str, refusal: Refusal) -> ContextOverflow:
    """The prompt does not fit, with numbers where the server gave them."""
    prompt = f" ({refusal.prompt_tokens:,} tokens)" if refusal.prompt_tokens else ""
    context = f" ({refusal.context_tokens:,} tokens)" if refusal.context_tokens else ""
    return ContextOverflow(
        f"The prompt{prompt} is longer than the context that {where} has loaded{context}. "
        "Send less, or start the server with a larger context (llama-server: -c)."
    )


def gone(addresses: Sequence[str], because: str) -> ServerGone:
    """Nobody answers: names every address that was tried, and how to start a server."""
    tried = ", ".join(addresses)
    return ServerGone(
        f"No server answers at {tried} ({because}). "
        "Start one, for example `llama-server -m model.gguf --port 8080`, or set base_url."
    )


def no_listing(where: str, status: int) -> UnknownModel:
    """Something answers there, but not as a server of models does."""
    return UnknownModel(
        f"{where} lists no models (status {status} at /models). Is base_url right? It usually "
        "ends in /v1. Set `model` too if this server lists none."
    )


def unknown_model(where: str, name: str, models: Sequence[str]) -> UnknownModel:
    """The server has no model of this name; those it has are listed."""
    listed = ", ".join(one_line(model, 80) for model in models[:20])
    more = f" and {len(models) - 20} more" if len(models) > 20 else ""
    known = f"It has: {listed}{more}." if models else "It lists none."
    return UnknownModel(f"{where} has no model {name!r}. {known} Set `model` to one of its names.")


def _hint(status: int) -> str:
    if status in (404, 405):
        return " Is base_url right? It usually ends in /v1."
    if 300 <= status < 400:
        return " It sends us elsewhere: set base_url to that address."
    return ""


def _seconds(retry_after: str) -> float | None:
    try:
        return min(max(0.0, float(retry_after)), 60.0)  # in this order `nan` is 0
    except ValueError:  # absent, or a date
        return None


def _numbers(error: Any, raw: str) -> tuple[int | None, int | None]:
    if isinstance(error, dict):
        prompt, context = error.get("n_prompt_tokens"), error.get("n_ctx")
        if isinstance(prompt, int) and isinstance(context, int):
            return prompt, context
    for pattern in _LIMITS:
        if found := pattern.search(raw):
            named = found.groupdict()
            return _int(named.get("prompt")), _int(named.get("context"))
    return None, None


def _int(digits: str | None) -> int | None:
    return int(digits[:12]) if digits else None


def _dump(value: Any) -> str:
    if isinstance(value, str):
        return value[:20_000]
    return msgspec.json.encode(value).decode()[:20_000]
