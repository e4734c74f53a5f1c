"""Which server answers: told by bodies, from one address or from several."""

import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx2
import pytest
from msgspec.structs import asdict

from qcode.protocol.errors import CredentialsRefused, ServerGone, UnknownModel
from qcode.server import detect
from qcode.server.ask import Asker
from qcode.server.base import Request, Server, ServerFacts
from qcode.server.client import connect
from qcode.server.endpoint import Patience
from qcode.server.failures import Loading
from tests.server.raw import Talk, answer, listening, silence
from tests.server.replay import Wire, load, replayed, wires
from tests.support.llama_words import About
from tests.support.script import Reply
from tests.support.scripted_server import StartScripted

QUICK = Patience(connect_seconds=1, probe_seconds=0.5, loading_seconds=2, poll_seconds=0.05)
SILENT_PORT = 1


async def facts_of(server: Server) -> ServerFacts:
    try:
        return await server.facts()
    finally:
        await server.close()


def bodies(by_path: dict[str, Any], status: str = "200 OK") -> Talk:
    """Answers of a made-up server: by path, anything else 404."""

    async def talk(line: str, writer: Any) -> None:
        path = line.split()[1]
        if path in by_path:
            await answer(writer, json.dumps(by_path[path]).encode(), status)
        else:
            await answer(writer, b'{"error": "no such path"}', "404 Not Found")

    return talk


@asynccontextmanager
async def asker_for(wire: Wire, api_key: str = "") -> AsyncIterator[Asker]:
    """For a replayed server; one that is known by its host is reached as if by a proxy."""
    proxy = f"http://127.0.0.1:{wire.port}" if "base_url" in wire.told else None
    async with httpx2.AsyncClient(proxy=proxy, trust_env=False) as http:
        yield Asker(http, api_key, 2)


async def found_at(wire: Wire) -> ServerFacts:
    async with asker_for(wire) as asker:
        base_url = wire.told.get("base_url", wire.base_url)
        return await detect.find(asker, base_url, wire.told.get("name", ""))


FACTS = tuple(load("generic").told["facts"])
"""What each recording says must be found."""


@pytest.mark.parametrize("name", wires())
async def test_each_server_is_known_and_its_facts_are_read(name: str) -> None:
    with replayed(load(name)) as wire:
        facts = await found_at(wire)
    found = asdict(facts) | {"models": list(facts.models)}
    assert {key: found[key] for key in FACTS} == wire.told["facts"]


RENDERS = ("/apply-template", "/tokenize", "/detokenize", "/api/show")
"""The ends of the only paths that are posted to: none of them needs a model in memory."""


@pytest.mark.parametrize("name", wires())
async def test_nothing_is_asked_that_loads_or_runs_a_model(name: str) -> None:
    with replayed(load(name)) as wire:
        await found_at(wire)
    assert wire.asked
    for asked in wire.asked:
        assert "?" not in asked.path, asked.line
        assert asked.method == "GET" or asked.path.endswith(RENDERS), asked.line
        assert not asked.path.endswith(("/load", "/health_generate")), asked.line
    posted = {asked.path for asked in wire.asked if asked.method == "POST"}
    if not wire.told["facts"]["loaded"]:
        assert posted <= {"/api/show"}


async def test_a_switch_is_asked_beyond_itself_only_for_a_model_that_runs() -> None:
    for name, below in (("llama-swap", {"qwen3.6-35b"}), ("llama-swap-idle", set[str]())):
        with replayed(load(name)) as wire:
            await found_at(wire)
        paths = [asked.path for asked in wire.asked if asked.path.startswith("/upstream/")]
        assert {path.split("/")[2] for path in paths} == below


async def test_sglangs_health_is_not_asked_since_it_generates() -> None:
    with replayed(load("sglang")) as wire:
        await found_at(wire)
    assert not [asked.line for asked in wire.asked if "health" in asked.path]


async def test_a_hosted_service_is_asked_for_its_models_and_nothing_else() -> None:
    for name in ("openrouter", "dashscope"):
        with replayed(load(name)) as wire:
            await found_at(wire)
        assert [asked.line for asked in wire.asked] == [f"GET {wire.told['base_url']}/models"]


