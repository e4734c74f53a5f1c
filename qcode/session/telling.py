"""What every document of a session says, whatever its form."""

from qcode.protocol.messages import AssistantMessage, Image, ToolMessage, UserMessage
from qcode.protocol.text import one_line
from qcode.session.conversation import Conversation

SPEAKER = {
    "prompt": "You",
    "steer": "You, in between",
    "verify": "Verification",
    "nudge": "qcode",
    "summary": "Summary",
}
"""Origin of a message -> who speaks, for people."""


def facts(conversation: Conversation) -> dict[str, str]:
    """What the session was, each in a line; what is not known is left out."""
    rows = {
        "Session": conversation.session_id,
        "Folder": conversation.folder,
        "Model": conversation.model,
        "Changed files": ", ".join(conversation.edited),
    }
    return {name: one_line(value, 500) for name, value in rows.items() if value}


def images(message: UserMessage) -> str:
    """`(2 images)`; empty = none. They are not shown."""
    number = sum(isinstance(part, Image) for part in message.parts)
    return f"({number} {'image' if number == 1 else 'images'})" if number else ""


def end(message: AssistantMessage) -> str:
    """Why an answer is not whole; empty = it is."""
    return {"length": "(cut off)", "cancelled": "(cancelled)"}.get(message.finish, "")


def result(message: ToolMessage) -> str:
    """The heading of a call's result."""
    status = "" if message.status == "ok" else f" ({message.status})"
    return f"Result of {one_line(message.name)}{status}"
