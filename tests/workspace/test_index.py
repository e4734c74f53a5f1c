"""Files by a few letters: all that git shows, the likest first, and nothing that is unlike."""

import os
import threading
import time
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from qcode.workspace.fuzzy import (
    ENOUGH,
    PAGE_PATHS,
    Found,
    Narrowing,
    is_subsequence,
    page,
    search,
)
from qcode.workspace.index import FileIndex

NAMES = st.text(st.sampled_from("abAB_-. é/"), min_size=1, max_size=14)


def make(root: Path, *paths: str) -> None:
    for path in paths:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text("", encoding="utf-8")
        os.utime(root / path, (0, 0))


def built(root: Path) -> FileIndex:
    index = FileIndex(root)
    index.build()
    return index


def names(index: FileIndex, query: str, limit: int = 8) -> list[str]:
    answers = list(index.find(query, limit))
    return [found.path for found in answers[-1]]


def test_what_git_ignores_is_not_offered_and_folders_are(tmp_path: Path) -> None:
    make(tmp_path, "src/app/page.py", "build/page.py", "note.txt")
    (tmp_path / ".gitignore").write_text("build/\n", encoding="utf-8")
    index = built(tmp_path)
    assert names(index, "page") == ["src/app/page.py"]
    assert names(index, "app")[0] == "src/app/"
    assert len(index) == len(["src/", "src/app/", "src/app/page.py", "note.txt", ".gitignore"])


def test_a_name_beats_a_folder_on_the_way(tmp_path: Path) -> None:
    make(tmp_path, "user/zz.py", "zz/user.py")
    assert names(built(tmp_path), "user.py")[0] == "zz/user.py"


def test_letters_in_a_row_beat_scattered_ones(tmp_path: Path) -> None:
    make(tmp_path, "c_o_n_f.py", "myconf.py")
    assert names(built(tmp_path), "conf") == ["myconf.py", "c_o_n_f.py"]


def test_starts_of_words_are_enough(tmp_path: Path) -> None:
    make(tmp_path, "src/http.py", "tests/test_pages.py", "src/FooBarBaz.java")
    assert names(built(tmp_path), "tp")[0] == "tests/test_pages.py"
    assert names(built(tmp_path), "fbb") == ["src/FooBarBaz.java"]


def test_part_of_a_path_is_found_by_its_folders(tmp_path: Path) -> None:
    make(tmp_path, "src/web/view.py", "docs/view.md", "src/view/web.py")
    assert names(built(tmp_path), "web/view")[0] == "src/web/view.py"
    assert names(built(tmp_path), "./docs/v") == ["docs/view.md"]


def test_of_equals_the_lately_edited_comes_first(tmp_path: Path) -> None:
    make(tmp_path, "a/page.py", "b/page.py", "c/page.py")
    os.utime(tmp_path / "b/page.py")
    index = built(tmp_path)
    assert names(index, "page")[0] == "b/page.py"
    index.touch("c/page.py")
    assert names(index, "page")[:2] == ["c/page.py", "b/page.py"]


def test_no_letters_offer_what_was_touched_then_the_top(tmp_path: Path) -> None:
    make(tmp_path, "b.py", "sub/deep.py", "a.py")
    index = built(tmp_path)
    index.touch("sub/deep.py")
    assert names(index, "") == ["sub/deep.py", "a.py", "b.py", "sub/"]


def test_nothing_is_found_is_said_too(tmp_path: Path) -> None:
    make(tmp_path, "a.py")
    assert list(built(tmp_path).find("zzz", 8)) == [[]]


def test_a_name_over_two_lines_is_left_out(tmp_path: Path) -> None:
    make(tmp_path, "a\nb.py", "a\x1bb.py", "ab.py")
    assert names(built(tmp_path), "a") == ["ab.py"]


def test_it_is_stale_until_it_is_built(tmp_path: Path) -> None:
    index = FileIndex(tmp_path)
    assert index.stale
    index.build()
    assert not index.stale


def test_giving_up_ends_the_work_in_a_moment(tmp_path: Path) -> None:
    make(tmp_path, *(f"f{number}.py" for number in range(2000)))
    index = FileIndex(tmp_path)
    index.build(lambda: True)
    assert index.stale
    index.build()
    assert list(index.find("f", 8, lambda: True)) == []