async def test_no_model_is_picked_where_each_costs_money() -> None:
    with replayed(load("openrouter")) as wire:
        async with asker_for(wire) as asker:
            with pytest.raises(UnknownModel, match=r"OpenRouter .* lists 2 models. Set `model`"):
                await detect.find(asker, wire.told["base_url"], "")


async def test_a_name_on_mlx_that_is_not_listed_is_refused_before_it_is_downloaded() -> None:
    with replayed(load("mlx_lm")) as wire:
        async with asker_for(wire) as asker:
            with pytest.raises(UnknownModel, match="no model 'qwen'"):
                await detect.find(asker, wire.base_url, "qwen")


async def test_a_model_named_by_its_path_need_not_be_listed() -> None:
    with replayed(load("transformers")) as wire:
        async with asker_for(wire) as asker:
            facts = await detect.find(asker, wire.base_url, "/models/mine")
    assert (facts.kind, facts.model, facts.picked_why) == ("transformers", "/models/mine", "named")


async def test_ollamas_short_name_has_the_facts_of_the_long_one() -> None:
    with replayed(load("ollama")) as wire:
        wire.told["answers"]["GET /api/ps"]["body"]["models"][0]["name"] = "mine:latest"
        wire.told["answers"]["GET /v1/models"]["body"]["data"].append({"id": "mine:latest"})
        async with asker_for(wire) as asker:
            facts = await detect.find(asker, wire.base_url, "mine")
    assert (facts.model, facts.loaded, facts.context_from) == ("mine", True, "/api/ps")


async def test_llamacpp_is_recognised_and_its_facts_are_read(scripted: StartScripted) -> None:
    endpoint = scripted(about=About(kind="llamacpp", context_tokens=8192, slots=2))
    facts = await facts_of(connect(endpoint.origin, patience=QUICK))
    assert (facts.kind, facts.version, facts.slots) == ("llamacpp", "b11549", 2)
    assert facts.base_url == endpoint.base_url
    assert facts.context_tokens == 8192
    assert (facts.strategy, facts.strategy_why) == ("fold", "seen by rendering")


async def test_the_strategy_follows_the_template(scripted: StartScripted) -> None:
    endpoint = scripted(about=About(kind="llamacpp", style="3.6"))
    assert (await facts_of(connect(endpoint.base_url, patience=QUICK))).strategy == "native"


async def test_llamacpp_takes_any_name_for_its_one_model(scripted: StartScripted) -> None:
    endpoint = scripted(about=About(kind="llamacpp"))
    facts = await facts_of(connect(endpoint.base_url, model="anything", patience=QUICK))
    assert facts.model == "anything"


async def test_another_server_is_generic_and_promises_nothing(scripted: StartScripted) -> None:
    endpoint = scripted(Reply(text="x"))
    server = connect(endpoint.base_url, patience=QUICK)
    facts = await server.facts()
    assert (facts.kind, facts.strategy, facts.model) == ("generic", "plain", "scripted-model")
    assert facts.strategy_why == "the server cannot render"
    assert await server.facts() is facts  # remembered
    assert [item async for item in server.stream(Request("", [], ()))]
    assert endpoint.requests[0].body["model"] == "scripted-model"
    assert [one.path for one in endpoint.others].count("/v1/models") == 1
    await server.close()


async def test_a_wrong_name_is_answered_with_those_that_exist(scripted: StartScripted) -> None:
    endpoint = scripted()
    with pytest.raises(UnknownModel, match=r"no model 'qwen'. It has: scripted-model"):
        await facts_of(connect(endpoint.base_url, model="qwen", patience=QUICK))


async def test_a_server_that_lists_nothing_needs_a_name() -> None:
    async with listening(bodies({})) as raw:
        with pytest.raises(UnknownModel, match="Set `model`"):
            await facts_of(connect(raw.base_url, patience=QUICK))
        facts = await facts_of(connect(raw.base_url, model="mine", patience=QUICK))
    assert facts.model == "mine"


