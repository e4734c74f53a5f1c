"""The file that takes what is too long for the model."""

from pathlib import Path

import pytest

from qcode.sandbox.capture import HEAD_BYTES, LOST_NOTE, TAIL_BYTES, Capture
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


@pytest.mark.parametrize("piece", [1_000, 33_000, 50_000])
@pytest.mark.parametrize("size", [10_000, 33_000, 40_000, 50_000, 123_000])
def test_a_file_that_could_only_be_made_late_says_what_it_lacks(
    tmp_path: Path, size: int, piece: int
) -> None:
    place = tmp_path / "place"
    place.touch()  # a file where the folder should be
    capture = Capture(lambda: SpillFile(place / "spill", "job"))
    whole = b"".join(b"%07d\n" % number for number in range(size // 8))
    for start in range(0, size, piece):
        capture.feed(whole[start : start + piece])
    place.unlink()
    late = capture.keep_all()
    capture.feed(b"more")
    capture.end()
    kept = late.path.read_bytes()
    head, _, rest = kept.partition(LOST_NOTE.partition(b"%d")[0])
    number, _, tail = rest.partition(LOST_NOTE.partition(b"%d")[2])
    if not rest:
        assert kept == whole + b"more"
        return
    assert whole.startswith(head)
    assert (whole + b"more").endswith(tail)
    assert len(head) + int(number) + len(tail) == size + 4
    assert len(head) == HEAD_BYTES
    assert len(tail) >= TAIL_BYTES
