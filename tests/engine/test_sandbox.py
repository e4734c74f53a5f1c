"""What stands around commands: a fence wherever one holds; else nothing runs unasked."""

import asyncio
import os
import re
import shlex
import sys
from contextlib import suppress
from pathlib import Path

import httpx2
import pytest

from qcode.assemble import assemble
from qcode.protocol.access import NETWORK_CALL, Access, wanting
from qcode.protocol.errors import ConfigError, SandboxMissing
from qcode.protocol.events import (
    AnyEvent,
    ApprovalRequested,
    ApprovalSettled,
    CheckpointTaken,
    Connected,
    Notice,
    SessionStarted,
    ShellFinished,
    ToolCallFinished,
    Verified,
)
from qcode.protocol.inputs import ApprovalReply, Cancel, Input, OpenPort, RunShell
from qcode.sandbox.choose import choose
from qcode.sandbox.ground import Ground
from tests.engine.rig import On, configured, rig, started
from tests.support.script import Call, Reply
from tests.support.scripted_server import StartScripted

PYTHON = os.path.realpath(sys.executable)
"""Not that of a virtual environment: it may lie in /tmp, of which the fence has its own."""
UNFENCED = Path("/proc")
"""A folder around which no fence is raised, on any machine."""
AUTO = {"sandbox": "auto"}


def shell(command: str) -> Reply:
    """An answer that runs a command."""
    return Reply(calls=(Call("shell", {"command": command}),))


@pytest.mark.parametrize(
    ("permission", "status"),
    [
        ({"mode": "auto", **AUTO}, "denied"),  # no fence holds, and nobody can be asked
        ({"mode": "auto", "sandbox": "off"}, "ok"),
        ({"mode": "yolo", **AUTO}, "ok"),
        ({"mode": "bypassPermissions", **AUTO}, "ok"),
        ({"mode": "edit", "sandbox": "off"}, "denied"),
        (AUTO, "denied"),
    ],
)
async def test_without_a_fence_commands_run_unasked_only_by_the_users_own_word(
    scripted: StartScripted, tmp_path: Path, permission: dict[str, str], status: str
) -> None:
    server = scripted(shell("touch $PWD/a"), Reply(text="ok"))  # what it changes, no words prove
    config = configured(server.base_url, permission=permission)
    async with rig(config, started(tmp_path, add_dirs=(UNFENCED,))) as run:
        await run.turn("go")
    assert run.said(ToolCallFinished)[0].message.status == status
    assert (tmp_path / "a").exists() == (status == "ok")


@pytest.mark.parametrize("person", ["present", "absent"])
async def test_that_no_fence_holds_is_said_once_with_the_reason(
    scripted: StartScripted, tmp_path: Path, person: str
) -> None:
    server = scripted(Reply(text="a"), Reply(text="b"))
    config = configured(server.base_url, permission=AUTO)
    async with rig(config, started(tmp_path, add_dirs=(UNFENCED,), person=person)) as run:
        await run.turn("one")
        await run.turn("two")
    [notice] = run.said(Notice)
    assert "No sandbox holds here" in notice.text
    assert "A fence around /proc would enclose nothing" in notice.text
    assert "what was tried" not in notice.text
    assert run.said(SessionStarted)[0].fence == "none"
    assert "sandbox" not in str(server.requests[0].messages[1])


@pytest.fixture
def fence(tmp_path: Path) -> None:
    """Skips where this machine has none: then a run that requires one must end."""
    ground = Ground.of((tmp_path,), (), (), os.environ)
    if not (choice := choose(ground, tmp_path)).fence:
        pytest.skip(choice.why)


