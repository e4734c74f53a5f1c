"""What stands in the prompt, with what its tokens stand for: as history and drafts keep it."""

import re
from collections.abc import Iterable, Mapping

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


def joined(writings: Iterable[Writing]) -> Writing:
    """One below the other, with a blank line between; tokens get numbers of their own."""
    texts: list[str] = []
    pastes: dict[int, str] = {}
    pictures: dict[int, str] = {}
    for one in writings:
        by = max((*pastes, *pictures), default=0)
        texts.append(_counted(one.text, by))
        pastes |= {number + by: text for number, text in one.pastes.items()}
        pictures |= {number + by: file for number, file in one.pictures.items()}
    return Writing("\n\n".join(texts), pastes, pictures).tidy()


def _counted(text: str, by: int) -> str:
    """`[image #2: a.png]` with a number that is so much higher."""

    def higher(token: re.Match[str]) -> str:
        return re.sub(r"#(\d+)", lambda number: f"#{int(number[1]) + by}", token[0], count=1)

    return TOKEN.sub(higher, text)


EMPTY = Writing("")
