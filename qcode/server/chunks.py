"""One event of a stream, typed: the few fields that are read, of all the spellings there are."""

import json
from typing import Any, TypeVar

import msgspec

from qcode.protocol.text import well_formed
from qcode.server.failures import Unusable

T = TypeVar("T")


class Function(msgspec.Struct, gc=False):
    """Name and arguments of a call, or a piece of them."""

    name: str | None = None
    arguments: Any = None
    """A piece of JSON text; Ollama's own API sends an object."""


class CallPiece(msgspec.Struct, gc=False):
    """A piece of a tool call."""

    index: int | None = None
    id: str | None = None
    function: Function | None = None


class Delta(msgspec.Struct, gc=False):
    """What is new in the answer."""

    content: str | None = None
    reasoning_content: str | None = None
    reasoning: str | None = None
    """The name that vLLM, Ollama, mlx_lm and OpenRouter use."""
    thinking: str | None = None
    """The name in Ollama's own API."""
    tool_calls: list[CallPiece] | None = None


class Choice(msgspec.Struct, gc=False):
    """One of the answers; only the first is read."""

    index: int | None = 0
    delta: Delta | None = None
    message: Delta | None = None
    """A whole answer, from a server that did not stream."""
    finish_reason: str | None = None


class PromptDetails(msgspec.Struct, gc=False):
    """Part of the usage."""

    cached_tokens: int | None = None


class UsageBlock(msgspec.Struct, gc=False):
    """Tokens, as OpenAI's format counts them."""

    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    prompt_tokens_details: PromptDetails | None = None


class Timings(msgspec.Struct, gc=False):
    """llama.cpp's own figures (also mlx-vlm's)."""

    cache_n: int | None = None
    prompt_n: int | None = None
    prompt_per_second: float | None = None
    predicted_n: int | None = None
    predicted_per_second: float | None = None


class Progress(msgspec.Struct, gc=False):
    """llama.cpp's `return_progress`."""

    total: int = 0
    cache: int = 0
    processed: int = 0
    time_ms: float = 0.0


class Chunk(msgspec.Struct, gc=False):
    """One event."""

    choices: list[Choice] | None = None
    usage: UsageBlock | None = None
    timings: Timings | None = None
    prompt_progress: Progress | None = None
    error: Any = None
    object: Any = None
    """`"error"` in SGLang's flat errors."""
    message: Any = None
    """The words of a flat error."""


_FIGURES = frozenset({"usage", "timings", "prompt_progress"})
_DECODER = msgspec.json.Decoder(Chunk, strict=False)


def decode(payload: bytes) -> Chunk:
    """The event in `payload`; text in it is valid Unicode. Raises Unusable."""
    try:
        return decoded(payload, _DECODER)
    except Unusable:
        if payload.lstrip().startswith(b'{"error"'):  # transformers serve 5.23 escapes no quotes
            return Chunk(error=well_formed(payload.decode("utf-8", "replace")))
        raise


def decoded(payload: bytes, decoder: msgspec.json.Decoder[T]) -> T:
    """The same for another kind of event. Raises Unusable."""
    try:
        return decoder.decode(payload)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return _decode_slowly(payload, decoder)


def is_json_object(text: str) -> bool:
    """Whether `text` is one whole JSON object."""
    if not text.rstrip().endswith("}"):  # spares parsing a text that grows piece by piece
        return False
    try:
        return isinstance(json.loads(text), dict)
    except (ValueError, RecursionError):
        return False


def _decode_slowly(payload: bytes, decoder: msgspec.json.Decoder[T]) -> T:
    """For lone surrogates, invalid UTF-8 and raw control characters, which msgspec refuses."""
    try:
        loose = _mended(json.loads(payload.decode("utf-8", "replace"), strict=False))
        try:
            return msgspec.convert(loose, decoder.type, strict=False)
        except msgspec.ValidationError:  # a figure of a wrong type costs figures, not the answer
            return msgspec.convert(_without_figures(loose), decoder.type, strict=False)
    except (ValueError, RecursionError) as error:  # msgspec's ValidationError is a ValueError
        raise Unusable(f"an event is not what it should be ({error})") from error


def _without_figures(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    return {key: item for key, item in value.items() if key not in _FIGURES}


def _mended(value: Any) -> Any:
    match value:
        case str():
            return well_formed(value)
        case list():
            return [_mended(item) for item in value]
        case dict():
            return {well_formed(key): _mended(item) for key, item in value.items()}
        case _:
            return value