@pytest.mark.usefixtures("fence")
@pytest.mark.parametrize("permission", [AUTO, {"mode": "auto", **AUTO}])
async def test_where_a_fence_holds_it_is_raised_unasked_and_auto_is_the_mode_without_a_person(
    scripted: StartScripted, tmp_path: Path, permission: dict[str, str]
) -> None:
    work, outside = tmp_path / "work", tmp_path / "outside"
    work.mkdir()
    server = scripted(shell(f"touch inside; touch {outside}"), Reply(text="ok"))
    config = configured(server.base_url, permission=permission)
    async with rig(config, started(work)) as run:
        await run.turn("go")
    [begun] = run.said(SessionStarted)
    assert (begun.fence, begun.mode) == ("holds", "auto")
    assert (work / "inside").exists()
    assert not outside.exists()
    assert run.said(Notice) == []
    assert "network: each host is asked for" in str(server.requests[0].messages[1])


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


def person(**fields: str) -> On:
    """Gives every request the same reply."""

    def on(event: AnyEvent) -> Input | None:
        if isinstance(event, ApprovalRequested):
            return ApprovalReply(event.request_id, "allow", **fields)  # type: ignore[arg-type] # literals
        return None

    return on


@pytest.mark.usefixtures("fence")
async def test_a_person_may_let_one_command_run_outside_and_only_that_one(
    scripted: StartScripted, tmp_path: Path
) -> None:
    work, one = tmp_path / "work", tmp_path / "one"
    work.mkdir()
    server = scripted(shell(f"touch {one}"), shell(f"touch {tmp_path}/two"), Reply(text="ok"))
    config = configured(server.base_url, permission=AUTO)
    replies = iter([{"where": "outside"}, {"where": "inside"}])

    def on(event: AnyEvent) -> Input | None:
        return person(**next(replies))(event) if isinstance(event, ApprovalRequested) else None

    async with rig(config, started(work, person="present")) as run:
        await run.turn("go", on)
    assert one.exists()
    assert not (tmp_path / "two").exists()
    assert [asked.where for asked in run.said(ApprovalRequested)] == ["inside", "inside"]
    settled = run.said(ApprovalSettled)
    assert "outside of the sandbox" in settled[0].because
    assert "outside" not in settled[1].because
    assert "outside" not in str(server.requests[1].messages[-1]["content"]).replace(str(one), "")


@pytest.mark.usefixtures("fence")
@pytest.mark.parametrize("scope", ["batch", "session"])
async def test_outside_is_never_kept_nor_for_more_than_one_call(
    scripted: StartScripted, tmp_path: Path, scope: str
) -> None:
    work = tmp_path / "work"
    work.mkdir()
    calls = tuple(Call("shell", {"command": f"touch {tmp_path}/{name}"}) for name in "ab")
    server = scripted(Reply(calls=calls), Reply(text="ok"))
    config = configured(server.base_url, permission=AUTO)
    async with rig(config, started(work, person="present")) as run:
        await run.turn("go", person(where="outside", scope=scope))
    assert not (tmp_path / "a").exists()
    assert not (tmp_path / "b").exists()


OUTSIDE = {"outside": ["Bash(touch:*)"]}


@pytest.mark.usefixtures("fence")
@pytest.mark.parametrize(
    ("command", "runs_outside"),
    [
        ("touch {0}", True),
        ("touch {0} && touch {0}2", True),
        ("timeout 5 touch {0}", True),
        ("touch {0}; echo done", False),
        ("touch {0} $(echo {0})", False),
        ("touch {0} > {0}", False),
        ("X=1 touch {0}", False),
        ("env touch {0}", False),
        ("sh -c 'touch {0}'", False),
    ],
)
async def test_what_the_settings_name_runs_outside_only_when_each_part_is_covered(
    scripted: StartScripted, tmp_path: Path, command: str, *, runs_outside: bool
) -> None:
    work, made = tmp_path / "work", tmp_path / "made"
    work.mkdir()
    server = scripted(shell(command.format(made)), Reply(text="ok"))
    permission = {"mode": "auto", **AUTO}
    config = configured(server.base_url, permission=permission, sandbox=OUTSIDE)
    async with rig(config, started(work, person="present")) as run:
        await run.turn("go", person())
    assert made.exists() == runs_outside
    asked = [one.where for one in run.said(ApprovalRequested)]
    assert asked == (["outside"] if runs_outside else []), "the column without a fence asks"


