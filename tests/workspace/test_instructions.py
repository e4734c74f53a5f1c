"""AGENTS.md and its kin."""

from pathlib import Path

from qcode.workspace.instructions import LIMIT_BYTES, instructions


def repository(folder: Path, files: dict[str, str]) -> Path:
    (folder / "root/.git").mkdir(parents=True)
    for name, text in files.items():
        (folder / "root" / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / "root" / name).write_text(text)
    return folder / "root"


def test_the_nearest_comes_last(tmp_path: Path) -> None:
    (tmp_path / "AGENTS.md").write_text("above the repository")
    root = repository(tmp_path, {"AGENTS.md": "top\n", "a/b/AGENTS.md": "near\n", "a/b/c/x": ""})
    found = instructions(root / "a/b/c")
    assert found.sources == ("../../../AGENTS.md", "../AGENTS.md")
    assert found.text == "# ../../../AGENTS.md\n\ntop\n\n# ../AGENTS.md\n\nnear"


def test_other_agents_files_stand_in_where_there_is_none(tmp_path: Path) -> None:
    files = {"AGENTS.md": "a", "CLAUDE.md": "c", "sub/CLAUDE.md": "sub c", "sub/GEMINI.md": "g"}
    root = repository(tmp_path, files)
    assert instructions(root / "sub").sources == ("../AGENTS.md", "CLAUDE.md")
    (root / "sub/QWEN.md").write_text("q")
    assert instructions(root / "sub").sources == ("../AGENTS.md", "QWEN.md")
    (root / "sub/AGENTS.md").write_text(" \n")  # empty: says nothing
    assert instructions(root / "sub").sources == ("../AGENTS.md", "QWEN.md")


def test_no_text_comes_twice(tmp_path: Path) -> None:
    root = repository(tmp_path, {"AGENTS.md": "same", "sub/CLAUDE.md": "same\n"})
    assert instructions(root / "sub").sources == ("CLAUDE.md",)
    (root / "sub/CLAUDE.md").unlink()
    (root / "sub/AGENTS.md").symlink_to("../AGENTS.md")
    assert instructions(root / "sub").sources == ("AGENTS.md",)


def test_a_link_out_of_the_repository_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("secret")
    root = repository(tmp_path, {"CLAUDE.md": "mine"})
    (root / "AGENTS.md").symlink_to(tmp_path / "secret")
    assert instructions(root).sources == ("CLAUDE.md",)


def test_the_whole_is_cut_with_a_note_and_the_nearest_last(tmp_path: Path) -> None:
    far = "".join(f"far ö {number}\n" for number in range(2000))
    near = "near\n" * 100
    root = repository(tmp_path, {"AGENTS.md": far, "sub/AGENTS.md": near})
    text = instructions(root / "sub").text
    assert near.strip() in text
    assert "[../AGENTS.md is cut here: " in text
    assert LIMIT_BYTES - 200 < len(text.encode()) < LIMIT_BYTES + 300
    assert instructions(root / "sub").text == text
    (root / "sub/AGENTS.md").write_text(far.replace("far", "own"))
    text = instructions(root / "sub").text
    assert len(text.encode()) < LIMIT_BYTES + 300
    assert "far" not in text


def test_without_a_repository_only_the_folder_counts(tmp_path: Path) -> None:
    (tmp_path / "AGENTS.md").write_text("above")
    (tmp_path / "sub").mkdir()
    assert instructions(tmp_path / "sub").text == ""
    (tmp_path / "sub/AGENTS.md").write_text("\x1b[31mred\x1b[0m\x00")
    assert instructions(tmp_path / "sub").text == "# AGENTS.md\n\nred"
