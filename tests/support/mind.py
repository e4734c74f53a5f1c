"""A model of a few ideas behind a server of some kind: it reads a request and does what it says.

It repeats words, counts, keeps words by a tool, names the colour of a picture, thinks when it may,
and its sampling follows temperature, cut-offs, penalties and seed. A token is a word with the
blanks before it. Faults are the server's, unless the mind is `absent`: then it says something else
altogether, whatever it is asked, as models do.
"""

import base64
import json
import random
import re
import struct
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from tests.support.script import Body, Call, Pace, Reply, Usage

Fault = Literal[
    "tools_refused",
    "heat_refused",
    "calls_as_text",
    "calls_in_thinking",
    "calls_joined",
    "one_call_unless_told",
    "arguments_broken",
    "schema_ignored",
    "schema_on_thinking",
    "switch_ignored",
    "thinking_in_text",
    "filed_as_thinking",
    "budget_ignored",
    "budget_refused",
    "min_p_ignored",
    "top_k_ignored",
    "presence_ignored",
    "repeat_ignored",
    "limit_ignored",
    "cut_unsaid",
    "cut_thinking_unsaid",
    "image_dropped",
    "image_refused",
    "tax",
]
Presence = Literal["here", "absent", "echo", "scribe"]
"""absent: says one thing, whatever it is asked; echo: says what it was told; scribe: does as it is
told, and writes its calls as it likes."""

LETTERS = "abcdefghijklmnopqrstuvwxyz"
NOISE = ("qel", "ovu", "Zim", "//", "tor", "9x", "})", "hent", "wuk", "->")
NONSENSE = "The harbour was quiet that morning, and nobody had yet thought of the lighthouse."
IMAGE_TOKENS = 49
COINED = re.compile(r"\b(?:ba|ke|li|mo|nu|ra|se|ti|vo|zu|dan|fer|gol){4,}\b")
"""The words that the questions make up."""
_NO_PARSER = (
    '"auto" tool choice requires --enable-auto-tool-choice and --tool-call-parser to be set'
)
_NO_IMAGES = "image input is not supported - hint: if this is unexpected, you may need mmproj"


@dataclass(frozen=True, slots=True)
class Wish:
    """A request, whatever the words of its server."""

    text: str
    image: bytes = b""
    tool: str = ""
    thinks: bool = False
    budget: int | None = None
    schema: Mapping[str, Any] | None = None
    values: Mapping[str, float] = field(default_factory=dict)
    max_tokens: int | None = None
    size: int = 0
    """Characters of all messages."""

    @property
    def words(self) -> list[str]:
        """The words that no language has, in their order."""
        return COINED.findall(self.text)


