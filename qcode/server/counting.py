"""How many tokens a prompt is: the server's own count where it counts, else a running estimate.

Nothing here raises: who cannot be counted by the server gets None, and is estimated.
"""

from collections.abc import Callable, Mapping
from typing import Any

from qcode.protocol.events import Usage
from qcode.server import tokens
from qcode.server.ask import Asker, NoAnswer
from qcode.server.base import ServerFacts
from qcode.server.endpoint import root
from qcode.server.quirks import OLLAMA, QUIRKS, parse_version, since

Weigh = Callable[[str], float]

_LIMIT_SECONDS = 5.0

_OVERHEAD_TOKENS = 12
"""What a template puts around a message: marks, role, line ends, the opening of the answer."""

_MOST_CHARACTERS = 12
"""No prompt has so many in a token: code has 3 to 4, prose 5, and only rulers and blanks more."""
_LONG_CHARACTERS = 4_096
_SHORTFALL = 0.3
_SHORTFALL_TOKENS = 1_000
_TRUSTED_TOKENS = 20_000
"""So much text weighs in the calibration; what came before is forgotten bit by bit."""


async def count(asker: Asker, facts: ServerFacts, text: str) -> int | None:
    """Tokens of `text` by the server's own tokenizer; None = it does not count."""
    at, model = root(facts.base_url), {"model": facts.model}
    match QUIRKS[facts.kind].counting:
        case "llamacpp":
            body = {**model, "content": text, "add_special": False}
            return _length(await _post(asker, facts, f"{at}/tokenize", body))
        case "vllm" | "sglang":
            body = {**model, "prompt": text, "add_special_tokens": False}
            return _number(await _post(asker, facts, f"{at}/tokenize", body), "count")
        case "llama-cpp-python":
            body = {**model, "input": text}
            return _number(await _post(asker, facts, f"{at}/extras/tokenize/count", body), "count")
        case _:
            return None


async def count_request(asker: Asker, facts: ServerFacts, body: Mapping[str, Any]) -> int | None:
    """Tokens of the prompt that a chat request makes; None = the server does not say."""
    names = ("messages", "tools", "chat_template_kwargs", "reasoning_effort")
    asked = {"model": facts.model} | {name: body[name] for name in names if name in body}
    match QUIRKS[facts.kind].counting:
        case "llamacpp" if since(facts.kind, facts.version, "input_tokens"):
            url = f"{facts.base_url}/chat/completions/input_tokens"
            return _number(await _post(asker, facts, url, asked), "input_tokens")
        case "llamacpp":
            url = f"{root(facts.base_url)}/apply-template"
            prompt = (await _post(asker, facts, url, asked)).get("prompt")
            return await count(asker, facts, prompt) if isinstance(prompt, str) else None
        case "vllm" | "sglang":
            url = f"{root(facts.base_url)}/tokenize"
            return _number(await _post(asker, facts, url, asked), "count")
        case _:
            return None


def tells_all(kind: str, version: str) -> bool:
    """Whether `prompt_tokens` counts the whole prompt, what was in the cache too.

    Ollama before 0.30 told only what it had read anew.
    """
    told = parse_version(version)
    return kind not in OLLAMA or not any(told) or told >= (0, 30)


def truncated(prompt_characters: int, prompt_tokens_told: int | None, context: int | None) -> bool:
    """Whether a server must have cut a prompt: it counted fewer tokens than the text can be.

    By characters alone, so that nothing has to be known of the vocabulary; a prompt that was cut
    by half passes. Only for servers of which `tells_all` holds. `context` as told; None = unknown.
    """
    if not prompt_tokens_told or prompt_characters < _LONG_CHARACTERS:
        return False
    if context is not None and prompt_tokens_told > context:
        return False  # the context is not what was told
    return prompt_characters > _MOST_CHARACTERS * prompt_tokens_told


