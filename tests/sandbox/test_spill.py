"""The file that takes what is too long for the model."""

from pathlib import Path

import pytest

from qcode.sandbox.spill import CUT_NOTE, SpillFile


@pytest.mark.parametrize(
    ("pieces", "kept"),
    [
        ((b"abcd", b"efgh"), b"abcdefgh"),  # as much as fits, and no more
        ((b"abcd", b"efgh", b"i", b"j"), b"abcdefgh" + CUT_NOTE),  # the cut is between pieces
        ((b"abcde", b"fghij", b"k"), b"abcdefgh" + CUT_NOTE),  # the cut is within a piece
        ((b"abcdefgh", b"", b""), b"abcdefgh"),
    ],
)
def test_what_does_not_fit_is_left_out_with_one_note(
    tmp_path: Path, pieces: tuple[bytes, ...], kept: bytes
) -> None:
    file = SpillFile(tmp_path / "spill", "output", most_bytes=8)
    for piece in pieces:
        file.write(piece)
    file.close()
    file.write(b"late")
    assert file.path.read_bytes() == kept
