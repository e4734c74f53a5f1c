"""The last lines: a `result` for each turn, and for a run that could not go on."""

import time
from collections.abc import Callable
from pathlib import Path

from qcode.headless import json as json_form
from qcode.headless.exits import ExitCode
from qcode.headless.frames import Frame, Frames
from qcode.headless.result import Result
from qcode.headless.save import save
from qcode.protocol.errors import InputError
from qcode.protocol.events import AnyEvent, TurnFinished
from qcode.protocol.text import well_formed


class Ends:
    """What turns come to, told when they end."""

    def __init__(
        self, frames: Frames, write: Callable[[Frame], None], last_message: Path | None = None
    ) -> None:
        self.code = ExitCode.OK
        """Of what ended last."""
        self.frames = frames
        self.write = write
        self._last_message = last_message
        self._result = Result()

    def begin(self) -> None:
        """A turn begins: the time between two is nobody's."""
        self._result.began = time.monotonic()

    def take(self, event: AnyEvent) -> None:
        """Fold one event in."""
        self._result.take(event)

    def finish(self) -> None:
        """A turn is over, and its answer kept where that was wanted."""
        self._conclude(self._saved(self._result.answer or self._result.last_text))

    def missed(self, why: str) -> None:
        """The host's last word could not be taken up: what was kept before stays."""
        self.take(TurnFinished("error", why, InputError.__name__))
        self._conclude()

    def fail(self, error: Exception, why: str) -> None:
        """The run cannot go on."""
        self.take(TurnFinished("error", well_formed(why), type(error).__name__))
        self.finish()

    def _conclude(self, trouble: str = "") -> None:
        """Say the result. `trouble`: what went wrong after the turn."""
        result = self._result
        code = result.exit_code()
        self.code = ExitCode.INPUT if trouble and code is ExitCode.OK else code
        found = json_form.as_object(result, self.code, trouble)
        session = {"session_id": self.frames.opening.session_id}
        self.write(self.frames.result(found | session))
        self._result = Result(session=result.session)

    def _saved(self, words: str) -> str:
        """What kept the final message out of its file; empty = nothing did."""
        try:
            if self._last_message is not None:
                save(self._last_message, words)
        except InputError as error:
            return str(error)
        return ""
