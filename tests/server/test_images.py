"""Pictures: told by their bytes, sent as they are, refused with a reason."""

import base64
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from qcode.protocol.errors import InputError
from qcode.protocol.messages import Text, UserMessage
from qcode.server.base import ServerFacts
from qcode.server.images import LARGEST_BYTES, load_image, no_vision
from qcode.server.quirks import QUIRKS
from qcode.server.shape import wire_message

PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
FACTS = ServerFacts(
    kind="llamacpp",
    version="b1",
    base_url="http://127.0.0.1:8080/v1",
    model="qwen",
    models=("qwen",),
    context_tokens=None,
    strategy="native",
    strategy_why="",
    reasoning_field="",
    vision=False,
)


@pytest.mark.parametrize(
    ("head", "kind"),
    [
        (PNG, "image/png"),
        (b"\xff\xd8\xff\xe0\0\x10JFIF", "image/jpeg"),
        (b"GIF89a\1\0\1\0", "image/gif"),
        (b"GIF87a\1\0\1\0", "image/gif"),
        (b"RIFF\x24\0\0\0WEBPVP8 ", "image/webp"),
    ],
)
def test_the_kind_is_told_by_the_bytes_and_not_by_the_name(
    tmp_path: Path, head: bytes, kind: str
) -> None:
    file = tmp_path / "picture.txt"
    file.write_bytes(head)
    assert load_image(file).media_type == kind


@given(st.binary(max_size=200))
def test_the_bytes_go_out_as_they_are(
    tmp_path_factory: pytest.TempPathFactory, rest: bytes
) -> None:
    file = tmp_path_factory.mktemp("images") / "a.png"
    file.write_bytes(PNG + rest)
    wired = wire_message(
        UserMessage((Text("look"), load_image(file))), "after", "native", "reasoning_content"
    )
    text, image = wired["content"]
    assert text == {"type": "text", "text": "look"}
    url = image["image_url"]["url"]
    assert url.startswith("data:image/png;base64,")
    assert base64.b64decode(url.partition(",")[2]) == PNG + rest


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "is empty"),
        (b"RIFF\x24\0\0\0WAVEfmt ", "is no PNG, JPEG, WebP or GIF"),
        (b"%PDF-1.7", "is no PNG, JPEG, WebP or GIF"),
        (b"\x89PN", "is no PNG, JPEG, WebP or GIF"),
    ],
)
def test_what_is_no_picture_is_refused(tmp_path: Path, data: bytes, words: str) -> None:
    file = tmp_path / "a.png"
    file.write_bytes(data)
    with pytest.raises(InputError, match=words):
        load_image(file)


def test_a_picture_that_is_too_large_is_refused_with_the_limit(tmp_path: Path) -> None:
    file = tmp_path / "a.png"
    with file.open("wb") as out:
        out.write(PNG)
        out.truncate(LARGEST_BYTES + 1)
    with pytest.raises(InputError, match="larger than 10 MB"):
        load_image(file)
    with file.open("r+b") as out:
        out.truncate(LARGEST_BYTES)
    assert load_image(file).media_type == "image/png"


def test_a_folder_and_a_missing_file_say_what_they_are(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="it is no file"):
        load_image(tmp_path)
    with pytest.raises(InputError, match="No such file"):
        load_image(tmp_path / "none.png")


def test_on_llama_cpp_the_missing_projector_is_named() -> None:
    assert "--mmproj FILE" in str(no_vision(FACTS))


@pytest.mark.parametrize("kind", sorted(QUIRKS))
def test_every_kind_of_server_has_a_whole_sentence(kind: str) -> None:
    said = str(no_vision(replace(FACTS, kind=kind)))
    assert said.startswith("The model qwen of ")
    assert said.endswith("Nothing was sent.")
