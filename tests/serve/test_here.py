"""Model files are found where people keep them, each once."""

import os
from pathlib import Path

from qcode.serve.here import here, places


def put(path: Path, size: int = 10, changed: float = 1_000.0) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"x" * size)
    os.utime(path, (changed, changed))
    return path


def test_files_are_found_below_the_newest_first(tmp_path: Path) -> None:
    put(tmp_path / "old.gguf", changed=1.0)
    put(tmp_path / "maker" / "repo" / "New-Q4.gguf", 20, changed=2.0)
    assert [(one.name, one.size_bytes) for one in here((tmp_path,))] == [
        ("New-Q4", 20),
        ("old", 10),
    ]


def test_eyes_later_parts_and_other_files_are_no_models(tmp_path: Path) -> None:
    for name in ("mmproj-F16.gguf", "big-00002-of-00003.gguf", "readme.md", "model.safetensors"):
        put(tmp_path / name)
    put(tmp_path / "big-00001-of-00003.gguf")
    assert [one.name for one in here((tmp_path,))] == ["big"]


def test_a_file_of_the_hub_is_named_by_its_link_and_found_once(tmp_path: Path) -> None:
    blob = put(tmp_path / "hub" / "models--a--b" / "blobs" / "0123.gguf", 30)
    link = tmp_path / "hub" / "models--a--b" / "snapshots" / "abc" / "B-Q8_0.gguf"
    link.parent.mkdir(parents=True)
    link.symlink_to(blob)
    (link.parent / "gone.gguf").symlink_to(tmp_path / "nowhere.gguf")
    [found] = here((tmp_path / "hub", tmp_path / "hub"))
    assert (found.name, found.path, found.size_bytes) == ("B-Q8_0", link, 30)


def test_links_between_folders_lead_nowhere_for_ever(tmp_path: Path) -> None:
    put(tmp_path / "a" / "m.gguf")
    (tmp_path / "a" / "round").symlink_to(tmp_path)
    assert len(here((tmp_path,))) == 1
    assert here((tmp_path / "not there",)) == ()


def test_the_hub_s_folder_is_one_of_the_places(tmp_path: Path) -> None:
    assert tmp_path in places({"HF_HUB_CACHE": str(tmp_path)})
