"""A picture file -> a part of a message. Its bytes go out as they are: they are part of the prefix.

The kind is told by the first bytes, never by the name. What a server lacks that takes none is data.
"""

import base64
from collections.abc import Iterable, Mapping
from pathlib import Path

from qcode.protocol.errors import InputError
from qcode.protocol.messages import Image, Message
from qcode.protocol.text import one_line
from qcode.server.base import ServerFacts
from qcode.server.quirks import OLLAMA, QUIRKS

LARGEST_BYTES = 10 * 1024 * 1024
"""Of one file. It is sent again with every request of the session, a third longer in base64."""

_HEAD_BYTES = 12
_KINDS = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
)

_OLLAMA = "`ollama show MODEL` lists no vision among its capabilities: pull one that has it"

_MISSING: Mapping[str, str] = {
    "llamacpp": "llama-server runs without a projector: start it with --mmproj FILE (with -hf it "
    "comes along unless --no-mmproj is said)",
    "llamacpp-router": "this model's preset has no projector: add mmproj = FILE to it",
    "llama-swap": "its configuration does not say that the model sees: add --mmproj FILE to its "
    "cmd and capabilities: {in: [text, image]}",
    **dict.fromkeys(OLLAMA, _OLLAMA),
    "lmstudio": "load a model that LM Studio marks with Vision",
    "vllm": "serve a model that sees",
    "sglang": "serve a model that sees",
    "mlx_lm": "mlx_lm.server reads text alone: serve the model with mlx-vlm",
    "llama-cpp-python": "start it with --clip_model_path FILE and the chat format of the model",
}
"""Kind of server -> what is missing, as a clause."""


def load_image(path: Path) -> Image:
    """The picture in a file. Raises InputError."""
    try:
        data = _read(path)
    except OSError as error:
        why = error.strerror or str(error)
        raise InputError(
            f"The image {path} cannot be read ({why}). Name a picture file."
        ) from error
    if len(data) > LARGEST_BYTES:
        raise InputError(
            f"The image {path} is larger than {LARGEST_BYTES // 2**20} MB, and it would be sent "
            "with every request. Scale it down; most models see no more than 2,000 pixels."
        )
    return Image(_media_type(path, data), base64.b64encode(data).decode("ascii"))


def _read(path: Path) -> bytes:
    """One byte more than may be, at most. Raises OSError."""
    if path.exists() and not path.is_file():  # a pipe would keep us waiting
        raise OSError("it is no file")
    with path.open("rb") as file:
        return file.read(LARGEST_BYTES + 1)


def _media_type(path: Path, data: bytes) -> str:
    if kind := next((kind for magic, kind in _KINDS if data.startswith(magic)), ""):
        return kind
    if data[:4] == b"RIFF" and data[8:_HEAD_BYTES] == b"WEBP":
        return "image/webp"
    what = "is empty" if not data else "is no PNG, JPEG, WebP or GIF"
    raise InputError(f"The file {path} {what}. Convert it to one of these; PNG is read everywhere.")


def check_sight(facts: ServerFacts, messages: Iterable[Message]) -> None:
    """Before anything is sent. Raises InputError where there is a picture, and the model is known
    to take none."""
    if facts.vision is False and any(
        isinstance(part, Image) for message in messages for part in getattr(message, "parts", ())
    ):
        raise no_vision(facts)


def no_vision(facts: ServerFacts) -> InputError:
    """What to say before anything is sent, where the server told that its model takes no images."""
    missing = _MISSING.get(facts.kind, "choose a model that sees, or leave the image out")
    return InputError(
        f"The model {one_line(facts.model, 80)} of {QUIRKS[facts.kind].name} at {facts.base_url} "
        f"takes no images: {missing}. Nothing was sent."
    )
