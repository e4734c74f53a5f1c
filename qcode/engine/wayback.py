"""Which checkpoints a way back takes back."""

from qcode.protocol.inputs import Redo, Rewind, Undo
from qcode.workspace.kept import Note, Past, backwards

NOTHING = {
    Undo: "There is nothing to undo: no turn of this session changed files that are kept.",
    Redo: "There is nothing to redo.",
    Rewind: "No files were changed since then.",
}


def meant(seen: Past, given: Undo | Redo | Rewind) -> tuple[list[Note], tuple[str, ...]]:
    """The checkpoints to take back, and what the new one is told of."""
    match given:
        case Redo():
            notes = [seen.undone[-1][0]] if seen.undone else []
        case Undo():
            notes = next((one.notes for one in seen.done[::-1] if backwards(one.notes)), [])
        case Rewind(turn):
            notes = [note for one in seen.done if one.turn >= turn for note in one.notes]
    return notes, tuple(note.id for note in notes)
