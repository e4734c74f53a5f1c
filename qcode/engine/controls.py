"""The inputs that are no words for the model: replies, modes, settings."""

from collections.abc import Callable
from typing import Literal

import msgspec

from qcode.engine.approval import Approvals
from qcode.engine.parts import Haste
from qcode.engine.ports import Ports
from qcode.engine.questions import Questions
from qcode.engine.say import Say
from qcode.engine.settings import Settings
from qcode.protocol.events import ModeChanged, Notice, Renamed, Rewound, SettingsChanged
from qcode.protocol.inputs import (
    ApprovalReply,
    ClosePort,
    EndReasoning,
    Input,
    ListPorts,
    OpenPort,
    QuestionReply,
    Redo,
    Rename,
    Rewind,
    SetMode,
    SetModel,
    SetSampling,
    SetThinking,
    Undo,
)
from qcode.protocol.messages import UserMessage, user
from qcode.protocol.text import one_line

State = Literal["running", "idle"]


class Controls(msgspec.Struct):
    """What inputs change. Turns read it at each step; it works before the first prompt as well."""

    settings: Settings
    approvals: Approvals
    questions: Questions
    steers: list[UserMessage]
    """Words that wait for the end of the running step."""
    say: Say
    haste: Haste = msgspec.field(default_factory=Haste)
    wish: Callable[[SetModel], None] = lambda given: None
    """Another model, from the next turn on."""
    asks: Callable[[], SettingsChanged] | None = None
    """What the next request asks for; None = nobody looks."""
    ports: Ports | None = None
    """None = there are none to open."""
    held: Callable[[], str] = str
    """A sentence on an effort that cannot follow the settings; empty = it does."""

    def take(self, given: Input, state: State) -> None:
        """Apply one input; what cannot be done is said in a Notice."""
        match given:
            case ApprovalReply():
                if not self.approvals.reply(given):
                    self._warn(f"No call waits for the reply {given.request_id}.")
            case QuestionReply(request_id, answer):
                if not self.questions.reply(request_id, answer):
                    self._warn(f"No question waits for the reply {request_id}.")
            case EndReasoning():
                self.haste.asked = self.haste.thinks
                if not self.haste.thinks:
                    self._warn("Nothing is being thought about: there is no thinking to end.")
            case SetMode(mode):
                self.settings.mode = mode
                self.approvals.refusals.forget()
                self.say(ModeChanged(mode))
            case SetThinking(budget):
                self.settings.thinking_budget = budget
                self._tell()
                if told := self.held():
                    self.say(Notice("info", told))
            case SetSampling():
                self.settings.sampling = given
                self._tell()
            case SetModel(model, base_url):
                self.wish(given)
                name = one_line(model or base_url)
                self.say(Notice("info", f"{name} answers from the next turn on."))
            case Rename(name):
                self.say(Renamed(one_line(name)))
            case OpenPort() | ClosePort() | ListPorts() if self.ports is not None:
                self.ports.take(given)
            case Undo() | Redo() | Rewind() if state == "running":
                self._warn("A turn runs: cancel it before you go back.")
            case Rewind(turn):
                self.rewind(turn)
            case _:
                self._warn(f"{type(given).__name__} is not built yet: nothing was done.")

    def steer(self, text: str) -> None:
        """Words for the running turn; who speaks may think otherwise about what they denied."""
        self.steers.append(user(text, "steer"))
        self.approvals.refusals.new_words()

    def _tell(self) -> None:
        if self.asks is not None:
            self.say(self.asks())

    def rewind(self, turn: int, files: tuple[str, ...] = ()) -> None:
        """The conversation goes on from before `turn`; `files` were put back with it."""
        self.approvals.refusals.forget()  # the model is told nothing of them any more
        self.say(Rewound(turn, files))

    def _warn(self, text: str) -> None:
        self.say(Notice("warning", text))
