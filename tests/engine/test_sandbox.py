"""When commands run without a fence: only by the user's own word."""

from pathlib import Path

import pytest

from qcode.assemble import assemble
from qcode.protocol.errors import SandboxMissing
from qcode.protocol.events import ToolCallFinished
from tests.engine.rig import configured, rig, started
from tests.support.script import Call, Reply
from tests.support.scripted_server import StartScripted


@pytest.mark.parametrize(
    ("permission", "status"),
    [
        ({"mode": "auto"}, "denied"),  # no fence holds yet, and nobody can be asked
        ({"mode": "auto", "sandbox": "off"}, "ok"),
        ({"mode": "yolo"}, "ok"),
        ({"mode": "bypassPermissions"}, "ok"),
        ({"mode": "edit", "sandbox": "off"}, "denied"),
        ({}, "denied"),
    ],
)
async def test_commands_run_unasked_only_where_the_user_gave_up_the_sandbox(
    scripted: StartScripted, tmp_path: Path, permission: dict[str, str], status: str
) -> None:
    server = scripted(Reply(calls=(Call("shell", {"command": "touch a"}),)), Reply(text="ok"))
    config = configured(server.base_url, permission=permission)
    async with rig(config, started(tmp_path)) as run:
        await run.turn("go")
    assert run.said(ToolCallFinished)[0].message.status == status
    assert (tmp_path / "a").exists() == (status == "ok")


@pytest.mark.parametrize("mode", ["auto", "yolo"])
def test_a_sandbox_that_is_required_is_not_given_up_by_a_mode(mode: str, tmp_path: Path) -> None:
    config = configured("http://127.0.0.1:1/v1", permission={"mode": mode, "sandbox": "required"})
    with pytest.raises(SandboxMissing, match="required"):
        assemble(config, started(tmp_path))
