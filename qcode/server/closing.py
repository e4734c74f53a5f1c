"""The words that end a reasoning which has used up its budget, and where they stand.

Qwen's technique (Qwen3 Technical Report, 4.3): the reasoning is ended with a sentence of its own
and the end mark, and the model writes its answer behind it. The wording is free. It points to
acting, since most steps are calls; it never tells the model to halt, which Qwen reads as "wait for
instructions" (adolfousier/opencrabs #796).
"""

CLOSING = "I have thought enough. Now I act, or answer."
"""Short: its dozen of tokens comes on top of the budget."""


def closed(reasoning: str) -> str:
    """`reasoning` with the sentence as its last paragraph; the sentence alone where it is blank."""
    thought = reasoning.rstrip()
    return f"{thought}\n\n{CLOSING}" if thought else CLOSING
