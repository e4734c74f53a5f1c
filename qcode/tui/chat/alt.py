"""Alt with a key, as terminals send it that know no newer way: ESC before what the key sends.

Textual reads it so for letters and digits, but then gives the letter to whoever takes text; for
Enter and signs it leaves Alt out.
"""

from enum import Enum
from typing import cast

from textual._ansi_sequences import ANSI_SEQUENCES_KEYS

_Sequences = dict[str, tuple[Enum, ...]]


class Alt(Enum):
    """By the names that Textual gives where the terminal tells keys apart (kitty's protocol)."""

    ENTER = "alt+enter"
    FULL_STOP = "alt+full_stop"
    COMMA = "alt+comma"
    X = "alt+x"


SENT = {"\x1b\r": Alt.ENTER, "\x1b.": Alt.FULL_STOP, "\x1b,": Alt.COMMA, "\x1bx": Alt.X}


def read_alt() -> None:
    """From here on Textual knows them: its table is the only place where it can be told."""
    cast(_Sequences, ANSI_SEQUENCES_KEYS).update({sent: (key,) for sent, key in SENT.items()})