@dataclass(frozen=True, slots=True)
class Mind:
    """Answers a body. The same body gives the same answer."""

    kind: str
    faults: frozenset[Fault] = frozenset()
    presence: Presence = "here"
    thinker: bool = True

    def __call__(self, body: Body) -> Reply:
        wish = self._read(body)
        if wish.tool and "tools_refused" in self.faults:
            return _refusal(_NO_PARSER)
        if "heat_refused" in self.faults and wish.values.get("temperature", 0) > 2:
            return _refusal("temperature must be in [0, 2]")
        if wish.image and "image_refused" in self.faults:
            return Reply(status=500, body=_error(_NO_IMAGES))
        if "budget_refused" in self.faults and wish.budget is not None:
            return _refusal("thinking_token_budget is set but --reasoning-parser is not configured")
        reply = self._cut(wish, *self._answer(wish))
        if "tax" in self.faults and body.get("stream") is False:
            told = reply.usage or Usage(1, 1)
            engine = replace(told, read_seconds=0.05, write_seconds=0.1)
            return replace(reply, usage=engine, pace=Pace(wait_seconds=0.7))
        return reply

    def _read(self, body: Body) -> Wish:
        options = body.get("options") or body
        last = body["messages"][-1]
        text, image = _content(last)
        if "image_dropped" in self.faults:
            image = b""
        tools = body.get("tools") or ()
        return Wish(
            text,
            image,
            tools[0]["function"]["name"] if tools else "",
            self.thinker and ("switch_ignored" in self.faults or _is_on(body)),
            _budget(body),
            _schema(body),
            {name: value for name, value in options.items() if isinstance(value, int | float)},
            options.get("num_predict", body.get("max_tokens")),
            sum(len(_content(message)[0]) for message in body["messages"]),
        )

    def _answer(self, wish: Wish) -> tuple[str, str, list[Call]]:
        """Reasoning, text and calls."""
        thought = self._thought(wish)
        if wish.schema and "schema_ignored" not in self.faults:
            made = json.dumps(_made(wish.schema))
            return (made, "", []) if "schema_on_thinking" in self.faults else (thought, made, [])
        if self.presence in ("absent", "echo"):
            return thought, NONSENSE if self.presence == "absent" else wish.text, []
        if wish.tool and self.presence == "scribe":
            return thought, "\n".join(map(_json, wish.words)), []
        if wish.tool:
            return self._called(wish, thought)
        if thought and "thinking_in_text" in self.faults:
            return "", f"<think>\n{thought}\n</think>\n\n{self._said(wish)}", []
        if not thought and "filed_as_thinking" in self.faults:
            return self._said(wish), "", []
        return thought, self._said(wish), []

    def _thought(self, wish: Wish) -> str:
        if not wish.thinks:
            return ""
        if self.presence in ("absent", "echo"):
            return NONSENSE if self.presence == "absent" else wish.text
        named = " ".join(wish.words)
        short = f"I am asked about {named}. I look at it once, and then I answer."
        long = "List every|Add up|at length"
        pieces = _pieces(" ".join(f"{n} is looked at;" for n in range(150)))
        if not re.search(long, wish.text):
            return short
        if wish.budget is not None and "budget_ignored" not in self.faults:
            pieces = pieces[: wish.budget]
        return "".join(pieces)

    def _called(self, wish: Wish, thought: str) -> tuple[str, str, list[Call]]:
        words = wish.words
        if re.search("longer|more", wish.text):
            words = [max(words, key=len)]
        if not re.search("twice|both", wish.text) or self._is_single(wish):
            words = words[:1]
        written = "\n".join(_xml(wish.tool, each) for each in words)
        if "calls_as_text" in self.faults:
            return thought, written, []
        if thought and "calls_in_thinking" in self.faults:
            return f"{thought}\n{written}", "", []
        if "arguments_broken" in self.faults:
            return thought, "", [Call(wish.tool, f"{{'word': {each}") for each in words]
        if "calls_joined" in self.faults and len(words) > 1:
            joined = "".join(json.dumps({"word": each}) for each in words)
            return thought, "", [Call(wish.tool, joined)]
        return thought, "", [Call(wish.tool, {"word": each}) for each in words]

    def _is_single(self, wish: Wish) -> bool:
        return "one_call_unless_told" in self.faults and "parallel_tool_calls" not in wish.values

    def _said(self, wish: Wish) -> str:
        if wish.image:
            return _colour(wish.image)
        if re.search("colou?r", wish.text):
            return "I see no picture."
        if "random letters" in wish.text:
            return " ".join(self._letters(wish))
        if re.search("Count from|the numbers", wish.text):
            return "\n".join(map(str, range(1, 101)))
        if re.search("Repeat|brackets", wish.text):
            return self._sampled(wish, wish.words)
        return f"{' '.join(wish.words)}: 4"

    def _sampled(self, wish: Wish, words: Iterable[str]) -> str:
        """The words, unless it is hot and nothing narrows the choice."""
        narrow = (wish.values.get("min_p") == 1 and "min_p_ignored" not in self.faults) or (
            wish.values.get("top_k") == 1 and "top_k_ignored" not in self.faults
        )
        if wish.values.get("temperature", 0) < 2 or narrow:
            return " ".join(words)
        chance = random.Random(str(wish.values.get("seed")))
        return " ".join(chance.choices(NOISE, k=40))

    def _letters(self, wish: Wish) -> list[str]:
        """By the seed; a penalty halves the chance of what was said."""
        penalised = (
            wish.values.get("presence_penalty", 0) > 0 and "presence_ignored" not in self.faults
        ) or (
            max(wish.values.get("repeat_penalty", 1), wish.values.get("repetition_penalty", 1)) > 1
            and "repeat_ignored" not in self.faults
        )
        chance, said = random.Random(str(wish.values.get("seed"))), list[str]()
        for _ in range(60):
            weights = [0.1 if penalised and letter in said else 1.0 for letter in LETTERS]
            said += chance.choices(LETTERS, weights)
        return said

    def _cut(self, wish: Wish, thought: str, text: str, calls: list[Call]) -> Reply:
        reasoning, words = _pieces(thought), _pieces(text)
        most = wish.max_tokens or 10_000
        whole = len(reasoning) + len(words)
        is_cut = whole > most and "limit_ignored" not in self.faults
        unsaid = "cut_unsaid" in self.faults or (
            "cut_thinking_unsaid" in self.faults and len(reasoning) > most
        )
        if is_cut:
            reasoning = reasoning[:most]
            words, calls = words[: most - len(reasoning)], []
        prompt = wish.size // 4 + (IMAGE_TOKENS if wish.image else 0) + (200 if wish.tool else 0)
        return Reply(
            text="".join(words),
            reasoning="".join(reasoning),
            calls=tuple(calls),
            finish="length" if is_cut and not unsaid else "",
            usage=Usage(prompt, min(whole, most) if is_cut else whole),
        )


