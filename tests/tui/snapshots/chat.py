"""The chat: empty, at work, at rest, asking. Each scene brings a fresh app to one state."""

from msgspec.structs import replace

from qcode.protocol.access import NETWORK_CALL, Access
from qcode.protocol.display import DiffBlock, FileBlock, MatchesBlock, OutputBlock
from qcode.protocol.events import (
    AnyEvent,
    ApprovalRequested,
    MessageCompleted,
    ModeChanged,
    NotBegun,
    PromptProgress,
    QuestionAsked,
    ReasoningDelta,
    SettingsChanged,
    StepStarted,
    TextDelta,
    ToolCallFinished,
    ToolCallStarted,
    TurnFinished,
    TurnStarted,
    Usage,
)
from qcode.protocol.messages import (
    AssistantMessage,
    Reasoning,
    Text,
    ToolCall,
    ToolMessage,
    user,
)
from qcode.tui.app import QcodeApp
from tests.tui.snapshots.blocks import ANSWER, DIFF, NEW_FILE
from tests.tui.snapshots.stage import BEGUN, Stage

PROMPT = "The pagination test fails on an empty page. Fix it."
THOUGHT = "The test wants no pages for an empty list. Look at how pages are counted. " * 3
READ = ToolCall("c1", "read", '{"path":"tests/test_pages.py"}')
GREP = ToolCall("c2", "grep", '{"pattern":"def paginate"}')
EDIT = ToolCall("c3", "edit", '{"path":"src/acme/pages.py"}')
SHELL = ToolCall("c4", "shell", '{"command":"pytest -q tests/test_pages.py"}')
SMALL = DiffBlock("src/acme/pages.py", "".join(DIFF.patch.partition("@@ -90")[:1]), 3, 1)


def result(call: ToolCall, *blocks: object, seconds: float = 0.2) -> ToolCallFinished:
    """It went well."""
    message = ToolMessage(call.id, call.name, "done")
    return ToolCallFinished(message, blocks, seconds)  # type: ignore[arg-type] # display blocks


def started(call: ToolCall, summary: str) -> ToolCallStarted:
    """It runs."""
    return ToolCallStarted(call, f"{call.name} {summary}")


def answer(text: str, *calls: ToolCall) -> MessageCompleted:
    """With a thought before it."""
    parts: tuple[Reasoning | Text | ToolCall, ...] = (Reasoning(THOUGHT), Text(text), *calls)
    return MessageCompleted(AssistantMessage(parts, "tool_calls" if calls else "stop"), 9_400, 6.0)


def begin(s: Stage) -> None:
    """A prompt is sent, the model thinks, looks and changes a file."""
    s.say(SettingsChanged(4_096, 16_384))
    s.say(TurnStarted(1, user(PROMPT)), StepStarted(1, 1), seconds=1)
    s.say(ReasoningDelta(THOUGHT, 412), seconds=6.2)
    s.say(TextDelta("I'll look at the test first."), Usage(9_400, 7_100, 460, 2_610.0, 98.0))
    s.say(answer("I'll look at the test first.", READ, GREP))
    s.say(started(READ, "tests/test_pages.py"), started(GREP, '"def paginate"'))
    s.say(result(READ, FileBlock("tests/test_pages.py", 1, 84, 84)))
    s.say(result(GREP, MatchesBlock("def paginate", ("src/acme/pages.py", "38:def"), 1)))


def mend(s: Stage) -> None:
    """The change and the test of it."""
    s.say(StepStarted(1, 2), Usage(9_900, 9_801, 210), answer("", EDIT))
    s.say(started(EDIT, "src/acme/pages.py"), result(EDIT, SMALL), StepStarted(1, 3))
    s.say(answer("", SHELL), started(SHELL, "pytest -q tests/test_pages.py"), seconds=2)
    s.say(result(SHELL, OutputBlock("pytest", "14 passed in 0.31s\n", 0, 2.1), seconds=2.1))


async def empty(s: Stage) -> None:
    """Nothing was said yet."""
    await s.until_seen("Qwen3.6")


