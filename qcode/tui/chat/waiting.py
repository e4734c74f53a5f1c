"""What waits for a person: calls to be approved, a question. A fold of events; pure."""

import msgspec
from msgspec.structs import replace

from qcode.protocol.access import NETWORK_CALL
from qcode.protocol.events import (
    AnyEvent,
    ApprovalRequested,
    ApprovalSettled,
    NotBegun,
    QuestionAsked,
    SessionStarted,
    ToolCallFinished,
    TurnFinished,
)
from qcode.protocol.inputs import ApprovalReply, Begin, Input, QuestionReply


class Waiting(msgspec.Struct, frozen=True):
    """Everything that is open, in the order in which it came."""

    approvals: tuple[ApprovalRequested, ...] = ()
    question: QuestionAsked | None = None
    failed: NotBegun | None = None
    """No server answers."""

    def __bool__(self) -> bool:
        return bool(self.approvals or self.question or self.failed)


NOTHING = Waiting()


def after(waiting: Waiting, said: AnyEvent) -> Waiting:
    """What waits once `said` has happened."""
    match said:
        case ApprovalRequested():
            return replace(waiting, approvals=(*waiting.approvals, said))
        case ApprovalSettled(request_id):
            return without(waiting, request_id)
        case QuestionAsked():
            return replace(waiting, question=said)
        case ToolCallFinished() if waiting.question and said.message.name == "ask":
            return replace(waiting, question=None)
        case TurnFinished():  # a job that wants to reach a host waits on
            still = tuple(one for one in waiting.approvals if is_network(one))
            return Waiting(still, failed=waiting.failed)
        case NotBegun():
            return replace(waiting, failed=said)
        case SessionStarted():
            return replace(waiting, failed=None)
    return waiting


def is_network(asked: ApprovalRequested) -> bool:
    """Whether a command inside the fence wants to reach a host: no call of the model's."""
    return asked.call.name == NETWORK_CALL


def without(waiting: Waiting, request_id: str) -> Waiting:
    """One approval less."""
    left = tuple(one for one in waiting.approvals if one.request_id != request_id)
    return replace(waiting, approvals=left)


def replied(waiting: Waiting, given: Input) -> Waiting:
    """What is left once the person has replied: nothing is answered twice."""
    match given:
        case ApprovalReply(request_id):
            return without(waiting, request_id)
        case QuestionReply():
            return replace(waiting, question=None)
        case Begin():
            return replace(waiting, failed=None)
    return waiting
