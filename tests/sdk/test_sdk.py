"""`claude-agent-sdk`, as it comes from its makers, with `cli_path=qcode`: nothing between."""

import json
import os
import shutil
import sys
from collections import Counter
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from tests.sdk.seen import note
from tests.support.script import Call, Pace, Reply
from tests.support.scripted_server import ScriptedServer, StartScripted

sdk = pytest.importorskip(
    "claude_agent_sdk",
    reason="not installed: pip install --no-binary claude-agent-sdk -e '.[sdk]'",
)

DONE = Reply(text="Done.")
EDIT = {"path": "a.txt", "old_string": "1", "new_string": "2"}
SLOW = Reply(
    text=" ".join(f"word{number}" for number in range(400)),
    pace=Pace(characters=5, delta_seconds=0.02),
)

Options = Callable[..., Any]


@pytest.fixture
def options(tmp_path: Path) -> Options:
    """What the client is told: where qcode is, and the scripted server."""
    folder = tmp_path / "w"
    folder.mkdir()
    (folder / "a.txt").write_text("1\n")
    program = Path(sys.executable).with_name("qcode")
    found = str(program) if program.exists() else shutil.which("qcode")
    assert found, "qcode is not installed in this environment"

    def made(server: ScriptedServer, **more: Any) -> Any:
        environ = {"QCODE_HOME": str(tmp_path / "home"), "QCODE_BASE_URL": server.base_url}
        return sdk.ClaudeAgentOptions(cli_path=found, cwd=folder, env=environ, **more)

    return made


async def all_of(messages: AsyncIterator[Any]) -> list[Any]:
    return [note(message) async for message in messages]


def kinds(messages: list[Any]) -> Counter[str]:
    return Counter(type(message).__name__ for message in messages)


async def test_a_query_gets_text_calls_and_a_result(
    scripted: StartScripted, options: Options
) -> None:
    server = scripted(
        Reply(text="Looking.", reasoning="hm", calls=(Call("read", {"path": "a.txt"}),)), DONE
    )
    found = await all_of(sdk.query(prompt="go", options=options(server)))
    assert kinds(found)["AssistantMessage"] == 2
    assert kinds(found)["UserMessage"] == 1
    first = next(one for one in found if isinstance(one, sdk.AssistantMessage))
    thinking, text, call = first.content
    assert (thinking.thinking, text.text, call.name) == ("hm", "Looking.", "Read")
    assert call.input["file_path"].endswith("/w/a.txt")
    result = found[-1]
    assert (result.result, result.is_error, result.num_turns) == ("Done.", False, 2)


async def test_the_callback_decides(scripted: StartScripted, options: Options) -> None:
    server = scripted(
        Reply(calls=(Call("edit", EDIT),)),
        Reply(calls=(Call("shell", {"command": "touch x"}),)),
        DONE,
    )
    asked: list[tuple[str, dict[str, Any]]] = []

    async def decide(name: str, given: dict[str, Any], _: Any) -> Any:
        asked.append((name, given))
        if name == "Edit":
            return sdk.PermissionResultAllow(updated_input={**given, "new_string": "3"})
        return sdk.PermissionResultDeny(message="not that")

    given = options(server, can_use_tool=decide)
    async with sdk.ClaudeSDKClient(given) as client:
        await client.query("go")
        await all_of(client.receive_response())
    assert [name for name, _ in asked] == ["Edit", "Bash"]
    assert asked[1][1] == {"command": "touch x"}
    assert (given.cwd / "a.txt").read_text() == "3\n"
    assert "not that" in server.requests[-1].messages[-1]["content"]


async def test_a_call_that_is_allowed_runs_as_it_is(
    scripted: StartScripted, options: Options
) -> None:
    server = scripted(Reply(calls=(Call("edit", EDIT),)), DONE)

    async def decide(*_: Any) -> Any:
        return sdk.PermissionResultAllow()

    given = options(server, can_use_tool=decide)
    async with sdk.ClaudeSDKClient(given) as client:
        await client.query("go")
        await all_of(client.receive_response())
    assert (given.cwd / "a.txt").read_text() == "2\n"
    assert "changed the arguments" not in server.requests[-1].messages[-1]["content"]


