"""Which files of a repository are meant by what a person types."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qcode.protocol.errors import InputError
from qcode.serve.catalog import catalog
from qcode.serve.hubfiles import HubFile, Named, eyes, model_files, named, size, suspects

REPO = "owner/Model-GGUF"


def files(*names: str) -> tuple[HubFile, ...]:
    return tuple(HubFile(name, 2_000_000_000, "") for name in names)


MANY = files(
    "README.md",
    "Model-Q4_K_M.gguf",
    "Model-UD-Q4_K_XL.gguf",
    "Model-UD-Q4_K_M.gguf",
    "BF16/Model-BF16-00001-of-00002.gguf",
    "BF16/Model-BF16-00002-of-00002.gguf",
    "mmproj-F32.gguf",
    "mmproj-F16.gguf",
    "mmproj-BF16.gguf",
)


@pytest.mark.parametrize(
    ("text", "repo", "quant"),
    [
        ("hf:owner/Model-GGUF:UD-Q4_K_XL", REPO, "UD-Q4_K_XL"),
        ("owner/Model-GGUF:Q4_K_M", REPO, "Q4_K_M"),
        ("owner/Model-GGUF", REPO, ""),
    ],
)
def test_hf_in_front_and_the_quantisation_may_be_left_out(text: str, repo: str, quant: str) -> None:
    assert named(text) == Named(repo, quant)


@pytest.mark.parametrize("text", ["", "model", "a/b/c", "hf:", "../x/y", "a/..", "a/b:", "a b/c"])
def test_what_names_no_repository_is_told_how_it_looks(text: str) -> None:
    with pytest.raises(InputError, match="OWNER/REPOSITORY:QUANT"):
        named(text)


@pytest.mark.parametrize(
    ("quant", "found"),
    [
        ("Q4_K_M", ["Model-Q4_K_M.gguf"]),
        ("ud-q4_k_m", ["Model-UD-Q4_K_M.gguf"]),
        ("BF16", [f"BF16/Model-BF16-0000{n}-of-00002.gguf" for n in (1, 2)]),
    ],
)
def test_a_quantisation_is_its_own_file_or_all_its_parts(quant: str, found: list[str]) -> None:
    chosen = model_files(reversed(MANY), Named(REPO, quant))
    assert [one.name for one in chosen] == found


def test_the_only_one_needs_no_word() -> None:
    assert model_files(files("a-Q8_0.gguf", "mmproj-a.gguf"), Named(REPO, ""))


@pytest.mark.parametrize(
    ("quant", "there", "words"),
    [
        ("Q2_K", MANY, "has no Q2_K. There is BF16 (4.0 GB), Q4_K_M (2.0 GB), UD-Q4_K_M"),
        ("", MANY, "several quantisations: BF16 (4.0 GB), Q4_K_M"),
        ("Q4_K_M", files("a-Q4_K_M.gguf", "b-Q4_K_M.gguf"), "several files of Q4_K_M"),
        ("Q4_K_M", files("model.safetensors"), "has no GGUF file"),
        ("Q8_0", files("a-Q8_0-00001-of-00003.gguf", "a-Q8_0-00003-of-00003.gguf"), "2 of 3 parts"),
    ],
)
def test_what_is_not_there_is_told_with_what_is(
    quant: str, there: tuple[HubFile, ...], words: str
) -> None:
    with pytest.raises(InputError) as told:
        model_files(there, Named(REPO, quant))
    assert words in str(told.value)


def test_of_several_eyes_those_that_every_engine_takes() -> None:
    found = eyes(MANY)
    assert found is not None
    assert found.name == "mmproj-F16.gguf"
    assert eyes(files("Model-Q4_K_M.gguf")) is None


QUANTS = st.sampled_from(["Q4_K_M", "Q4_K_S", "UD-Q4_K_M", "UD-Q4_K_XL", "Q8_0", "IQ4_XS", "BF16"])


@given(st.sets(QUANTS, min_size=1), QUANTS)
def test_a_name_never_stands_for_another_quantisation(there: set[str], wanted: str) -> None:
    rows = files(*(f"Model-{quant}.gguf" for quant in there))
    if wanted in there:
        assert model_files(rows, Named(REPO, wanted))[0].name == f"Model-{wanted}.gguf"
    else:
        with pytest.raises(InputError):
            model_files(rows, Named(REPO, wanted))


@pytest.mark.parametrize(
    ("count", "said"), [(0, "0 bytes"), (999, "999 bytes"), (1_500, "1.5 kB"), (22.1e9, "22.1 GB")]
)
def test_sizes_are_said_as_the_hub_says_them(count: float, said: str) -> None:
    assert size(int(count)) == said


def test_what_is_known_to_be_bad_is_suspected_by_its_name_and_dated() -> None:
    known = [(bad.files, bad.what) for bad in catalog().bad]
    assert known
    ud = suspects(known, "unsloth/Qwen3.5-27B-GGUF", "Qwen3.5-27B-UD-Q4_K_XL.gguf")
    plain = suspects(known, "unsloth/Qwen3.5-27B-GGUF", "Qwen3.5-27B-Q4_K_M.gguf")
    assert len(ud) > len(plain) > 0
    assert all(re.fullmatch(r"2026-\d\d-\d\d", one.before) for one in ud)
    assert not suspects(known, "unsloth/Qwen3.6-27B-GGUF", "Qwen3.6-27B-UD-Q4_K_XL.gguf")
