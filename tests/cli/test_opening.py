"""What an engine starts with: the flags, the settings, and where qcode keeps its own things."""

from pathlib import Path

import pytest

from qcode.cli.args import parse
from qcode.cli.opening import Session, start
from qcode.cli.settings import flags
from qcode.config.load import load, sources
from qcode.protocol.events import AnyEvent, ApprovalRequested
from qcode.protocol.inputs import ApprovalReply, Input
from tests.engine.rig import rig
from tests.support.script import Call, Reply
from tests.support.scripted_server import StartScripted


def deny(event: AnyEvent) -> Input | None:
    """A person who allows nothing."""
    is_asked = isinstance(event, ApprovalRequested)
    return ApprovalReply(event.request_id, "deny") if is_asked else None  # type: ignore[union-attr] # see is_asked


@pytest.mark.parametrize(
    ("variables", "path"),
    [
        ({"QCODE_HOME": "mine"}, "mine/config/config.toml"),
        ({"QCODE_HOME": "mine"}, "mine/state/projects/a.json"),
        ({"QCODE_HOME": "mine"}, "MINE/Data/sessions/a.jsonl"),
        ({"QCODE_HOME": "", "XDG_CONFIG_HOME": ""}, "qcode/config.toml"),
        ({"QCODE_HOME": "", "XDG_STATE_HOME": "deep"}, "deep/qcode/projects/a.json"),
        ({"QCODE_HOME": "", "XDG_DATA_HOME": "deep"}, "link/qcode/sessions/a.jsonl"),
    ],
)
async def test_edit_mode_writes_none_of_qcodes_own_files_wherever_they_are(
    variables: dict[str, str],
    path: str,
    scripted: StartScripted,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    folder = tmp_path.resolve() / "work"
    (folder / "deep").mkdir(parents=True)
    (folder / "link").symlink_to("deep")
    for name, place in variables.items():
        is_off = name == "QCODE_HOME" and not place
        monkeypatch.setenv(name, "" if is_off else str(folder / place))
    calls = [Call("write", {"path": one, "content": "x"}) for one in (path, "harmless")]
    server = scripted(*(Reply(calls=(call,)) for call in calls), Reply(text="ok"))
    said = parse(["--permission-mode", "edit", "--base-url", server.base_url])
    loaded = load(sources(flags(said)))
    async with rig(loaded.config, start(said, loaded, folder, Session(), "present")) as run:
        await run.turn("go", deny)
    assert not run.said(ApprovalRequested)  # only a rule that names the place opens it
    assert not (folder / path).exists()
    assert (folder / "harmless").exists()
