"""A person decides about calls: once, for the session, with other arguments, or not."""

import shlex
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from msgspec import structs

from qcode.engine.approval import how_to_allow
from qcode.permission.judge import Policy, judge
from qcode.permission.patterns import Ground
from qcode.permission.rules import parse_rules, split_rules
from qcode.protocol.access import Access
from qcode.protocol.errors import ConfigError
from qcode.protocol.events import (
    AnyEvent,
    ApprovalRequested,
    ApprovalSettled,
    Notice,
    QuestionAsked,
    ToolCallFinished,
)
from qcode.protocol.inputs import ApprovalReply, Input, QuestionReply, Steer
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


def scoped(reply: ApprovalReply) -> Callable[[AnyEvent], Input | None]:
    """A person who says this to the first request, and denies all later ones."""
    said = iter([reply])

    def on(event: AnyEvent) -> Input | None:
        if not isinstance(event, ApprovalRequested):
            return None
        given = next(said, ApprovalReply("", "deny", "enough"))
        return structs.replace(given, request_id=event.request_id)

    return on


async def test_a_request_says_where_it_runs_what_waits_behind_it_and_which_rules_would_be_kept(
    scripted: StartScripted, tmp_path: Path
) -> None:
    calls = (
        Call("shell", {"command": "git status -s && pytest -q"}),
        Call("read", {"path": "a.txt"}),
        Call("write", {"path": "b.txt", "content": "x"}),
        Call("shell", {"command": "# clean\nrm -rf build"}),
    )
    server = scripted(Reply(calls=calls), Reply(text="ok"))
    async with rig(configured(server.base_url), started(tmp_path, person="present")) as run:
        await run.turn("go", replies(answer="deny"))
    first, second, third = run.said(ApprovalRequested)
    assert (first.folder, third.folder) == (str(tmp_path), str(tmp_path))
    assert second.folder == ""
    whole = "shell # clean\nrm -rf build"  # who allows all of them has to see all of it
    assert first.behind == ("write b.txt", whole)
    assert (second.behind, third.behind) == ((whole,), ())
    assert first.rules == ("Bash(git status:*)", "Bash(pytest:*)")
    assert second.rules == ("Edit(/b.txt)",)
    assert third.rules == ()


async def test_an_approval_of_all_calls_of_an_answer_holds_for_no_other_answer(
    scripted: StartScripted, tmp_path: Path
) -> None:
    rules = parse_rules(["Bash(rm:*)"], "deny", "flag", Ground(tmp_path.as_posix(), "/h"))
    (tmp_path / "kept").touch()
    server = scripted(shell("touch a", "touch b", "rm kept"), shell("touch c"), Reply(text="ok"))
    start = started(tmp_path, person="present", rules=rules)
    async with rig(configured(server.base_url), start) as run:
        await run.turn("go", scoped(ApprovalReply("", "allow", scope="batch")))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "b", "kept"]
    asked = [event.accesses[0].target for event in run.said(ApprovalRequested)]
    assert asked == ["touch a", "touch c"]


async def test_an_approval_of_all_calls_is_none_of_what_was_not_shown(
    scripted: StartScripted, tmp_path: Path
) -> None:
    (tmp_path / "work").mkdir()
    (tmp_path / "work" / "a").touch()
    (tmp_path / "secret").write_text("hunter2\n")
    calls = (
        Call("shell", {"command": "rm a; ln -s ../secret a"}),
        Call("shell", {"command": "touch b"}),
        Call("read", {"path": "a"}),  # allowed, until the first has run
    )
    server = scripted(Reply(calls=calls), Reply(text="ok"))
    config, start = configured(server.base_url), started(tmp_path / "work", person="present")

    def person(event: AnyEvent) -> Input | None:
        if not isinstance(event, ApprovalRequested):
            return None
        if event.call.name == "read":
            return ApprovalReply(event.request_id, "deny")
        return ApprovalReply(event.request_id, "allow", scope="batch")

    async with rig(config, start) as run:
        await run.turn("go", person)
    first, second = run.said(ApprovalRequested)
    assert (first.behind, second.call.name) == (("shell touch b",), "read")
    assert "hunter2" not in str(server.requests[1].messages)


