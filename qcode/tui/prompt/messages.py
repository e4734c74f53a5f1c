"""What the prompt tells the screen it stands on."""

from dataclasses import dataclass
from typing import Literal

from textual.message import Message

from qcode.protocol.messages import Image


class Told(Message, namespace="prompt"):
    """Base of them. Handlers are named `on_prompt_submitted`, and so on."""


@dataclass
class Submitted(Told, namespace="prompt"):
    """A prompt to send, while no turn runs."""

    text: str
    """For the model: pastes in place of their tokens."""
    pictures: tuple[Image, ...] = ()
    shown: str = ""
    """As it was written, with tokens."""


@dataclass
class Steered(Told, namespace="prompt"):
    """Words for the running turn. Pictures cannot steer: what has some is `Queued`."""

    text: str
    shown: str = ""


@dataclass
class Queued(Told, namespace="prompt"):
    """A prompt for after the running turn."""

    text: str
    pictures: tuple[Image, ...] = ()
    shown: str = ""


@dataclass
class ShellWanted(Told, namespace="prompt"):
    """`!command`: run it, the model hears nothing. `!!command`: it is told with the next prompt."""

    command: str
    share: Literal["keep", "tell"]


@dataclass
class CommandWanted(Told, namespace="prompt"):
    """`/name argument`, of a name that the table has."""

    name: str
    argument: str = ""


class UnqueueWanted(Told, namespace="prompt"):
    """The last words that wait are wanted back; see `PromptBox.take_back`."""


class Emptied(Told, namespace="prompt"):
    """There was text, and now there is none; not said after something was sent."""


@dataclass
class Said(Told, namespace="prompt"):
    """A sentence that the person should read: why a picture was not taken, say."""

    text: str
    level: Literal["info", "warning"] = "warning"
