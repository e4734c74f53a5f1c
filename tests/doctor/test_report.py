"""One report, in three forms: none says more than it may, none is wider than it may."""

import os
import platform
from pathlib import Path
from typing import Literal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qcode.cli.doctor_compared import is_otherwise
from qcode.cli.doctor_screen import compared, screen
from qcode.config.paths import paths
from qcode.doctor import markdown, report
from qcode.doctor.base import Finding, Measure, Result
from qcode.doctor.examination import Examined, LeftOut
from qcode.doctor.report import Report
from qcode.protocol.cells import cells
from qcode.server.base import ServerFacts

KEY = "sk-abcdefghijklmnopqrstuvwxyz0123456789"


def facts(base_url: str = "http://gpu-box.example:8080/v1", model: str = "m.gguf") -> ServerFacts:
    return ServerFacts(
        kind="llamacpp",
        version="b11549",
        base_url=base_url,
        model=model,
        models=(model,),
        context_tokens=65_536,
        strategy="native",
        strategy_why="seen by rendering",
        reasoning_field="reasoning_content",
        slots=1,
        trained_tokens=262_144,
    )


SLOW = Finding(
    id="reuse.checkpoints",
    weight="slow",
    title="Each question has the server read the conversation again from its beginning.",
    cost="each question reads 11,900 tokens again, 4.6 s",
    change="Start llama-server with `--ctx-checkpoints 32`.",
    evidence={"reread_tokens": 11_900},
    source="llama.cpp PR #24035",
)


def told(seen: ServerFacts, *findings: Finding, said: str = "seen | as it is") -> Report:
    results = [
        Result(
            probe="reuse",
            verdict="fails" if findings else "works",
            said=said,
            findings=findings,
            measured={"reread_tokens": 11_900, "seconds": 4.6, "held": True},
            seconds=2.0,
        ),
        Result(probe="vision", verdict="unclear", said="the model did not look"),
    ]
    left = LeftOut(probe="template", label="two turns rendered", seconds=70.0)
    found = Examined(results=results, left_out=[left], absent={"slots": "not told"}, seconds=41.0)
    own = Result(probe="git", verdict="works", said="/usr/bin/git")
    return report.of(seen, found, (own,))


def test_the_screen_says_verdicts_costs_changes_and_what_was_left_out() -> None:
    assert screen(told(facts(), SLOW)) == (
        """\
llama.cpp b11549 at http://gpu-box.example:8080/v1
  model     m.gguf
  context   65,536 tokens; made for 262,144; 1 at once
  history   native: seen by rendering

fails    reuse   seen | as it is
unclear  vision  the model did not look
not asked: slots: not told

qcode's own side
works    git  /usr/bin/git

1. slow: Each question has the server read the conversation again from its
   beginning.
   costs   each question reads 11,900 tokens again, 4.6 s
   change  Start llama-server with `--ctx-checkpoints 32`.
   known   from llama.cpp PR #24035

left out: template (70 s). qcode doctor --seconds 150 asks all.
2 checks, took 41 s
"""
    )


def test_a_server_without_findings_is_said_to_be_well() -> None:
    well = told(facts())
    assert well.is_well
    assert "nothing is wrong" in screen(well)


@given(st.text(max_size=300), st.text(max_size=300))
def test_no_words_of_a_server_steer_the_terminal(said: str, model: str) -> None:
    shown = screen(told(facts(model=model or "m"), said=said))
    assert not any(ord(sign) < 32 and sign != "\n" for sign in shown if sign != "\t")
    assert "\x9b" not in shown


def test_prose_fits_eighty_columns() -> None:
    long = told(facts(), SLOW, said="a word or two, " * 20)
    assert max(map(cells, screen(long).splitlines())) <= 80


def test_markdown_names_no_host_no_home_no_machine_and_no_key() -> None:
    home = str(Path.home())
    finding = msgspec.structs.replace(
        SLOW, change=f"curl http://gpu-box.example:8080/props -H 'Authorization: Bearer {KEY}'"
    )
    said = f"{home}/models on {platform.node()}"
    text = markdown.text(told(facts(model=f"{home}/models/m.gguf"), finding, said=said))
    for word in ("gpu-box", home, KEY):
        assert word not in text
    if len(platform.node()) > 3:
        assert platform.node() not in text
    assert "- model m.gguf" in text
    assert "llama.cpp b11549 on another machine" in text
    assert "| reuse | fails |" in text
    assert "reread_tokens = 11900" in text


def test_markdown_names_no_machine_in_capitals_and_no_folder_that_is_qcodes_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("QCODE_HOME", str(tmp_path / "alice"))
    there = facts("http://GPU-Box.example:8080/v1")
    said = f"http://GPU-Box.example:8080 refused; {paths().state} is open"
    text = markdown.text(told(there, said=said)).lower()
    assert "gpu-box" not in text
    assert "alice" not in text


