"""`--json-schema`: one value that fits, in every form of output; and when there is none."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.host import Host
from tests.e2e.rig import DONE, Cli, calling
from tests.support.script import Pace, Reply
from tests.support.scripted_server import ScriptedServer

Serve = Callable[..., ScriptedServer]
SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {"n": {"type": "integer"}, "why": {"type": "string"}},
    "required": ["n"],
}
FLAG = ("--json-schema", json.dumps(SCHEMA))
GOOD = {"n": 7, "why": "seven"}


def given(**fields: Any) -> Reply:
    return calling("structured_output", **fields)


def names(server: ScriptedServer) -> list[str]:
    return [tool["function"]["name"] for tool in server.requests[0].body["tools"]]


def test_stdout_has_the_value_and_nothing_else(cli: Cli, serve: Serve) -> None:
    server = serve(calling("glob", pattern="*"), given(**GOOD))
    ran = cli.ask(*FLAG)
    assert json.loads(ran.out) == GOOD
    assert ran.code == 0
    assert names(server)[-1] == "structured_output"
    sent = server.requests[0].body["tools"][-1]["function"]["parameters"]
    assert sent == SCHEMA
    assert "response_format" not in server.requests[0].body


@pytest.mark.parametrize("form", ["json", "json-array", "stream-json"])
def test_every_form_of_output_has_it(cli: Cli, serve: Serve, form: str) -> None:
    serve(given(**GOOD))
    ran = cli.ask(*FLAG, "--output-format", form)
    found = json.loads(ran.out if form == "json-array" else ran.out.splitlines()[-1])
    result = found[-1] if isinstance(found, list) else found
    assert result["structured_output"] == GOOD
    assert result["subtype"] == "success"


def test_a_value_that_does_not_fit_is_told_why_and_tried_again(cli: Cli, serve: Serve) -> None:
    server = serve(given(n="seven"), given(n=7))
    assert json.loads(cli.ask(*FLAG).out) == {"n": 7}
    assert "$.n: 'seven' is not of type 'integer'" in server.requests[1].messages[-1]["content"]


def test_an_answer_in_words_is_asked_for_the_value(cli: Cli, serve: Serve) -> None:
    server = serve(DONE, given(n=7))
    assert json.loads(cli.ask(*FLAG).out) == {"n": 7}
    assert "result is still missing" in server.requests[1].messages[-1]["content"]


@pytest.mark.parametrize("wrong", [given(n="x"), DONE])
def test_after_two_retries_it_is_54(cli: Cli, serve: Serve, wrong: Reply) -> None:
    server = serve(wrong, wrong, wrong)
    ran = cli.ask(*FLAG, "--output-format", "json", "--loops", "off")
    assert ran.code == 54
    assert ran.json["subtype"] == "error_max_structured_output_retries"
    assert "structured_output" not in ran.json
    assert len(server.requests) == 3


def test_a_schema_may_be_a_file_and_its_root_no_object(cli: Cli, serve: Serve) -> None:
    (cli.folder / "s.json").write_text('{"type":"array","items":{"type":"integer"}}')
    serve(given(value_by_schema=[1, 2]), given(value_by_schema=[1, 2]))
    assert json.loads(cli.ask("--output-schema", "s.json").out) == [1, 2]
    assert json.loads(cli.ask("--json-schema", "@s.json").out) == [1, 2]


def test_what_points_into_a_schema_whose_root_is_no_object_points_there(
    cli: Cli, serve: Serve
) -> None:
    node = {"type": "object", "properties": {"next": {"$ref": "#/$defs/Node"}}}
    schema = {"$defs": {"Node": node}, "$ref": "#/$defs/Node"}
    server = serve(given(value_by_schema={"next": {"next": {}}}))
    assert json.loads(cli.ask("--json-schema", json.dumps(schema)).out) == {"next": {"next": {}}}
    sent = server.requests[0].body["tools"][-1]["function"]["parameters"]
    inner = sent["properties"]["value_by_schema"]
    assert inner["$ref"] == "#/properties/value_by_schema/$defs/Node"
    assert inner["$defs"]["Node"]["properties"]["next"]["$ref"] == inner["$ref"]


@pytest.mark.parametrize("root", [{"$ref": "#"}, {"type": "object", "allOf": [{"$ref": "#"}]}])
def test_a_schema_without_a_bottom_is_no_crash(cli: Cli, serve: Serve, root: object) -> None:
    serve(given(value_by_schema=1), given(value_by_schema=2), given(value_by_schema=3))
    ran = cli.ask("--json-schema", json.dumps(root), "--loops", "off")
    assert ran.code == 54


@pytest.mark.parametrize(
    "schema",
    [
        "{",
        "[1]",
        '{"type":"wild"}',
        "nowhere.json",
        '{"pattern":"["}',
        '{"not":' * 600 + "{}" + "}" * 600,
    ],
)
def test_a_schema_that_is_none_ends_the_run_before_it_begins(cli: Cli, schema: str) -> None:
    ran = cli.ask("--json-schema", schema)
    assert ran.code == 42
    assert "--json-schema" in ran.err


def test_a_schema_opens_no_address(cli: Cli, serve: Serve) -> None:
    serve(given(n=7), given(n=7), given(n=7))
    schema = {"type": "object", "properties": {"n": {"$ref": "http://192.0.2.1/x.json"}}}
    ran = cli.ask("--json-schema", json.dumps(schema), "--loops", "off")
    assert ran.code == 54
    assert ran.seconds < 20


def test_it_is_kept_as_the_last_message(cli: Cli, serve: Serve, tmp_path: Path) -> None:
    serve(given(**GOOD))
    cli.ask(*FLAG, "-o", str(tmp_path / "out.json"))
    assert json.loads((tmp_path / "out.json").read_text()) == GOOD


def test_a_value_from_before_new_words_holds_no_more(
    cli: Cli, serve: Serve, drive: Callable[..., Host]
) -> None:
    late = replace(given(n=1), pace=Pace(wait_seconds=1.5))
    serve(late, calling("glob", pattern="*"), given(n=2))
    host = drive(*FLAG)
    host.say("go")
    host.until(lambda line: line.get("subtype") == "qcode_server")
    host.say("rather two")
    assert host.result()["structured_output"] == {"n": 2}
    assert host.end() == 0


def test_the_verify_command_is_heeded_before_the_value_counts(cli: Cli, serve: Serve) -> None:
    serve(
        given(n=1),
        calling("write", path="ok", content="x"),
        given(n=2),
    )
    ran = cli.ask(*FLAG, "--verify", "test -f ok", "--permission-mode", "edit")
    assert json.loads(ran.out) == {"n": 2}
