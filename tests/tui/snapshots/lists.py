"""Lists, pages and the review over the chat."""

from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from msgspec.structs import replace

from qcode.permission.trust import patch
from qcode.protocol.inputs import SetSampling
from qcode.session.store import Store
from qcode.tui.app import QcodeApp
from qcode.tui.home import Configured, Report
from qcode.tui.review.outcome import Beyond, Deeds
from qcode.tui.review.state import ReviewState
from qcode.tui.screens.choosing import of_mode, of_model, of_profile, of_sampling, of_thinking
from qcode.tui.screens.pickers import Picker
from qcode.tui.screens.review import ReviewScreen
from qcode.tui.screens.trust import TrustScreen
from qcode.workspace.patches import FileChange, between, proposed
from tests.session.histories import one_turn
from tests.tui.snapshots.blocks import NEW_FILE, PATCH
from tests.tui.snapshots.chat import begin, mend, rest
from tests.tui.snapshots.stage import BEGUN, Stage


def app_of(s: Stage) -> QcodeApp:
    """The app itself."""
    assert isinstance(s.app, QcodeApp)
    return s.app


# -- lists

SAID = (
    ("Mend the basket when it is empty", "The pagination was rounded down.", 9),
    ("Why is the search so slow on a large repository?", "It reads every file twice.", 2),
    ("Write the changelog of 1.4", "Written.", 1),
)


def sessions_of(project: Path) -> None:
    """Some of another year."""
    time = datetime(2025, 5, 3, 12, 0, tzinfo=UTC)

    def clock() -> datetime:
        nonlocal time
        time += timedelta(hours=7)
        return time

    store = Store(project.parent.parent / "sessions", clock)
    for prompt, said, turns in SAID:
        with store.create(project) as log:
            log.append(replace(BEGUN, session_id=log.path.stem, folder=str(project)))
            for turn in range(1, turns + 1):
                for event in one_turn(turn, prompt if turn == 1 else f"step {turn}", said):
                    log.append(event)


async def again(s: Stage) -> None:
    """A new session where there were others."""
    await s.until_seen("/resume")


async def sessions(s: Stage) -> None:
    """Those of the folder."""
    app_of(s).do("sessions")
    await s.until_seen("Mend the basket")


async def sessions_found(s: Stage) -> None:
    """Words of an answer."""
    await sessions(s)
    await s.type("rounded")
    await s.until(lambda: "3 of 3" in s.text and "down." in s.text)


async def no_sessions(s: Stage) -> None:
    """There are none."""
    app_of(s).do("sessions")
    await s.until_seen("no sessions of this folder")


async def themes(s: Stage) -> None:
    """Each is shown while it is at hand."""
    begin(s)
    app_of(s).do("themes")
    await s.until_seen("shown as you go")


async def models(s: Stage) -> None:
    """Those of the server."""

    async def names() -> AsyncIterator[Sequence[str]]:
        yield [BEGUN.model, "gpt-oss-20b-mxfp4.gguf", "Devstral-Small-2-24B-Q4_K_M.gguf"]

    app_of(s).push_screen(Picker(of_model(BEGUN.model, names), app_of(s).palette))
    await s.until_seen("gpt-oss")


async def sampling(s: Stage) -> None:
    """Values that are sent."""
    about = of_sampling(BEGUN.model, 4_096, SetSampling())
    app_of(s).push_screen(Picker(about, app_of(s).palette))
    await s.until_seen("coding")


async def modes(s: Stage) -> None:
    """What each allows."""
    app_of(s).push_screen(Picker(of_mode("ask"), app_of(s).palette))
    await s.until_seen("beyond")


CONFIGURED = Configured(
    (
        'agent.thinking = "high"',
        'agent.exclude = ["vendor/**", "*.min.js"]',
        'agent.verify = "make test"  (proposed: runs only with --verify)',
    ),
    (
        "/home/ann/src/acme/.qcode/config.toml:2: a project may not set server.base_url, since its "
        "file comes with the repository. It is left out.",
    ),
    patch(
        ".qcode/config.toml",
        None,
        '[server]\nbase_url = "http://models.example/v1"\n[agent]\nthinking = "high"\n'
        'exclude = ["vendor/**", "*.min.js"]\nverify = "make test"\n',
    ),
    "",
    lambda _: "",
)
CHANGED = replace(
    CONFIGURED,
    sets=CONFIGURED.sets[:1],
    left_out=(),
    patch=patch(
        ".qcode/config.toml",
        '[agent]\nthinking = "low"\n',
        '[agent]\nthinking = "high"\n# \u202eetirw ot tegrof\n',
    ),
    since="2025-05-03T12:00:00+00:00",
)


