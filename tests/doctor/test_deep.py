"""The probes of quality judge what came, not how it was said."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qcode.doctor.examination import examine
from qcode.doctor.meeting import Address, met
from qcode.doctor.probes.deep import DEEP, Edit, Needle, changed, hidden
from qcode.server.sounding import Sounding, filler
from tests.support.llama_words import About
from tests.support.script import Body, Reply
from tests.support.scripted_server import Otherwise, StartScripted

CODES = {"red": "11111", "green": "22222", "blue": "33333"}
PASSAGE = filler(400, "a passage")
NAME, WANTED = changed(PASSAGE, "salt")


@given(st.integers(200, 5_000), st.text("abc", min_size=1, max_size=8))
def test_each_code_stands_once_at_its_depth(tokens: int, salt: str) -> None:
    text = hidden(tokens, salt, CODES)
    places = [text.index(code) / len(text) for code in CODES.values()]
    assert [text.count(code) for code in CODES.values()] == [1, 1, 1]
    assert places == pytest.approx([0.1, 0.5, 0.9], abs=0.12)


@given(st.text("abcdef0123456789", min_size=1, max_size=8))
def test_the_passage_that_is_wanted_differs_in_one_line(salt: str) -> None:
    passage = filler(400, salt)
    name, wanted = changed(passage, salt)
    pairs = zip(passage.splitlines(), wanted.splitlines(), strict=True)
    assert [new for old, new in pairs if old != new] == ["    return value - 1"]
    assert f"def {name}(value):\n    return value - 1" in wanted


@pytest.mark.parametrize(
    ("text", "verdict", "found"),
    [
        ("11111, 22222, 33333", "works", [True, True, True]),
        ("red: 11111\nblue: 33333", "fails", [True, False, True]),
        ("I found no codes, but 7 functions.", "fails", [False, False, False]),
    ],
)
def test_needles_are_found_wherever_they_are_said(
    text: str, verdict: str, found: list[bool]
) -> None:
    result = Needle(16_000).judged(Sounding(text=text, prompt_tokens=15_000), CODES)
    assert result.verdict == verdict
    assert list(result.measured.values()) == found
    assert [each.weight for each in result.findings] == (["note"] if verdict == "fails" else [])


def test_a_needle_that_is_lost_in_a_short_text_is_broken() -> None:
    result = Needle(4_000).judged(Sounding(text="11111"), CODES)
    assert [each.weight for each in result.findings] == ["broken"]


@pytest.mark.parametrize(
    "heard", [Sounding(error="gone"), Sounding(text=""), Sounding(text="I would rather not.")]
)
def test_who_does_not_look_for_needles_is_unclear(heard: Sounding) -> None:
    assert Needle(4_000).judged(heard, CODES).verdict == "unclear"


@pytest.mark.parametrize(
    "form", ["{0}", "```python\n{0}\n```", "Here it is:\n```\n{0}\n```\nDone."]
)
def test_a_passage_is_exact_with_and_without_a_fence(form: str) -> None:
    result = Edit(0).judged(Sounding(text=form.format(WANTED)), WANTED)
    assert (result.verdict, result.measured["wrong_lines"]) == ("works", 0)


def test_a_change_that_was_not_made_and_lines_that_got_lost_are_counted() -> None:
    unchanged = Edit(0).judged(Sounding(text=PASSAGE), WANTED)
    assert (unchanged.verdict, unchanged.measured["wrong_lines"]) == ("fails", 1)
    kept = [line for line in WANTED.splitlines() if line]
    shorter = Edit(0).judged(Sounding(text="\n".join(kept[:-4])), WANTED)
    assert shorter.measured["wrong_lines"] == 4


@pytest.mark.parametrize(
    "heard",
    [
        Sounding(text="def other():\n    pass\n"),
        Sounding(text=WANTED, finish="length"),
        Sounding(error="gone"),
    ],
)
def test_who_writes_something_else_or_is_cut_is_unclear(heard: Sounding) -> None:
    assert Edit(0).judged(heard, WANTED).verdict == "unclear"


def test_sizes_are_fixed_so_that_two_set_ups_can_be_compared() -> None:
    assert [probe.name for probe in DEEP] == [
        *("needle 4k", "edit", "needle 16k", "edit 16k", "needle 64k")
    ]
    assert all(re.search(r"\d", probe.label) for probe in DEEP)


def exact(body: Body) -> Reply:
    """A model that does what it is told."""
    return Reply(text=answer(body["messages"][-1]["content"]))


def forgetful(body: Body) -> Reply:
    """One that has lost the beginning of what it read, and still copies what is at hand."""
    text = body["messages"][-1]["content"]
    return Reply(text=answer(text[len(text) // 3 :] if "three numbers" in text else text))


def answer(text: str) -> str:
    if "three numbers" in text:
        return " ".join(re.findall(r"door is (\d+)", text)) or "0"
    _, _, code = text.rpartition("```python\n")
    told = re.search(r"function (\w+) returns value - 1", text)
    name = told[1] if told else ""
    found = rf"(def {name}\(value\):\n    return value) \+ \d+"
    return re.sub(found, r"\1 - 1", code.removesuffix("\n```"))


@pytest.mark.parametrize(("model", "lost"), [(exact, []), (forgetful, ["needle 4k", "needle 16k"])])
async def test_what_a_model_loses_is_found_and_what_it_keeps_is_not(
    scripted: StartScripted, model: Otherwise, lost: list[str]
) -> None:
    server = scripted(about=About("llamacpp", context_tokens=32_768), otherwise=model)
    async with met(Address(server.base_url)) as subject:
        subject.deep = True
        found = await examine(subject, DEEP, 900.0)
    assert [each.probe for each in found.results if each.verdict != "works"] == lost
    assert list(found.absent) == ["needle 64k"]
