"""A typed line as the reply to a call or a question. Pure."""

from collections.abc import Sequence
from typing import Literal

from qcode.protocol.events import ApprovalRequested
from qcode.protocol.inputs import ApprovalReply

Scope = Literal["once", "batch", "session"]


def reply(asked: ApprovalRequested, line: str) -> ApprovalReply | Literal["words"] | None:
    """What the line answers; `words` = the next line says why not; None = it is no answer.

    >>> reply(ApprovalRequested("r", ToolCall("c", "edit", "{}"), (), ""), "w use ceil").words
    'use ceil'
    """
    letter, _, rest = line.strip().partition(" ")
    word, rest = letter.casefold(), rest.strip()
    scope = _scope(asked, word)
    if scope and not rest:
        return ApprovalReply(asked.request_id, "allow", scope=scope)
    if word == "outside" and asked.where == "inside" and not rest:  # whole: it is no slip
        return ApprovalReply(asked.request_id, "allow", where="outside")
    if word in ("n", "no"):
        return ApprovalReply(asked.request_id, "deny", rest)
    if word in ("w", "words"):
        return ApprovalReply(asked.request_id, "deny", rest) if rest else "words"
    return None


def _scope(asked: ApprovalRequested, word: str) -> Scope | None:
    if word in ("y", "yes"):
        return "once"
    if word in ("b", "batch") and asked.behind:
        return "batch"
    return "session" if word in ("s", "session") and asked.rules else None


def chosen(line: str, choices: Sequence[str]) -> str:
    """The answer to a question: a number stands for its choice."""
    word = line.strip()
    if word.isdecimal() and 0 < int(word) <= len(choices):
        return choices[int(word) - 1]
    return word