async def trust(s: Stage) -> None:
    """What a folder would configure, for the first time."""
    app_of(s).push_screen(TrustScreen(app_of(s).palette, "~/src/acme", CONFIGURED))
    await s.until_seen("Go on without it")


async def trust_changed(s: Stage) -> None:
    """Not what was trusted; the other choice is at hand."""
    app_of(s).push_screen(TrustScreen(app_of(s).palette, "~/src/acme", CHANGED))
    await s.until_seen("Go on without it")
    await s.press("down")


async def levels(s: Stage) -> None:
    """Budgets."""
    app_of(s).push_screen(Picker(of_thinking(4_096, 16_384), app_of(s).palette))
    await s.until_seen("tokens")


async def rewind(s: Stage) -> None:
    """Prompts of this conversation."""
    await rest(s)
    app_of(s).do("rewind")
    await s.until_seen("go back to before")


async def nothing(s: Stage) -> None:
    """A list without rows."""
    app_of(s).push_screen(Picker(of_profile((), ""), app_of(s).palette))
    await s.until_seen("no [profiles]")


# -- pages


async def keys(s: Stage) -> None:
    """Of the chat, and the commands."""
    await s.press("f1")
    await s.until_seen("keys and commands")


async def palette(s: Stage) -> None:
    """Everything, by its words."""
    await s.press("f3")
    await s.until_seen("what do you want to do?")


async def stats(s: Stage) -> None:
    """Figures of a turn."""
    await rest(s)
    app_of(s).do("stats")
    await s.until_seen("Answer by answer")


async def context(s: Stage) -> None:
    """What fills the window."""
    begin(s)
    mend(s)
    app_of(s).do("context")
    await s.until_seen("system")


REPORT = """# qcode: a report

What I did, what I expected, and what came instead:


## Machine

- qcode 0.1, Python 3.11.2 (~/.local/bin/python)
- Linux 6.1 x86_64

## Session

- 214 events; the log is whole
- ApprovalRequested 3, ApprovalSettled 3, CheckpointTaken 4, MessageCompleted 21, Usage 21, \
StepStarted 21, ToolCallFinished 18, ToolCallStarted 18, TurnFinished 5, TurnStarted 5
- repaired: arguments
"""


async def report(s: Stage) -> None:
    """About qcode, to be read before it is sent."""
    app = app_of(s)
    path = Path("/home/me/.local/state/qcode/bug.md")
    app.home = replace(app.home, report=lambda _: Report(path, REPORT))
    app.do("bug")
    await s.until_seen("Machine")


# -- review

OTHER = between(
    "src/acme/api.py",
    "import pages\n\n\ndef api(items):\n    return pages.paginate(items, 20)\n",
    "from acme import pages\n\n\ndef api(items, n=20):\n    return pages.paginate(items, n)\n",
)


def changes() -> tuple[FileChange, ...]:
    """Of three files."""
    new = proposed(NEW_FILE.path, NEW_FILE.patch)
    return proposed("src/acme/pages.py", PATCH), OTHER, new


async def _review(s: Stage, *files: FileChange, deeds: Deeds | None = None) -> ReviewScreen:
    screen = ReviewScreen(ReviewState(files), app_of(s).palette, deeds)
    app_of(s).push_screen(screen)
    await s.until_seen("review")
    await s.still()
    return screen


async def review_one(s: Stage) -> None:
    """A file of two hunks."""
    await _review(s, changes()[0])


async def review_several(s: Stage) -> None:
    """Three files, some of it decided."""
    await _review(s, *changes())
    await s.press("a", "r", "p", "p")


async def review_comment(s: Stage) -> None:
    """A word about a hunk, and another one being written."""
    await _review(s, *changes())
    await s.press("c")
    await s.type("use math.ceil, it reads better")
    await s.press("enter", "n", "c")
    await s.type("and this")


async def review_edit(s: Stage) -> None:
    """A hunk in the editor."""
    await _review(s, changes()[0])
    await s.press("e")
    await s.type("    # nothing to split")
    await s.press("enter")


async def review_edited(s: Stage) -> None:
    """What was made of it."""
    await review_edit(s)
    await s.press("ctrl+s", "p")


async def review_conflict(s: Stage) -> None:
    """The file is another one by now."""

    async def beyond(_: FileChange) -> Beyond:
        rows = PATCH.replace("page %d", "Page %d").split("\n")[3:]
        kept = [row[1:] + "\n" for row in rows if row[:1] in (" ", "-")]
        return Beyond("old", tuple(kept))

    await _review(s, changes()[0], deeds=Deeds(look=beyond))
    await s.until_seen("in conflict")


async def review_nothing(s: Stage) -> None:
    """There is nothing."""
    await _review(s)


async def review_keys(s: Stage) -> None:
    """All keys."""
    await _review(s, changes()[0])
    await s.press("question_mark")
    await s.until_seen("side by side")
