"""Where the chat template of a llama.cpp comes from: the model's file, or whoever started it.

The server tells the path of the file and the text that it prints by, not which of the two that is.
Where the file lies on this machine it is looked into; nothing but its head is read.
"""

import mmap
import struct
from pathlib import Path
from typing import Literal

from qcode.doctor.base import Subject
from qcode.doctor.probes import started
from qcode.doctor.probes.memory import is_here
from qcode.doctor.probes.templates import digest

Origin = Literal["the file", "a flag", "a stand-in", "unknown"]
"""`a flag` = the file has another one; `a stand-in` = the file has none."""

_KEY = b"tokenizer.chat_template"
_HEAD_BYTES = 64 * 2**20
"""What is told of a model stands before its weights: 6 to 11 MB with a vocabulary of 250,000."""
_TEXT = 8
"""GGUF's number for the type of a text (ggml, docs/gguf.md)."""
_MOST_BYTES = 2**20
_FLAGS = ("--chat-template", "--chat-template-file")


async def origin(subject: Subject, source: str) -> Origin:
    """Of the template with this text, as `/props` tells it."""
    own = _own(subject)
    if own is None:
        words, _ = await started.flags(subject)
        return "a flag" if started.value(words, *_FLAGS) else "unknown"
    if not own:
        return "a stand-in"
    return "the file" if digest(own) == digest(source) else "a flag"


def _own(subject: Subject) -> str | None:
    path = subject.props.get("model_path")
    if not isinstance(path, str) or not path or not is_here(subject.facts.base_url):
        return None
    return template_of(Path(path))


def template_of(file: Path) -> str | None:
    """The template in a GGUF; empty = it has none, None = it cannot be read. Never raises."""
    try:
        with (
            file.open("rb") as opened,
            mmap.mmap(
                opened.fileno(), min(file.stat().st_size, _HEAD_BYTES), access=mmap.ACCESS_READ
            ) as head,
        ):
            return _template_in(head) if head[:4] == b"GGUF" else None
    except (OSError, ValueError, struct.error):  # an empty file cannot be mapped; one that is cut
        return None


def _template_in(head: mmap.mmap) -> str:
    """A variant has the key with a dot and its name behind it, and another length before it."""
    at = head.find(struct.pack("<Q", len(_KEY)) + _KEY)
    if at < 0:
        return ""
    kind, size = struct.unpack_from("<IQ", head, at + 8 + len(_KEY))
    if kind != _TEXT or size > _MOST_BYTES:
        return ""
    begin = at + 8 + len(_KEY) + 12
    return head[begin : begin + size].decode(errors="replace")
