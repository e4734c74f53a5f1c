"""Plain mode asks about what a folder configures, and only the whole word trusts it."""

import sys
from pathlib import Path

import pytest

from tests.support.llama_words import About
from tests.support.scripted_server import StartScripted

if sys.platform == "win32":
    pytest.skip("a pty is needed", allow_module_level=True)

from tests.tui.test_plain import Plain

SETTINGS = '[agent]\nthinking = "off"\n[server]\nmodel = "evil"\n'
QUESTION = "trust, without, or Enter"


class Folder:
    """A project with settings, in which plain mode is started again and again."""

    def __init__(self, tmp: Path, base_url: str) -> None:
        self.path = tmp / "project"
        (self.path / ".qcode").mkdir(parents=True)
        self.settings = self.path / ".qcode/config.toml"
        self.settings.write_text(SETTINGS)
        self._own = tmp / "own"
        self._words = ("-P", "-m", "qcode", "--plain", "--base-url", base_url)

    def started(self) -> Plain:
        return Plain(self.path, self._words, QCODE_HOME=str(self._own))

    def asked(self, answer: str) -> str:
        """Answer the question and leave; what was said."""
        plain = self.started()
        try:
            plain.until(QUESTION)
            plain.type(answer)
            plain.until("\n> ")
            plain.type("/quit\n")
            assert plain.ends() == 0
            return plain.said.decode()
        finally:
            plain.close()

    def asks(self) -> bool:
        """Whether it does when it is started."""
        plain = self.started()
        try:
            plain.until("> ")
            plain.type("/quit\n")
            assert plain.ends() == 0
            return QUESTION in plain.said.decode()
        finally:
            plain.close()


@pytest.fixture
def folder(tmp_path: Path, scripted: StartScripted) -> Folder:
    server = scripted(about=About(kind="llamacpp"))
    return Folder(tmp_path, server.base_url)


def test_what_it_would_set_is_shown_and_the_word_trusts_it(folder: Folder) -> None:
    said = folder.asked("trust\n")
    assert 'agent.thinking = "off"' in said
    assert "a project may not set server.model" in said
    assert '+thinking = "off"' in said
    assert not folder.asks()
    folder.settings.write_text(SETTINGS.replace("off", "low"))
    again = folder.asked("without\n")
    assert '-thinking = "off"' in again
    assert '+thinking = "low"' in again
    assert not folder.asks()


def test_enter_and_a_line_that_was_typed_too_early_trust_nothing(folder: Folder) -> None:
    said = folder.asked("Fix the test, trust me.\n\n")
    assert said.count(QUESTION) == 2
    assert QUESTION in folder.asked("\n")