async def test_all_calls_of_an_answer_are_denied_at_once(
    scripted: StartScripted, tmp_path: Path
) -> None:
    server = scripted(shell("touch a", "touch b"), Reply(text="ok"))
    async with rig(configured(server.base_url), started(tmp_path, person="present")) as run:
        await run.turn("go", scoped(ApprovalReply("", "deny", "not here", scope="batch")))
    assert list(tmp_path.iterdir()) == []
    told = [event.message.text for event in run.said(ToolCallFinished)]
    assert told == ["The user denied this call and says: not here"] * 2


async def test_reads_that_wait_at_once_are_settled_by_one_reply_to_all(
    scripted: StartScripted, tmp_path: Path
) -> None:
    (tmp_path / "work").mkdir()
    (tmp_path / "x").write_text("outside\n")
    calls = tuple(Call("read", {"path": str(tmp_path / "x"), "first_line": n}) for n in (1, 1))
    server = scripted(Reply(calls=calls), Reply(text="ok"))
    start = started(tmp_path / "work", person="present")
    once = iter([ApprovalReply("approval-1", "allow", scope="batch")])

    def person(event: AnyEvent) -> Input | None:
        return next(once, None) if isinstance(event, ApprovalRequested) else None

    async with rig(configured(server.base_url), start) as run:
        await run.turn("go", person)
    assert [event.message.status for event in run.said(ToolCallFinished)] == ["ok", "ok"]
    assert [event.answer for event in run.said(ApprovalSettled)] == ["allow", "allow"]


async def test_an_approval_for_the_session_holds_for_the_same_kind_of_command(
    scripted: StartScripted, tmp_path: Path
) -> None:
    server = scripted(shell("echo $A"), shell("echo $B"), shell("rm -f x"), Reply(text="ok"))
    async with rig(configured(server.base_url), started(tmp_path, person="present")) as run:
        await run.turn("go", scoped(ApprovalReply("", "allow", scope="session")))
    asked = [event.accesses[0].target for event in run.said(ApprovalRequested)]
    assert asked == ["echo $A", "rm -f x"]


async def test_what_no_rule_can_say_is_allowed_this_once(
    scripted: StartScripted, tmp_path: Path
) -> None:
    server = scripted(shell("rm -f x"), shell("rm -f x"), Reply(text="ok"))
    async with rig(configured(server.base_url), started(tmp_path, person="present")) as run:
        await run.turn("go", replies(answer="allow", scope="session"))
    assert len(run.said(ApprovalRequested)) == 2
    assert "allowed this once" in run.said(Notice)[0].text


async def test_an_approval_for_the_project_keeps_the_rules_that_were_shown(
    scripted: StartScripted, tmp_path: Path
) -> None:
    kept: list[str] = []
    server = scripted(shell("echo a && touch b"), shell("echo c"), Reply(text="ok"))
    start = started(tmp_path, person="present", keep=kept.extend)
    async with rig(configured(server.base_url), start) as run:
        await run.turn("go", scoped(ApprovalReply("", "allow", scope="project")))
    [asked] = run.said(ApprovalRequested)
    assert kept == list(asked.rules) == ["Bash(echo:*)", "Bash(touch b)"]


async def test_rules_that_cannot_be_kept_hold_for_the_session(
    scripted: StartScripted, tmp_path: Path
) -> None:
    def full(rules: Sequence[str]) -> None:
        raise ConfigError("The disk is full.")

    server = scripted(shell("echo $A"), shell("echo $B"), Reply(text="ok"))
    start = started(tmp_path, person="present", keep=full)
    async with rig(configured(server.base_url), start) as run:
        await run.turn("go", scoped(ApprovalReply("", "allow", scope="project")))
    assert len(run.said(ApprovalRequested)) == 1
    assert "The disk is full. It is allowed for this session alone." in run.said(Notice)[0].text


