"""The log file holds what qcode says, not what libraries say of every byte."""

import logging
from pathlib import Path

from qcode.cli.debug import log_to_file


def test_at_debug_level_the_reader_of_markdown_is_quiet(tmp_path: Path) -> None:
    root = logging.getLogger()
    level = root.level
    handler = log_to_file(tmp_path / "qcode.log", "debug")
    try:
        logging.getLogger("markdown_it.rules_block.paragraph").debug("entering paragraph")
        logging.getLogger("qcode.engine").debug("a turn begins")
    finally:
        root.removeHandler(handler)
        root.setLevel(level)
        handler.close()
    said = (tmp_path / "qcode.log").read_text()
    assert "a turn begins" in said
    assert "entering paragraph" not in said
