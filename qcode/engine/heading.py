"""What stands ahead of a person's words when they become a message."""

from collections.abc import Callable

from qcode.engine.prompt import with_commands
from qcode.protocol.messages import Image, Text, UserMessage
from qcode.protocol.text import well_formed
from qcode.session.conversation import Conversation


def said(text: str, images: tuple[Image, ...] = ()) -> UserMessage:
    """A person's words as they typed them."""
    return UserMessage((Text(well_formed(text)), *images))


def headed(message: UserMessage, talk: Conversation, opening: Callable[[str], str]) -> UserMessage:
    """With the person's own commands, and in the first message of all the facts (`opening`)."""
    words = with_commands(message.text, talk.told)
    words = words if talk.messages else opening(words)
    if words == message.text:
        return message
    images = tuple(part for part in message.parts if isinstance(part, Image))
    return UserMessage((Text(words), *images), message.origin)