async def test_a_denial_may_end_the_turn_and_its_words_are_kept(
    scripted: StartScripted, options: Options
) -> None:
    server = scripted(Reply(calls=(Call("edit", EDIT),)), DONE)

    async def decide(*_: Any) -> Any:
        return sdk.PermissionResultDeny(message="not that", interrupt=True)

    async with sdk.ClaudeSDKClient(options(server, can_use_tool=decide)) as client:
        await client.query("go")
        found = await all_of(client.receive_response())
        assert found[-1].is_error
        (denial,) = found[-1].permission_denials
        assert "not that" in denial["because"]
        await client.query("again")
        assert (await all_of(client.receive_response()))[-1].result == "Done."


async def test_rules_that_were_suggested_hold_for_the_session(
    scripted: StartScripted, options: Options
) -> None:
    second = {"path": "a.txt", "old_string": "2", "new_string": "3"}
    server = scripted(*(Reply(calls=(Call("edit", one),)) for one in (EDIT, second)), DONE)
    asked: list[str] = []

    async def decide(name: str, _: Any, context: Any) -> Any:
        asked.append(name)
        return sdk.PermissionResultAllow(updated_permissions=context.suggestions)

    given = options(server, can_use_tool=decide)
    async with sdk.ClaudeSDKClient(given) as client:
        await client.query("go")
        await all_of(client.receive_response())
    assert asked == ["Edit"]
    assert (given.cwd / "a.txt").read_text() == "3\n"


async def test_a_question_of_the_model_is_answered_by_the_callback(
    scripted: StartScripted, options: Options
) -> None:
    server = scripted(Reply(calls=(Call("ask", {"question": "Which?", "choices": "a\nb"}),)), DONE)

    async def decide(name: str, given: dict[str, Any], _: Any) -> Any:
        assert name == "AskUserQuestion"
        (question,) = given["questions"]
        answers = {question["question"]: question["options"][1]["label"]}
        return sdk.PermissionResultAllow(updated_input={**given, "answers": answers})

    async with sdk.ClaudeSDKClient(options(server, can_use_tool=decide)) as client:
        await client.query("go")
        await all_of(client.receive_response())
    assert server.requests[-1].messages[-1]["content"].strip().endswith("b")


async def test_settings_and_words_for_the_system_prompt_are_heeded(
    scripted: StartScripted, options: Options
) -> None:
    server = scripted(Reply(calls=(Call("edit", EDIT),)), DONE)
    permissions = {"defaultMode": "acceptEdits", "deny": ["Edit(b.txt)"]}
    given = options(
        server,
        settings=json.dumps({"permissions": permissions, "outputStyle": "x"}),
        sandbox={"enabled": True},
        system_prompt={"type": "preset", "preset": "claude_code", "append": "- Be terse."},
    )
    found = await all_of(sdk.query(prompt="go", options=given))
    assert found[0].data["permissionMode"] == "acceptEdits"
    assert found[1].data["qcode"]["text"].startswith("--settings.outputStyle: taken")
    assert (given.cwd / "a.txt").read_text() == "2\n"
    assert server.requests[0].messages[0]["content"].endswith("- Be terse.")


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        ({"permission_mode": "wild"}, "'wild'"),
        ({"resume": "nobody"}, "There is no session"),
        ({"settings": "nowhere.json"}, "neither JSON nor a file"),
        ({"settings": '{"permissions": {"deny": ["Wrote(x)"]}}'}, "names no tool"),
        ({"extra_args": {"no-such-flag": None}}, "There is no flag"),
    ],
)
async def test_what_keeps_a_run_from_beginning_is_raised_with_its_sentence(
    scripted: StartScripted, options: Options, wrong: dict[str, Any], why: str
) -> None:
    with pytest.raises(Exception, match=why):
        await all_of(sdk.query(prompt="go", options=options(scripted(), **wrong)))