@pytest.mark.usefixtures("fence")
async def test_without_a_person_what_would_run_outside_is_denied(
    scripted: StartScripted, tmp_path: Path
) -> None:
    work, made = tmp_path / "work", tmp_path / "made"
    work.mkdir()
    server = scripted(shell(f"touch {made}"), Reply(text="ok"))
    config = configured(server.base_url, permission=AUTO, sandbox=OUTSIDE)
    async with rig(config, started(work)) as run:
        await run.turn("go")
    assert not made.exists()
    assert run.said(ToolCallFinished)[0].message.status == "denied"


@pytest.mark.parametrize("rule", ["Bash", "Bash(*)", "Edit(src/**)", "WebFetch"])
def test_outside_names_commands_and_nothing_wider(tmp_path: Path, rule: str) -> None:
    config = configured("http://127.0.0.1:1/v1", sandbox={"outside": [rule]})
    with pytest.raises(ConfigError, match=r"sandbox\.outside"):
        assemble(config, started(tmp_path))


@pytest.mark.usefixtures("fence")
async def test_the_persons_own_commands_run_outside(tmp_path: Path) -> None:
    work, made = tmp_path / "work", tmp_path / "made"
    work.mkdir()
    config = configured("http://127.0.0.1:1/v1", permission=AUTO)
    async with rig(config, started(work)) as run:
        run.engine.submit(RunShell(f"touch {made}"))
        await run.until(ShellFinished)
    assert made.exists()


@pytest.mark.usefixtures("fence")
async def test_the_verify_command_runs_inside(scripted: StartScripted, tmp_path: Path) -> None:
    work, made = tmp_path / "work", tmp_path / "made"
    work.mkdir()
    server = scripted(shell("touch changed"), Reply(text="ok"))
    agent = {"verify": f"touch {made}; touch inside"}
    config = configured(server.base_url, permission=AUTO, agent=agent)
    async with rig(config, started(work)) as run:
        await run.turn("go")
    assert run.said(Verified)[0].exit_code == 0
    assert (work / "inside").exists()
    assert not made.exists()


@pytest.mark.usefixtures("fence")
async def test_a_job_runs_inside(scripted: StartScripted, tmp_path: Path) -> None:
    work, made = tmp_path / "work", tmp_path / "made"
    work.mkdir()
    job = Call("shell", {"action": "start", "command": f"touch {made}; touch inside"})
    server = scripted(Reply(calls=(job,)), Reply(text="ok"))
    async with rig(configured(server.base_url, permission=AUTO), started(work)) as run:
        await run.turn("go")
    assert (work / "inside").exists()
    assert not made.exists()


FETCH = (
    f"{shlex.quote(PYTHON)} -c 'import urllib.request as u; "
    'u.urlopen("https://nowhere.invalid/")\' 2>/dev/null; true'
)


@pytest.mark.usefixtures("fence")
async def test_a_command_waits_for_the_person_while_they_are_asked_about_a_host(
    scripted: StartScripted, tmp_path: Path
) -> None:
    server = scripted(shell(FETCH), shell(FETCH), Reply(text="ok"))
    config = configured(server.base_url, permission={"mode": "auto", **AUTO})

    def on(event: AnyEvent) -> Input | None:
        if isinstance(event, ApprovalRequested):
            return ApprovalReply(event.request_id, "deny", "not that one")
        return None

    async with rig(config, started(tmp_path, person="present")) as run:
        await run.turn("go", on)
    [asked] = run.said(ApprovalRequested)
    assert (asked.call.name, asked.accesses) == (
        NETWORK_CALL,
        (Access("network", "nowhere.invalid"),),
    )
    assert wanting(asked.call.name, asked.call.arguments) == (FETCH,)
    for request in server.requests[1:]:
        told = str(request.messages[-1]["content"])
        assert "[network] nowhere.invalid:443 was refused: the user said no: not that one." in told
    assert [(one.by, one.answer) for one in run.said(Connected) if one.by == "command"] == [
        ("command", "deny")
    ]
    assert [one.commands for one in run.said(Connected) if one.by == "command"] == [(FETCH,)]


