"""The content of a host's user message -> a prompt."""

import base64
import binascii
from collections.abc import Iterator
from typing import Any

from qcode.protocol.inputs import Prompt
from qcode.protocol.messages import Image
from qcode.protocol.text import well_formed

PICTURES = frozenset({"image/png", "image/jpeg", "image/webp", "image/gif"})


class Unusable(Exception):
    """A message says nothing that can be taken up. `str(error)` is the sentence."""


def said(line: dict[str, Any]) -> Prompt:
    """What the message says. Raises Unusable."""
    message = line.get("message")
    content = message.get("content") if isinstance(message, dict) else None
    if isinstance(content, str):
        content = [{"type": "text", "text": content}]
    if not isinstance(content, list):
        raise Unusable("A user message needs `message.content`: text, or a list of blocks.")
    text = "\n".join(_texts(content))
    images = tuple(_images(content))
    if not text.strip() and not images:
        raise Unusable("A user message is empty.")
    return Prompt(well_formed(text), images)


def _texts(content: list[Any]) -> Iterator[str]:
    for block in content:
        if not isinstance(block, dict):
            raise Unusable("A block of a user message is no object.")
        match block.get("type"):
            case "text":
                yield str(block.get("text", ""))
            case "image":
                continue
            case other:
                raise Unusable(f"A block of the type {other!r} cannot be part of a prompt.")


def _images(content: list[Any]) -> Iterator[Image]:
    for block in content:
        if block.get("type") != "image":
            continue
        source = block.get("source")
        if not isinstance(source, dict) or source.get("type") != "base64":
            raise Unusable("An image must come inline: a `source` of the type base64.")
        kind, data = str(source.get("media_type", "")), str(source.get("data", ""))
        if kind not in PICTURES:
            raise Unusable(f"Images may be {', '.join(sorted(PICTURES))}; this one is {kind!r}.")
        try:
            base64.b64decode(data, validate=True)
        except (binascii.Error, ValueError) as error:
            raise Unusable(f"An image is not base64 ({error}).") from error
        yield Image(kind, data)
