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
from qcode.server import hints

# Compiled where they are used: a failure is rare, and all of these are 2 ms of every start.
_OVERFLOW = (
    r"(?i)exceed_context_size_error|exceeds the available context size|maximum context length"
    r"|(?:longer than|exceeds) the (?:model's )?context length|context_length_exceeded"
    r"|loaded with context length of only|range of input length should be"
    r"|context size has been exceeded|exceeds max context window"
)
_NO_MODEL = (
    r"(?is)model_not_found|no router for requested model"
    r"|models?\b.{0,200}?(?:not found|does not exist|not exist|is not available|not loaded)"
)
_LOADING = r"(?i)loading|starting|warming up|not ready|initiali[sz]ing"
_UNPARSED = r"(?i)does not match the expected .{0,40}format|failed to parse input at pos"
_HOPELESS = r"(?i)not_supported_error|template"
_PAGE = r"(?i)\s*(?:<!doctype html|<html|<head)"
_TITLE = r"(?is)<(title|h1)[^>]*>(?P<words>.*?)</\1>"
_LIMITS = (  # (prompt tokens, context tokens) as the groups say
    r"input \((?P<prompt>\d+) tokens\).{0,80}length \((?P<context>\d+) tokens\)",
    r"request \((?P<prompt>\d+) tokens\).{0,80}size \((?P<context>\d+) tokens\)",
    r"length (?:is|of) (?:only )?(?P<context>\d+) tokens.{0,200}?(?P<prompt>\d+) input",
    r"length (?:is|of) (?:only )?(?P<context>\d+)",
    r"input length should be \[\d+, ?(?P<context>\d+)\]",
)
_TRY_AGAIN = (408, 425, 429, 500, 502, 503, 504, 520, 521, 522, 524, 529)
_AWAY = (502, 504)
"""A gateway's word that nobody stands behind it."""
_BUSY = (429, 503, 529)
"""Nothing is wrong with the request: who tries later may have an answer."""


class Broken(Exception):
    """The request may succeed when it is sent again. `error` is raised when tries run out."""

    def __init__(self, because: str, error: ServerError, wait_seconds: float | None = None) -> None:
        super().__init__(because)
        self.because = because
        self.error = error
        self.wait_seconds = wait_seconds
        """As the server asked (`Retry-After`); None = it did not."""


class Busy(Broken):
    """The server is at work for others, and takes no more for now."""


class Away(Broken):
    """A gateway answers, and says that nobody stands behind it."""


class Lost(Broken):
    """The connection broke: the server may be another one when it is back."""


class Unreachable(Lost):
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
    def is_page(self) -> bool:
        """A page for browsers: a proxy or a web server gave it, no server of models."""
        return bool(re.match(_PAGE, self.raw))

    @property
    def is_unparsed_answer(self) -> bool:
        """llama.cpp could not parse what the model wrote; what it streamed may be whole."""
        return bool(re.search(_UNPARSED, self.raw))


def read_refusal(body: Any) -> Refusal:
    """The error in `body`: decoded JSON of any of the servers' shapes, or text."""
    error = body.get("error", body) if isinstance(body, dict) else body
    words = error
    if isinstance(error, dict):
        words = next((error[k] for k in ("message", "detail", "error") if error.get(k)), error)
    text = words if isinstance(words, str) else _dump(words)
    raw = _dump(body)
    prompt, context = _numbers(error, raw)
    if re.match(_PAGE, raw):
        found = re.search(_TITLE, raw)
        text = found["words"] if found else ""
    return Refusal(one_line(well_formed(text), 300), raw, prompt, context)


def read_body(body: bytes) -> Refusal:
    """The error in the body of an answer, JSON or not."""
    try:
        return read_refusal(msgspec.json.decode(body))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return read_refusal(body.decode("utf-8", "replace"))


def from_status(where: str, status: int, refusal: Refusal, retry_after: str = "") -> Exception:
    """What to raise for an HTTP status that is not 200."""
    if refusal.is_page or status == 407:
        error: ServerError = page(where, status, refusal.words)
        return _worth_another(status, f"a page ({status})", error, retry_after)
    told = f": {refusal.words}" if refusal.words else ""
    if status in (401, 403):
        return CredentialsRefused(
            f"{where} refused the API key ({status}{told}). Set the key of this server: qcode auth "
            f"set {where}, or export QCODE_API_KEY, or name a variable in server.api_key_env."
        )
    if status == 413 or re.search(_OVERFLOW, refusal.raw):
        return overflow(where, refusal)
    if status == 503 and re.search(_LOADING, refusal.raw):
        return Loading(refusal.words)
    if status not in _BUSY and (known := _known(where, refusal)):
        return known
    if status in (400, 404, 422) and re.search(_NO_MODEL, refusal.raw):
        return UnknownModel(f"{where} has no such model ({refusal.words.rstrip('.')}).")
    kind = ServerGone if status in (*_AWAY, *_BUSY) else BadAnswer
    error = kind(f"{where} answered with status {status}{told.rstrip('.')}.{_hint(status)}")
    if re.search(_HOPELESS, refusal.raw):
        return error
    return _worth_another(status, f"status {status}{told}", error, retry_after)