async def test_the_loaded_model_is_taken_before_the_first() -> None:
    rows = [
        {"id": "a", "status": {"value": "unloaded"}},
        {"id": "b", "status": {"value": "loaded"}},
    ]
    routed = {"/v1/models": {"data": rows}, "/props": {"role": "router", "build_info": "b1-x"}}
    async with listening(bodies(routed)) as raw:
        facts = await facts_of(connect(raw.base_url, patience=QUICK))
    assert (facts.kind, facts.model) == ("llamacpp-router", "b")


@pytest.mark.parametrize(("build", "version"), [("b11549-x", "b11549"), ("b0-unknown", "")])
async def test_a_build_without_a_number_tells_no_version(build: str, version: str) -> None:
    rows = [{"id": "b", "status": {"value": "loaded"}}]
    routed = {"/v1/models": {"data": rows}, "/props": {"role": "router", "build_info": build}}
    async with listening(bodies(routed)) as raw:
        facts = await facts_of(connect(raw.base_url, patience=QUICK))
    assert facts.version == version


async def test_a_router_is_not_made_to_load_a_model() -> None:
    asked: list[str] = []

    async def talk(line: str, writer: Any) -> None:
        asked.append(line.split()[1])
        rows = [{"id": "a", "status": {"value": "unloaded"}}]
        body = {"data": rows} if "models" in line else {"role": "router"}
        await answer(writer, json.dumps(body).encode())

    async with listening(talk) as raw:
        facts = await facts_of(connect(raw.base_url, patience=QUICK))
    assert facts.strategy == "plain"
    assert sorted(asked) == ["/props", "/v1/models"]


@pytest.mark.parametrize(
    ("row", "context"),
    [
        ({"max_model_len": 262144}, 262144),
        ({"context_length": 4096}, 4096),
        ({"meta": {"n_ctx": 8192}, "context_length": 262144}, 8192),
        ({}, None),
        ({"max_model_len": "many"}, None),
    ],
)
async def test_the_context_is_read_where_a_server_tells_it(
    row: dict[str, Any], context: int | None
) -> None:
    async with listening(bodies({"/v1/models": {"data": [{"id": "m", **row}]}})) as raw:
        facts = await facts_of(connect(raw.base_url, patience=QUICK))
    assert facts.context_tokens == context


async def test_a_key_that_is_wanted_is_asked_for() -> None:
    refused = bodies({"/v1/models": {"error": {"message": "Invalid API Key"}}}, "401 Unauthorized")
    async with listening(refused) as raw:
        with pytest.raises(CredentialsRefused, match="Invalid API Key"):
            await facts_of(connect(raw.base_url, patience=QUICK))


async def test_a_loading_server_is_waited_for(scripted: StartScripted) -> None:
    endpoint = scripted(about=About(kind="llamacpp"))
    endpoint.loading = True
    server = connect(endpoint.base_url, patience=Patience(loading_seconds=0.1, poll_seconds=0.05))
    with pytest.raises(ServerGone, match="still loads"):
        await server.facts()
    endpoint.loading = False
    assert (await facts_of(server)).kind == "llamacpp"


async def test_of_equals_the_first_port_is_taken(scripted: StartScripted) -> None:
    first, second = scripted(), scripted()
    facts = await facts_of(connect(patience=QUICK, ports=(SILENT_PORT, first.port, second.port)))
    assert facts.base_url == first.base_url
    assert facts.picked_why == (
        f"the only one; taken before generic at {second.base_url}: "
        "it comes first among the known ports"
    )


async def test_a_loaded_model_comes_before_an_earlier_port(scripted: StartScripted) -> None:
    first, second = scripted(), scripted(about=About(kind="llamacpp"))
    facts = await facts_of(connect(patience=QUICK, ports=(first.port, second.port)))
    assert facts.base_url == second.base_url
    assert facts.picked_why.endswith(f"before generic at {first.base_url}: its model is loaded")


