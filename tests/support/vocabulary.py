"""The vocabulary of the tiny model, and what it says: a chain of classes of tokens.

Random weights alone babble bytes that are no UTF-8 and no well-formed answer. Here each token
belongs to a class, and the class of the last token alone decides what may come next, each choice
equally likely. So a real engine really samples, and what it samples has the form of an answer:

    reasoning in small letters!\\n</think>\\n\\nWORDS IN CAPITALS.<|im_end|>

or, at one in two, `WORDS:\\n\\n` and a call of `read` for the file `notes.txt`.
"""

from dataclasses import dataclass
from typing import Literal

TokenKind = Literal["normal", "control", "user_defined"]

END = "<|im_end|>"
CALL = ("\n<function=read>\n", "<parameter=path>\n", "notes.txt\n</parameter>\n", "</function>\n")
"""In tokens of fewer than 32 bytes: llama-cpp-python leaves longer ones out of what it sends."""
TO_CALL = ":\n\n"

CALLS = [[".", False]]
NO_CALLS = [[TO_CALL, False]]
"""Values for a request's `logit_bias`: the answer ends in a call; in none."""

SMALL = "aehilmnorstu"
LARGE = SMALL.upper()

FOLLOWERS: dict[str, tuple[str, ...]] = {
    "\n": tuple(SMALL),  # the prompt ends in `<think>` and a line end
    "small": (*SMALL, "!\n"),
    "!\n": ("</think>",),
    "</think>": ("\n\n",),
    "\n\n": tuple(LARGE),  # without thinking the prompt ends here
    "large": (*LARGE, ".", TO_CALL),
    ".": (END,),
    TO_CALL: ("<tool_call>",),
    "<tool_call>": CALL[:1],
    CALL[0]: CALL[1:2],
    CALL[1]: CALL[2:3],
    CALL[2]: CALL[3:],
    CALL[3]: ("</tool_call>",),
    "</tool_call>": (END,),
    "other": tuple(SMALL),
}
"""Class of a token -> the tokens that may follow."""

THINKER: dict[str, tuple[str, ...]] = {
    **FOLLOWERS,
    "small": tuple(SMALL),
    "large": (*LARGE, "."),
}
"""The same for a model that never ends its reasoning by itself, and calls nothing."""

CLASSES = tuple(FOLLOWERS)

MERGES = (("\n", "\n"), ("!", "\n"), (":", "\n\n"))
"""In the order in which the tokenizer applies them; each makes a token."""


@dataclass(frozen=True, slots=True)
class Token:
    """One entry of the vocabulary."""

    text: str
    """As the file has it: bytes as the printable characters that byte-level BPE writes for them."""
    kind: TokenKind
    means: str
    """What it stands for; a byte that is no ASCII has no text of its own and is empty here."""

    @property
    def class_number(self) -> int:
        """Position of its class in `CLASSES`."""
        if self.means in FOLLOWERS:
            return CLASSES.index(self.means)
        letters = {**dict.fromkeys(SMALL, "small"), **dict.fromkeys(LARGE, "large")}
        return CLASSES.index(letters.get(self.means, "other"))


def vocabulary() -> list[Token]:
    """256 bytes, the merges, the control tokens of ChatML, and the tags of Qwen's template."""
    written = _written_bytes()
    tokens = [
        Token(char, "normal", chr(byte) if byte < 128 else "") for byte, char in enumerate(written)
    ]
    tokens += [Token(escaped(left + right), "normal", left + right) for left, right in MERGES]
    tokens += [Token(text, "control", text) for text in ("<|endoftext|>", "<|im_start|>", END)]
    tags = ("think", "tool_call", "tool_response")
    both = [text for tag in tags for text in (f"<{tag}>", f"</{tag}>")]
    return tokens + [Token(text, "user_defined", text) for text in (*both, *CALL)]


def escaped(text: str) -> str:
    """ASCII `text` in the characters that a byte-level vocabulary is written with."""
    written = _written_bytes()
    return "".join(written[byte] for byte in text.encode())


def _written_bytes() -> list[str]:
    """Per byte the character that stands for it: itself where printable, else one from 256 on."""
    printable = {*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)}
    spare = iter(range(256, 512))
    return [chr(byte) if byte in printable else chr(next(spare)) for byte in range(256)]
