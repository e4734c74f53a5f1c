"""Sessions as an engine tells them live, deltas included, for property tests of the folds."""

from dataclasses import dataclass, field
from typing import Literal, TypeVar

from hypothesis import strategies as st

from qcode.protocol.access import NETWORK_CALL, Access
from qcode.protocol.display import DiffBlock, OutputBlock, TodoBlock, TodoItem
from qcode.protocol.events import (
    AnyEvent,
    ApprovalRequested,
    ApprovalSettled,
    BudgetReached,
    Compacted,
    Connected,
    Elided,
    LoopSeen,
    MessageCompleted,
    ModeChanged,
    ModelChanged,
    Notice,
    PromptProgress,
    ReasoningDelta,
    Repaired,
    Retried,
    Rewound,
    ServerState,
    SessionStarted,
    SettingsChanged,
    ShellFinished,
    ShellStarted,
    Steered,
    StepStarted,
    TextDelta,
    ToolCallDelta,
    ToolCallFinished,
    ToolCallProgress,
    ToolCallStarted,
    TurnFinished,
    TurnStarted,
    Usage,
    Verified,
)
from qcode.protocol.messages import (
    AssistantMessage,
    CallStatus,
    Finish,
    Reasoning,
    Text,
    ToolCall,
    ToolMessage,
    user,
)

T = TypeVar("T")
Answer = Literal["allow", "deny"]

words = st.text(st.sampled_from("ab \n`*"), max_size=12)
statuses: st.SearchStrategy[CallStatus] = st.sampled_from(["ok", "error", "denied"])
answers: st.SearchStrategy[Answer] = st.sampled_from(["allow", "deny"])
BLOCKS = (
    (),
    (DiffBlock("a.py", "@@ -1 +1 @@\n-a\n+b\n", 1, 1),),
    (OutputBlock("pytest -q", "1 passed", 0, 0.5),),
    (OutputBlock("pip -V", "", 1, 0.5, notes=("No way to pypi.org:443.",), where="inside"),),
    (TodoBlock((TodoItem("Look"), TodoItem("Mend", "doing"))),),
)


def started(mode: str = "ask") -> SessionStarted:
    """The first event of a session."""
    return SessionStarted(
        *("s1", "0.1.0", "/project", "qwen", "llamacpp b1", "You are qcode.", (), mode),
        context_tokens=131_072,
    )


