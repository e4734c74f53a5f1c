"""What was found holds for the server on which it was found, and for no other."""

from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from qcode.doctor import kept, report
from qcode.doctor.base import Finding, Learned, Result
from qcode.doctor.examination import Examined
from qcode.server.base import Request, ServerFacts
from qcode.server.fields import fields, ignored, limits, unsaid

FACTS = ServerFacts(
    kind="llamacpp",
    version="b11549",
    base_url="http://127.0.0.1:8080/v1",
    model="Qwen3.6-35B-A3B",
    models=("Qwen3.6-35B-A3B",),
    context_tokens=65_536,
    strategy="native",
    strategy_why="seen by rendering",
    reasoning_field="reasoning_content",
)
SLOW = Finding(id="reuse.checkpoints", weight="slow", title="t", cost="c", change="x")
OURS = Finding(id="own.disk", weight="note", title="t", cost="c", change="x")


def examined(learned: Learned, facts: ServerFacts = FACTS) -> report.Report:
    seen = Result(
        probe="a", verdict="fails", said="s", findings=(SLOW,), learned=learned, measured={}
    )
    own = Result(probe="disk", verdict="fails", said="s", findings=(OURS,))
    return report.of(facts, Examined(results=[seen]), (own,))


def keep(folder: Path, learned: Learned, facts: ServerFacts = FACTS) -> None:
    encoded = kept.encoded(examined(learned, facts))
    assert encoded
    (folder / encoded[0]).write_bytes(encoded[1])


def test_what_is_broken_is_one_sentence_for_a_run(tmp_path: Path) -> None:
    keep(tmp_path, Learned())
    assert kept.broken(tmp_path, FACTS) == ""  # what is slow is not told at each run
    worst = replace(SLOW, weight="broken", title="Nothing works.")
    known = next(each for _, each in kept.known(tmp_path) if each)
    one = replace(known, date="2026-11-21T10:00:00+00:00", findings=(worst, worst))
    [file] = tmp_path.iterdir()
    file.write_bytes(msgspec.json.encode(one))
    told = kept.broken(tmp_path, FACTS)
    assert told.startswith("qcode doctor found on 2026-11-21: Nothing works (and 1 more); ")
    assert kept.broken(tmp_path, replace(FACTS, version="b2")) == ""


def asked(**wished: Any) -> Request:
    return Request(FACTS.model, [], [], **wished)


def test_a_budget_that_is_not_held_is_the_clients_to_hold(tmp_path: Path) -> None:
    request = asked(thinking_budget=500)
    assert limits(FACTS, request)
    keep(tmp_path, Learned(budget_holds=False))
    facts = kept.reader(tmp_path)(FACTS)
    assert not limits(facts, request)
    sent = fields(facts, request)
    assert "thinking_budget_tokens" not in sent
    assert sent["chat_template_kwargs"]["enable_thinking"] is True


def test_a_budget_that_holds_is_trusted_as_before(tmp_path: Path) -> None:
    keep(tmp_path, Learned(budget_holds=True))
    assert limits(kept.reader(tmp_path)(FACTS), asked(thinking_budget=500))


def test_sampling_that_changed_nothing_is_told_and_still_sent(tmp_path: Path) -> None:
    keep(tmp_path, Learned(ignored=("min_p",)))
    facts, request = kept.reader(tmp_path)(FACTS), asked(sampling={"min_p": 0.1, "top_k": 20})
    assert ignored(facts, request) == ("min_p",)
    assert "min_p" in unsaid(facts, request)
    assert fields(facts, request)["min_p"] == 0.1


def test_a_switch_that_switches_nothing_is_told(tmp_path: Path) -> None:
    keep(tmp_path, Learned(switch_works=False))
    facts = kept.reader(tmp_path)(FACTS)
    assert ignored(facts, asked(thinking_budget=0)) == ("thinking",)
    assert "thinking" not in ignored(FACTS, asked(thinking_budget=0))


def test_the_strategy_that_was_seen_to_be_reused_is_taken_with_its_reason(tmp_path: Path) -> None:
    keep(tmp_path, Learned(strategy="fold"))
    facts = kept.reader(tmp_path)(FACTS)
    assert facts.strategy == "fold"
    assert "qcode doctor" in facts.strategy_why


def test_a_smaller_context_holds_until_the_server_tells_another_one(tmp_path: Path) -> None:
    keep(tmp_path, Learned(context_tokens=4_096))
    learned = kept.reader(tmp_path)
    assert learned(FACTS).context_tokens == 4_096
    started_anew = replace(FACTS, context_tokens=131_072)
    assert learned(started_anew).context_tokens == 131_072


@pytest.mark.parametrize(
    "other",
    [{"version": "b12000"}, {"model": "another"}, {"kind": "vllm"}, {"base_url": "http://h/v1"}],
)
def test_another_version_model_kind_or_address_learns_nothing(
    tmp_path: Path, other: dict[str, str]
) -> None:
    keep(tmp_path, Learned(strategy="fold", budget_holds=False))
    facts = replace(FACTS, **other)
    assert kept.reader(tmp_path)(facts) is facts


def served(port: int) -> ServerFacts:
    return replace(FACTS, base_url=f"http://127.0.0.1:{port}/v1")


def test_a_server_on_a_free_port_is_known_again_on_the_next_one(tmp_path: Path) -> None:
    keep(tmp_path, Learned(strategy="fold"), served(43_211))
    reader = kept.reader(tmp_path)
    assert reader(served(51_000)).strategy == "fold"
    assert reader(served(8_080)).strategy == "native", "a port that a person chose is a place"
    assert reader(replace(FACTS, base_url="http://gpu:51000/v1")).strategy == "native"
    assert list(tmp_path.glob(kept.pattern_of("http://127.0.0.1:51000/v1")))


@given(st.binary(max_size=200))
def test_a_damaged_file_is_as_none(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    folder = tmp_path_factory.mktemp("doctor")
    (folder / kept.name_of(FACTS.base_url, FACTS.model)).write_bytes(data)
    assert kept.reader(folder)(FACTS) == FACTS


def test_findings_of_qcodes_own_side_are_not_the_servers(tmp_path: Path) -> None:
    keep(tmp_path, Learned())
    known = kept.read(tmp_path, FACTS)
    assert known
    assert [each.id for each in known.findings] == ["reuse.checkpoints"]


def test_the_files_of_a_server_are_found_by_its_address(tmp_path: Path) -> None:
    for model in ("a", "b"):
        keep(tmp_path, Learned(), replace(FACTS, model=model))
    keep(tmp_path, Learned(), replace(FACTS, base_url="http://127.0.0.1:1/v1"))
    assert len(list(tmp_path.glob(kept.pattern_of(FACTS.base_url)))) == 2
    assert len(list(tmp_path.glob(kept.pattern_of("")))) == 3
