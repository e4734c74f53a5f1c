"""Faults of mechanics in servers that no test can start."""

import dataclasses
import time
from dataclasses import dataclass

import pytest
from msgspec.structs import replace

from qcode.doctor.probes import blame
from qcode.doctor.probes.drafts import Drafts
from qcode.doctor.probes.keeping import Kept
from qcode.doctor.probes.rereading import Reread
from qcode.doctor.probes.reuse import BRANCH, Reuse
from qcode.doctor.probes.slots import Slots
from qcode.doctor.probes.template import Template
from qcode.doctor.probes.truncation import Truncation
from qcode.doctor.probes.walking import Steps
from qcode.server.sounding import Sounding
from tests.doctor.questioned import facts, ids, subject_of
from tests.doctor.reading import Reading, Remembers
from tests.support.http1 import Json
from tests.support.llama_words import About
from tests.support.script import Body, Received, Reply
from tests.support.scripted_server import ScriptedServer, StartScripted

OLLAMA = About(kind="ollama", context_tokens=65_536)


class Silent(Reading):
    """It tells no usage."""

    def __call__(self, body: Body) -> Reply:
        return dataclasses.replace(super().__call__(body), usage=None)


class TestTruncation:
    async def test_a_prompt_that_is_cut_is_found(self, scripted: StartScripted) -> None:
        server = scripted(about=OLLAMA, otherwise=Reading(limit_tokens=4_096))
        async with subject_of(server) as subject:
            result = await Truncation().run(subject)
        assert ids(result) == ["truncation.silent"]
        assert result.learned.context_tokens == 4_096
        assert "OLLAMA_CONTEXT_LENGTH=65536" in result.findings[0].change

    @pytest.mark.parametrize("about", [OLLAMA, About()], ids=["ollama", "generic"])
    async def test_a_prompt_that_is_taken_whole_is_no_fault(
        self, about: About, scripted: StartScripted
    ) -> None:
        async with subject_of(scripted(about=about, otherwise=Reading())) as subject:
            result = await Truncation().run(subject)
        assert result.verdict == "works"
        assert not result.findings

    async def test_a_server_that_counts_nothing_is_unclear(self, scripted: StartScripted) -> None:
        async with subject_of(scripted(about=OLLAMA, otherwise=Silent())) as subject:
            result = await Truncation().run(subject)
        assert result.verdict == "unclear"

    async def test_it_is_not_asked_of_servers_that_refuse(self, scripted: StartScripted) -> None:
        async with subject_of(scripted(about=About(kind="llamacpp"))) as subject:
            assert Truncation().absent(subject)


class Stolen(Reading):
    """Another program takes the slot behind the first answer."""

    asked = 0

    def __call__(self, body: Body) -> Reply:
        self.asked += 1
        if self.asked == 2:
            self._last = ""
        return super().__call__(body)


@dataclass
class Cut(Reading):
    """Its answers end where `max_tokens` says."""

    cut_to: str = ""

    def __call__(self, body: Body) -> Reply:
        thought = "" if self.cut_to else "First I"
        reply = super().__call__(body)
        return dataclasses.replace(reply, text=self.cut_to, reasoning=thought, finish="length")


class Sighted(Reading):
    """It forgets what it has read as soon as there is a picture in it."""

    def __call__(self, body: Body) -> Reply:
        if "image_url" in str(body["messages"]):
            self._last = ""
        return super().__call__(body)


class Callless(Reading):
    """It forgets what it has read where a call stands behind the last question."""

    def __call__(self, body: Body) -> Reply:
        roles = [each["role"] for each in body["messages"]]
        if roles[-1] == "tool" and roles.count("user") > 1:
            self._last = ""
        return super().__call__(body)


