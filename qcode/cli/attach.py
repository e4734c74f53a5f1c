"""Pictures of a prompt: those of `--image`, then those that its text names as `@shot.png`."""

import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from qcode.protocol.messages import Image
from qcode.server.images import load_image

ENDINGS = (".png", ".jpg", ".jpeg", ".webp", ".gif")

_NAMED = re.compile(r'(?<!\S)@(?:"([^"\n]+)"|(\S+))')
_CLOSING = ".,;:!?)]}'\""


def pictures(prompt: str, named: Sequence[Path], folder: Path) -> tuple[Image, ...]:
    """Each picture once. Raises InputError for one that cannot be sent.

    A name in the text is from `folder`; one that is no file there is taken for a word.
    """
    found = [path.absolute() for path in named]
    # `Path.is_file` raises for a name that is too long to be one's
    found += [path for path in _in_text(prompt, folder) if os.path.isfile(path)]  # noqa: PTH113
    return tuple(load_image(path) for path in dict.fromkeys(found))


def _in_text(prompt: str, folder: Path) -> Iterator[Path]:
    for quoted, bare in _NAMED.findall(prompt):
        name = quoted or bare.rstrip(_CLOSING)
        if name.lower().endswith(ENDINGS):
            yield folder / name
