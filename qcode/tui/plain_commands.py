"""Slash commands in plain mode: those of the table that lines can serve."""

from collections.abc import Callable, Iterator, Sequence
from typing import Literal

from qcode.engine.contents import contents
from qcode.protocol.errors import InputError
from qcode.protocol.inputs import Rewind
from qcode.tui.blocks import PromptBlock
from qcode.tui.commands import COMMANDS, Action, Command, built, meant
from qcode.tui.home import Home
from qcode.tui.lines import Line
from qcode.tui.phases import phase_words
from qcode.tui.plain_rows import heard
from qcode.tui.plain_talk import PlainTalk
from qcode.tui.plain_voice import Voice
from qcode.tui.stats import Stats
from qcode.tui.stats_page import stats_lines

Leave = Callable[[str, str], None]
"""What the loop does: `leave`, `new_session`, `resume`, `fork`, `doctor`; and the argument."""

_RESTORE: dict[str, Literal["conversation", "files", "both"]] = {
    "": "conversation",
    "files": "files",
    "both": "both",
}

WIDTH = 72
HABITS = (
    "A line is a prompt; one that ends in \\ goes on in the next. While a turn runs, a line is "
    "said into it. !command runs a command of yours, outside the sandbox, and !!command tells the "
    "model of it. Ctrl+C interrupts; twice on an empty prompt it quits."
)


class PlainCommands:
    """Does what `/name` asks for."""

    def __init__(self, home: Home, talk: PlainTalk, voice: Voice, leave: Leave) -> None:
        self._home = home
        self._plain = talk
        self._voice = voice
        self._leave = leave

    @property
    def rows(self) -> tuple[Command, ...]:
        """Those that lines can serve."""
        return built(COMMANDS, self._can, self._plain.talk.status.fence)

    @property
    def names(self) -> frozenset[str]:
        """All that a line may begin with."""
        return frozenset(word for row in self.rows for word in (row.name, *row.aliases))

    def do(self, name: str, argument: str) -> None:
        """One command; what it cannot be is a sentence."""
        try:
            row, what = meant(name, argument, self.rows)
            if row.when == "idle" and self._plain.talk.busy:
                raise InputError(f"/{row.name} waits until the turn is over; Ctrl+C interrupts it.")
            if isinstance(what, Action):
                getattr(self, f"action_{what.name}")(what.argument)
            else:
                self._plain.submit(what)
        except InputError as error:
            self._voice.line(str(error), "warning")

    def _can(self, name: str) -> bool:
        if name == "doctor" and self._home.examine is None:
            return False
        return hasattr(self, f"action_{name}")

    def action_help(self, argument: str) -> None:
        for row in self.rows:
            self._voice.line(f"{row.usage}: {row.help}")
        self._voice.line(HABITS)

    def action_leave(self, argument: str) -> None:
        self._leave("leave", "")

    def action_new_session(self, argument: str) -> None:
        self._leave("new_session", "")

    def action_fork(self, argument: str) -> None:
        self._leave("fork", self._plain.talk.session_id)

    def action_resume(self, argument: str) -> None:
        if not argument:
            raise InputError("/resume takes the id of a session; qcode sessions lists them.")
        self._leave("resume", argument)

    def action_doctor(self, argument: str) -> None:
        self._leave("doctor", argument)

    def action_permissions(self, argument: str) -> None:
        held = self._plain.held
        for rule in held.rules:
            self._voice.line(f"{rule}, {rule.source}")
        if not held.rules:
            self._voice.line("There are no rules: the mode alone decides.")

    def action_config(self, argument: str) -> None:
        for key, value, source in self._plain.held.settings:
            self._voice.line(f"{key} = {value}, {source}")

    def action_modes(self, argument: str) -> None:
        self._voice.line(f"{self._plain.talk.status.mode or 'no'} mode; /mode NAME changes it.")

    def action_models(self, argument: str) -> None:
        status = self._plain.talk.status
        self._voice.line(f"model {status.model or 'not known yet'}, server {status.server or '?'}")

    def action_thinking(self, argument: str) -> None:
        budget = self._plain.talk.status.thinking_budget
        said = "not known yet" if budget is None else f"{budget:,} tokens" if budget else "off"
        self._voice.line(f"thinking budget: {said}; /think changes it.")

    def action_context(self, argument: str) -> None:
        most = self._plain.talk.status.context_tokens
        held = contents(self._plain.talk.events, most)
        of = f" of {most:,}" if most else ""
        self._voice.line(f"about {held.total:,}{of} tokens")
        for kind, tokens in held.shares.items():
            self._voice.line(f"{kind}: {tokens:,}")

    def action_stats(self, argument: str) -> None:
        stats = Stats()
        stats.take_all(self._plain.talk.events)
        self._page(stats_lines(stats, WIDTH))
        if words := phase_words(self._plain.talk.status, 0.0):
            self._voice.line(f"now: {words}")

    def action_rewind(self, argument: str) -> None:
        """The last prompts; `/rewind NUMBER` is read by the loop, see `rewind`."""
        for block in self._prompts():
            self._voice.line(f"{block.turn}: {block.text.splitlines()[0]}")
        self._voice.line(
            "/rewind NUMBER goes back to before that prompt; /rewind NUMBER files puts back the "
            "files alone, /rewind NUMBER both does both."
        )

    def rewind(self, argument: str) -> None:
        """To before the turn of that number; behind it may stand what goes back."""
        turns = {str(block.turn) for block in self._prompts()}
        number, _, what = argument.partition(" ")
        restore = _RESTORE.get(what.strip())
        if number not in turns or restore is None:
            self._voice.line(f"There is no prompt {argument}; /rewind lists them.", "warning")
        elif self._plain.talk.busy:
            self._voice.line("A turn runs: interrupt it first, with Ctrl+C.", "warning")
        else:
            self._plain.submit(Rewind(int(number), restore))

    def _prompts(self) -> Iterator[PromptBlock]:
        blocks = self._plain.talk.blocks
        return (one for one in blocks if isinstance(one, PromptBlock) and one.turn)

    def _page(self, lines: Sequence[Line]) -> None:
        for one in lines:
            self._voice.line(heard(one))