async def reading(s: Stage) -> None:
    """The server reads the prompt."""
    s.say(TurnStarted(1, user(PROMPT)), StepStarted(1, 1))
    s.say(PromptProgress(60_392, 4_000, 26_400, 8.6), seconds=8.6)


async def thinking(s: Stage) -> None:
    """A thought grows."""
    s.say(SettingsChanged(4_096, 16_384), TurnStarted(1, user(PROMPT)), StepStarted(1, 1))
    s.say(PromptProgress(9_400, 7_100, 9_400, 0.9), seconds=1)
    for tokens in range(40, 420, 20):
        s.say(ReasoningDelta("look at how pages are counted, ", tokens), seconds=0.2)


async def work(s: Stage) -> None:
    """It writes, behind some calls."""
    begin(s)
    mend(s)
    s.say(StepStarted(1, 4))
    for at in range(0, 400, 10):
        s.say(TextDelta(ANSWER[at : at + 10]), seconds=0.03)


async def running(s: Stage) -> None:
    """A command runs; words wait."""
    begin(s)
    s.say(StepStarted(1, 2), answer("", SHELL), started(SHELL, "pytest -q tests/test_pages.py"))
    await s.type("Leave the old module alone.")
    await s.press("enter")
    await s.type("Then write the changelog.")
    await s.press("tab")
    await s.until_seen("queued: Then")
    s.now += 12


async def rest(s: Stage) -> None:
    """A turn has ended."""
    begin(s)
    mend(s)
    short = "The count was rounded down. `paginate` now returns no pages for an empty list."
    s.say(StepStarted(1, 4), Usage(10_900, 10_700, 312, 2_000.0, 98.0), answer(short))
    s.say(TurnFinished("end_turn"))


async def commands(s: Stage) -> None:
    """A slash, and what may follow."""
    await s.type("/")
    await s.until_seen("/help")


async def files(s: Stage) -> None:
    """An at sign, and what may follow."""
    app = s.app
    assert isinstance(app, QcodeApp)
    await s.type("Look at @pa")
    await s.until_seen("test_pages.py")


async def several(s: Stage) -> None:
    """A prompt of several lines, in another mode."""
    s.say(ModeChanged("plan"))
    await s.type("Look at these:")
    await s.press("alt+enter")
    await s.type("- the old module")
    await s.press("alt+enter")
    await s.type("- the new one")


async def own(s: Stage) -> None:
    """A command of the person's own."""
    await s.type("!git status --short")


async def finding(s: Stage) -> None:
    """Words of the conversation."""
    await rest(s)
    await s.press("f4")
    await s.type("pages")
    await s.until_seen("times")


def asked(call: ToolCall, *accesses: Access, **said: object) -> ApprovalRequested:
    """It waits for a word."""
    because = "ask mode asks before edits and commands"
    # `said` holds fields of any type; the constructor is given what the test names
    return ApprovalRequested(f"r-{call.id}", call, accesses, because, **said)  # type: ignore[arg-type]


async def _waits(s: Stage, *events: AnyEvent) -> None:
    begin(s)
    s.say(StepStarted(1, 2), *events)
    app = s.app
    assert isinstance(app, QcodeApp)
    await s.until(lambda: app.chat.strip.has_focus_within)


async def approve_edit(s: Stage) -> None:
    """A change of one file."""
    ask = asked(EDIT, Access("edit", "src/acme/pages.py"), blocks=(DIFF,), rules=("Edit(/src/**)",))
    await _waits(s, answer("", EDIT), started(EDIT, "src/acme/pages.py"), ask)


LONG = "pip install -e '.[test]' && python -m pytest -q --maxfail=1 tests > out.txt 2>&1"


async def approve_shell(s: Stage) -> None:
    """A command that goes out of the workspace."""
    ask = asked(
        SHELL,
        Access("shell", LONG),
        Access("edit", "/etc/hosts", "outside"),
        Access("network", "pypi.example"),
        folder="~/src/acme",
        rules=("Bash(pip install:*)", "Bash(python -m pytest:*)"),
    )
    await _waits(s, answer("", SHELL), started(SHELL, LONG), ask)


