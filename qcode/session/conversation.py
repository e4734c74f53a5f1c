"""The conversation as a fold of the log: what the model is sent, and a few sums.

Pure. The engine applies each event as it happens, and the same function over the log of a session
gives the same conversation, so resuming is reading. Whatever the log has lost, the messages stay
valid: each call has exactly one result, in the order of the calls, because templates match
results by order.
"""

from collections.abc import Iterable

import msgspec

from qcode.protocol.display import Block, FileBlock, TodoBlock, TodoItem
from qcode.protocol.events import (
    AnyEvent,
    CheckpointTaken,
    Compacted,
    DecidedPart,
    Elided,
    MessageCompleted,
    ModeChanged,
    ModelChanged,
    Parent,
    Renamed,
    Rewound,
    SessionStarted,
    ShellFinished,
    Steered,
    StepStarted,
    ToolCallFinished,
    TurnStarted,
    Usage,
)
from qcode.protocol.messages import (
    AssistantMessage,
    Message,
    ToolCall,
    ToolMessage,
    ToolSpec,
    UserMessage,
)
from qcode.session.elision import elided
from qcode.session.envelope import UnknownEvent
from qcode.session.prompts import spoken

LOST_RESULT = "No result: it is missing from the log of this session."


class _Mark(msgspec.Struct, frozen=True):
    """Where a turn begins."""

    turn: int
    era: int
    """How many times messages had been taken away before."""
    index: int
    """In the messages of that era."""
    said: int = 0
    """How much the person had said before."""
    plan: tuple[TodoItem, ...] = ()
    """As it stood then."""


