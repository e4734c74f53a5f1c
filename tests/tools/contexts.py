"""A context over a real folder and real processes, for tests of tools."""

from pathlib import Path

from msgspec.structs import replace

from qcode.sandbox.plain import PlainRunner
from qcode.tools.base import Asker, Context
from qcode.workspace.files import Workspace


def make_context(folder: Path) -> tuple[Context, PlainRunner]:
    """A context with `folder/root` as its workspace, and the runner to close afterwards."""
    root = folder / "root"
    root.mkdir(exist_ok=True)
    spill = folder / "spill"
    runner = PlainRunner(spill)
    return Context(Workspace(root), runner, runner, spill), runner


def answering(context: Context, ask: Asker) -> Context:
    """The same context with somebody who answers."""
    return replace(context, ask=ask)
