"""What the person does with the conversation: scroll, open, search, copy."""

import asyncio

from textual.actions import SkipAction

from qcode.protocol.text import one_line, plain
from qcode.tui.blocks import CallBlock, ReasoningBlock, ShellBlock
from qcode.tui.chat.clip import written
from qcode.tui.chat.links import follow
from qcode.tui.screens.conversation import ConversationScreen
from qcode.tui.view import TranscriptView
from qcode.tui.widgets.find import FindLine


class LookingScreen(ConversationScreen):
    """The actions of `chat.keys` that need nobody else."""

    def action_page_up(self) -> None:
        self.view.roll_pages(-1)

    def action_page_down(self) -> None:
        self.view.roll_pages(1)

    def action_home(self) -> None:
        self.view.roll_top()

    def action_end(self) -> None:
        self.view.roll_end()

    def action_reasoning(self) -> None:
        self.view.toggle_all(ReasoningBlock)

    def action_open_last(self) -> None:
        """The card or thought that has the focus, else the last one."""
        if self.view.picture.focused is not None:
            self.view.open_focused()
            return
        for index in range(len(self.talk.blocks) - 1, -1, -1):
            if isinstance(self.talk.blocks[index], CallBlock | ReasoningBlock | ShellBlock):
                self.view.toggle(index)
                return

    def action_block(self, step: int) -> None:
        self.view.next_block(step)

    def action_find(self) -> None:
        if self.prompt.searches:  # there Ctrl+S is the next newer prompt
            raise SkipAction
        self.finding.open()

    def on_find_line_sought(self, event: FindLine.Sought) -> None:
        event.stop()
        self.view.find(event.words)

    def on_transcript_view_found(self, event: TranscriptView.Found) -> None:
        event.stop()
        self.finding.tell(event.count, event.of)

    def on_find_line_stepped(self, event: FindLine.Stepped) -> None:
        event.stop()
        self.view.next_match(event.by)

    def on_find_line_closed(self, event: FindLine.Closed) -> None:
        event.stop()
        self.view.find("")
        self.prompt.focus()

    def on_transcript_view_link_clicked(self, event: TranscriptView.LinkClicked) -> None:
        event.stop()
        if event.link.startswith(("http://", "https://")):
            self.run_worker(self._follow(event.link), group="link")
        else:
            self._copy(event.link)

    async def _follow(self, link: str) -> None:
        if not await asyncio.to_thread(follow, link):
            self._copy(link)

    def action_copy_answer(self) -> None:
        focused = self.view.picture.focused
        text = written(self.talk.blocks[focused]) if focused is not None else self.talk.answer
        if text:
            self._copy(text)
        else:
            self.say("there is nothing to copy yet", "warning")

    def action_redraw(self) -> None:
        self.refresh(layout=True)
        self.view.refresh()

    def _copied(self) -> bool:
        text = self.get_selected_text() or ""
        text = text or self.prompt.selected_text
        if not text:
            return False
        self._copy(text)
        self.clear_selection()
        return True

    def _copy(self, text: str) -> None:
        text = plain(text)  # pasted in a terminal, a control sequence would be obeyed
        self.app.copy_to_clipboard(text)
        rows = text.count("\n") + 1
        self.say(f"copied {rows} lines" if rows > 1 else f"copied: {one_line(text, 60)}")
