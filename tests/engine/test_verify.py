"""When the check runs: after whatever may have changed a file, and only then."""

from pathlib import Path

import pytest

from qcode.protocol.events import Verified
from tests.engine.rig import YOLO, configured, rig, started
from tests.support.script import Call, Reply
from tests.support.scripted_server import StartScripted


@pytest.mark.parametrize(
    ("command", "checks"), [("echo x > a.txt", 1), ("ls && sed -i s/a/b/ a.txt", 1), ("ls", 0)]
)
async def test_a_command_may_have_edited_unless_it_only_reads(
    command: str, checks: int, scripted: StartScripted, tmp_path: Path
) -> None:
    call = Call("shell", {"command": command})
    server = scripted(Reply(calls=(call,)), Reply(text="Done."))
    config = configured(server.base_url, permission=YOLO, agent={"verify": "true"})
    async with rig(config, started(tmp_path)) as run:
        assert (await run.turn("go")).reason == "end_turn"
    assert len(run.said(Verified)) == checks


async def test_a_check_that_cannot_start_ends_the_turn_with_a_sentence(
    scripted: StartScripted, tmp_path: Path
) -> None:
    folder = tmp_path / "gone"
    folder.mkdir()
    server = scripted(
        Reply(calls=(Call("shell", {"command": f"rmdir {folder}"}),)), Reply(text="Done.")
    )
    config = configured(server.base_url, permission=YOLO, agent={"verify": "true"})
    async with rig(config, started(folder)) as run:
        end = await run.turn("go")
    assert end.reason == "verify_failed"
    assert "is gone" in end.detail
