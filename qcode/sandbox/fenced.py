"""Commands inside a fence; in all else as without one."""

from collections.abc import Collection, Mapping
from pathlib import Path

from qcode.sandbox.base import Command, NotStarted
from qcode.sandbox.fence import Fence, Inside
from qcode.sandbox.keeper import Keeper
from qcode.sandbox.plain import PlainRunner
from qcode.sandbox.process import Launch, shell_words

LONGEST_BYTES = 131_071
"""Of one argument on Linux; the launcher would find out too late to say it well."""
MOVED = {"TMPDIR": "/tmp", "TMP": "/tmp", "TEMP": "/tmp"}
"""Variables that may lead to what is read-only inside."""
ADDED = {"GOCACHE": "/tmp/.cache/go-build"}
"""For tools that fail where their cache cannot be written."""


class FencedRunner(PlainRunner):
    """Runner and Jobs, as `PlainRunner` is."""

    fenced = True

    def __init__(
        self,
        fence: Fence,
        spill: Path,
        inherited: Mapping[str, str] | None = None,
        passed: Collection[str] = (),
    ) -> None:
        self._fence = fence
        super().__init__(spill, inherited, passed)
        self.name = fence.name

    async def close(self) -> None:
        """End everything that was started here, and take the fence down."""
        try:
            await super().close()
        finally:
            self._fence.close()

    def _make_keeper(self) -> Keeper:
        return _Tells(self._fence)

    def _launch(self, command: Command, environment: dict[str, str]) -> Launch:
        words = shell_words(command.line)
        if len(command.line.encode(errors="surrogateescape")) > LONGEST_BYTES:
            raise NotStarted(
                f"The command is too long ({len(command.line.encode())} bytes) for this system. "
                "Put the text into a file with the write tool and run that."
            )
        if "\0" in command.line:
            raise NotStarted(
                "The command holds a NUL or another character that no command line can hold."
            )
        inside = Inside(words, command.folder, adapted(environment))
        try:
            wrapped = self._fence.around(inside)
        except (OSError, ValueError) as error:
            raise NotStarted(f"The fence could not be raised ({error}).") from error
        return Launch(
            command.line, wrapped.words, command.folder, wrapped.environment, wrapped.descriptors
        )


def adapted(environment: Mapping[str, str]) -> dict[str, str]:
    """Variables that suit the inside: where a command may write for a while."""
    moved = {name: MOVED[name] for name in MOVED if name in environment}
    return {**ADDED, **environment, **moved}


class _Tells(Keeper):
    """Tells the fence when a group has ended."""

    def __init__(self, fence: Fence) -> None:
        super().__init__()
        self._fence = fence

    def ended(self, group: int) -> None:
        """See `Keeper.ended`."""
        super().ended(group)
        self._fence.left()
