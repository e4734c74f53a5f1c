"""Ask the person; offered only where somebody can answer."""

from typing import Annotated, ClassVar, Literal

import msgspec
from msgspec import Meta

from qcode.protocol.access import Access
from qcode.protocol.display import TextBlock
from qcode.protocol.text import one_line, well_formed
from qcode.tools.base import Context, Outcome, failed
from qcode.tools.lists import entries, words


class Ask(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Ask the user one question and wait for the answer.

    Only for what you cannot find out yourself and what changes the work.
    """

    name: ClassVar[str] = "ask"
    effect: ClassVar[Literal["read", "write"]] = "write"

    question: Annotated[str, Meta(description="One question, complete in itself.")]
    choices: Annotated[
        str, Meta(description="Possible answers, one per line; empty = free text.")
    ] = ""

    def summary(self) -> str:
        """The question."""
        return one_line(self.question)

    def accesses(self) -> tuple[Access, ...]:
        """Nothing."""
        return ()

    async def run(self, context: Context) -> Outcome:
        """Wait for the answer, however long it takes."""
        if context.ask is None:
            return failed(
                "ask: nobody can answer here. Decide yourself and say in your answer what you "
                "assumed."
            )
        if not self.question.strip():
            return failed("ask: the question is empty.")
        choices = (words(entry, ("label", "text", "value")) for entry in entries(self.choices))
        answer = well_formed(await context.ask(self.question, tuple(filter(None, choices))))
        return Outcome(answer or "(no answer was given)", (TextBlock(answer),))