def count(text: str) -> int:
    """Tokens of a text."""
    return len(_pieces(text))


def _pieces(text: str) -> list[str]:
    return re.findall(r"\s*\S+", text)


def _content(message: Mapping[str, Any]) -> tuple[str, bytes]:
    """Text and picture, by OpenAI's parts or Ollama's."""
    content = message.get("content") or ""
    urls = list(message.get("images") or ())
    if not isinstance(content, str):
        urls += [p["image_url"]["url"] for p in content if p["type"] == "image_url"]
        content = "".join(part["text"] for part in content if part["type"] == "text")
    return content, base64.b64decode(urls[0].rpartition(",")[2]) if urls else b""


def _is_on(body: Body) -> bool:
    """By any server's word for it; on where there is none."""
    if body.get("reasoning_effort") == "none" or body.get("think") is False:
        return False
    kwargs: Mapping[str, Any] = body.get("chat_template_kwargs") or {}
    return kwargs.get("enable_thinking") is not False


def _budget(body: Body) -> int | None:
    deep = (body.get("custom_params") or {}).get("thinking_budget")
    told = body.get("thinking_budget_tokens", body.get("thinking_token_budget", deep))
    return told if isinstance(told, int) else None


def _schema(body: Body) -> Mapping[str, Any] | None:
    if isinstance(own := body.get("format"), dict):
        return own
    wished = (body.get("response_format") or {}).get("json_schema") or {}
    found = wished.get("schema")
    return found if isinstance(found, dict) else None


def _made(schema: Mapping[str, Any]) -> dict[str, str]:
    return {name: rule["enum"][0] for name, rule in schema["properties"].items()}


def _xml(tool: str, word: str) -> str:
    return (
        f"<tool_call>\n<function={tool}>\n<parameter=word>\n{word}\n</parameter>\n</function>\n"
        "</tool_call>"
    )


def _json(word: str) -> str:
    return json.dumps({"name": "keep_word", "arguments": {"word": word}})


def _colour(png: bytes) -> str:
    """The name of the first pixel's strongest colour."""
    at = png.index(b"IDAT")
    (size,) = struct.unpack(">I", png[at - 4 : at])
    pixel = zlib.decompress(png[at + 4 : at + 4 + size])[1:4]
    return f"{('Red', 'Green', 'Blue')[pixel.index(max(pixel))]}."


def _refusal(message: str) -> Reply:
    return Reply(status=400, body=_error(message))


def _error(message: str) -> dict[str, Any]:
    return {"error": {"message": message, "type": "BadRequestError", "code": 400}}
