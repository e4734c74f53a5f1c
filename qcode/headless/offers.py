"""What a host may answer besides yes and no: rules to keep, and an answer to a question."""

import asyncio
from typing import Any

import msgspec

from qcode.headless.frames import Frame
from qcode.protocol.events import ApprovalRequested, QuestionAsked

DECLINED = "The user did not answer."


class Pending(msgspec.Struct, frozen=True):
    """What the host was asked."""

    event: ApprovalRequested | QuestionAsked
    given: Frame
    timer: asyncio.TimerHandle


def suggestion(rules: tuple[str, ...]) -> Frame:
    """An update that the host may send back to have these rules hold for the session."""
    return {
        "type": "addRules",
        "rules": [_rule(rule) for rule in rules],
        "behavior": "allow",
        "destination": "session",
    }


def _rule(text: str) -> Frame:
    name, _, inside = text.partition("(")
    return (
        {"toolName": name, "ruleContent": inside.removesuffix(")")}
        if inside
        else {"toolName": name}
    )


def keeps(found: Frame, rules: tuple[str, ...]) -> bool:
    """Whether the host sent back exactly the rules that were offered: no others are taken."""
    updates = found.get("updatedPermissions")
    if not rules or not isinstance(updates, list):
        return False
    offered = suggestion(rules)["rules"]
    return any(isinstance(one, dict) and one.get("rules") == offered for one in updates)


def chosen(updated: Any, question: str) -> str:
    """The answer as Claude's clients put it beside the questions."""
    answers = updated.get("answers") if isinstance(updated, dict) else None
    if isinstance(answers, dict) and answers:
        answer = answers.get(question, next(iter(answers.values())))
        return ", ".join(map(str, answer)) if isinstance(answer, list) else str(answer)
    return DECLINED
