"""What is read of a model's file: the shape that a plan stands on; sentences for broken ones."""

import struct
import time
from collections.abc import Callable
from pathlib import Path

import gguf
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qcode.protocol.errors import InputError
from qcode.serve.gguf import read
from qcode.serve.gguf_names import FILE_TYPES, quantisation
from qcode.serve.gguf_part import BLOCKS, read_part
from tests.support.llama import make_model

Fill = Callable[[gguf.GGUFWriter], None]


def written(path: Path, architecture: str, fill: Fill, *tensors: str) -> Path:
    """A model file with keys of `fill`, and each tensor of 64 bytes."""
    writer = gguf.GGUFWriter(path, architecture)
    fill(writer)
    for name in tensors:
        writer.add_tensor(name, np.zeros(16, np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def attention(writer: gguf.GGUFWriter) -> None:
    writer.add_block_count(2)
    writer.add_context_length(4096)
    writer.add_embedding_length(64)
    writer.add_head_count(4)
    writer.add_head_count_kv(2)
    writer.add_chat_template("{{ messages }}")


def test_of_a_hybrid_the_cache_counts_where_a_layer_attends_and_the_state_elsewhere(
    tmp_path: Path,
) -> None:
    found = read(make_model(tmp_path, "3.5"))
    assert (found.architecture, found.layers, found.trained_tokens) == ("qwen35moe", 4, 262_144)
    assert found.attention_layers == 1
    assert found.kv_bytes_per_token == (32 + 32) * 2  # one head of keys and of values, at f16
    convolution, state = (4 - 1) * (64 + 2 * 2 * 32), 64 * 32
    assert found.state_bytes == 3 * 4 * (convolution + state)
    assert found.expert_bytes == 4 * 3 * (4 * 16 * 64 * 4)
    assert (found.expert_layers, found.active_expert_bytes) == (4, found.expert_bytes // 2)
    tokens = gguf.GGUFReader(found.path).fields["tokenizer.ggml.tokens"]
    assert (found.width, found.vocabulary) == (64, len(tokens.data))
    assert found.input_bytes == len(tokens.data) * 64 * 4
    assert not found.has_mtp
    assert found.template.startswith("{#- Lays a conversation out")
    assert found.size_bytes == found.path.stat().st_size


def test_of_a_plain_model_every_layer_has_a_cache(tmp_path: Path) -> None:
    names = [f"blk.{layer}.attn_{one}.weight" for layer in range(2) for one in "qkv"]
    found = read(written(tmp_path / "plain-Q8_0.gguf", "llama", attention, *names))
    assert found.kv_bytes_per_token == 2 * 2 * (16 + 16) * 2  # a head is 64 wide / 4 heads
    assert (found.state_bytes, found.expert_bytes) == (0, 0)
    assert found.quantisation == "Q8_0"


def test_a_head_that_guesses_ahead_is_seen_and_counted_apart(tmp_path: Path) -> None:
    def fill(writer: gguf.GGUFWriter) -> None:
        attention(writer)
        writer.add_block_count(3)
        writer.add_nextn_predict_layers(1)

    names = [f"blk.{layer}.attn_k.weight" for layer in range(3)]
    found = read(written(tmp_path / "a.gguf", "llama", fill, *names, "blk.2.nextn.eh_proj.weight"))
    assert found.has_mtp
    assert found.layers == 2
    assert found.kv_bytes_per_token == 2 * found.mtp_kv_bytes_per_token == 2 * 128
    assert found.mtp_bytes == 128


def test_a_list_of_heads_for_each_layer_counts_layer_by_layer(tmp_path: Path) -> None:
    def fill(writer: gguf.GGUFWriter) -> None:
        attention(writer)
        writer.add_head_count_kv([2, 0])

    names = ["blk.0.attn_k.weight", "blk.1.attn_k.weight"]
    assert read(written(tmp_path / "a.gguf", "llama", fill, *names)).kv_bytes_per_token == 128


def test_all_parts_of_a_split_model_count_whichever_is_named(tmp_path: Path) -> None:
    def fill(writer: gguf.GGUFWriter) -> None:
        attention(writer)
        writer.add_expert_count(8)
        writer.add_expert_used_count(2)

    one = written(tmp_path / "m-00001-of-00002.gguf", "llama", fill, "blk.0.ffn_up_exps.weight")
    two = written(
        tmp_path / "m-00002-of-00002.gguf", "llama", attention, "blk.1.ffn_up_exps.weight"
    )
    for named in (one, two):
        found = read(named)
        assert found.path == one
        assert found.size_bytes == one.stat().st_size + two.stat().st_size
        assert (found.expert_bytes, found.expert_layers) == (128, 2)
    two.unlink()
    with pytest.raises(InputError, match=r"m-00002-of-00002\.gguf is missing beside it"):
        read(one)


def test_the_projector_beside_it_is_found_and_is_no_model_itself(tmp_path: Path) -> None:
    model = written(tmp_path / "a.gguf", "llama", attention)
    assert read(model).projector is None
    written(tmp_path / "mmproj-F32.gguf", "clip", attention)
    eyes = written(tmp_path / "mmproj-BF16.gguf", "clip", attention)
    found = read(model)
    assert (found.projector, found.projector_bytes) == (eyes, eyes.stat().st_size)
    with pytest.raises(InputError, match="is a projector"):
        read(eyes)


def test_where_it_came_from_and_what_is_wrong_with_it_are_told(tmp_path: Path) -> None:
    def fill(writer: gguf.GGUFWriter) -> None:
        writer.add_block_count(1)
        writer.add_string(
            "general.base_model.0.repo_url", "https://huggingface.co/Qwen/Qwen3.6-27B"
        )

    path = tmp_path / "Qwen3.5-UD-Q4_K_XL.gguf"
    writer = gguf.GGUFWriter(path, "qwen35")
    fill(writer)
    blocks = np.zeros((1, 17), np.uint8)
    writer.add_tensor("blk.0.ffn_up.weight", blocks, raw_dtype=gguf.GGMLQuantizationType.MXFP4)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    found = read(path)
    assert found.origin == "Qwen/Qwen3.6-27B"
    assert [flaw.split(":")[0] for flaw in found.flaws] == [
        "This UD-Q4_K_XL has MXFP4 tensors",
        "The file has no chat template",
    ]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is no GGUF file"),
        (b"#!/bin/sh\necho this is something else entirely\n", "is no GGUF file"),
        (b"GGUF" + (1).to_bytes(4, "little") + bytes(40), "version 1"),
        (b"GGUF" + (3).to_bytes(4, "big") + bytes(40), "version 50,331,648"),
        (b"GGUF" + (3).to_bytes(4, "little") + b"\xff" * 16, "a count of"),
        (b"GGUF" + (3).to_bytes(4, "little") + bytes(16), "names no architecture"),
    ],
)
def test_what_is_no_model_is_told_in_a_sentence(tmp_path: Path, content: bytes, said: str) -> None:
    path = tmp_path / "x.gguf"
    path.write_bytes(content)
    with pytest.raises(InputError, match=said) as failure:
        read(path)
    assert str(path) in str(failure.value)


def test_a_file_that_is_not_there_or_a_folder_is_told(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "none.gguf"):
        with pytest.raises(InputError, match="cannot be read"):
            read(path)


@given(share=st.floats(0, 0.999))
@settings(max_examples=60, deadline=None)
def test_an_unfinished_download_is_never_taken_for_a_model(
    share: float, tmp_path_factory: pytest.TempPathFactory
) -> None:
    whole = make_model(tmp_path_factory.getbasetemp(), "3.5").read_bytes()
    cut = tmp_path_factory.getbasetemp() / "cut.gguf"
    # the last tensor's padding may miss
    cut.write_bytes(whole[: int((len(whole) - 32) * share)])
    with pytest.raises(InputError):
        read(cut)


@given(data=st.data())
@settings(max_examples=150, deadline=None)
def test_a_hostile_file_ends_in_a_sentence_or_in_values(
    data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    base = tmp_path_factory.getbasetemp()
    content = bytearray(make_model(base, "3.5").read_bytes()[:40_000])
    for _ in range(data.draw(st.integers(1, 6))):
        place = data.draw(st.integers(4, 3000))
        bad = data.draw(st.binary(min_size=1, max_size=9))
        content[place : place + len(bad)] = bad
    path = base / "hostile.gguf"
    path.write_bytes(content)
    try:
        found = read(path)
    except InputError as error:
        assert str(path) in str(error)  # noqa: PT017  either way is right, and both are looked at
    else:
        assert found.kv_bytes_per_token >= 0
        assert found.expert_bytes <= found.size_bytes


@given(content=st.binary(max_size=400))
@settings(max_examples=100, deadline=None)
def test_noise_behind_the_magic_word_is_refused(
    content: bytes, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.getbasetemp() / "noise.gguf"
    path.write_bytes(b"GGUF\x03\0\0\0" + content)
    with pytest.raises(InputError):
        read(path)


def test_sizes_of_types_are_those_of_the_library() -> None:
    known = {int(kind): tuple(size) for kind, size in gguf.GGML_QUANT_SIZES.items()}
    known.pop(int(gguf.GGMLQuantizationType.Q8_1))  # no file has it
    assert known == BLOCKS


def test_numbers_of_quantisations_are_those_of_the_library() -> None:
    for kind in gguf.LlamaFileType:
        name = kind.name.removeprefix("MOSTLY_").removeprefix("ALL_")
        assert FILE_TYPES.get(int(kind), name) == name


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("Qwen3.6-35B-A3B-UD-Q4_K_XL.gguf", "UD-Q4_K_XL"),
        ("qwen3.6-27b-q4_k_m.gguf", "Q4_K_M"),
        ("Qwen3.6-27B-IQ4_XS-00001-of-00003.gguf", "IQ4_XS"),
        ("model-BF16.gguf", "BF16"),
        ("gpt-oss-20b-MXFP4.gguf", "MXFP4"),
        ("Q4_K_M-notes/nothing.gguf", "Q4_K_M"),
        ("Qwen3.6-27B.gguf", ""),
    ],
)
def test_a_quantisation_is_read_from_a_name(name: str, found: str) -> None:
    assert quantisation(name) == found


def with_words(path: Path, lengths: list[int], rest: bytes) -> Path:
    """A file whose vocabulary has strings of these lengths, and `rest` behind it."""
    words = b"".join(struct.pack("<Q", length) + b"w" * length for length in lengths)
    name = b"tokenizer.ggml.tokens"
    key = struct.pack("<Q", len(name)) + name + struct.pack("<IIQ", 9, 8, len(lengths))
    head = b"GGUF" + struct.pack("<IQQ", 3, 0, 2 if rest else 1)
    path.write_bytes(head + key + words + rest)
    return path


@given(lengths=st.lists(st.sampled_from([0, 1, 7, 8, 9, 100, 65_519, 65_528, 65_536, 200_000])))
@settings(max_examples=60, deadline=None)
def test_what_stands_behind_a_vocabulary_is_found_wherever_its_words_end(
    lengths: list[int], tmp_path_factory: pytest.TempPathFactory
) -> None:
    lengths += [3] * 5_000  # a list that short would be kept
    rest = struct.pack("<Q", 5) + b"a.key" + struct.pack("<II", 4, 4711)
    path = tmp_path_factory.getbasetemp() / "words.gguf"
    part = read_part(with_words(path, lengths, rest))
    assert part.lengths["tokenizer.ggml.tokens"] == len(lengths)
    assert part.values["a.key"] == 4711
    path.write_bytes(path.read_bytes()[: -len(rest) - 1])
    with pytest.raises(InputError, match="an end in the middle of its head"):
        read_part(path)


def test_reading_does_not_read_the_weights(tmp_path: Path) -> None:
    path = make_model(tmp_path, "3.5")
    with path.open("r+b") as file:
        file.truncate(1 << 40)  # a sparse terabyte
    assert read_part(path).size_bytes == 1 << 40


def test_a_file_of_endless_names_and_layers_is_read_in_time(tmp_path: Path) -> None:
    """A small file, whose every layer was looked for among all its names."""
    path = tmp_path / "wide.gguf"
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_uint32("llama.block_count", 4096)
    writer.add_uint64("llama.context_length", 1 << 63)
    for number in range(20_000):
        writer.add_tensor(f"t{number}", np.zeros(1, np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    began = time.monotonic()
    found = read(path)
    assert time.monotonic() - began < 10.0
    assert (found.layers, found.trained_tokens) == (4096, 1 << 30)


def test_a_file_of_endless_text_is_not_read_into_memory(tmp_path: Path) -> None:
    path = tmp_path / "long.gguf"
    text = 8 << 20
    key = (1).to_bytes(8, "little") + b"k" + (8).to_bytes(4, "little") + text.to_bytes(8, "little")
    with path.open("wb") as file:
        file.write(b"GGUF" + (3).to_bytes(4, "little") + bytes(8) + (60_000).to_bytes(8, "little"))
        for _ in range(100):
            file.write(key)
            file.seek(text, 1)  # a hole on the disk
        file.truncate(1 << 40)
    with pytest.raises(InputError, match="more of text and lists than any model"):
        read(path)