def test_a_hundred_thousand_paths_are_searched_while_others_run(tmp_path: Path) -> None:
    paths = [f"pkg{one}/mod_{two}/file_{three}.py" for one in range(50) for two in range(20)
             for three in range(100)]  # fmt: skip
    pages = [page(paths[at : at + 1000]) for at in range(0, len(paths), 1000)]
    index = FileIndex(tmp_path)
    index._pages = tuple(pages)  # the files need not exist for this
    done = threading.Event()

    def ask() -> None:
        for query in ("f", "zq", "p7m3f9", "file_99.py", "mod"):
            list(index.find(query, 8))
        done.set()

    waits: list[float] = []
    thread = threading.Thread(target=ask)
    thread.start()
    while not done.is_set():
        began = time.perf_counter()
        time.sleep(0.001)
        waits.append(time.perf_counter() - began)
    thread.join()
    assert sorted(waits)[len(waits) // 2] < 0.01


@given(st.lists(NAMES, min_size=1, max_size=20), st.text("abAB_-. é/", min_size=1, max_size=5))
def test_what_is_found_has_the_letters_in_their_order(paths: list[str], query: str) -> None:
    answers = list(search(query, [page(paths)], lambda: None))
    wanted = query.lower().removeprefix("./")
    for found in answers[-1] if answers else []:
        assert is_subsequence(wanted, found.path.lower())
        assert "".join(found.path.lower()[at] for at in found.marks) == wanted


@given(st.lists(NAMES, min_size=1, max_size=20), st.text("abAB_-é", min_size=1, max_size=4))
def test_what_has_the_letters_in_their_order_is_found(paths: list[str], query: str) -> None:
    answers: list[list[Found]] = list(search(query, [page(paths)], lambda: None))
    found = {one.path for one in answers[-1]} if answers else set()
    assert found == {path for path in paths if is_subsequence(query.lower(), path.lower())}


MANY = [f"src/area{at % 97}/name{at}.py" for at in range(40_000)]


def test_the_first_answer_to_a_letter_waits_for_few_paths() -> None:
    pages = [page(MANY[at : at + PAGE_PATHS]) for at in range(0, len(MANY), PAGE_PATHS)]
    pauses: list[None] = []
    answers = search("a", pages, lambda: pauses.append(None))
    assert len(next(answers)) >= ENOUGH
    assert len(pauses) < 1_000
    assert sum(1 for _ in answers) < 12


def test_the_best_path_is_found_behind_thousands_that_fit_too() -> None:
    paths = [*(f"n/name{at}.py" for at in range(9_000)), "n.py"]
    pages = [page(paths[at : at + PAGE_PATHS]) for at in range(0, len(paths), PAGE_PATHS)]
    *_, last = search("n", pages, lambda: None)
    assert max(last, key=lambda one: one.rating).path == "n.py"


@given(st.lists(NAMES, min_size=1, max_size=20), st.text("abAB/._", min_size=1, max_size=4))
def test_an_answer_has_all_that_the_one_before_had(paths: list[str], query: str) -> None:
    pages = [page([path]) for path in paths] * 30
    before: set[str] = set()
    for found in search(query, pages, lambda: None):
        now = {one.path for one in found}
        assert before <= now
        before = now


@given(st.lists(NAMES, min_size=1, max_size=60, unique=True), NAMES)
def test_who_types_letter_by_letter_finds_what_is_found_at_once(
    paths: list[str], letters: str
) -> None:
    pages = tuple(page(paths[at : at + 2]) for at in range(0, len(paths), 2))
    narrowing = Narrowing()
    for end in range(1, len(letters) + 1):
        typed = list(search(letters[:end], pages, lambda: None, narrowing))
        at_once = list(search(letters[:end], pages, lambda: None))
        assert _paths(typed) == _paths(at_once)


def test_letters_after_others_are_asked_of_all_paths_again() -> None:
    pages = tuple(page([f"ab{number}", f"xy{number}"]) for number in range(40))
    narrowing = Narrowing()
    for letters in ("ab", "xy", "ab1", "x", "xy39", "xy3"):
        found = list(search(letters, pages, lambda: None, narrowing))
        assert _paths(found) == _paths(list(search(letters, pages, lambda: None)))
    other = tuple(page([f"xy3new{number}"]) for number in range(40))
    assert len(_paths(list(search("xy3n", other, lambda: None, narrowing)))) == 40


def _paths(answers: list[list[Found]]) -> set[str]:
    return {one.path for one in answers[-1]} if answers else set()