def test_markdown_keeps_its_tables_whole() -> None:
    rows = markdown.text(told(facts(), said="a | b\nc")).splitlines()
    assert "| reuse | works | a \\| b c |" in rows


def test_a_report_survives_json() -> None:
    found = told(facts(), SLOW)
    assert msgspec.json.decode(msgspec.json.encode(found), type=Report) == found


def test_fields_that_scripts_rely_on_are_there() -> None:
    """Only ever more of them."""
    data = msgspec.to_builtins(told(facts(), SLOW))
    assert {
        *("qcode", "date", "server", "checks", "own", "findings", "absent", "left_out"),
        *("measured", "learned", "seconds", "interrupted", "machine"),
    } <= data.keys()
    assert {"id", "weight", "title", "cost", "change", "evidence", "source"} == data["findings"][
        0
    ].keys()
    assert {"probe", "verdict", "said", "findings", "measured", "seconds"} <= data["checks"][
        0
    ].keys()


def test_two_reports_stand_side_by_side_also_where_one_knows_less() -> None:
    before, after = told(facts(), SLOW), told(facts(model=f"{os.sep}other.gguf"))
    checks = (after.checks[0], Result(probe="needle", verdict="works", said="s"))
    figures = {"reuse.reread_tokens": 12, "reuse.seconds": 4.7, "needle.found": 3}
    after = msgspec.structs.replace(after, measured=figures, checks=checks)
    table = compared(before, after).partition("\n\n")[0]
    assert table.splitlines()[0].split() == ["gpu-box.example:8080", "gpu-box.example:8080"]
    assert before.date[:10] in table.splitlines()[1]
    rows = [" ".join(line.split()) for line in table.splitlines()]
    assert "* reuse fails works" in rows
    assert "* reuse: reread, tokens 11,900 12" in rows
    assert "reuse: seconds 4.6 4.7" in rows  # noise
    assert "* reuse: held yes -" in rows
    assert "only before: vision; only now: needle" in table
    assert "needle: found" not in table


def test_where_no_server_was_examined_there_is_no_table_of_nothing() -> None:
    nobody = report.without_server(())
    assert compared(told(facts(), SLOW), nobody).startswith("nothing to compare")
    assert " - " not in compared(told(facts(), SLOW), nobody)


@pytest.mark.parametrize(
    ("name", "left", "right", "otherwise"),
    [
        ("rates.long_read_per_second", 4_000.0, 4_300.0, False),
        ("rates.long_read_per_second", 4_000.0, 2_000.0, True),
        ("reuse.cold_seconds", 0.02, 0.1, False),
        ("reuse.cold_seconds", 1.0, 4, True),
        ("slots.slots", 1, 2, True),
        ("reuse.strategy", "fold", "fold", False),
        ("needle.ratio", None, 1.0, True),
    ],
)
def test_what_two_measurements_differ_by_anyway_is_no_change(
    name: str, left: Measure, right: Measure, otherwise: Literal[True, False]
) -> None:
    assert is_otherwise(name, left, right) is otherwise
    assert is_otherwise(name, right, left) is otherwise


def test_an_interruption_is_not_taken_for_a_lack_of_time() -> None:
    rows = (LeftOut(probe="drafts", label="", seconds=4.0),)
    cut = msgspec.structs.replace(told(facts()), left_out=rows, interrupted=True)
    assert "interrupted before: drafts." in screen(cut)
    assert "--seconds" not in screen(cut)
    assert "Interrupted before: drafts." in markdown.text(cut)


@pytest.mark.parametrize(("seconds", "left", "needed"), [(41.0, 70.0, 150), (1.0, 1.0, 30)])
def test_the_time_that_is_advised_is_enough(seconds: float, left: float, needed: int) -> None:
    row = LeftOut(probe="a", label="", seconds=left)
    found = msgspec.structs.replace(told(facts()), seconds=seconds, left_out=(row,))
    assert found.seconds_needed == needed >= seconds + left


def test_one_reason_is_said_once_for_all_that_it_keeps_from_being_asked() -> None:
    absent = {"slots": "not told", "vision": "blind", "drafts": "not told"}
    shown = screen(msgspec.structs.replace(told(facts()), absent=absent))
    assert "not asked: slots, drafts: not told; vision: blind\n" in shown


@pytest.mark.parametrize(
    ("source", "known"),
    [
        ("measured", "by measuring"),
        ("measured; llama.cpp b11549", "by measuring; llama.cpp b11549"),
        ("llama.cpp PR #24035", "from llama.cpp PR #24035"),
        ("", ""),
    ],
)
def test_what_is_measured_is_not_known_from_it(source: str, known: str) -> None:
    finding = msgspec.structs.replace(SLOW, source=source)
    assert finding.known == known
    shown = screen(told(facts(), finding)), markdown.text(told(facts(), finding))
    assert all((f"known {known}" in " ".join(words.split())) is bool(known) for words in shown)
