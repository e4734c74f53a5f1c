"""What MODEL means: a file, or one that the hub's cache has."""

import os
from pathlib import Path

import pytest

from qcode.protocol.errors import InputError
from qcode.serve.source import alias_of, located

REPO = "unsloth/Qwen3.6-35B-A3B-GGUF"
FILES = (
    "Qwen3.6-35B-A3B-Q4_K_M.gguf",
    "Qwen3.6-35B-A3B-UD-Q4_K_M.gguf",
    "Qwen3.6-35B-A3B-UD-Q4_K_XL.gguf",
    "mmproj-Q4_K_M.gguf",
    "BF16/Qwen3.6-35B-A3B-BF16-00001-of-00002.gguf",
    "BF16/Qwen3.6-35B-A3B-BF16-00002-of-00002.gguf",
)


@pytest.fixture
def cache(tmp_path: Path) -> dict[str, str]:
    """An environment whose hub cache has `FILES`, as `huggingface_hub` lays them."""
    root = tmp_path / "hub" / f"models--{REPO.replace('/', '--')}"
    (root / "blobs").mkdir(parents=True)
    for number, name in enumerate(FILES):
        blob = root / "blobs" / str(number)
        blob.write_bytes(b"GGUF")
        link = root / "snapshots" / "0123abcd" / name
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(os.path.relpath(blob, link.parent))
    return {"HF_HUB_CACHE": str(tmp_path / "hub")}


@pytest.mark.parametrize(
    ("quant", "name"),
    [("Q4_K_M", FILES[0]), ("UD-Q4_K_M", FILES[1]), ("ud-q4_k_xl", FILES[2]), ("BF16", FILES[4])],
)
def test_a_quantisation_of_the_cache_is_found(cache: dict[str, str], quant: str, name: str) -> None:
    found = located(f"hf:{REPO}:{quant}", cache)
    assert found.as_posix().endswith(f"/0123abcd/{name}")


def test_what_is_not_there_is_told_with_the_command_that_fetches_it(cache: dict[str, str]) -> None:
    with pytest.raises(InputError, match=f"qcode models pull hf:{REPO}:Q8_0") as raised:
        located(f"hf:{REPO}:Q8_0", cache)
    assert FILES[2] in str(raised.value)
    assert "mmproj" not in str(raised.value)


def test_several_that_fit_are_named(cache: dict[str, str]) -> None:
    with pytest.raises(InputError, match="Say its quantisation"):
        located(f"hf:{REPO}", cache)


def test_the_cache_is_looked_for_where_the_hub_has_it(cache: dict[str, str]) -> None:
    home = Path(cache["HF_HUB_CACHE"]).parent
    assert located(f"hf:{REPO}:Q4_K_M", {"HF_HOME": str(home)}).name == FILES[0]


@pytest.mark.parametrize("model", ["hf:", "hf:one", "hf:a/b/c:Q4", "hf:../../etc:Q4", "hf:a/..b/c"])
def test_a_name_that_is_none_is_told(model: str) -> None:
    with pytest.raises(InputError, match="names no model of the hub"):
        located(model, {})


def test_a_link_keeps_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "blob").write_bytes(b"GGUF")
    (tmp_path / "link.gguf").symlink_to(tmp_path / "blob")
    monkeypatch.chdir(tmp_path)
    assert located("link.gguf", {}) == tmp_path / "link.gguf"


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="There is no file /none"):
        located("/none.gguf", {})
    with pytest.raises(InputError, match="is a folder"):
        located(str(tmp_path), {})
    with pytest.raises(InputError, match=r"Is it hf:unsloth/Qwen:Q4\?"):
        located("unsloth/Qwen:Q4", {})


def test_what_cannot_be_looked_at_is_told() -> None:
    with pytest.raises(InputError, match="cannot be looked at"):
        located("m" * 300 + ".gguf", {})  # as a folder that is not ours, also for root


def test_no_name_at_all_is_told() -> None:
    with pytest.raises(InputError, match="is empty"):
        located("", {})


def test_a_model_goes_by_the_name_of_its_file() -> None:
    assert alias_of(Path("/m/Qwen3.6-UD-Q4_K_XL.gguf")) == "Qwen3.6-UD-Q4_K_XL"
    assert alias_of(Path(f"/m/{FILES[4]}")) == "Qwen3.6-35B-A3B-BF16"
