"""Answers on a terminal: words stay whole, and what is no prose stays as it is."""

from hypothesis import given
from hypothesis import strategies as st

from qcode.headless.prose import wrapped

PROSE = "The constant was one too small, so the last row of every page was left out. " * 3


def test_words_are_not_cut_and_lines_fit() -> None:
    rows = wrapped(PROSE.strip(), 40).split("\n")
    assert all(len(row) < 40 for row in rows)
    assert " ".join(rows) == PROSE.strip()


def test_a_list_keeps_its_indent() -> None:
    rows = wrapped("- " + PROSE, 40).split("\n")
    assert rows[0].startswith("- The")
    assert all(row.startswith("  ") for row in rows[1:])


def test_code_and_tables_stay() -> None:
    long = "x" * 30 + " = " + "y" * 60
    for text in (
        f"```python\n{long}\n```",
        f"~~~\n{long}\n```\n{long}\n~~~",
        f"    {long}",
        f"| {long} | {long} |",
    ):
        assert wrapped(text, 40) == text


def test_a_path_or_url_stays_whole() -> None:
    url = "https://example.org/" + "a-very-long-name/" * 5
    assert url in wrapped(f"See {url} for more.", 40).split("\n")


@given(st.text(alphabet="ab c\n-`|\t1.", max_size=400), st.integers(20, 100))
def test_no_word_is_lost(text: str, columns: int) -> None:
    assert wrapped(text, columns).split() == text.split()
