"""Pictures: does the model see one that it is sent, or is it lost on the way."""

import base64
import random
import struct
import zlib
from collections.abc import Sequence
from typing import Any

from msgspec.structs import replace

from qcode.doctor.base import Finding, Result, Subject
from qcode.doctor.probes.asking import cost, excerpt, fails, has, question, unclear, works
from qcode.protocol.errors import ImagesRefused
from qcode.protocol.messages import Image, Text, UserMessage
from qcode.server import hints
from qcode.server.base import Request
from qcode.server.images import no_vision
from qcode.server.quirks import QUIRKS
from qcode.server.shape import wire_message
from qcode.server.sounding import Sounding

_COLOURS = {"red": (220, 20, 20), "green": (20, 160, 40), "blue": (20, 40, 220)}
_SIDE = 224
"""Pixels: some 50 tokens to Qwen, and no model takes less than a handful for it."""
_LEAST_TOKENS = 3
_ANSWER_TOKENS = 24
_ASKS = (
    "What colour is this picture? Answer with one word.",
    "Name the colour that fills the image. One word.",
)


class SightProbe:
    """One colour, to be named."""

    name = "vision"
    label = "a picture of one colour"

    def absent(self, subject: Subject) -> str:
        """Not where the server says that its model sees nothing."""
        return "the model takes no images" if subject.facts.vision is False else ""

    def estimate(self, subject: Subject) -> float:
        """A picture of some 50 tokens, more where the encoder runs on a CPU."""
        return cost(subject, 2, 8) + 2.0

    async def run(self, subject: Subject) -> Result:
        """Asked twice, in other words; then whether the picture was in the prompt at all."""
        colour = random.Random(subject.salt).choice(sorted(_COLOURS))
        image = picture(_COLOURS[colour])
        seen = Sounding()
        for words in _ASKS:
            seen = await subject.ask(_showing(subject, words, image))
            if has(seen.text, colour):
                return works(self.name, "the model saw the colour of a picture")
            if seen.error:
                break
        blind = await subject.ask(question(subject, words, _ANSWER_TOKENS))
        if seen.error:
            return _refused(subject, seen.error, blind)
        if _is_dropped(seen, blind):
            return fails(self.name, _dropped(subject, seen))
        return unclear(self.name, f"the model did not say {colour}")


def picture(colour: tuple[int, int, int]) -> Image:
    """A PNG of one colour."""
    row = b"\0" + bytes(colour) * _SIDE
    head = struct.pack(">IIBBBBB", _SIDE, _SIDE, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", head), (b"IDAT", zlib.compress(row * _SIDE, 9)), (b"IEND", b""))
    data = b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(*each) for each in chunks)
    return Image("image/png", base64.b64encode(data).decode("ascii"))


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def _showing(subject: Subject, words: str, image: Image) -> Request:
    plain = question(subject, words, _ANSWER_TOKENS)
    shown = wire_message(UserMessage((Text(words), image)), "after", "plain", "")
    messages: Sequence[dict[str, Any]] = [dict(plain.messages[0]), shown]
    return replace(plain, messages=messages)


def _refused(subject: Subject, error: str, blind: Sounding) -> Result:
    """By words that are known, or since the same question is answered without the picture."""
    hint = hints.find(error)
    if blind.error and (hint is None or hint.error is not ImagesRefused):
        return unclear(SightProbe.name, error)
    if subject.facts.vision is None:
        return unclear(SightProbe.name, "the model takes no images, and the server says so")
    return fails(
        SightProbe.name,
        Finding(
            id="sight.refused",
            weight="broken",
            title="The server says that its model sees, and refuses pictures.",
            cost="A session ends with the first picture in it.",
            change=_change(subject),
            evidence={"answer": excerpt(error)},
        ),
    )


def _is_dropped(seen: Sounding, blind: Sounding) -> bool:
    """Whether prompt and answer are the same without the picture."""
    if seen.prompt_tokens is None or blind.prompt_tokens is None:
        return False
    same = seen.text.strip() == blind.text.strip() != ""
    return same and 0 < seen.prompt_tokens < blind.prompt_tokens + _LEAST_TOKENS


def _dropped(subject: Subject, seen: Sounding) -> Finding:
    return Finding(
        id="sight.dropped",
        weight="broken" if subject.facts.vision else "note",
        title=f"{QUIRKS[subject.facts.kind].name} drops pictures without a word.",
        cost="The model answers questions about pictures that it has not seen.",
        change=_change(subject),
        evidence={"prompt_tokens": seen.prompt_tokens, "answer": excerpt(seen.text)},
    )


def _change(subject: Subject) -> str:
    """The clause of `images`, as a sentence."""
    told = str(no_vision(subject.facts)).partition(" takes no images: ")[2]
    missing = told.removesuffix(" Nothing was sent.")
    return f"{missing[:1].upper()}{missing[1:]}"