class TestReuse:
    @pytest.mark.parametrize(
        ("remembers", "found"),
        [
            ("all", []),
            ("nothing", ["reuse.off"]),
            ("what is extended", ["reuse.branch"]),
            ("only old turns", ["reuse.history"]),
        ],
    )
    async def test_what_is_counted_tells_the_cause(
        self, remembers: Remembers, found: list[str], scripted: StartScripted
    ) -> None:
        async with subject_of(scripted(otherwise=Reading(remembers))) as subject:
            result = await Reuse().run(subject)
        assert ids(result) == found

    @pytest.mark.parametrize(("remembers", "found"), [("all", []), ("nothing", ["reuse.off"])])
    async def test_where_nothing_is_counted_the_clock_tells(
        self, remembers: Remembers, found: list[str], scripted: StartScripted
    ) -> None:
        engine = Reading(remembers, tells_cached=False, tokens_per_second=700.0)
        async with subject_of(scripted(about=OLLAMA, otherwise=engine)) as subject:
            subject.rates.prompt_per_second = 300.0
            result = await Reuse().run(subject)
        assert ids(result) == found

    @pytest.mark.parametrize("text", ["", "It adds numbers, \n"], ids=["in its thinking", "blank"])
    async def test_behind_an_answer_that_was_cut_nothing_is_a_fault(
        self, text: str, scripted: StartScripted
    ) -> None:
        """No template prints it as it was generated, and so it is read again for good reason."""
        async with subject_of(scripted(otherwise=Cut("nothing", cut_to=text))) as subject:
            result = await Reuse().run(subject)
        assert not result.findings
        assert result.learned.strategy is None

    async def test_a_slot_that_was_stolen_once_is_no_fault(self, scripted: StartScripted) -> None:
        engine = Stolen()
        async with subject_of(scripted(otherwise=engine)) as subject:
            result = await Reuse().run(subject)
        assert engine.asked > 3
        assert not result.findings
        assert result.learned.strategy is None

    async def test_a_step_within_a_turn_is_tried_and_what_it_loses_is_found(
        self, scripted: StartScripted
    ) -> None:
        async with subject_of(scripted(otherwise=Callless())) as subject:
            lossy = await Reuse().run(subject)
        async with subject_of(scripted(otherwise=Reading())) as subject:
            whole = await Reuse().run(subject)
        assert (ids(lossy), lossy.verdict) == (["reuse.turn"], "fails")
        assert whole.measured["turn_reread_tokens"] == 0
        assert "behind a call and its result reused (0 tokens" in whole.said

    async def test_where_time_is_short_that_step_is_left_out(self, scripted: StartScripted) -> None:
        server = scripted(otherwise=Reading())
        async with subject_of(server) as subject:
            subject.ends = time.monotonic() + 0.1
            result = await Reuse().run(subject)
        assert len(server.requests) == 3
        assert result.verdict == "works"
        assert result.measured["turn_reread_tokens"] is None

    def test_a_cache_that_must_be_asked_for_is_lost_where_runs_do_not_ask(self) -> None:
        """A run asks `llama-server` for it with each request, and no router of it."""
        step = Reread("reused", 1_000, 0)
        steps = Steps("fold", Sounding(prompt_tokens=1_000), step, step)
        engine = Kept("all", only_asked=True)
        one, many = facts(kind="llamacpp"), facts(kind="llamacpp-router")
        assert [it.id for it in blame.findings(one, steps, engine, None)] == ["reuse.default"]
        assert [it.id for it in blame.findings(many, steps, engine, None)] == ["reuse.off"]

    @pytest.mark.parametrize(("keeps", "found"), [("words", ["reuse.image"]), ("all", [])])
    async def test_a_picture_that_is_read_again_is_found(
        self, keeps: str, found: list[str], scripted: StartScripted
    ) -> None:
        engine = Sighted() if keeps == "words" else Reading()
        async with subject_of(scripted(otherwise=engine)) as subject:
            sees = replace(subject, facts=replace(subject.facts, vision=True))
            result = await Reuse().run(sees)
        assert ids(result) == found

    async def test_a_server_too_quick_for_the_clock_is_unclear(
        self, scripted: StartScripted
    ) -> None:
        engine = Reading("nothing", tells_cached=False)
        async with subject_of(scripted(otherwise=engine)) as subject:
            result = await Reuse().run(subject)
        assert result.verdict == "unclear"
        assert not result.findings


class TestSlots:
    async def test_slots_that_are_not_told_of_are_unclear(self, scripted: StartScripted) -> None:
        """`--no-slots`, or a build that does not tell what they hold."""
        server = scripted(about=About(kind="llamacpp", slots=4))
        async with subject_of(server) as subject:
            result = await Slots().run(subject)
        assert result.verdict == "unclear"
        assert not result.findings


class TestDrafts:
    @pytest.mark.parametrize(
        ("timings", "found"),
        [
            ({"predicted_per_second": 40.0}, []),
            ({"draft_n": 60, "draft_n_accepted": 50, "predicted_per_second": 60.0}, []),
            (
                {"draft_n": 60, "draft_n_accepted": 6, "predicted_per_second": 60.0},
                ["drafts.rejected"],
            ),
        ],
    )
    async def test_drafts_that_do_not_hold_are_noted(
        self, timings: dict[str, float], found: list[str], scripted: StartScripted
    ) -> None:
        server = scripted(about=About(kind="llamacpp"), otherwise=Reading(timings=timings))
        async with subject_of(server) as subject:
            result = await Drafts().run(subject)
        assert ids(result) == found
        assert all(each.weight == "note" for each in result.findings)

    async def test_answers_that_come_slower_with_drafts_are_noted(
        self, scripted: StartScripted
    ) -> None:
        slow = {"draft_n": 60, "draft_n_accepted": 40, "predicted_per_second": 20.0}
        engine = Reading(timings=slow), Reading(timings={"predicted_per_second": 40.0})
        server = scripted(*engine, about=About(kind="llamacpp"))
        async with subject_of(server) as subject:
            result = await Drafts().run(subject)
        assert ids(result) == ["drafts.slower"]
        assert server.requests[1].body["speculative.n_max"] == 0

    async def test_drafts_beside_a_lost_cache_name_the_trap(self, scripted: StartScripted) -> None:
        good = {"draft_n": 60, "draft_n_accepted": 50, "predicted_per_second": 60.0}
        server = scripted(about=About(kind="llamacpp"), otherwise=Reading(timings=good))
        async with subject_of(server) as subject:
            subject.notes[BRANCH] = "reread"
            result = await Drafts().run(subject)
        assert ids(result) == ["drafts.cache"]


class Refusing(ScriptedServer):
    """It renders no conversation, or none with a call in it."""

    refuses = "everything"

    async def other(self, request: Received) -> tuple[int, Json]:
        is_meant = self.refuses == "everything" or "tool_calls" in str(request.body)
        if request.path == "/apply-template" and is_meant:
            return 400, {"error": {"message": "no such thing"}}
        return await super().other(request)


class TestTemplate:
    @pytest.mark.parametrize(
        ("refuses", "verdict", "found"),
        [("everything", "unclear", []), ("calls", "fails", ["template.refuses"])],
    )
    async def test_a_template_is_blamed_only_where_anything_is_rendered(
        self, refuses: str, verdict: str, found: list[str]
    ) -> None:
        server = Refusing(about=About(kind="llamacpp"))
        server.refuses = refuses
        with server:
            async with subject_of(server) as subject:
                result = await Template().run(subject)
        assert (result.verdict, ids(result)) == (verdict, found)
