"""What stands in the prompt, with what its tokens stand for: as history and drafts keep it."""

import re
from collections.abc import Mapping

import msgspec

_PASTED = re.compile(r"\[pasted #(\d+): \d+ (?:lines?|characters)\]")
_PICTURE = re.compile(r"\[image #(\d+): [^\]\n]*\]")
TOKEN = re.compile(f"{_PASTED.pattern}|{_PICTURE.pattern}")
"""What is deleted whole."""


class Writing(msgspec.Struct, frozen=True, omit_defaults=True):
    """A prompt as it was written."""

    text: str
    pastes: Mapping[int, str] = {}
    """Number of a token -> the text it stands for."""
    pictures: Mapping[int, str] = {}
    """Number of a token -> the file."""

    def expanded(self) -> str:
        """With every paste in place of its token. Tokens inside a paste stay as they are."""
        return _PASTED.sub(lambda token: self.pastes.get(int(token[1]), token[0]), self.text)

    def shown_pictures(self) -> tuple[str, ...]:
        """The files of those tokens that are still in the text, in its order, each once."""
        numbers = (int(token[1]) for token in _PICTURE.finditer(self.text))
        files = (self.pictures[number] for number in numbers if number in self.pictures)
        return tuple(dict.fromkeys(files))

    def tidy(self) -> "Writing":
        """Without what no token of the text stands for."""
        kept = {int(token[1]) for token in _PASTED.finditer(self.text)}
        seen = {int(token[1]) for token in _PICTURE.finditer(self.text)}
        return Writing(
            self.text,
            {number: text for number, text in self.pastes.items() if number in kept},
            {number: file for number, file in self.pictures.items() if number in seen},
        )


EMPTY = Writing("")
