"""Model files that `qcode bench tasks` compares: each is served in its turn, and loaded before its
attempts begin, so that none of these pays for it."""

import os
import re
from collections.abc import Callable, Sequence
from pathlib import Path

from qcode.bench.attempting import Stopped, Trial
from qcode.bench.keeping import Kept, go_on
from qcode.bench.task import Attempt, Setting
from qcode.cli.fetching import offer
from qcode.cli.serving import asked
from qcode.config.load import load, sources
from qcode.headless.exits import ExitCode
from qcode.protocol.errors import QcodeError, UsageError
from qcode.protocol.text import one_line
from qcode.serve import shared
from qcode.serve.shared import Use
from qcode.serve.source import alias_of, located

Say = Callable[[str], None]
File = tuple[str, str]
"""The name of a model file for people, and its path."""


def files(models: Sequence[str]) -> list[File]:
    """What `--gguf` says, each with a name of its own. Raises InputError and UsageError."""
    for model in models:
        offer(model)
    paths = [located(model, os.environ) for model in models]
    if len(set(paths)) < len(paths):
        raise UsageError("--gguf names a file twice. Each is compared with the others.")
    if len({path.resolve() for path in paths}) < len(paths):
        raise UsageError("--gguf names a file twice, by a link. Each is compared with the others.")
    return list(zip(_names(paths), map(str, paths), strict=True))


def _names(paths: Sequence[Path]) -> list[str]:
    """Of several with one name each also says whose it is, or else its place in the list."""
    names = [one_line(alias_of(path), 60) for path in paths]
    longer = [
        one_line(f"{_owner(path)}: {name}", 60) if names.count(name) > 1 else name
        for name, path in zip(names, paths, strict=True)
    ]
    return [
        f"{number}: {one_line(name, 56)}" if longer.count(name) > 1 else name
        for number, name in enumerate(longer, 1)
    ]


def _owner(path: Path) -> str:
    """`OWNER/REPO` in the cache of the hub, else the folder."""
    found = re.search(r"/models--([^/]+)/snapshots/", path.as_posix())
    return found[1].replace("--", "/", 1) if found else path.parent.name


def check(settings: Sequence[Setting], say: Say) -> None:
    """Whether each can be served here, before minutes of work; `say` hears what a person should
    know. Raises ConfigError and InputError."""
    config = load(sources()).config  # the person's own: no project says what runs here
    for file in dict.fromkeys(it.gguf for it in settings if it.gguf):
        planned = asked(file, config).plan()
        for remark in planned.remarks:
            say(f"{alias_of(planned.model.path)}: {remark}")


def go_on_in_turns(kept: Kept, attempt: Callable[[Trial], Attempt], say: Say) -> None:
    """See `keeping.go_on`. Raises Stopped where a model cannot be served."""
    turns = _Turns(attempt, say)
    try:
        go_on(kept, turns.attempt, say)
    finally:
        turns.leave()


class _Turns:
    """Attempts, with the model of each served meanwhile. Leave it at the end."""

    def __init__(self, attempt: Callable[[Trial], Attempt], say: Say) -> None:
        self._attempt = attempt
        self._say = say
        self._file = ""
        self._use: Use | None = None

    def attempt(self, trial: Trial) -> Attempt:
        """See `Bench.attempt`. Raises Stopped."""
        if trial.setting.gguf != self._file:
            self.leave()
            if trial.setting.gguf:
                self._serve(trial.setting.gguf)
        return self._attempt(trial)

    def _serve(self, file: str) -> None:
        try:
            self._use, card = asked(file, load(sources()).config).use(self._say)
        except QcodeError as error:  # what another model has done already is told all the same
            raise Stopped(str(error), ExitCode.UNAVAILABLE) from error
        self._file = file
        self._say(f"{card.alias} is served, with {card.context_tokens:,} tokens of context.")

    def leave(self) -> None:
        """Let go of what is served. What was started here makes room, unless others use it."""
        use, self._use, self._file = self._use, None, ""
        if use is None:
            return
        use.close()
        if use.began == "started":
            shared.end_unused(use.place)
