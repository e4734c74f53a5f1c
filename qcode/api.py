"""`from qcode import run, Session`: the same engine in your own process.

    result = run("fix the failing test", folder="repo", permission_mode="auto")
    print(result.answer, result.exit_code())

    async with Session("repo") as session:
        async for event in session.prompt("which tests are slow?"):
            ...

Settings are those of the command line, by the same names and with the same meaning: the user's
configuration holds, a project's only where its folder is trusted.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from qcode.headless.result import Result
from qcode.protocol.events import AnyEvent, TurnFinished
from qcode.protocol.inputs import Cancel, Input, Prompt
from qcode.protocol.messages import Image

if TYPE_CHECKING:
    from qcode.cli.options import Options
    from qcode.engine.engine import Engine
    from qcode.session.log import Log


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What the flags of those names say; None and empty = as without the flag."""

    base_url: str | None = None
    model: str | None = None
    thinking: str | None = None
    """off, low, medium, high, max, or a number of tokens."""
    permission_mode: str | None = None
    """plan, ask, edit, auto, dontAsk, yolo. Nobody is asked: an ask counts as a deny."""
    sandbox: str | None = None
    """auto, required, off."""
    tools: str | None = None
    """What the model is offered, by name, divided by commas; empty = nothing."""
    allowed_tools: Sequence[str] = ()
    disallowed_tools: Sequence[str] = ()
    system_prompt: str | None = None
    append_system_prompt: str | None = None
    verify: str | None = None
    schema: str | None = None
    """JSON Schema, or a file that holds one: `Result.structured` is the value."""
    max_turns: int | None = None
    max_tool_calls: int | None = None
    max_wall_seconds: float | None = None
    resume: str | None = None
    """Id or name of the session that goes on."""
    no_session: bool = False
    offline: bool = False


class Session:
    """A conversation in a folder. `async with` opens and closes it."""

    def __init__(self, folder: str | Path = ".", settings: Settings | None = None) -> None:
        """Nothing is opened yet, and nothing is asked of a server before the first prompt."""
        self._folder = Path(folder)
        self._settings = settings or Settings()
        self._engine: Engine | None = None
        self._log: Log | None = None
        self._events: AsyncIterator[AnyEvent] | None = None
        self.result = Result()
        """What the last prompt came to; see `Result.exit_code`, `Result.why`."""

    async def __aenter__(self) -> Self:
        """Raises QcodeError: wrong settings, no such session, no fence where one is required."""
        from qcode.assemble import assemble  # noqa: PLC0415 - importing this module stays cheap
        from qcode.cli import opening, prompt, settings, trusting  # noqa: PLC0415 - the same

        options = _options(self._folder, self._settings)
        folder = settings.workspace(options.folder)
        loaded = trusting.settings(trusting.of_run(folder, options), settings.flags(options))
        session = prompt.session(options, folder)
        self._log = session.log
        try:
            begin = opening.start(options, loaded, folder, session, "absent")
            self._engine = assemble(loaded.config, begin)
        except BaseException:
            self._close_log()
            raise
        self._events = self._engine.events()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End all that runs; the session can be resumed."""
        try:
            if self._engine is not None:
                await self._engine.close()
        finally:
            self._close_log()

    @property
    def session_id(self) -> str:
        """For `Settings.resume`; empty = none is kept."""
        return self._log.session_id if self._log else ""

    async def prompt(self, text: str, images: Sequence[Image] = ()) -> AsyncIterator[AnyEvent]:
        """One turn: its events up to `TurnFinished`; then `result` is complete.

        Left before that (`break`), the turn is cancelled with the session, or by `cancel`.
        """
        if self._engine is None or self._events is None:
            raise RuntimeError("The session is not open: use `async with Session(…) as session`.")
        self.result = Result(session=self.result.session)
        self._engine.submit(Prompt(text, tuple(images)))
        async for event in self._events:
            self.result.take(event)
            yield event
            if isinstance(event, TurnFinished):
                return

    def submit(self, given: Input) -> None:
        """Any other input: a `Steer`, an `ApprovalReply`, `SetMode` … See `qcode.protocol`."""
        if self._engine is not None:
            self._engine.submit(given)

    def cancel(self) -> None:
        """Stop the running turn; its `TurnFinished` follows."""
        self.submit(Cancel())

    def _close_log(self) -> None:
        if self._log is not None:
            self._log.close()


async def run_async(
    prompt: str, folder: str | Path = ".", settings: Settings | None = None
) -> Result:
    """One prompt to its end. Raises QcodeError for what ends it before a turn."""
    async with Session(folder, settings) as session:
        async for _ in session.prompt(prompt):
            pass
    return session.result


def run(prompt: str, folder: str | Path = ".", settings: Settings | None = None) -> Result:
    """`run_async` where no event loop runs."""
    return asyncio.run(run_async(prompt, folder, settings))


def _options(folder: Path, said: Settings) -> "Options":
    from qcode.cli import args  # noqa: PLC0415 - see `Session.__aenter__`

    values = {name: getattr(said, name) for name in Settings.__dataclass_fields__}
    for name in ("allowed_tools", "disallowed_tools"):
        values[name] = tuple(values[name])
    return replace(args.parse([]), print=True, folder=folder, **values)
