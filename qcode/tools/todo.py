"""The plan: a list that the model keeps for itself and the person watches."""

import re
from typing import Annotated, Any, ClassVar, Literal

import msgspec
from msgspec import Meta

from qcode.protocol.access import Access
from qcode.protocol.display import TodoBlock, TodoItem
from qcode.tools.base import Context, Outcome, failed
from qcode.tools.lists import entries, words

State = Literal["open", "doing", "done"]

_ROW = re.compile(r"^(?:(?:[-*+•]|\d+[.)])(?=[\s\[]))?\s*(?:\[(?P<mark>[^\]]?)\])?\s*(?P<text>.*)$")
_MARKS: dict[str, State] = {
    **dict.fromkeys("xX✓✔", "done"),
    **dict.fromkeys("~>-/*.", "doing"),
    **dict.fromkeys(("", " "), "open"),
}
_STATES: dict[str, State] = {
    **dict.fromkeys(("done", "completed", "complete", "finished"), "done"),
    **dict.fromkeys(("doing", "in_progress", "in progress", "active"), "doing"),
}
_TEXT_KEYS = ("content", "text", "task", "title", "step")


class Todo(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Keep a plan for work of several steps; each call replaces the whole list.

    Send it again when a step begins or is done. Skip it for simple tasks.
    """

    name: ClassVar[str] = "todo"
    effect: ClassVar[Literal["read", "write"]] = "write"

    items: Annotated[
        str,
        Meta(
            description="One step per line, each with its mark: `[ ]` open, `[~]` in work, "
            "`[x]` done. Example: `[x] find the bug`."
        ),
    ]

    def summary(self) -> str:
        """How far the plan is."""
        items = parsed(self.items)
        return f"{sum(item.state == 'done' for item in items)} of {len(items)} done"

    def accesses(self) -> tuple[Access, ...]:
        """Nothing outside of the conversation."""
        return ()

    async def run(self, context: Context) -> Outcome:
        """Replace the plan."""
        items = parsed(self.items)
        if not items and self.items.strip():
            return failed("todo: no step was found. Write one per line: `[ ] what to do`.")
        context.todo[:] = items
        return Outcome(_reply(items), (TodoBlock(items),))


def parsed(text: str) -> tuple[TodoItem, ...]:
    """The steps; a JSON list with `status` words is understood as well."""
    return tuple(item for item in map(_item, entries(text)) if item.text)


def _item(entry: Any) -> TodoItem:
    if isinstance(entry, dict):
        state = str(entry.get("status", entry.get("state", ""))).casefold()
        return TodoItem(words(entry, _TEXT_KEYS), _STATES.get(state, "open"))
    row = _ROW.match(words(entry, ()))
    if row is None:
        return TodoItem("")
    return TodoItem(row["text"], _MARKS.get(row["mark"] or "", "open"))


def _reply(items: tuple[TodoItem, ...]) -> str:
    if not items:
        return "The plan is empty now."
    ahead = [item.text for item in items if item.state != "done"]
    if not ahead:
        return "Plan kept, all done."
    return f"Plan kept, {len(items) - len(ahead)} of {len(items)} done. Next: {ahead[0]}"
