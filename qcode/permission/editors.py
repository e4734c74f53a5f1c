"""Commands that change the files that are their operands and no others, as data.

Options are listed, not excluded, as in `readonly`. Missing on purpose: `ln` (what is read or
written behind a new link, no name tells), `patch`, `install`, and all that runs code.
"""

import re
import sys
from collections.abc import Mapping

import msgspec

from qcode.permission.readonly import Reader


class Editor(msgspec.Struct, frozen=True):
    """How a command may be called."""

    options: str = r"(?!)"
    """Pattern that each option must match whole."""
    first: str = ""
    """Pattern of a first operand that is no path; empty = there is none."""
    onto: bool = False
    """The last operand is the file or the folder that the others come to."""
    deep: re.Pattern[str] | None = None
    """An option by which it takes folders with all that is below; None = it does not."""
    moves: bool = False
    """A link stays a link: it can make a name mean another file, whatever its options."""
    suffix: re.Pattern[str] | None = None
    """An option whose group is added to each name: a copy is written there, too."""


_ADD_OR_TAKE = r"[ugoa]*[+-][rwxX]+|[0-7]{3}"
_IN_PLACE = r"-i\.\w+" if sys.platform == "darwin" else r"-i(?:\.\w+)?"
"""To BSD's sed the word behind a bare `-i` is a suffix, and what follows a script."""

EDITORS: Mapping[str, Editor] = {
    "chmod": Editor(first=_ADD_OR_TAKE),
    "cp": Editor(
        r"-[afinpruRv]+|--(?:archive|force|recursive|verbose)",
        onto=True,
        deep=re.compile(r"-\w*[arR]\w*|--archive|--recursive"),
    ),
    "mkdir": Editor(r"-[pv]+|--parents|--verbose"),
    "mv": Editor(r"-[finuv]+|--force|--verbose", onto=True, deep=re.compile(r"(?!)"), moves=True),
    "rm": Editor(
        r"-[dfirRv]+|--(?:force|recursive|verbose)", deep=re.compile(r"-\w*[rR]\w*|--recursive")
    ),
    "rmdir": Editor("-v"),
    "sed": Editor(rf"-[nErsuz]+|{_IN_PLACE}", first=r"(?s:.+)", suffix=re.compile(r"-i(\.\w+)")),
    "tee": Editor("-a|--append"),
    "touch": Editor("-[acm]+|--no-create"),
}

IN_PLACE = re.compile(r"-i.*|--in-place.*")
"""With one of these `sed` is an editor, else it reads."""

_NUMBER = r"[\d.]+[smhd]?"
_AWK = r"(?!.*(?:system|getline|[|>@]|ARG[CV]|SYMTAB|FUNCTAB|PROCINFO|ENVIRON)).*"
"""Besides what runs code: what names other files, and variables."""

READERS: Mapping[str, Reader] = {
    "awk": Reader(r"-F.+", 1, _AWK),
    "command": Reader("-[vV]", 1000, least=1),
    "nproc": Reader(most=0),
    "sed": Reader(r"-[nErsuz]+|--quiet|--silent|--regexp-extended", 1),
    "sleep": Reader(words=1, first=_NUMBER, least=1, most=1),
    "test": Reader(r"-(?:[bcdefghLprsuwxzna]|eq|ne|lt|le|gt|ge|nt|ot|ef)"),
    "uptime": Reader("-[ps]", most=0),
}
"""Readers beyond those of plan mode, or with more options: their scripts were looked at by `code`,
or their files by the engine."""