class Conversation(msgspec.Struct):
    """A session as it stands. Changed only by `apply`."""

    session_id: str = ""
    parent: Parent | None = None
    folder: str = ""
    model: str = ""
    server: str = ""
    mode: str = ""
    system: str = ""
    """As the last SessionStarted has it; so are the tools."""
    tools: tuple[ToolSpec, ...] = ()
    name: str = ""
    """As given by the person; empty = none."""
    first_prompt: str = ""
    """What the person said first, without what qcode put around it."""
    messages: list[Message] = msgspec.field(default_factory=list)
    """What the model is sent, without the system text. Always the same list: read, do not change
    it. Results are put in the order of their calls; else it grows at the end while `epoch` is
    the same."""
    said: list[UserMessage] = msgspec.field(default_factory=list)
    """All prompts and steers of the turns that are part of the conversation, compacted ones too."""
    epoch: int = 0
    """Grows when messages were taken away or replaced."""
    turns: int = 0
    """Highest number of a turn so far, rewound ones too: the next is one more."""
    generated_tokens: int = 0
    """By all answers of the log; likewise the next two."""
    edits: int = 0
    """Calls that changed files."""
    edited: dict[str, None] = msgspec.field(default_factory=dict)
    """Paths that were changed, in the order of their first change."""
    looked_at: dict[str, None] = msgspec.field(default_factory=dict)
    """Paths that were read, in the order of their last reading."""
    plan: tuple[TodoItem, ...] = ()
    """The todo list as the model last wrote it."""
    told: list[str] = msgspec.field(default_factory=list)
    """What the person ran themselves and the next prompt begins with."""
    efforts: dict[str, int] = msgspec.field(default_factory=dict)
    """Model -> the thinking budget of its first answer: what some templates write in front of the
    prompt follows that one as long as the session lives, so that nothing is read again
    (`server.family.Family.frozen`)."""
    last_usage: Usage | None = None
    """Of the last answer; None = there was none since messages were last taken away."""
    decided: list[DecidedPart] = msgspec.field(default_factory=list)
    """Parts of changes, in the order of the decisions. Another mode and a rewind leave none."""
    checkpoints: list[str] = msgspec.field(default_factory=list)
    """Ids, in their order; those of rewound turns too."""
    _budget: int | None = None
    """Of the step that runs; None = not told."""
    _marks: list[_Mark] = msgspec.field(default_factory=list)
    _eras: list[list[Message]] = msgspec.field(default_factory=list)
    """The messages as they were before each compaction or elision, for going back behind it."""
    _calls: tuple[ToolCall, ...] = ()
    """Of the last answer; empty once the conversation has gone on."""
    _done: list[bool] = msgspec.field(default_factory=list)
    """Which of them have their result."""
    _first_result: int = 0
    """Where in `messages` their results begin."""

    @property
    def title(self) -> str:
        """The name, else the first prompt; empty = nothing was said yet."""
        return self.name or self.first_prompt

    @property
    def live_turns(self) -> tuple[int, ...]:
        """Numbers of the turns that are part of the conversation, compacted ones too."""
        return tuple(mark.turn for mark in self._marks)

    def dangling(self) -> tuple[ToolCall, ...]:
        """Calls of the last answer that have no result: qcode ended while they ran."""
        pairs = zip(self._calls, self._done, strict=True)
        return tuple(call for call, done in pairs if not done)

    def apply(self, event: AnyEvent | UnknownEvent) -> None:
        """Take in the next event; those that say nothing about the conversation are ignored."""
        match event:
            case SessionStarted():
                self._start(event)
            case TurnStarted(turn=turn, message=message):
                self._begin_turn(turn, message)
            case MessageCompleted(message=message):
                self._answer(message)
            case ToolCallFinished():
                self._finish_call(event)
            case Steered(message=message):
                self._steer(message)
            case Compacted(summary=summary, kept=kept):
                self._compact(summary, kept)
            case Elided(messages=count, result_characters=most):
                self._elide(max(0, count), most)
            case Rewound(turn=turn):
                self._rewind(turn)
            case CheckpointTaken(checkpoint_id=one):
                self.checkpoints.append(one)
            case ShellFinished(share="tell", text=text) if text:
                self.told.append(text)
            case Usage():
                self.last_usage = event
                self.generated_tokens += event.generated_tokens or 0
            case Renamed(name=name):
                self.name = name
            case ModelChanged(model=model, server=server):
                self.model, self.server = model, server
            case StepStarted(thinking_budget=budget):
                self._budget = budget
            case ModeChanged(mode=mode):
                self.mode = mode
                self.decided.clear()
            case _:
                pass  # for the transcript only

    def _start(self, event: SessionStarted) -> None:
        if not self.session_id:
            self.session_id, self.parent = event.session_id, event.parent
            self.folder = event.folder
        self.system, self.tools = event.system, event.tools
        self.model, self.server, self.mode = event.model, event.server, event.mode

    def _begin_turn(self, turn: int, message: UserMessage) -> None:
        self._close_calls()
        if not self._marks:
            self.first_prompt = spoken(message)
        place = (len(self._eras), len(self.messages), len(self.said))
        self._marks.append(_Mark(turn, *place, self.plan))
        self.turns = max(self.turns, turn)
        self.told.clear()
        self.messages.append(message)
        self.said.append(message)

    def _steer(self, message: UserMessage) -> None:
        self.messages.append(message)
        if message.origin == "steer":
            self.said.append(message)

    def _answer(self, message: AssistantMessage) -> None:
        if self._budget is not None:
            self.efforts.setdefault(self.model, self._budget)
        self._close_calls()
        self.messages.append(message)
        self._calls = message.calls
        self._done = [False] * len(self._calls)
        self._first_result = len(self.messages)

    def _finish_call(self, event: ToolCallFinished) -> None:
        if event.edited:
            self.edits += 1
            self.edited.update(dict.fromkeys(event.edited))
        self.decided += event.decided
        self._look(event.blocks)
        for position, call in enumerate(self._calls):
            if call.id == event.message.call_id and not self._done[position]:
                self._place(position, event.message)
                return
        # a second result, or one whose call is lost: no template could take it

    def _look(self, blocks: Iterable[Block]) -> None:
        """Keep what a summary must not lose: the plan, and which files are open."""
        for block in blocks:
            match block:
                case TodoBlock(items):
                    self.plan = items
                case FileBlock(path):
                    self.looked_at.pop(path, None)
                    self.looked_at[path] = None

    def _place(self, position: int, result: ToolMessage) -> None:
        before = sum(self._done[:position])
        self.messages.insert(self._first_result + before, result)
        self._done[position] = True

    def _close_calls(self) -> None:
        """The conversation goes on: a call that has no result now will never get one."""
        for position, call in enumerate(self._calls):
            if not self._done[position]:
                self._place(position, ToolMessage(call.id, call.name, LOST_RESULT, "cancelled"))
        self._forget_calls()

    def _forget_calls(self) -> None:
        self._calls, self._done = (), []

    def _compact(self, summary: UserMessage, kept: int) -> None:
        removed = max(0, len(self.messages) - max(0, kept))
        while removed < len(self.messages) and isinstance(self.messages[removed], ToolMessage):
            removed += 1  # the answer with its call is gone: no template could take it
        self._eras.append(self.messages.copy())
        self.messages[:removed] = [summary]
        self._shrink()
        self._first_result += 1 - removed
        if self._first_result < 2:  # the answer that made the calls is gone
            self._forget_calls()

    def _elide(self, count: int, most_characters: int) -> None:
        old = self.messages[:count]
        short = elided(old, most_characters)
        self._eras.append(self.messages.copy())
        self.messages[:count] = short
        self._first_result -= len(old) - len(short)
        self._shrink()

    def _rewind(self, turn: int) -> None:
        self.decided.clear()
        place = next((i for i, mark in enumerate(self._marks) if mark.turn == turn), None)
        if place is None:
            return
        mark = self._marks[place]
        then = self._eras[mark.era] if mark.era < len(self._eras) else self.messages
        self.messages[:] = then[: mark.index]
        self.plan = mark.plan
        del self.said[mark.said :]
        del self._eras[mark.era :]
        del self._marks[place:]
        self._shrink()
        self._forget_calls()

    def _shrink(self) -> None:
        """Messages were taken away: what the last answer cost says nothing about the next."""
        self.epoch += 1
        self.last_usage = None


def fold(events: Iterable[AnyEvent | UnknownEvent]) -> Conversation:
    """The conversation that `events` tell."""
    conversation = Conversation()
    for event in events:
        conversation.apply(event)
    return conversation
