"""A person decides about calls: once, for the session, with other arguments, or not."""

import shlex
from collections.abc import Callable
from pathlib import Path

import pytest

from qcode.engine.approval import how_to_allow
from qcode.permission.judge import Policy, judge
from qcode.permission.patterns import Ground
from qcode.permission.rules import parse_rules, split_rules
from qcode.protocol.access import Access
from qcode.protocol.events import AnyEvent, ApprovalRequested, QuestionAsked, ToolCallFinished
from qcode.protocol.inputs import ApprovalReply, Input, QuestionReply
from tests.engine.rig import configured, rig, started
from tests.support.script import Call, Reply
from tests.support.scripted_server import StartScripted


def replies(**fields: str) -> Callable[[AnyEvent], Input | None]:
    """A person who gives every request the same reply."""

    def on(event: AnyEvent) -> Input | None:
        if isinstance(event, ApprovalRequested):
            return ApprovalReply(event.request_id, **fields)  # type: ignore[arg-type] # literals
        return None

    return on


def shell(*commands: str) -> Reply:
    """An answer that runs commands."""
    return Reply(calls=tuple(Call("shell", {"command": command}) for command in commands))


async def test_an_approved_call_runs(scripted: StartScripted, tmp_path: Path) -> None:
    server = scripted(shell("touch a"), Reply(text="ok"))
    async with rig(configured(server.base_url), started(tmp_path, person="present")) as run:
        await run.turn("go", replies(answer="allow"))
    assert (tmp_path / "a").exists()
    assert run.said(ApprovalRequested)[0].accesses[0].target == "touch a"


async def test_a_denied_call_tells_the_model_why(scripted: StartScripted, tmp_path: Path) -> None:
    server = scripted(shell("touch a"), Reply(text="ok"))
    async with rig(configured(server.base_url), started(tmp_path, person="present")) as run:
        await run.turn("go", replies(answer="deny", words="use b instead"))
    assert not (tmp_path / "a").exists()
    assert "use b instead" in server.requests[1].messages[-1]["content"]


async def test_changed_arguments_run_in_place_of_the_models(
    scripted: StartScripted, tmp_path: Path
) -> None:
    server = scripted(shell("touch a"), Reply(text="ok"))
    async with rig(configured(server.base_url), started(tmp_path, person="present")) as run:
        changed = '{"command": "touch b"}'
        await run.turn("go", replies(answer="allow", changed_arguments=changed))
    assert [path.name for path in tmp_path.iterdir()] == ["b"]
    assert "touch b" in server.requests[1].messages[-1]["content"]
    sent = server.requests[1].messages[-2]["tool_calls"][0]["function"]["arguments"]
    assert "touch a" in sent  # the history keeps what the model wrote


async def test_a_deny_rule_holds_for_changed_arguments_too(
    scripted: StartScripted, tmp_path: Path
) -> None:
    server = scripted(shell("touch a"), Reply(text="ok"))
    rules = parse_rules(["Bash(rm:*)"], "deny", "flag", Ground(tmp_path.as_posix(), "/h"))
    start = started(tmp_path, person="present", rules=rules)
    (tmp_path / "kept").touch()
    async with rig(configured(server.base_url), start) as run:
        changed = '{"command": "rm kept"}'
        await run.turn("go", replies(answer="allow", changed_arguments=changed))
    assert (tmp_path / "kept").exists()
    assert "Denied by the rules" in server.requests[1].messages[-1]["content"]


async def test_an_approval_for_the_session_is_asked_for_once(
    scripted: StartScripted, tmp_path: Path
) -> None:
    server = scripted(shell("touch a"), shell("touch a"), shell("touch b"), Reply(text="ok"))
    async with rig(configured(server.base_url), started(tmp_path, person="present")) as run:
        await run.turn("go", replies(answer="allow", scope="session"))
    asked = [event.accesses[0].target for event in run.said(ApprovalRequested)]
    assert asked == ["touch a", "touch b"]


async def test_a_question_waits_for_its_answer(scripted: StartScripted, tmp_path: Path) -> None:
    def answer(event: AnyEvent) -> Input | None:
        return QuestionReply(event.request_id, "blue") if isinstance(event, QuestionAsked) else None

    question = Call("ask", {"question": "Which colour?", "choices": "red\nblue"})
    server = scripted(Reply(calls=(question,)), Reply(text="Blue it is."))
    async with rig(configured(server.base_url), started(tmp_path, person="present")) as run:
        await run.turn("paint it", answer)
    assert run.said(QuestionAsked)[0].choices == ("red", "blue")
    assert "blue" in run.said(ToolCallFinished)[0].message.text


async def test_without_a_person_the_ask_tool_is_not_offered(
    scripted: StartScripted, tmp_path: Path
) -> None:
    server = scripted(Reply(text="ok"))
    async with rig(configured(server.base_url), started(tmp_path)) as run:
        await run.turn("go")
    names = [tool["function"]["name"] for tool in server.requests[0].body["tools"]]
    assert "ask" not in names


@pytest.mark.parametrize(
    "access",
    [
        Access("shell", "pytest -q tests"),
        Access("read", "/etc/hosts", "outside"),
        Access("edit", ".github/workflows/ci.yml", "protected"),
    ],
)
def test_the_rule_that_a_denial_names_would_have_allowed_the_call(access: Access) -> None:
    flag = how_to_allow([access]).split("--allowed-tools ")[1]
    (text,) = shlex.split(flag.removesuffix("."))[:1]
    rules = parse_rules(split_rules(text.rstrip(",")), "allow", "flag", Ground("/w", "/home/x"))
    assert judge([access], Policy("ask", "none")).answer == "ask"
    assert judge([access], Policy("ask", "none", rules)).answer == "allow"