async def test_several_turns_modes_and_what_fills_the_context(
    scripted: StartScripted, options: Options
) -> None:
    server = scripted(Reply(text="One."), Reply(calls=(Call("edit", EDIT),)), Reply(text="Two."))
    given = options(server, permission_mode="default")
    async with sdk.ClaudeSDKClient(given) as client:
        await client.query("first")
        (first,) = [m for m in await all_of(client.receive_response()) if hasattr(m, "result")]
        await client.set_permission_mode("acceptEdits")
        await client.query("second")
        (second,) = [m for m in await all_of(client.receive_response()) if hasattr(m, "result")]
        usage = await client.get_context_usage()
    assert (first.result, second.result) == ("One.", "Two.")
    assert first.session_id == second.session_id
    assert (given.cwd / "a.txt").read_text() == "2\n"
    assert usage["model"] == "scripted-model"
    filled = {one["name"]: one["tokens"] for one in usage["categories"]}
    assert {"System text", "Tools", "Your words", "Answers", "Calls", "Results"} <= set(filled)
    assert abs(sum(filled.values()) - filled.get("Free", 0) - usage["totalTokens"]) < 10


async def test_a_hook_that_would_not_be_called_keeps_the_client_from_connecting(
    scripted: StartScripted, options: Options
) -> None:
    async def guard(*_: Any) -> Any:
        return {}

    hooks = {"PreToolUse": [sdk.HookMatcher(matcher="Bash", hooks=[guard])]}
    with pytest.raises(Exception, match="calls no hooks of its host yet"):
        await sdk.ClaudeSDKClient(options(scripted(), hooks=hooks)).connect()
    with pytest.raises(Exception, match="calls no hooks of its host yet: start without `hooks`"):
        await all_of(sdk.query(prompt="go", options=options(scripted(), hooks=hooks)))


async def test_tools_of_the_client_are_told_as_failed(
    scripted: StartScripted, options: Options
) -> None:
    @sdk.tool("add", "adds", {"a": int})  # type: ignore[untyped-decorator]  # sdk is Any here
    async def add(_: Any) -> Any:
        return {}

    server = scripted(DONE)
    servers = {"calc": sdk.create_sdk_mcp_server("calc", tools=[add])}
    given = options(server, mcp_servers=servers, allowed_tools=["mcp__calc__add"])
    async with sdk.ClaudeSDKClient(given) as client:
        (status,) = (await client.get_mcp_status())["mcpServers"]
        await client.query("go")
        found = await all_of(client.receive_response())
    assert (status["name"], status["status"]) == ("calc", "failed")
    assert "calls no MCP servers" in status["error"]
    assert found[0].data["mcp_servers"] == [{"name": "calc", "status": "failed"}]
    assert found[-1].result == "Done."


async def test_files_go_back_by_the_id_of_a_message_that_came_back(
    scripted: StartScripted, options: Options
) -> None:
    server = scripted(Reply(calls=(Call("edit", EDIT),)), DONE)
    given = options(
        server, permission_mode="acceptEdits", extra_args={"replay-user-messages": None}
    )
    async with sdk.ClaudeSDKClient(given) as client:
        await client.query("go")
        found = await all_of(client.receive_response())
        own = next(one for one in found if isinstance(one, sdk.UserMessage))
        assert (given.cwd / "a.txt").read_text() == "2\n"
        await client.rewind_files(own.uuid)
        assert (given.cwd / "a.txt").read_text() == "1\n"
        with pytest.raises(Exception, match="No turn of this run"):
            await client.rewind_files("another")


async def test_what_is_not_here_is_refused_with_a_sentence(
    scripted: StartScripted, options: Options
) -> None:
    async with sdk.ClaudeSDKClient(options(scripted())) as client:
        with pytest.raises(Exception, match="does not know the control request 'stop_task'"):
            await client.stop_task("t")
        with pytest.raises(Exception, match="does not know the control request 'mcp_reconnect'"):
            await client.reconnect_mcp_server("calc")


