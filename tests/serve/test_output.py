"""A log that does not grow without end."""

import os
import stat
import threading
from pathlib import Path

from qcode.serve.output import Output


def test_the_older_half_goes_and_rows_stay_whole(tmp_path: Path) -> None:
    file = tmp_path / "log"
    output = Output(file, longest=1_000)
    for number in range(500):
        output.add(f"row {number:04}\n".encode())
        assert file.stat().st_size <= 1_000
    rows = file.read_text().splitlines()
    assert rows[-1] == "row 0499"
    assert all(len(row) == 8 for row in rows)
    assert len(rows) >= 50


def test_it_is_for_its_owner_alone(tmp_path: Path) -> None:
    file = tmp_path / "log"
    Output(file).add(b"words")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_a_pipe_is_followed_to_its_end(tmp_path: Path) -> None:
    output = Output(tmp_path / "log")
    reading, writing = os.pipe()
    thread: threading.Thread = output.follow(os.fdopen(reading, "rb"))
    os.write(writing, b"first ")
    os.write(writing, b"last")
    os.close(writing)
    thread.join(10)
    assert not thread.is_alive()
    assert output.tail() == "first last"
    assert output.tail(since=6) == "last"


def test_a_folder_that_is_gone_stops_nothing(tmp_path: Path) -> None:
    output = Output(tmp_path / "gone" / "log")
    output.add(b"words")
    assert output.tail() == ""
    assert output.size() == 0
