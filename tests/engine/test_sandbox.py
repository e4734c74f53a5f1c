"""When commands run without a fence: only by the user's own word."""

import os
from pathlib import Path

import pytest

from qcode.assemble import assemble
from qcode.protocol.errors import SandboxMissing
from qcode.protocol.events import ToolCallFinished
from qcode.sandbox.choose import choose
from qcode.sandbox.ground import Ground
from tests.engine.rig import configured, rig, started
from tests.support.script import Call, Reply
from tests.support.scripted_server import StartScripted


@pytest.mark.parametrize(
    ("permission", "status"),
    [
        ({"mode": "auto"}, "denied"),  # no fence is asked for, and nobody can be
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


@pytest.fixture
def fence(tmp_path: Path) -> None:
    """Skips where this machine has none: then a run that requires one must end."""
    ground = Ground.of((tmp_path,), (), (), os.environ)
    if not (choice := choose(ground, tmp_path)).fence:
        pytest.skip(choice.why)


@pytest.mark.usefixtures("fence")
@pytest.mark.parametrize("permission", [{}, {"mode": "auto"}, {"mode": "yolo"}])
async def test_a_required_sandbox_holds_and_commands_run_in_it_unasked(
    scripted: StartScripted, tmp_path: Path, permission: dict[str, str]
) -> None:
    work, outside = tmp_path / "work", tmp_path / "outside"
    work.mkdir()
    command = f"touch inside; touch {outside}; echo $?"
    server = scripted(Reply(calls=(Call("shell", {"command": command}),)), Reply(text="ok"))
    config = configured(server.base_url, permission={**permission, "sandbox": "required"})
    async with rig(config, started(work)) as run:
        await run.turn("go")
    [finished] = run.said(ToolCallFinished)
    assert finished.message.status == "ok"
    assert (work / "inside").exists()
    assert not outside.exists(), "no mode gives up a sandbox that is required"
    assert "Commands run in a sandbox" in str(server.requests[0].messages[1])


async def test_without_a_fence_a_required_sandbox_ends_the_run(tmp_path: Path) -> None:
    permission = {"mode": "auto", "sandbox": "required"}
    with pytest.raises(SandboxMissing, match="required"):  # around `/` there is none anywhere
        assemble(configured("http://127.0.0.1:1/v1", permission=permission), started(Path("/")))
