"""A change of ten thousand files costs what is seen of it."""

from qcode.tui.review.chrome import FilesLines
from qcode.tui.review.state import Item, Mark, ReviewState
from qcode.workspace.patches import between

MANY = 10_000
FILES = [between(f"src/file{number}.py", "a\nb\n", "a\nB\n") for number in range(MANY)]


class Counting(ReviewState):
    """Counts how often it is asked."""

    asked = 0

    def mark(self, number: int) -> Mark:
        self.asked += 1
        return super().mark(number)

    def of_file(self, index: int) -> tuple[Item, ...]:
        self.asked += 1
        return super().of_file(index)


def test_only_the_files_in_sight_are_drawn() -> None:
    state = Counting(FILES)
    lines = FilesLines(state, 40)
    assert len(lines) == MANY
    assert state.asked == 0
    assert "file9999.py" in lines[-1].text
    assert [line.text.split()[0] for line in lines[5:7]] == ["src/file5.py", "src/file6.py"]
    assert state.asked == 6
    assert "focus" in lines[0].spans[0].style
    assert "focus" not in lines[1].spans[0].style


def test_the_hunks_of_a_file_are_not_sought_among_all() -> None:
    state = ReviewState(FILES)
    state.go_file(MANY - 1)
    state.decide("drop")
    assert state.of_file(7) is state.of_file(7)
    assert [index for index in range(MANY) if state.chosen(index)] == [MANY - 1]
    state.move_file(1)
    assert state.cursor == MANY - 1
