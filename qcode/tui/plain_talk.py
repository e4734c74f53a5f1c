"""One session in plain mode: what was said and done, and what is asked next."""

import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Literal

from qcode.protocol.events import AnyEvent, Notice
from qcode.protocol.inputs import (
    ApprovalReply,
    Cancel,
    Input,
    Prompt,
    QuestionReply,
    RunShell,
    SetModel,
    Steer,
)
from qcode.tui.chat.talk import Talk
from qcode.tui.chat.waiting import NOTHING
from qcode.tui.home import Engine, Opened
from qcode.tui.plain_printer import Printer
from qcode.tui.plain_replies import chosen, reply
from qcode.tui.plain_rows import approval, choices, question
from qcode.tui.plain_voice import Voice

Wants = Literal["prompt", "approval", "words", "question", "nothing"]

PROMPT = "> "
NOBODY = "The input has ended: nobody can be asked any more."


class PlainTalk:
    """Takes events and lines; says what is to be heard."""

    def __init__(
        self, opened: Opened, voice: Voice, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.engine: Engine = opened.engine
        self.held = opened.held
        self.talk = Talk(opened.session_id)
        self.wants: Wants = "nothing"
        """What the next line is."""
        self._voice = voice
        self._clock = clock
        self._printer = Printer(voice)
        self._shown: object = None
        """The approval or question that was told last."""
        self.talk.replay(opened.past)
        self._printer.past(self.talk.blocks)
        self.take(Notice("info", text) for text in opened.notices)

    def submit(self, given: Input) -> None:
        """Say it to the engine, and keep it in mind."""
        self.engine.submit(given)
        if isinstance(given, SetModel):
            here = self.held.addresses.get(given.model, self.held.base_url)
            self.held = replace(self.held, base_url=given.base_url or here)
        changed = self.talk.hear(given, self._clock())
        self._printer.show(changed, self.talk.state, self.talk.blocks)

    def take(self, events: Iterable[AnyEvent]) -> None:
        """Events of the engine."""
        changed = self.talk.take(list(events), self._clock())
        self._printer.show(changed, self.talk.state, self.talk.blocks)
        for text in self.talk.returned:
            self._voice.line(f"Not sent: {text}", "warning")
        self.talk.returned.clear()

    def tick(self) -> None:
        """Time has passed."""
        self._printer.tick(self.talk.status, self._clock())

    def next(self) -> None:
        """Ask what is to be asked now, once."""
        waiting = self.talk.waiting
        if waiting.approvals:
            asked = waiting.approvals[0]
            if asked is not self._shown:
                self._shown = asked
                count = len(waiting.approvals)
                for text, style in approval(asked, f"1 of {count}: " if count > 1 else ""):
                    self._voice.line(text, style)
                self.wants = "approval"
            words = self.wants == "words"
            self._voice.ask("why not? " if words else choices(asked))
        elif waiting.question is not None:
            if waiting.question is not self._shown:
                self._shown = waiting.question
                for text, style in question(waiting.question):
                    self._voice.line(text, style)
            self.wants = "question"
            self._voice.ask("your answer: ")
        elif self.talk.busy:
            self.wants = "nothing"
        else:
            self.wants = "prompt"
            self._voice.ask(PROMPT)

    def answer(self, line: str) -> None:
        """A line for what waits."""
        waiting = self.talk.waiting
        if waiting.approvals:
            self._reply(line)
        elif waiting.question is not None and line.strip():
            said = chosen(line, waiting.question.choices)
            self.submit(QuestionReply(waiting.question.request_id, said))

    def _reply(self, line: str) -> None:
        asked = self.talk.waiting.approvals[0]
        if self.wants == "words":
            given: ApprovalReply | str | None = ApprovalReply(
                asked.request_id, "deny", line.strip()
            )
        else:
            given = reply(asked, line)
        if given == "words":
            self.wants = "words"
        elif isinstance(given, ApprovalReply):
            self.submit(given)
        else:
            self._voice.line("Answer with one of the letters in brackets.", "dim")

    def say(self, words: str) -> None:
        """Words for the model: a prompt, or said into the turn that runs."""
        self.submit(Steer(words) if self.talk.running else Prompt(words))

    def run(self, command: str, share: Literal["keep", "tell"]) -> None:
        """A command of the person's own."""
        self.submit(RunShell(command, share))

    def cancel(self) -> None:
        """Interrupt what runs."""
        self.submit(Cancel("comes back"))

    def give_up(self) -> None:
        """No line will come any more: what waits for one is told so."""
        for asked in self.talk.waiting.approvals:
            self.submit(ApprovalReply(asked.request_id, "deny", NOBODY))
        if asked_too := self.talk.waiting.question:
            self.submit(QuestionReply(asked_too.request_id, NOBODY))
        self.talk.waiting = NOTHING