async def approve_batch(s: Stage) -> None:
    """Several at once."""
    third = ToolCall("c5", "write", '{"path":"tests/test_empty.py"}')
    ask = asked(
        EDIT,
        Access("edit", "src/acme/pages.py"),
        blocks=(DIFF,),
        behind=("shell pytest -q", "write tests/test_empty.py"),
    )
    await _waits(
        s,
        answer("", EDIT, SHELL, third),
        *(started(EDIT, "src/acme/pages.py"), started(SHELL, "pytest -q")),
        *(started(third, "tests/test_empty.py"), ask),
    )


async def approve_two(s: Stage) -> None:
    """Two of one change each: one of two."""
    third = ToolCall("c5", "write", '{"path":"tests/test_empty.py"}')
    first = asked(EDIT, Access("edit", "src/acme/pages.py"), blocks=(DIFF,))
    second = asked(third, Access("edit", "tests/test_empty.py"), blocks=(NEW_FILE,))
    await _waits(
        s,
        answer("", EDIT, third),
        *(started(EDIT, "src/acme/pages.py"), started(third, "tests/test_empty.py")),
        *(first, second),
    )


async def approve_why(s: Stage) -> None:
    """No, in words."""
    await approve_shell(s)
    app = s.app
    assert isinstance(app, QcodeApp)
    await s.until(lambda: app.chat.approval.check_action("tell", ()))
    await s.press("t")
    await s.type("use the lock file")
    await s.until_seen("use the lock file")


FENCED = replace(BEGUN, fence="holds")
AUTO = replace(FENCED, mode="auto")


async def approve_fenced(s: Stage) -> None:
    """A command that would run in the sandbox."""
    ask = asked(
        SHELL,
        Access("shell", "docker compose up -d"),
        folder="~/src/acme",
        rules=("Bash(docker compose up -d)",),
        where="inside",
    )
    await _waits(s, answer("", SHELL), started(SHELL, "docker compose up -d"), ask)


async def approve_outside(s: Stage) -> None:
    """What it means to let it out."""
    await approve_fenced(s)
    app = s.app
    assert isinstance(app, QcodeApp)
    await s.until(lambda: app.chat.approval.check_action("outside", ()))
    await s.press("o")
    await s.until_seen("run it outside")


async def approve_network(s: Stage) -> None:
    """A command wants to reach a host."""
    call = ToolCall("network-1", NETWORK_CALL, '{"host":"pypi.org","port":443}')
    because = "auto mode asks before network access"
    access, rules = Access("network", "pypi.org"), ("WebFetch(domain:pypi.org)",)
    ask = ApprovalRequested("r-n", call, (access,), because, rules=rules)
    command = "pip install -e '.[test]'"
    await _waits(s, answer("", SHELL), started(SHELL, command), ask)


async def question(s: Stage) -> None:
    """The model asks."""
    ask = ToolCall("c6", "ask", "{}")
    await _waits(
        s,
        answer("", ask),
        started(ask, "Which of the two modules is the one in use?"),
        QuestionAsked(
            "q1",
            "Which of the two modules is the one in use?",
            ("src/acme/pages.py", "src/acme/old/pages.py", "both: api.py imports the old one"),
        ),
    )


GONE = NotBegun(
    "No server answers at http://127.0.0.1:8080 (connection refused), and nothing was found on the "
    "ports 8080, 11434, 1234, 8000. Start one, or enter an address.",
    "ServerGone",
)


async def nobody(s: Stage) -> None:
    """The first start without a server."""
    await s.until_seen("watch the demo")
    app = s.app
    assert isinstance(app, QcodeApp)
    await s.until(lambda: app.chat.onboarding.has_focus)


async def address(s: Stage) -> None:
    """An address is entered."""
    await nobody(s)
    await s.press("a")
    await s.until_seen("Enter tries it")
