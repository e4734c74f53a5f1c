"""What downloads connected to, as it is kept."""

from pathlib import Path

from qcode.serve.pulled import NAME, note, noted
from qcode.serve.ways import Way


def test_what_was_noted_is_read_back_in_its_order(tmp_path: Path) -> None:
    state = tmp_path / "state"
    note(state, "a/b", Way("hub", 443))
    note(state, "a/b", Way("::1", 80, "an address of this machine"))
    assert [(one.model, one.host, one.port, one.because) for one in noted(state)] == [
        ("a/b", "hub", 443, ""),
        ("a/b", "::1", 80, "an address of this machine"),
    ]
    assert (state / NAME).stat().st_mode & 0o077 == 0


def test_a_damaged_line_hides_no_other(tmp_path: Path) -> None:
    note(tmp_path, "a/b", Way("one", 443))
    with (tmp_path / NAME).open("ab") as out:
        out.write(b'{"at": \xff\n\n[]\n')
    note(tmp_path, "a/b", Way("two", 443))
    assert [one.host for one in noted(tmp_path)] == ["one", "two"]


def test_without_a_file_nothing_was_connected_to(tmp_path: Path) -> None:
    assert noted(tmp_path / "nowhere") == ()