@pytest.mark.usefixtures("fence")
async def test_a_turn_that_is_cancelled_takes_its_question_about_a_host_with_it(
    scripted: StartScripted, tmp_path: Path
) -> None:
    server = scripted(shell(FETCH))
    config = configured(server.base_url, permission={"mode": "auto", **AUTO})

    def on(event: AnyEvent) -> Input | None:
        return Cancel() if isinstance(event, ApprovalRequested) else None

    async with rig(config, started(tmp_path, person="present")) as run:
        end = await run.turn("go", on)
        if not run.said(ApprovalSettled):  # withdrawn, but behind the end of the turn
            await run.until(ApprovalSettled)
    assert end.reason == "cancelled"
    assert [one.answer for one in run.said(ApprovalSettled)] == ["deny"]
    assert run.said(ToolCallFinished)[0].message.status == "cancelled"


@pytest.mark.usefixtures("fence")
async def test_behind_the_turn_an_interruption_is_a_no_to_the_host_that_a_job_wants(
    scripted: StartScripted, tmp_path: Path
) -> None:
    job = Call("shell", {"action": "start", "command": f"sleep 1.5; {FETCH}; exec sleep 60"})
    server = scripted(Reply(calls=(job,)), Reply(text="ok"))
    config = configured(server.base_url, permission={"mode": "auto", **AUTO})
    async with rig(config, started(tmp_path, person="present")) as run:
        await run.turn("go")
        if not run.said(ApprovalRequested):
            await run.until(ApprovalRequested)
        run.engine.submit(Cancel())
        assert (await run.until(ApprovalSettled)).answer == "deny"


@pytest.mark.usefixtures("fence")
async def test_offline_nobody_is_asked_about_a_host(
    scripted: StartScripted, tmp_path: Path
) -> None:
    server = scripted(shell(FETCH), Reply(text="ok"))
    permission = {"mode": "auto", **AUTO}
    config = configured(server.base_url, permission=permission, agent={"offline": "on"})
    async with rig(config, started(tmp_path, person="present")) as run:
        await run.turn("go")
    assert run.said(ApprovalRequested) == []
    assert "offline" in str(server.requests[1].messages[-1]["content"])


@pytest.mark.usefixtures("fence")
async def test_a_port_inside_is_reached_by_the_person_once_they_open_it(
    scripted: StartScripted, tmp_path: Path
) -> None:
    (tmp_path / "index.html").write_text("from inside")
    line = f"exec {shlex.quote(PYTHON)} -m http.server 3001 --bind 127.0.0.1"
    job = Call("shell", {"action": "start", "command": line})
    server = scripted(Reply(calls=(job,)), Reply(text="ok"))
    config = configured(server.base_url, permission={"mode": "auto", **AUTO})
    async with rig(config, started(tmp_path, person="present")) as run:
        await run.turn("go")
        run.engine.submit(OpenPort(3001))
        notice = await run.until(Notice)
        [url] = re.findall(r"http://127\.0\.0\.1:\d+/", notice.text)
        async with httpx2.AsyncClient(timeout=5) as client:
            page = await _page(client, url)
    assert page == "from inside"


async def _page(client: httpx2.AsyncClient, url: str) -> str:
    """What stands there, once somebody listens."""
    for _ in range(50):
        with suppress(httpx2.HTTPError):
            found = await client.get(url)
            if found.status_code == 200:
                return str(found.text)
        await asyncio.sleep(0.1)  # the server inside tells nobody that it is ready
    raise AssertionError(f"nothing at {url}")


@pytest.mark.usefixtures("fence")
async def test_what_the_fence_places_is_no_change_of_a_command(
    scripted: StartScripted, tmp_path: Path
) -> None:
    work = tmp_path / "work"
    work.mkdir()
    server = scripted(shell("touch one"), shell("touch two"), Reply(text="ok"))
    config = configured(server.base_url, permission=AUTO)
    async with rig(config, started(work, kept=tmp_path / "kept")) as run:
        await run.turn("go")
        changed = [path for taken in run.said(CheckpointTaken) for path in taken.paths]
    assert sorted(changed) == ["one", "two"]
