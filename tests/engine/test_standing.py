"""A fence that a command got round: what was automatic ends, and is told once."""

from pathlib import Path

from qcode.engine.approval import Approvals
from qcode.engine.gate import NetworkGate
from qcode.engine.keeping import Keeping
from qcode.engine.rulebook import Rulebook
from qcode.engine.settings import Settings
from qcode.engine.standing import Standing
from qcode.permission.patterns import Ground
from qcode.protocol.access import Access
from qcode.protocol.events import AnyEvent, ModeChanged, Notice
from qcode.session.conversation import Conversation
from qcode.workspace.files import Workspace

COMMAND = (Access("shell", "make test"),)
FOUND = "A command changed .git/config, which is protected; it was put back."


async def test_automatic_mode_ends_and_the_fence_counts_no_more(tmp_path: Path) -> None:
    said: list[AnyEvent] = []
    found: list[str] = []
    settings = Settings("auto", "m", 0)
    book = Rulebook(settings, "holds", (), Ground(tmp_path.as_posix(), "/home/x"))
    book.tripped = lambda: "".join(found)
    gate = NetworkGate(Approvals(book.judge, said.append), said.append)
    keeping = Keeping(None, Workspace(tmp_path), Conversation(), said.append)
    standing = Standing(keeping, gate, settings, said.append, book.tripped)

    async with standing.around(COMMAND):
        pass
    assert (said, book.judge(COMMAND).answer) == ([], "allow")

    async with standing.around(COMMAND):
        found.append(FOUND)
    assert said == [ModeChanged("ask"), Notice("warning", f"{FOUND} {_REST}")]
    assert settings.mode == "ask"

    settings.mode = "auto"  # the person may say so, and yet commands are asked about
    assert book.judge(COMMAND).answer == "ask"
    async with standing.command():
        pass
    assert len(said) == 2


_REST = "From here on each command of this session is asked about."
