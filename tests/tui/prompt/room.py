"""An app that holds a prompt and nothing else, and keeps what it says."""

from pathlib import Path

from textual.app import App, ComposeResult
from textual.widgets import Static

from qcode.tui.prompt import messages
from qcode.tui.prompt.sending import CommandRow
from qcode.tui.prompt.widget import PromptBox

COMMANDS = (
    CommandRow("help", "", "what there is"),
    CommandRow("model", "[name]", "another model"),
    CommandRow("mode", "[name]", "another mode"),
    CommandRow("compact", "[focus]", "shorten the conversation"),
)


class Room(App[None]):
    """The prompt at the bottom of an empty page."""

    CSS = "#page { height: 1fr; }"

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.box = PromptBox(folder, folder / ".state", COMMANDS)
        self.heard: list[messages.Told] = []

    async def quiet(self) -> None:
        """Until what was begun beside the keys is done."""
        await self.workers.wait_for_complete()

    def compose(self) -> ComposeResult:
        yield Static("page", id="page")
        yield self.box

    def on_mount(self) -> None:
        self.box.focus()

    def on_prompt_submitted(self, told: messages.Submitted) -> None:
        self.heard.append(told)

    on_prompt_steered = on_prompt_submitted
    on_prompt_queued = on_prompt_submitted
    on_prompt_shell_wanted = on_prompt_submitted
    on_prompt_command_wanted = on_prompt_submitted
    on_prompt_emptied = on_prompt_submitted
    on_prompt_said = on_prompt_submitted