def from_stream(where: str, refusal: Refusal) -> Exception:
    """What to raise for an error object within a stream."""
    if re.search(_OVERFLOW, refusal.raw):
        return overflow(where, refusal)
    if not refusal.is_unparsed_answer:
        if known := _known(where, refusal):
            return known
        if re.search(_HOPELESS, refusal.raw):
            return _broke_off(where, refusal)
    because = refusal.words or "the server broke off its answer"
    return Broken(because, _broke_off(where, refusal))


def overflow(where: str, refusal: Refusal) -> ContextOverflow:
    """The prompt does not fit, with numbers where the server gave them."""
    prompt = f" ({refusal.prompt_tokens:,} tokens)" if refusal.prompt_tokens else ""
    context = f" ({refusal.context_tokens:,} tokens)" if refusal.context_tokens else ""
    error = ContextOverflow(
        f"The prompt{prompt} is longer than the context that {where} has loaded{context}. "
        "Send less, or start the server with a larger context (llama-server: -c)."
    )
    error.context_tokens = refusal.context_tokens
    return error


def lost(where: str, because: str, kind: str = "") -> ServerGone:
    """The connection broke within an answer, each time. `kind` of server, for its own habits."""
    habit = (
        " Ollama ends so when its runner failed or the model said one word 30 times: see its log."
        if kind.startswith("ollama")
        else ""
    )
    return ServerGone(
        f"{where} broke off its answer ({because}), again and again. "
        f"Look at the server's own output: it may have crashed or run out of memory.{habit}"
    )


def page(where: str, status: int, title: str) -> ServerError:
    """A page for browsers in place of an answer. `title` is the page's own."""
    kind = ServerGone if status in (*_AWAY, *_BUSY) else BadAnswer
    told = f", {title!r}" if title else ""
    return kind(
        f"A proxy or a web server answered at {where} with a page (status {status}{told}), and no "
        "server of models. Is base_url right? It usually ends in /v1. Behind a proxy, set NO_PROXY "
        "for this host, or look at the proxy."
    )


def gone(addresses: Sequence[str], because: str, remedy: str = "") -> ServerGone:
    """Nobody answers: names every address that was tried, and how to start a server, unless
    another `remedy` is known."""
    tried = ", ".join(addresses)
    usual = (
        "Start one: `qcode serve MODEL.gguf` (`qcode models` tells which fits here; `--gguf MODEL` "
        "starts it for one run), or `llama-server -m model.gguf --port 8080`. Or set base_url."
    )
    return ServerGone(f"No server answers at {tried} ({because}). {remedy or usual}")


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


def _known(where: str, refusal: Refusal) -> Exception | None:
    hint = hints.find(refusal.raw)
    if hint is None:
        return None
    error = hint.error(hint.sentence(where, refusal.words))
    return Broken(refusal.words, error) if hint.again else error


def _worth_another(status: int, because: str, error: ServerError, retry_after: str) -> Exception:
    """`error`, or what says that it may pass."""
    if status not in _TRY_AGAIN:
        return error
    kind = Busy if status in _BUSY else Away if status in _AWAY else Broken
    return kind(because, error, _seconds(retry_after))


def _broke_off(where: str, refusal: Refusal) -> BadAnswer:
    return BadAnswer(f"{where} broke off its answer: {refusal.words or 'no reason given'}.")


def _hint(status: int) -> str:
    if status in (404, 405):
        return " Is base_url right? It usually ends in /v1."
    if 300 <= status < 400:
        return " It sends us elsewhere: set base_url to that address."
    return " It failed inside: its own output tells why." if status in (500, 520) else ""


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
        if found := re.search(pattern, raw):
            named = found.groupdict()
            return _int(named.get("prompt")), _int(named.get("context"))
    return None, None


def _int(digits: str | None) -> int | None:
    return int(digits[:12]) if digits else None


def _dump(value: Any) -> str:
    if isinstance(value, str):
        return value[:20_000]
    try:
        return msgspec.json.encode(value).decode()[:20_000]
    except RecursionError:  # decoded where the stack was less deep
        return "an error too deep to be read"
