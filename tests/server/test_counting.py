"""What the next prompt takes: by the server's word, by the meter; and prompts that were cut."""

import asyncio
import base64
import json
import random
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from qcode.engine.prompt import system_text
from qcode.protocol.events import Usage
from qcode.server import counting, tokens
from qcode.server.ask import Asker
from qcode.server.base import ServerFacts
from qcode.server.counting import Meter, tells_all, truncated
from qcode.server.door import make_http
from qcode.server.shape import wire_tools
from qcode.tools.builtin import BUILTIN
from qcode.tools.schema import spec
from tests.server.loops.honest import HONEST
from tests.support.render import render

ROOT = Path(__file__).parents[2]
CODE = [
    file.read_text(encoding="utf-8")
    for folder in ("qcode/server", "qcode/engine", "tests/support")
    for file in sorted((ROOT / folder).glob("*.py"))
]
PROSE = [file.read_text(encoding="utf-8") for file in sorted(ROOT.glob("*.md"))]
LOGS = [HONEST[name] for name in ("test log with dots", "go test log", "diff", "json list", "csv")]

FACTS = ServerFacts(
    kind="llamacpp",
    version="b11549",
    base_url="",
    model="m",
    models=("m",),
    context_tokens=None,
    strategy="plain",
    strategy_why="",
    reasoning_field="",
)
MESSAGES = [{"role": "user", "content": "Hello"}]
TOOLS = wire_tools([spec(tool) for tool in BUILTIN])


@dataclass(frozen=True, slots=True)
class Asked:
    """A request that a counting server got."""

    path: str
    body: Mapping[str, Any]


