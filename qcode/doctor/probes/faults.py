"""What is wrong with two turns as they were printed."""

import re
from typing import Literal

from msgspec.structs import replace

from qcode.doctor.base import Finding
from qcode.doctor.probes.advice import LLAMACPP
from qcode.doctor.probes.origin import Origin
from qcode.doctor.probes.printing import SYSTEM, Printed
from qcode.server.base import ServerFacts

_DATE = re.compile(
    r"\b20\d\d-\d\d-\d\d\b"
    r"|\b\d{1,2} (?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)\w* 20\d\d\b"
    r"|\b(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)\w* \d{1,2},? 20\d\d\b"
)
_TIME = re.compile(r"\b\d\d:\d\d\b")
_OTHER = {
    "llamacpp": "with `--chat-template-file FILE`",
    "vllm": "with `--chat-template FILE`",
    "sglang": "with `--chat-template FILE`",
}


def found(facts: ServerFacts, prompts: Printed) -> tuple[Finding, ...]:
    """All that is seen in the text."""
    findings = []
    if not prompts.shows_tools:
        findings.append(_no_tools(facts))
    elif not (prompts.shows_call and prompts.shows_result):
        findings.append(_no_calls(facts, prompts))
    if drops_reasoning(prompts):
        findings.append(_no_reasoning(facts))
    if prompts.unclosed:
        findings.append(_unclosed(facts))
    if date := _DATE.search(head(prompts)):
        findings.append(_dated(date[0], "hours" if _TIME.search(head(prompts)) else "days"))
    return tuple(findings)


def drops_reasoning(prompts: Printed) -> bool:
    """Whether a model that thinks does not see what it thought a step ago."""
    return prompts.thinks and not prompts.shows_reasoning


def head(prompts: Printed) -> str:
    """What stands in front of our own words."""
    start, _, _ = prompts.working.partition(SYSTEM)
    return start


def refused(facts: ServerFacts, why: str) -> Finding:
    """A template that does not take a call and its result."""
    return Finding(
        id="template.refuses",
        weight="broken",
        title="The chat template refuses a conversation with a tool call.",
        cost="A turn ends with an error behind its first tool call.",
        change=_change(facts),
        evidence={"answer": why[:200]},
        source="measured: /apply-template" if facts.kind in LLAMACPP else "measured: /tokenize",
    )


def blamed(findings: tuple[Finding, ...], of: Origin) -> tuple[Finding, ...]:
    """The findings with whose doing it is, where that is known."""
    return tuple(_blamed(finding, of) for finding in findings)


def _blamed(finding: Finding, of: Origin) -> Finding:
    is_stand_in = finding.id == "template.missing"
    if of == "a flag" and is_stand_in:
        return replace(finding, id="template.replaced", title=_CHATML, change=_WITHOUT)
    if of == "a flag" and finding.id in _OF_TEXT:
        return replace(finding, change=f"{_WITHOUT} {finding.change}")
    if of != "a stand-in" and is_stand_in:
        return replace(finding, title=_UNSURE, change=f"{_EITHER} {finding.change}")
    return finding


_OF_TEXT = ("template.tools", "template.calls", "template.reasoning", "template.unclosed")
_CHATML = (
    "The server was started with another chat template than the model's own (ChatML): it shows the "
    "model no tools."
)
_WITHOUT = (
    "The server was started with another template than the model's file has: start llama-server "
    "without `--chat-template` and `--chat-template-file`."
)
_UNSURE = "The server prints by llama.cpp's stand-in, ChatML, which shows the model no tools."
_EITHER = (
    "If llama-server was started with `--chat-template`, leave that out; else the model's file has "
    "no template."
)


def _no_tools(facts: ServerFacts) -> Finding:
    return Finding(
        id="template.tools",
        weight="broken",
        title="The chat template shows the model no tools.",
        cost="It cannot know what it may call: it answers in words, or makes a format up.",
        change=_change(facts),
        source="measured by rendering",
    )


def _no_calls(facts: ServerFacts, prompts: Printed) -> Finding:
    return Finding(
        id="template.calls",
        weight="broken",
        title="The chat template leaves calls or their results out.",
        cost="The model does not see what it did, and does it again.",
        change=_change(facts),
        evidence={"shows_call": prompts.shows_call, "shows_result": prompts.shows_result},
        source="measured by rendering",
    )


def _no_reasoning(facts: ServerFacts) -> Finding:
    return Finding(
        id="template.reasoning",
        weight="slow",
        title="The chat template leaves out what the model thought a step before.",
        cost="Each step is read again from the first answer of its turn on, and the model loses "
        "its plan between two calls.",
        change=_change(facts),
        source="measured by rendering; llama.cpp 22684",
    )


def _unclosed(facts: ServerFacts) -> Finding:
    return Finding(
        id="template.unclosed",
        weight="broken",
        title="The chat template leaves a `<think>` of the past open.",
        cost="All that follows reads as thinking: calls are lost in it, answers stay empty.",
        change=_change(facts),
        source="measured by rendering; ollama 14493",
    )


def _dated(date: str, changes: Literal["hours", "days"]) -> Finding:
    when = "at midnight" if changes == "days" else "at each request"
    return Finding(
        id="template.date",
        weight="note" if changes == "days" else "slow",
        title=f"The chat template puts the date in front of everything ({date}).",
        cost=f"The whole conversation is read again {when}.",
        change="A template without it (`--chat-template-file FILE`), where that matters.",
        source="measured by rendering",
    )


def _change(facts: ServerFacts) -> str:
    start = _OTHER.get(facts.kind, "with a template of your own")
    return (
        "Take a newer file of the model (for Qwen 3.5 one of March 2026 or later), or start the "
        f"server {start}, the maker's own template in it."
    )