async def test_a_server_with_the_named_model_comes_before_one_without(
    scripted: StartScripted,
) -> None:
    first, second = scripted(), scripted(about=About(model="qwen"))
    ports = (first.port, second.port)
    facts = await facts_of(connect(model="qwen", patience=QUICK, ports=ports))
    assert facts.base_url == second.base_url


@pytest.mark.parametrize("name", ["qwen3.6:35b", "qwen3.6"])
async def test_a_server_that_takes_any_name_does_not_win_over_one_that_has_it(
    scripted: StartScripted, name: str
) -> None:
    """llama.cpp ignores names, and answers with the model that it has."""
    first = scripted(about=About(kind="llamacpp", model="Devstral"))
    second = scripted(about=About(kind="ollama", model=f"{name.partition(':')[0]}:latest"))
    third = scripted(about=About(kind="ollama", model="qwen3.6:35b"))
    ports = (first.port, second.port, third.port)
    facts = await facts_of(connect(model=name, patience=QUICK, ports=ports))
    assert facts.base_url == (third if ":" in name else second).base_url
    assert facts.picked_why.endswith(f"before llamacpp at {first.base_url}: it has that model")


async def test_a_web_service_on_a_known_port_is_no_server_of_models(
    scripted: StartScripted,
) -> None:
    endpoint = scripted()
    async with listening(bodies({"/": "hello"})) as raw:
        port = raw.server.sockets[0].getsockname()[1]
        facts = await facts_of(
            connect(model="scripted-model", patience=QUICK, ports=(port, endpoint.port))
        )
    assert facts.base_url == endpoint.base_url


async def test_the_key_is_not_shown_to_whoever_listens(scripted: StartScripted) -> None:
    endpoint = scripted()
    await facts_of(connect(api_key="secret", patience=QUICK, ports=(endpoint.port, SILENT_PORT)))
    assert {one.headers["authorization"] for one in endpoint.others} == {"Bearer none"}


async def test_no_server_names_every_address_tried() -> None:
    with pytest.raises(ServerGone) as raised:
        await facts_of(connect(patience=QUICK, ports=(SILENT_PORT, 2)))
    told = str(raised.value)
    assert "http://127.0.0.1:1/v1, http://127.0.0.1:2/v1" in told
    assert "llama-server -m model.gguf --port 8080" in told


async def test_a_page_on_every_path_is_no_server_of_models() -> None:
    async def talk(line: str, writer: Any) -> None:
        await answer(writer, b'{"error": "Unexpected something"}')

    async with listening(talk) as raw, httpx2.AsyncClient(trust_env=False) as http:
        (seen,) = await detect.survey(Asker(http, "", 1), (raw.base_url,))
    assert seen.found is None


async def test_llamacpp_that_loads_is_known_by_its_refusal() -> None:
    refusal = {"error": {"message": "Loading model", "type": "unavailable_error", "code": 503}}
    busy = bodies({"/props": refusal, "/v1/models": refusal}, "503 Service Unavailable")
    async with listening(busy) as raw, httpx2.AsyncClient(trust_env=False) as http:
        (seen,) = await detect.survey(Asker(http, "", 1), (raw.base_url,))
    assert isinstance(seen.found, Loading)


async def test_one_that_never_answers_holds_the_others_up_for_a_moment_only(
    scripted: StartScripted,
) -> None:
    async def talk(_line: str, _writer: Any) -> None:
        await silence()

    endpoint = scripted(about=About(kind="llamacpp"))
    async with listening(talk) as raw, httpx2.AsyncClient(trust_env=False) as http:
        began = time.monotonic()
        tried = (raw.base_url, endpoint.base_url)
        facts = await detect.search(Asker(http, "", 0.3), tried, "")
    assert facts.base_url == endpoint.base_url
    assert time.monotonic() - began < 1.5


async def test_a_wrong_address_is_told_from_a_server_without_models() -> None:
    async def talk(line: str, writer: Any) -> None:
        await answer(writer, b"<html>It works!</html>")

    async with listening(talk) as raw:
        with pytest.raises(UnknownModel, match="Is base_url right"):
            await facts_of(connect(raw.base_url, patience=QUICK))