@contextmanager
def server(answers: Mapping[str, object]) -> Iterator[tuple[str, list[Asked]]]:
    """A server that answers by path with JSON, or with 404; its origin and what it was asked."""
    asked: list[Asked] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            asked.append(Asked(self.path, body))
            told = json.dumps(answers.get(self.path, {"error": "no such path"})).encode()
            self.send_response(200 if self.path in answers else 404)
            self.send_header("Content-Length", str(len(told)))
            self.end_headers()
            self.wfile.write(told)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as http:
        Thread(target=http.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{http.server_port}", asked
        http.shutdown()


def ask(origin: str, facts: ServerFacts, what: str | Mapping[str, Any]) -> int | None:
    """The count of a text or of a request's body."""
    facts = replace(facts, base_url=f"{origin}/v1")

    async def run() -> int | None:
        async with make_http(facts.base_url, 1.0) as http:
            asker = Asker(http, "", 1.0)
            if isinstance(what, str):
                return await counting.count(asker, facts, what)
            return await counting.count_request(asker, facts, what)

    return asyncio.run(run())


def test_llamacpp_counts_a_text() -> None:
    with server({"/tokenize": {"tokens": [1, 2, 3]}}) as (origin, asked):
        assert ask(origin, FACTS, "some text") == 3
    sent = {"model": "m", "content": "some text", "add_special": False}
    assert asked == [Asked("/tokenize", sent)]


def test_llamacpp_counts_a_request() -> None:
    path = "/v1/chat/completions/input_tokens"
    with server({path: {"object": "response.input_tokens", "input_tokens": 77}}) as (origin, asked):
        kwargs = {"enable_thinking": True}
        body = {"messages": MESSAGES, "tools": TOOLS, "chat_template_kwargs": kwargs, "top_p": 1}
        assert ask(origin, FACTS, body) == 77
    body.pop("top_p")
    assert asked == [Asked(path, {"model": "m", **body})]


def test_an_older_llamacpp_renders_and_then_counts() -> None:
    answers = {"/apply-template": {"prompt": "rendered"}, "/tokenize": {"tokens": [1, 2]}}
    with server(answers) as (origin, asked):
        assert ask(origin, replace(FACTS, version="b9000"), {"messages": MESSAGES}) == 2
    assert [one.path for one in asked] == ["/apply-template", "/tokenize"]
    assert asked[1].body["content"] == "rendered"


@pytest.mark.parametrize("kind", ["vllm", "sglang"])
def test_vllm_and_sglang_count_texts_and_requests(kind: str) -> None:
    facts = replace(FACTS, kind=kind, version="")
    with server({"/tokenize": {"count": 9, "max_model_len": 10, "tokens": []}}) as (origin, asked):
        assert ask(origin, facts, "some text") == 9
        assert ask(origin, facts, {"messages": MESSAGES, "tools": TOOLS}) == 9
    assert asked[0].body["prompt"] == "some text"
    assert asked[1].body == {"model": "m", "messages": MESSAGES, "tools": TOOLS}


def test_llama_cpp_python_counts_texts_alone() -> None:
    facts = replace(FACTS, kind="llama-cpp-python", version="")
    with server({"/extras/tokenize/count": {"count": 4}}) as (origin, asked):
        assert ask(origin, facts, "some text") == 4
        assert ask(origin, facts, {"messages": MESSAGES}) is None
    assert [one.body["input"] for one in asked] == ["some text"]


@pytest.mark.parametrize("kind", ["generic", "ollama", "lmstudio", "mlx_lm", "openrouter"])
def test_others_are_not_even_asked(kind: str) -> None:
    with server({}) as (origin, asked):
        assert ask(origin, replace(FACTS, kind=kind), "some text") is None
        assert ask(origin, replace(FACTS, kind=kind), {"messages": MESSAGES}) is None
    assert asked == []


def test_a_model_that_is_not_loaded_is_not_loaded_for_a_count() -> None:
    with server({"/tokenize": {"tokens": [1]}}) as (origin, asked):
        assert ask(origin, replace(FACTS, loaded=False), "some text") is None
    assert asked == []


@pytest.mark.parametrize("answer", [{}, {"tokens": 3}, {"tokens": None}, [1], "x", None])
def test_an_odd_answer_is_no_count(answer: object) -> None:
    with server({"/tokenize": answer}) as (origin, _):
        assert ask(origin, FACTS, "some text") is None


def test_no_server_is_no_count() -> None:
    with server({}) as (origin, _):
        pass
    assert ask(origin, FACTS, "some text") is None
    assert ask(origin, FACTS, {"messages": MESSAGES}) is None


@dataclass(slots=True)
class Talk:
    """A conversation whose tokens are those of the shipped table."""

    messages: list[dict[str, Any]]

    @property
    def prompt(self) -> str:
        """As the template renders it."""
        return render(self.messages, "3.6", tools=TOOLS, preserve_thinking=True)


def talk(seed: int, steps: int) -> Iterator[tuple[str, int, str, str]]:
    """Per request: what is new in it, in how many messages, the prompt and the answer to it."""
    chance = random.Random(seed)
    system, task = system_text(""), chance.choice(PROSE)[:3_000]
    one = Talk([{"role": "system", "content": system}, {"role": "user", "content": task}])
    new, messages = system + json.dumps(TOOLS) + task, 2
    for number in range(steps):
        thought = chance.choice(PROSE)[100 : chance.randrange(200, 2_500)]
        fields = {"path": f"src/part_{number}.py", "old_string": chance.choice(CODE)[:400]}
        call = {"name": "edit", "arguments": fields}
        answer = (
            f"{thought}\n</think>\n\nI look at it.\n\n<tool_call>{json.dumps(call)}</tool_call>"
        )
        yield new, messages, one.prompt, answer
        source = chance.choice(chance.choice((CODE, CODE, PROSE, LOGS)))
        result = source[: chance.randrange(200, 12_000)]
        one.messages += [
            {
                "role": "assistant",
                "reasoning_content": thought,
                "content": "I look at it.",
                "tool_calls": [{"type": "function", "function": call}],
            },
            {"role": "tool", "content": result},
        ]
        new, messages = result, 1


def misses(meter: Meter, seed: int, scale: float) -> list[float]:
    """By what share of the truth each estimate of a conversation is off."""
    missed = []
    for new, messages, prompt, answer in talk(seed, 12):
        truth = round(scale * tokens.count(prompt))
        missed.append(abs(meter.estimate(new, messages=messages) - truth) / truth)
        usage = Usage(truth, None, round(scale * tokens.count(answer)))
        assert not meter.falls_short(usage)
        meter.take(usage, len(prompt))
    return missed


@pytest.mark.parametrize("scale", [1.0, 0.85])
def test_the_meter_is_near_at_first_and_close_from_then_on(scale: float) -> None:
    """`scale`: of a vocabulary that is larger than the table."""
    later = []
    for seed in range(12):
        first, *rest = misses(Meter(), seed, scale)
        assert first <= 0.15
        later += rest
    later.sort()
    assert later[round(0.85 * len(later))] <= 0.03
    assert later[-1] <= 0.1  # a large file into a small prompt


@pytest.mark.parametrize("scale", [1.0, 0.85])
@pytest.mark.parametrize("seed", range(12))
def test_with_the_table_the_meter_is_always_close(seed: int, scale: float) -> None:
    first, *later = misses(Meter(tokens.count), seed, scale)
    assert first <= 0.15 / scale
    assert max(later) <= 0.03


def test_the_meter_goes_on_when_the_table_comes() -> None:
    meter = Meter()
    meter.estimate(PROSE[0])
    meter.take(Usage(tokens.count(PROSE[0]), None, 0), len(PROSE[0]))
    meter.change(tokens.count)
    truth = tokens.count(PROSE[0]) + tokens.count(PROSE[1])
    assert meter.estimate(PROSE[1]) == pytest.approx(truth, rel=0.01)


def test_the_meter_begins_anew_after_a_compaction() -> None:
    meter = Meter()
    meter.estimate(CODE[0])
    meter.take(Usage(50_000, None, 10), 170_000)
    assert meter.is_calibrated
    assert meter.rate == pytest.approx(3.4)
    meter.forget()
    assert not meter.is_calibrated
    assert meter.estimate("A short summary.") < 40


def test_what_is_not_sent_back_is_not_counted() -> None:
    meter = Meter()
    prompt, thought = CODE[2] * 4, CODE[3]
    meter.estimate(prompt)
    meter.take(Usage(tokens.count(prompt), None, tokens.count(thought)), len(prompt))
    meter.drop(thought)
    assert meter.estimate("") == pytest.approx(tokens.count(prompt), rel=0.1)


def test_a_server_that_tells_nothing_teaches_nothing() -> None:
    meter = Meter()
    before = meter.estimate(CODE[0])
    meter.take(Usage(None, None, None), len(CODE[0]))
    assert meter.estimate(CODE[0]) == before


def test_a_prompt_that_was_cut_in_half_is_seen_once_there_was_another() -> None:
    meter = Meter()
    for number, (new, messages, prompt, answer) in enumerate(talk(1, 6)):
        truth = tokens.count(prompt)
        meter.estimate(new, messages=messages)
        assert meter.falls_short(Usage(truth // 2, None, 1)) is (number > 0)
        meter.take(Usage(truth, None, tokens.count(answer)), len(prompt))


def test_a_prompt_that_was_cut_to_a_few_thousand_is_seen_by_its_characters() -> None:
    assert truncated(200_000, 4_096, 4_096)
    assert truncated(200_000, 4_096, None)
    assert not truncated(200_000, None, 4_096)
    assert not truncated(200_000, 0, 4_096)
    assert not truncated(4_000, 10, 4_096)
    assert not truncated(16_000, 4_000, 4_096)


def test_the_older_ollama_tells_only_what_it_has_read() -> None:
    assert not tells_all("ollama", "0.29.1")
    assert tells_all("ollama", "0.30.0")
    assert tells_all("ollama", "")
    assert tells_all("llamacpp", "b100")


SCRIPTS = st.sampled_from(
    [
        "abc ",
        "的一是不了人我在",
        "абвгд ",
        "0123456789",
        "x{}();=\n    ",
        "あいうえお",
        "😀🚀",
        "\n\tif x:",
    ]
)
"""Text that means something: of blanks or rulers alone a token may hold dozens."""


@given(st.lists(st.tuples(SCRIPTS, st.integers(1, 60)), min_size=1, max_size=40), st.randoms())
def test_honest_text_of_any_script_is_never_taken_for_cut(
    parts: list[tuple[str, int]], chance: random.Random
) -> None:
    words = (chance.sample(signs, len(signs)) for signs, many in parts for _ in range(many))
    text = "".join(sign for word in words for sign in word)
    text *= 1 + 5_000 // len(text)
    assert not truncated(len(text), tokens.count(text), None)


@given(st.binary(min_size=3_500, max_size=6_000))
def test_base64_is_never_taken_for_cut(data: bytes) -> None:
    text = base64.b64encode(data).decode()
    assert not truncated(len(text), tokens.count(text), None)


@pytest.mark.parametrize("name", HONEST)
def test_even_what_repeats_is_not_taken_for_cut(name: str) -> None:
    # Never alone: the instructions and the tools stand before it.
    text = system_text("") + json.dumps(TOOLS) + HONEST[name]
    assert not truncated(len(text), tokens.count(text), None)


def test_this_projects_files_are_not_taken_for_cut() -> None:
    for text in (*CODE, *PROSE):
        assert not truncated(len(text), tokens.count(text), None)
