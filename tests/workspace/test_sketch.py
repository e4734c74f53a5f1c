"""The picture of the tree for the first message."""

import time
from pathlib import Path

from qcode.workspace.sketch import ROWS, sketch


def fill(root: Path, names: list[str]) -> None:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text("")


def test_two_levels_are_shown_folders_first(tmp_path: Path) -> None:
    fill(tmp_path, ["b.py", "src/z.py", "src/a/deep/x.py", "out/x", ".git/config", "src/t.log"])
    (tmp_path / ".gitignore").write_text("out/\n*.log\n")
    assert sketch(tmp_path) == "src/\n  a/\n  z.py\n.gitignore\nb.py"
    assert sketch(tmp_path / "src/a/deep") == "x.py"


def test_an_empty_folder_has_no_picture(tmp_path: Path) -> None:
    assert sketch(tmp_path) == ""


def test_the_picture_is_bounded_and_always_the_same(tmp_path: Path) -> None:
    fill(tmp_path, [f"d{folder:03}/f{file:02}" for folder in range(70) for file in range(20)])
    picture = sketch(tmp_path)
    assert len(picture.split("\n")) == ROWS + 1
    assert picture.endswith("… and 10 more")
    assert sketch(tmp_path) == picture


def test_a_folder_with_many_files_leaves_room_for_others(tmp_path: Path) -> None:
    fill(tmp_path, [f"a/{number:03}" for number in range(50)] + ["b/x"])
    assert "  … and 38 more\nb/\n  x" in sketch(tmp_path)


def test_a_huge_repository_costs_no_more_than_a_small_one(tmp_path: Path) -> None:
    for folder in range(40):
        (tmp_path / f"big/{folder}").mkdir(parents=True)
        for number in range(250):
            (tmp_path / f"big/{folder}/{number}").touch()
    fill(tmp_path, [f"flat/{number}" for number in range(5000)])
    start = time.perf_counter()
    sketch(tmp_path)
    assert time.perf_counter() - start < 0.5
    assert "many more" in sketch(tmp_path)


def test_names_that_are_no_text_or_hold_controls_do_no_harm(tmp_path: Path) -> None:
    (tmp_path / "a\x1b[31m\nb").write_text("")
    Path(f"{tmp_path}/\udcff").write_text("")
    picture = sketch(tmp_path)
    assert "\x1b" not in picture
    picture.encode()