@pytest.mark.parametrize(
    ("call", "offered"),
    [
        (Call("glob", {"pattern": "*", "path": "../other"}), []),
        (Call("grep", {"pattern": "x", "path": "../other"}), []),
        (Call("glob", {"pattern": "*", "path": "../nowhere"}), []),
        (Call("grep", {"pattern": "x", "path": "../other/a"}), ["a"]),
        (Call("read", {"path": "../other/a"}), ["a"]),
    ],
)
async def test_no_rule_is_offered_that_lets_more_be_read_than_was_asked(
    call: Call,
    offered: list[str],
    scripted: StartScripted,
    tmp_path: Path,
) -> None:
    for name in ("work", "other"):
        (tmp_path / name).mkdir()
    (tmp_path / "other" / "a").write_text("x\n")
    server = scripted(Reply(calls=(call,)), Reply(text="ok"))
    start = started(tmp_path / "work", person="present")
    async with rig(configured(server.base_url), start) as run:
        await run.turn("go", replies(answer="allow"))
    [asked] = run.said(ApprovalRequested)
    other = (tmp_path / "other").resolve().as_posix()
    assert list(asked.rules) == [f"Read(/{other}/{name})" for name in offered]


async def test_a_rule_that_would_be_asked_about_all_the_same_is_not_offered(
    scripted: StartScripted, tmp_path: Path
) -> None:
    rules = parse_rules(["Bash(echo:*)"], "ask", "user config", Ground(tmp_path.as_posix(), "/h"))
    server = scripted(shell("echo a"), Reply(text="ok"))
    start = started(tmp_path, person="present", rules=rules)
    async with rig(configured(server.base_url), start) as run:
        await run.turn("go", replies(answer="allow"))
    assert run.said(ApprovalRequested)[0].rules == ()


async def test_a_name_that_no_rule_can_hold_is_asked_about_without_an_offer(
    scripted: StartScripted, tmp_path: Path
) -> None:
    server = scripted(
        Reply(calls=(Call("write", {"path": "a /.", "content": "x\n"}),)), Reply(text="ok")
    )
    async with rig(configured(server.base_url), started(tmp_path, person="present")) as run:
        await run.turn("go", replies(answer="allow"))
    assert run.said(ApprovalRequested)[0].rules == ()
    assert (tmp_path / "a ").read_text() == "x\n"


async def test_a_denied_call_is_not_asked_about_again_until_the_person_speaks(
    scripted: StartScripted, tmp_path: Path
) -> None:
    same = Reply(calls=(Call("shell", '{ "command":"touch a" }'),))
    server = scripted(shell("touch a"), same, Reply(text="ok"), shell("touch a"), Reply(text="ok"))
    async with rig(configured(server.base_url), started(tmp_path, person="present")) as run:
        await run.turn("go", replies(answer="deny", words="use b"))
        assert len(run.said(ApprovalRequested)) == 1
        told = run.said(ToolCallFinished)[1].message
        assert (told.status, told.text.split("\n")[0]) == (
            "denied",
            "You were told no: the user denied exactly this call before and said: use b",
        )
        await run.turn("now you may", replies(answer="allow"))
    assert len(run.said(ApprovalRequested)) == 2
    assert (tmp_path / "a").exists()


async def test_words_within_the_turn_make_a_denied_call_a_question_again(
    scripted: StartScripted, tmp_path: Path
) -> None:
    said: list[str] = []

    def person(event: AnyEvent) -> Input | None:
        if isinstance(event, ToolCallFinished) and not said:
            said.append("steered")
            return Steer("oh, go on then")
        is_asked = isinstance(event, ApprovalRequested)
        return ApprovalReply(event.request_id, "deny") if is_asked else None  # type: ignore[union-attr] # see is_asked

    server = scripted(shell("touch a"), shell("touch a"), Reply(text="ok"))
    async with rig(configured(server.base_url), started(tmp_path, person="present")) as run:
        await run.turn("go", person)
    assert len(run.said(ApprovalRequested)) == 2
