"""The pages of `qcode help`."""

from pathlib import Path

from qcode.protocol.errors import InputError

FOLDER = Path(__file__).with_name("topics")
TOPICS = tuple(sorted(path.stem for path in FOLDER.glob("*.md")))


def page(topic: str) -> str:
    """Raises InputError for a topic that is none."""
    if topic not in TOPICS:
        raise InputError(
            f"There is no page {topic!r}. There are: {', '.join(TOPICS)}; and those of the "
            "subcommands, such as qcode help sessions."
        )
    return (FOLDER / f"{topic}.md").read_text(encoding="utf-8")
