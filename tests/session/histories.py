"""Sequences of events as an engine would log them, for property tests."""

from dataclasses import dataclass, field
from typing import TypeVar

from hypothesis import strategies as st

from qcode.protocol.access import Access
from qcode.protocol.display import DiffBlock, OutputBlock
from qcode.protocol.events import (
    Compacted,
    Elided,
    LoggedEvent,
    MessageCompleted,
    ModeChanged,
    ModelChanged,
    Notice,
    Renamed,
    Rewound,
    SessionStarted,
    Steered,
    StepStarted,
    ToolCallFinished,
    ToolCallStarted,
    TurnFinished,
    TurnStarted,
    Usage,
)
from qcode.protocol.messages import (
    AssistantMessage,
    CallStatus,
    Reasoning,
    Text,
    ToolCall,
    ToolMessage,
    ToolSpec,
    user,
)

T = TypeVar("T")

TOOLS = (ToolSpec("shell", "Run a command.", '{"type":"object"}'),)
words = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
statuses: st.SearchStrategy[CallStatus] = st.sampled_from(["ok", "error", "denied", "cancelled"])


def started(session_id: str = "20261121-0900-3f9a", folder: str = "/project") -> SessionStarted:
    """A first line."""
    return SessionStarted(
        session_id, "0.1.0", folder, "qwen", "llamacpp b1", "You are qcode.", TOOLS, "ask"
    )


def answer(*calls: str, text: str = "", reasoning: str = "") -> MessageCompleted:
    """An answer with a call of `shell` for each id."""
    parts: list[Reasoning | Text | ToolCall] = []
    parts += [Reasoning(reasoning)] if reasoning else []
    parts += [Text(text)] if text else []
    parts += [ToolCall(call, "shell", "{}") for call in calls]
    return MessageCompleted(
        AssistantMessage(tuple(parts), "tool_calls" if calls else "stop"), 100, 1.5
    )


def result(call: str, text: str = "done", status: CallStatus = "ok") -> ToolCallFinished:
    """The result of a call."""
    return ToolCallFinished(ToolMessage(call, "shell", text, status))


def one_turn(turn: int = 1, prompt: str = "Fix it.", said: str = "Fixed.") -> list[LoggedEvent]:
    """A turn with one command that edits `a.py`."""
    call = ToolCall(f"c{turn}", "shell", '{"command":"pytest -q"}')
    return [
        TurnStarted(turn, user(prompt)),
        StepStarted(turn, 1),
        Usage(100, 0, 20),
        MessageCompleted(AssistantMessage((Reasoning("Hm."), call), "tool_calls"), 100, 1.0),
        ToolCallStarted(call, "shell pytest -q", (Access("shell", "pytest -q"),)),
        ToolCallFinished(
            ToolMessage(call.id, "shell", "1 passed"),
            (OutputBlock("pytest -q", "1 passed", 0, 0.5), DiffBlock("a.py", "@@", 1, 1)),
            0.5,
            ("a.py",),
        ),
        StepStarted(turn, 2),
        Usage(130, 120, 5),
        answer(text=said),
        TurnFinished("end_turn"),
    ]


@dataclass
class _Script:
    """Plays an engine; `draw` decides."""

    draw: st.DrawFn
    events: list[LoggedEvent] = field(default_factory=lambda: [started()])
    turns: int = 0
    calls: int = 0
    size: int = 0
    """Messages in the conversation."""
    live: list[tuple[int, int]] = field(default_factory=list)
    """Turns of the conversation, and its size before each; those before a compaction or an elision
    excepted."""

    def pick(self, strategy: st.SearchStrategy[T]) -> T:
        return self.draw(strategy)

    def turn(self) -> None:
        self.turns += 1
        self.live.append((self.turns, self.size))
        self.events.append(TurnStarted(self.turns, user(self.pick(words))))
        self.size += 1
        for step in range(self.pick(st.integers(0, 3))):
            self.step(step + 1)
        self.events.append(TurnFinished("end_turn"))

    def step(self, step: int) -> None:
        ids = [f"c{self.calls + i}" for i in range(self.pick(st.integers(0, 3)))]
        self.calls += len(ids)
        self.events += [StepStarted(self.turns, step), Usage(10, 0, self.pick(st.integers(0, 9)))]
        self.events.append(answer(*ids, text=self.pick(words), reasoning=self.pick(words)))
        for call in self.pick(st.permutations(ids)):
            self.events.append(result(call, self.pick(words), self.pick(statuses)))
        self.size += 1 + len(ids)
        if self.pick(st.booleans()):
            self.events.append(Steered(user(self.pick(words), "steer")))
            self.size += 1

    def between(self) -> None:
        kinds = ["none", "name", "mode", "model", "compact", "elide", "rewind"]
        kind = self.pick(st.sampled_from(kinds))
        if kind == "name":
            self.events.append(Renamed(self.pick(words)))
        elif kind == "mode":
            self.events += [ModeChanged("auto"), Notice("info", self.pick(words))]
        elif kind == "model":
            self.events.append(ModelChanged(self.pick(words), "generic"))
        elif kind == "compact" and self.size:
            kept = self.pick(st.integers(0, 4))
            self.events.append(Compacted(user("In short.", "summary"), kept, 900, 30))
            self.size, self.live = 1, []
        elif kind == "elide":
            count, most = self.pick(st.integers(0, self.size)), self.pick(st.integers(0, 3))
            self.events.append(Elided(count, most, 900, 400))
            self.live = []
        elif kind == "rewind" and self.live:
            place = self.pick(st.integers(0, len(self.live) - 1))
            turn, self.size = self.live[place]
            del self.live[place:]
            self.events.append(Rewound(turn))


@st.composite
def histories(draw: st.DrawFn) -> list[LoggedEvent]:
    """A whole session: turns with steps, calls that finish in any order, and what lies between."""
    script = _Script(draw)
    for _ in range(draw(st.integers(0, 4))):
        script.turn()
        script.between()
    return script.events
