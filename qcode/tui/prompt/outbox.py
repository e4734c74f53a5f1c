"""What leaves the prompt: a text becomes one of `messages`."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Literal, Protocol

from textual.message import Message

from qcode.protocol.errors import InputError
from qcode.protocol.messages import Image
from qcode.tui.prompt import messages, pictures
from qcode.tui.prompt.intake import Run
from qcode.tui.prompt.sending import Command, CommandRow, Shell, Unknown, Words, meant
from qcode.tui.prompt.writing import Writing

When = Literal["now", "later"]


class Sender(Protocol):
    """Where it was written."""

    turn: Literal["idle", "running"]
    commands: tuple[CommandRow, ...]

    @property
    def text(self) -> str:
        """What stands there by now."""

    def write(self, writing: Writing | str) -> None:
        """Put a text back."""

    def sent(self, writing: Writing) -> None:
        """This one is out of the box."""

    def post_message(self, message: Message) -> bool:
        """Say it to the screen."""


class Outbox:
    """Pictures are read in threads; what is done with the words is decided behind that."""

    def __init__(self, sender: Sender, folder: Path, run: Run) -> None:
        self._sender = sender
        self._folder = folder
        self._run = run

    def send(self, writing: Writing, when: When) -> None:
        """What it means; a command of the app that there is not stays where it is."""
        post = self._sender.post_message
        match meant(writing.expanded(), _names(self._sender.commands)):
            case Unknown(sentence):
                post(messages.Said(sentence, "warning"))
            case Shell(command, share):
                self._sender.sent(writing)
                post(messages.ShellWanted(command, share))
            case Command(name, argument):
                self._sender.sent(writing)
                post(messages.CommandWanted(name, argument))
            case Words(text):
                self._sender.sent(writing)
                if pictures.may_have_pictures(writing):
                    self._run(self._with_pictures(text, writing, when))
                else:
                    self._say(text, (), writing, when)

    async def _with_pictures(self, text: str, writing: Writing, when: When) -> None:
        try:
            found = await asyncio.to_thread(pictures.of_writing, writing, self._folder)
        except InputError as error:
            self._sender.post_message(messages.Said(str(error), "warning"))
            if not self._sender.text:
                self._sender.write(writing)
            return
        self._say(text, found, writing, when)

    def _say(self, text: str, found: tuple[Image, ...], writing: Writing, when: When) -> None:
        post = self._sender.post_message
        if self._sender.turn == "idle":
            post(messages.Submitted(text, found, writing.text))
        elif found or when == "later":
            post(messages.Queued(text, found, writing.text))
        else:
            post(messages.Steered(text, writing.text))


def _names(commands: Sequence[CommandRow]) -> set[str]:
    return {name for row in commands for name in (row.name, *row.aliases)}
