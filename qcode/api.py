"""`from qcode import run, Session`: the same engine in your own process.

    result = run("fix the failing test", "repo", Settings(permission_mode="edit"))
    print(result.answer, result.exit_code())

    async with Session("repo") as session:
        async for event in session.prompt("which tests are slow?"):
            ...

`run_async` and `SyncSession` are the other way round.

Settings are those of the command line, by the same names and with the same meaning: the user's
configuration holds, a project's only where its folder is trusted.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Literal, Self

import msgspec

from qcode.headless.result import Result
from qcode.protocol.events import AnyEvent, TurnFinished, TurnStarted
from qcode.protocol.inputs import Cancel, Input, Prompt
from qcode.protocol.messages import Image
from qcode.protocol.text import well_formed

if TYPE_CHECKING:
    from qcode.cli.options import Options
    from qcode.engine.engine import Engine
    from qcode.session.log import Log


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """What the flags of those names say; None and empty = as without the flag."""

    base_url: str | None = None
    model: str | None = None
    thinking: str | None = None
    """off, low, medium, high, max, or a number of tokens."""
    permission_mode: str | None = None
    """plan, ask, edit, auto, dontAsk, yolo."""
    person: Literal["present", "absent"] = "absent"
    """`absent` = nobody is asked: an ask counts as a deny. `present` = your program answers each
    `ApprovalRequested` and `QuestionAsked` by `Session.submit`; until then the turn waits."""
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
    sampling: Mapping[str, float] = msgspec.field(default_factory=dict)
    """temperature, top_p, top_k, min_p, presence_penalty."""
    add_dirs: Sequence[Path] = ()
    max_turns: int | None = None
    max_tool_calls: int | None = None
    max_tokens_total: int | None = None
    max_wall_seconds: float | None = None
    session_id: str | None = None
    """For a new session."""
    resume: str | None = None
    """Id or name of the session that goes on."""
    fork: bool = False
    """It goes on in a copy."""
    no_session: bool = False
    offline: bool = False
    """For good, and for this whole process: it connects to the configured endpoints alone."""


class Session:
    """A conversation in a folder. `async with` opens and closes it."""

    def __init__(self, folder: str | Path = ".", settings: Settings | None = None) -> None:
        """Nothing is opened yet, and nothing is asked of a server before the first prompt."""
        self._folder = Path(folder)
        self._settings = settings or Settings()
        self._engine: Engine | None = None
        self._log: Log | None = None
        self._events: AsyncIterator[AnyEvent] | None = None
        self._turn: Literal["over", "begun"] = "over"
        """`begun` = its `TurnFinished` has not been read."""
        self._is_read = False
        """A prompt waits for an event."""
        self.result = Result()
        """What the last prompt came to; see `Result.exit_code`, `Result.why`."""

    async def __aenter__(self) -> Self:
        """Raises QcodeError: wrong settings, no such session, no fence where one is required."""
        if self._engine is not None:
            raise RuntimeError("The session is open already.")
        from qcode.assemble import assemble  # noqa: PLC0415 - importing this module stays cheap
        from qcode.cli import offline, opening, prompt, settings, trusting  # noqa: PLC0415 - the same

        options = _options(self._folder, self._settings)
        folder = settings.workspace(options.folder)
        loaded = trusting.settings(trusting.of_run(folder, options), settings.flags(options))
        offline.keep(loaded.config)
        session = prompt.session(options, folder)
        self._log = session.log
        try:
            begin = opening.start(options, loaded, folder, session, self._settings.person)
            self._engine = assemble(loaded.config, begin)
        except BaseException:  # cancelled, too: the session must not stay locked
            self._close_log()
            raise
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End all that runs; the session can be resumed."""
        engine, self._engine = self._engine, None
        try:
            if engine is not None:
                await engine.close()
        finally:
            self._close_log()

    @property
    def session_id(self) -> str:
        """For `Settings.resume`; empty = none is kept."""
        return self._log.session_id if self._log else ""

    async def prompt(
        self, text: str, images: Sequence[Image] = ()
    ) -> AsyncGenerator[AnyEvent, None]:
        """One turn: its events up to `TurnFinished`; then `result` is complete.

        Left before that (`break`, a time limit), the turn is cancelled. One prompt at a time: words
        for the running turn are `submit(Steer("…"))`.
        """
        self._unread()
        if self._turn == "begun":
            await self._leave()
        result = self.result = Result(session=self.result.session)
        self.submit(Prompt(text, tuple(images)))
        self._turn = "begun"
        try:
            async for event in self._own(text, result):
                yield event
        finally:
            is_left = self._turn == "begun" and self.result is result
            if is_left and self._engine is not None:
                self.submit(Cancel("comes back"))

    async def _own(self, text: str, result: Result) -> AsyncIterator[AnyEvent]:
        """All events to the end of the turn that `text` began."""
        is_own = True
        while self.result is result:  # else another prompt has taken over
            event = await self._next()
            if isinstance(event, TurnStarted):  # a steer that came too late has a turn of its own
                is_own = event.message.text.endswith(well_formed(text))
            if isinstance(event, TurnFinished) and is_own:
                self._turn = "over"
            result.take(event)
            yield event
            if self._turn == "over":
                return

    async def _leave(self) -> None:
        """End a turn whose events nobody reads any more."""
        self.submit(Cancel("comes back"))
        while not isinstance(event := await self._next(), TurnFinished):
            self.result.take(event)
        self._turn = "over"

    async def _next(self) -> AnyEvent:
        engine = self._unread()
        self._is_read = True
        self._events = self._events or engine.events()
        try:
            return await anext(self._events)
        except StopAsyncIteration:
            raise RuntimeError(
                "The session was closed while a prompt was being answered."
            ) from None
        except BaseException:  # cancelled, by a time limit: that ended the iterator
            self._events = None
            raise
        finally:
            self._is_read = False

    def _unread(self) -> "Engine":
        if self._is_read:
            raise RuntimeError("A prompt of this session is being answered: wait for its end.")
        return self._opened()

    def _opened(self) -> "Engine":
        if self._engine is None:
            raise RuntimeError("The session is not open: use `async with Session(…) as session`.")
        return self._engine

    def submit(self, given: Input) -> None:
        """Any other input: a `Steer`, an `ApprovalReply`, `SetMode` … See `qcode.protocol`."""
        self._opened().submit(given)

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

    names = set(Settings.__struct_fields__) - {"person"}
    values = {name: getattr(said, name) for name in names}
    for name in ("allowed_tools", "disallowed_tools", "add_dirs"):
        values[name] = tuple(values[name])
    return replace(args.parse([]), print=True, folder=folder, **values)