@dataclass
class Story:
    """Plays an engine; `draw` decides."""

    draw: st.DrawFn
    events: list[AnyEvent] = field(default_factory=lambda: [started(), SettingsChanged(4000, 8000)])
    turns: int = 0
    calls: int = 0
    shells: list[str] = field(default_factory=list)
    """Those that run."""
    hosts: int = 0
    """That commands wanted so far."""
    wanted: list[tuple[str, str]] = field(default_factory=list)
    """Request and host, of questions about hosts that are open."""

    def pick(self, strategy: st.SearchStrategy[T]) -> T:
        return self.draw(strategy)

    def odds(self, one_in: int) -> bool:
        return self.pick(st.integers(1, one_in)) == 1

    def turn(self) -> None:
        self.turns += 1
        self.events.append(TurnStarted(self.turns, user(f"prompt {self.turns}")))
        for step in range(self.pick(st.integers(0, 3))):
            self.step(step + 1)
        if self.odds(4):
            self.events.append(Verified("make check", self.pick(st.sampled_from([0, 1])), 1, "no"))
            self.events.append(Steered(user("The check fails.", "verify")))
        self.events.append(TurnFinished(self.pick(st.sampled_from(["end_turn", "error"]))))

    def step(self, step: int) -> None:
        self.events += [StepStarted(self.turns, step), PromptProgress(100, 50, 80, 1.0)]
        if self.odds(8):
            self.events.append(Elided(3, 500, 900, 400))
        while self.odds(4):
            self.fails(step)
        self.aside()
        self.answer()
        if self.odds(4):
            text, origin = self.pick(st.sampled_from([("Also b.", "steer"), ("Go on.", "nudge")]))
            said = user(text, "steer" if origin == "steer" else "nudge")
            self.events.append(Steered(said))

    def fails(self, step: int) -> None:
        """An answer that is void, and asked for again: by the client, or as a step of its own."""
        self.deltas(self.pick(words), self.pick(words), self.pick(st.integers(0, 1)))
        how = self.pick(st.sampled_from(["gone", "loop", "repair", "cut", "model"]))
        if how == "gone":
            self.events += [ServerState("gone"), Retried(1, "connection refused", 1.0)]
        elif how == "loop":
            rung = self.pick(st.integers(2, 4))
            self.events.append(LoopSeen("text", "la la", "asked again", rung, 30))
        elif how == "repair":
            self.events += [Repaired("it ended empty: asked again", kind="empty")]
            self.events += [Retried(1, "it ended empty", 0.0)]
        elif how == "model":
            self.events += [ModelChanged("other", "generic"), Retried(1, "other answers", 0.0)]
        if how != "gone":
            self.events.append(StepStarted(self.turns, step))

    def answer(self) -> None:
        reasoning, text = self.pick(words), self.pick(words)
        ids = [f"c{self.calls + i}" for i in range(self.pick(st.integers(0, 3)))]
        self.calls += len(ids)
        self.deltas(reasoning, text, len(ids))
        if self.odds(4) and ids:
            self.events.append(Repaired("arguments were mended", ids[0], "arguments"))
        if self.odds(4):
            self.events.append(Repaired("a mark was filed right", kind="reasoning"))
        generated = self.pick(st.sampled_from([None, 40]))
        if self.odds(3):
            self.events.append(Usage(900, 100, generated, reread_tokens=800, reread_why="gone"))
        else:
            self.events.append(Usage(900, 890, generated))
        self.complete(reasoning, text, ids)
        for id_ in ids:
            self.call(id_)

    def complete(self, reasoning: str, text: str, ids: list[str]) -> None:
        parts: list[Reasoning | Text | ToolCall] = []
        parts += [Reasoning(reasoning)] if reasoning else []
        parts += [Text(text)] if text else []
        parts += [ToolCall(id_, "shell", "{}") for id_ in ids]
        finish: Finish = "tool_calls" if ids else "stop"
        if parts:
            self.events.append(MessageCompleted(AssistantMessage(tuple(parts), finish), 900, 1.0))
        else:
            self.events.append(Steered(user("Your answer was empty.", "nudge")))

    def deltas(self, reasoning: str, text: str, calls: int) -> None:
        middle = len(reasoning) // 2
        for piece in (reasoning[:middle], reasoning[middle:]):
            if piece:
                self.events.append(ReasoningDelta(piece))
            self.aside()
        if reasoning and self.odds(4):
            why = self.pick(st.sampled_from(["budget", "person"]))
            self.events.append(BudgetReached(30, 31, "budget" if why == "budget" else "person"))
        elif reasoning and self.odds(4):
            self.events.append(LoopSeen("reasoning", "hm hm", "goes on", 1, 9))
            self.events.append(BudgetReached(30, 31, "loop"))
        for sign in text:
            self.events.append(TextDelta(sign))
        self.aside()
        for index in range(calls):
            self.events += [ToolCallDelta(index, "shell", 4), ToolCallDelta(index, "shell", 9)]

    def aside(self) -> None:
        """What may happen at any time."""
        if not self.odds(5):
            return
        what = self.pick(st.sampled_from(["notice", "mode", "shell", "end", "network", "port"]))
        if what == "notice":
            self.events.append(Notice("info", "By the way."))
        elif what == "mode":
            self.events.append(ModeChanged(self.pick(st.sampled_from(["ask", "edit"]))))
        elif what == "shell":
            self.shells.append(f"shell-{len(self.events)}")
            self.events.append(ShellStarted(self.shells[-1], "ls"))
            self.events.append(ToolCallProgress(self.shells[-1], "a.py\n"))
        elif what == "network":
            self.network()
        elif what == "port":
            text = "Port 3001 of the sandbox is open to you: http://127.0.0.1:3001/"
            level = self.pick(st.sampled_from(["info", "warning"]))
            self.events.append(Notice("info" if level == "info" else "warning", text))
        elif self.shells:
            block = OutputBlock("ls", "a.py\n", 0, 0.1)
            self.events.append(ShellFinished(self.shells.pop(0), block))

    def network(self) -> None:
        """A command wants a host: nobody is asked, or a person is, and what they say may come any
        time later, behind the call's end and the turn's as well."""
        how = self.pick(st.sampled_from(["judged", "endpoint", "asked", "settled"]))
        if how == "judged":
            self.connected(f"h{self.hosts}.org", self.pick(answers))
        elif how == "endpoint":
            self.events.append(Connected("127.0.0.1", 8080, "endpoint", "allow"))
        elif how == "asked":
            self.hosts += 1
            host, request_id = f"h{self.hosts}.org", f"r-network-{self.hosts}"
            self.wanted.append((request_id, host))
            call = ToolCall(f"{NETWORK_CALL}-{self.hosts}", NETWORK_CALL, "{}")
            accesses = (Access("network", host),)
            self.events.append(ApprovalRequested(request_id, call, accesses, "asked"))
        elif self.wanted:
            self.network_settled(self.pick(st.integers(0, len(self.wanted) - 1)))

    def network_settled(self, at: int) -> None:
        """The person's word, or that the command waits no longer."""
        request_id, host = self.wanted.pop(at)
        answer = self.pick(answers)
        self.events.append(ApprovalSettled(request_id, answer, "the user decided"))
        self.connected(host, answer)

    def connected(self, host: str, answer: Answer) -> None:
        why = "the user said no" if answer == "deny" else ""
        self.events.append(Connected(host, 443, "command", answer, why))

    def call(self, id_: str) -> None:
        call = ToolCall(id_, "shell", "{}")
        self.events.append(ToolCallStarted(call, "shell pytest -q"))
        status = self.pick(statuses)
        if self.odds(3):
            self.events.append(ApprovalRequested(f"r-{id_}", call, (), "asked", BLOCKS[1]))
            self.aside()
            self.events.append(ApprovalSettled(f"r-{id_}", self.pick(answers), "the user decided"))
        while self.odds(4):
            self.network()
        self.events.append(ToolCallProgress(id_, "1 passed"))
        message = ToolMessage(id_, "shell", "text", status)
        self.events.append(ToolCallFinished(message, self.pick(st.sampled_from(BLOCKS)), 0.5))

    def between(self) -> None:
        self.aside()
        if self.odds(4) and self.turns:
            self.events.append(Rewound(self.pick(st.integers(1, self.turns))))
        if self.odds(6):
            self.events.append(Compacted(user("In short.", "summary"), 2, 900, 90))


@st.composite
def stories(draw: st.DrawFn) -> list[AnyEvent]:
    """A whole session, live."""
    story = Story(draw)
    for _ in range(draw(st.integers(1, 3))):
        story.turn()
        story.between()
    return story.events