class Meter:
    """Tokens of the next prompt: what the last one was, the answer to it, and what is new.

    Before each request `estimate`, with all that is new in it; after each answer `take`. It learns
    by how much the server's count grew for the text that it had estimated. No I/O.
    """

    def __init__(self, weigh: Weigh = tokens.about) -> None:
        """`weigh`: tokens of a text before calibration. A prompt that grows by half in one step is
        told within 6 % by its looks, within 3 % by the table."""
        self._weigh = weigh
        self._weighed = "", 0.0
        """The text last estimated and what it weighs: it is asked about three times a step."""
        self._base = 0
        """Tokens of the last prompt and its answer, as the server counted them; 0 = none yet."""
        self._new = 0.0
        """Of the text last estimated, before calibration."""
        self._seen = 0
        """Of its pictures."""
        self._expected = 0
        self._factor, self._trust = 1.0, 0.0
        self.rate = 0.0
        """Characters of a token, over the last whole prompt; 0 = none was told yet."""

    @property
    def is_calibrated(self) -> bool:
        """Whether the server has counted a prompt."""
        return self._base > 0

    def estimate(self, new_text: str, *, messages: int = 1, seen: int = 0) -> int:
        """Tokens of the next prompt, `new_text` in `messages` being all that is new in it, but for
        pictures of about `seen` tokens."""
        if new_text != self._weighed[0]:
            self._weighed = new_text, self._weigh(new_text)
        self._new = self._weighed[1] + _OVERHEAD_TOKENS * messages
        self._seen = seen
        self._expected = self._base + self.new_tokens
        return self._expected

    @property
    def new_tokens(self) -> int:
        """Of what was last estimated, the part that no server has counted."""
        return round(self._factor * self._new) + self._seen

    def take(self, usage: Usage, characters: int) -> None:
        """An answer came: its usage, and the characters of its whole prompt."""
        if not usage.prompt_tokens:
            return
        self.rate = characters / usage.prompt_tokens
        self._learn(usage.prompt_tokens - self._base)
        self._base = usage.prompt_tokens + (usage.generated_tokens or 0)
        self._new, self._seen, self._weighed = 0.0, 0, ("", 0.0)

    def drop(self, text: str) -> None:
        """`text` was in the last prompt or its answer, and will not be in the next: reasoning
        that the server or its template leaves out."""
        self._base = max(round(self._base - self._factor * self._weigh(text)), 1)

    def change(self, weigh: Weigh) -> None:
        """From here on by this measure: `tokens.count` once the table is there."""
        if weigh is not self._weigh:
            self._weigh, self._new, self._weighed = weigh, 0.0, ("", 0.0)
            self._factor, self._trust = 1.0, 0.0

    def forget(self) -> None:
        """The prompt begins anew, after a compaction: the next `estimate` gets all of it."""
        self._base, self._new, self._seen = 0, 0.0, 0

    def falls_short(self, usage: Usage) -> bool:
        """Whether the server counted so much less than `estimate` said that it must have cut the
        prompt. Ask before `take`; False while nothing was counted before."""
        if not self._base or not usage.prompt_tokens or not self._new:
            return False
        missing = self._expected - usage.prompt_tokens
        return missing > _SHORTFALL_TOKENS and missing > _SHORTFALL * self._expected

    def _learn(self, grown: int) -> None:
        if self._new < 4 * _OVERHEAD_TOKENS or grown <= 0 or self._seen:
            return  # too little to tell, or pictures of whatever size
        ratio = min(max(grown / self._new, 0.2), 6.0)
        whole = self._trust + self._new
        self._factor = (self._factor * self._trust + ratio * self._new) / whole
        self._trust = min(whole, _TRUSTED_TOKENS)


async def _post(
    asker: Asker, facts: ServerFacts, url: str, body: Mapping[str, Any]
) -> dict[str, Any]:
    """The answer's fields; none when there is no answer, or a question would load the model."""
    if facts.loaded is False:
        return {}
    try:
        reply = await asker.post(url, body, _LIMIT_SECONDS)
    except NoAnswer:
        return {}
    return reply.fields if reply.status == 200 else {}


def _number(fields: Mapping[str, Any], name: str) -> int | None:
    value = fields.get(name)
    return value if isinstance(value, int) and value >= 0 else None


def _length(fields: Mapping[str, Any]) -> int | None:
    value = fields.get("tokens")
    return len(value) if isinstance(value, list) else None