async def test_a_value_by_a_schema(scripted: StartScripted, options: Options) -> None:
    server = scripted(Reply(calls=(Call("structured_output", {"n": 7}),)))
    schema = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}
    given = options(server, output_format={"type": "json_schema", "schema": schema})
    result = (await all_of(sdk.query(prompt="go", options=given)))[-1]
    assert (result.structured_output, result.subtype) == ({"n": 7}, "success")


async def test_words_for_a_running_turn_steer_it(scripted: StartScripted, options: Options) -> None:
    server = scripted(SLOW, DONE)
    async with sdk.ClaudeSDKClient(options(server, include_partial_messages=True)) as client:
        await client.query("go")
        async for message in client.receive_response():
            if isinstance(message, sdk.StreamEvent):
                break
        await client.query("rather this")
        assert (await all_of(client.receive_response()))[-1].result == "Done."
    assert server.requests[1].messages[-1]["content"].endswith("rather this")


async def test_a_server_that_is_not_there_is_an_error_with_its_sentence(
    scripted: StartScripted, options: Options
) -> None:
    given = options(scripted(), extra_args={"base-url": "http://127.0.0.1:9/v1"})
    with pytest.raises(Exception, match="No server answers"):
        await all_of(sdk.query(prompt="go", options=given))


async def test_all_its_modes_can_be_set(scripted: StartScripted, options: Options) -> None:
    given = options(scripted(), permission_mode="bypassPermissions")
    async with sdk.ClaudeSDKClient(given) as client:
        for mode in ("plan", "default", "acceptEdits", "auto", "dontAsk", "bypassPermissions"):
            await client.set_permission_mode(mode)
        await client.set_model(None)


async def test_an_interrupt_ends_the_turn(scripted: StartScripted, options: Options) -> None:
    server = scripted(SLOW, DONE)
    async with sdk.ClaudeSDKClient(options(server, include_partial_messages=True)) as client:
        await client.query("go")
        async for message in client.receive_response():
            if isinstance(message, sdk.StreamEvent):
                break
        await client.interrupt()
        found = await all_of(client.receive_response())
        assert found[-1].is_error
        await client.query("again")
        assert (await all_of(client.receive_response()))[-1].result == "Done."


async def test_partial_messages_join_to_the_answer(
    scripted: StartScripted, options: Options
) -> None:
    server = scripted(Reply(text="a b c d", reasoning="hm", pace=Pace(characters=2)))
    found = await all_of(
        sdk.query(prompt="go", options=options(server, include_partial_messages=True))
    )
    deltas = [m.event.get("delta", {}) for m in found if isinstance(m, sdk.StreamEvent)]
    assert "".join(delta.get("text", "") for delta in deltas) == "a b c d"
    assert "".join(delta.get("thinking", "") for delta in deltas) == "hm"


async def test_a_session_goes_on_in_another_process(
    scripted: StartScripted, options: Options
) -> None:
    server = scripted(Reply(text="One."), Reply(text="Two."))
    first = (await all_of(sdk.query(prompt="first", options=options(server))))[-1]
    again = options(server, resume=first.session_id)
    second = (await all_of(sdk.query(prompt="second", options=again)))[-1]
    assert second.session_id == first.session_id
    said = [message["content"] for message in server.requests[1].messages]
    assert any("One." in str(content) for content in said)


async def test_its_own_system_prompt_and_tools_are_heeded(
    scripted: StartScripted, options: Options
) -> None:
    server = scripted(DONE)
    given = options(
        server, system_prompt="You are terse.", max_turns=3, allowed_tools=["Read", "Bash(ls:*)"]
    )
    await all_of(sdk.query(prompt="go", options=given))
    assert server.requests[0].messages[0]["content"] == "You are terse."


def test_the_client_is_built_from_its_source() -> None:
    """Its wheel bundles the program that it was made for; nothing here may lean on that."""
    root = Path(sdk.__file__).parent
    bundled = [path for path in (root / "_bundled").rglob("*") if path.name == "claude"]
    assert bundled == []
    assert os.fspath(root)
