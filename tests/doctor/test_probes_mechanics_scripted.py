"""Faults of mechanics in servers that no test can start, and in values alone."""

import shutil
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from qcode.doctor.base import Probe, Result, Subject
from qcode.doctor.meeting import Address, met
from qcode.doctor.probes import advice, expected, faults, spill, started, templates
from qcode.doctor.probes.cache_type import CacheType
from qcode.doctor.probes.context import Context
from qcode.doctor.probes.drafts import Drafts
from qcode.doctor.probes.memory import Card, cards
from qcode.doctor.probes.printing import Printed
from qcode.doctor.probes.processes import listening
from qcode.doctor.probes.reuse import BRANCH, Reuse
from qcode.doctor.probes.slots import Slots
from qcode.doctor.probes.speeds import Speed
from qcode.doctor.probes.truncation import Truncation
from qcode.server.base import ServerFacts
from tests.doctor.reading import Reading, Remembers
from tests.support.http1 import Json
from tests.support.llama_words import About
from tests.support.script import Body, Received, Reply
from tests.support.scripted_server import ScriptedServer, StartScripted

OLLAMA = About(kind="ollama", context_tokens=65_536)


@asynccontextmanager
async def subject_of(server: ScriptedServer) -> AsyncIterator[Subject]:
    async with met(Address(server.base_url)) as subject:
        yield subject


def ids(result: Result) -> list[str]:
    return [finding.id for finding in result.findings]


def facts(**known: object) -> ServerFacts:
    plain = ServerFacts(
        "llamacpp",
        "b11549",
        "http://127.0.0.1:1/v1",
        "m",
        ("m",),
        65_536,
        "fold",
        "seen by rendering",
        "reasoning_content",
        trained_tokens=262_144,
    )
    return replace(plain, **known)  # type: ignore[arg-type]  # names and values are the caller's


class Silent(Reading):
    """It tells no usage."""

    def __call__(self, body: Body) -> Reply:
        return replace(super().__call__(body), usage=None)


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


class Sighted(Reading):
    """It forgets what it has read as soon as there is a picture in it."""

    def __call__(self, body: Body) -> Reply:
        if "image_url" in str(body["messages"]):
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
        engine = Reading(remembers, tells_cached=False, tokens_per_second=900.0)
        async with subject_of(scripted(about=OLLAMA, otherwise=engine)) as subject:
            result = await Reuse().run(subject)
        assert ids(result) == found

    async def test_a_slot_that_was_stolen_once_is_no_fault(self, scripted: StartScripted) -> None:
        engine = Stolen()
        async with subject_of(scripted(otherwise=engine)) as subject:
            result = await Reuse().run(subject)
        assert engine.asked > 3
        assert not result.findings
        assert result.learned.strategy is None

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


class TestContext:
    @pytest.mark.parametrize(
        ("loaded", "trained", "found"),
        [
            (4_096, 262_144, [("context.small", "broken")]),
            (40_000, 262_144, [("context.small", "note")]),
            (65_536, 262_144, []),
            (262_144, 262_144, []),
            (524_288, 262_144, [("context.beyond", "note")]),
            (8_192, 8_192, [("context.model", "broken")]),
        ],
    )
    async def test_what_is_loaded_is_told(
        self, loaded: int, trained: int, found: list[tuple[str, str]], scripted: StartScripted
    ) -> None:
        async with subject_of(scripted()) as subject:
            known = facts(context_tokens=loaded, trained_tokens=trained)
            result = await Context().run(replace(subject, facts=known))
        assert [(each.id, each.weight) for each in result.findings] == found

    @pytest.mark.parametrize(
        ("kind", "words"),
        [
            ("llamacpp", "`-c 65536`"),
            ("ollama", "OLLAMA_CONTEXT_LENGTH=65536"),
            ("lmstudio", "lms load m --context-length 65536"),
            ("vllm", "--max-model-len 65536"),
            ("sglang", "--context-length 65536"),
            ("llama-swap", "`cmd:`"),
            ("generic", "context of 65536 tokens"),
        ],
    )
    def test_each_kind_has_its_own_flag(self, kind: str, words: str) -> None:
        assert words in advice.context(facts(kind=kind), 65_536)

    def test_slots_that_divide_need_as_many_times_the_context(self) -> None:
        assert "-c 131072" in advice.context(facts(), 65_536, slots=2)


class TestAdvice:
    @pytest.mark.parametrize(
        ("version", "words"),
        [
            ("b11549", "(build b11549)"),
            ("b0", "--ctx-checkpoints 32"),
            ("b9538", "--checkpoint-min-step 256"),
            ("b9093", "--checkpoint-every-n-tokens 8192"),
            ("b8000", "Update llama.cpp"),
        ],
    )
    def test_a_flag_is_one_that_the_build_knows(self, version: str, words: str) -> None:
        assert words in advice.checkpoints(facts(version=version))


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


CONFIG = (
    'vllm:cache_config_info{block_size="528",cache_dtype="%s",enable_prefix_caching="%s",'
    'engine="0"} 1.0\n'
)
COUNTS = """# TYPE vllm:spec_decode_num_draft_tokens counter
vllm:spec_decode_num_draft_tokens_total{engine="0"} 1000.0
vllm:spec_decode_num_draft_tokens_total{engine="1"} 1.0e+03
vllm:spec_decode_num_accepted_tokens_total{engine="0"} 300.0
vllm:spec_decode_num_accepted_tokens_total{engine="1"} 200.0
"""


class Metered(ScriptedServer):
    """vLLM's `/metrics`."""

    told = ""

    async def other(self, request: Received) -> tuple[int, Json]:
        return (200, self.told) if request.path == "/metrics" else await super().other(request)


@contextmanager
def metered(told: str, engine: Reading) -> Iterator[Metered]:
    with Metered(otherwise=engine) as server:
        server.told = told
        yield server


class TestVllm:
    async def run(self, probe: Probe, told: str, engine: Reading | None = None) -> Result:
        with metered(told, engine or Reading(tells_cached=False)) as server:
            async with subject_of(server) as subject:
                kind = replace(subject.facts, kind="vllm", version="0.33.0")
                return await probe.run(replace(subject, facts=kind))

    async def test_a_prefix_cache_that_is_off_is_told_by_itself(self) -> None:
        result = await self.run(Reuse(), CONFIG % ("auto", "False"))
        assert ids(result) == ["reuse.off"]
        assert "--enable-prefix-caching" in result.findings[0].change

    async def test_one_that_is_on_is_no_fault(self) -> None:
        assert not ids(await self.run(Reuse(), CONFIG % ("auto", "True"), Reading()))

    async def test_less_than_a_block_read_again_is_no_fault(self) -> None:
        """Its hybrid models keep whole blocks alone, of 2,048 tokens and more."""
        told = CONFIG.replace("528", "8192") % ("auto", "True")
        result = await self.run(Reuse(), told, Reading("nothing"))
        assert result.verdict == "unclear"
        assert not result.findings

    @pytest.mark.parametrize(
        ("dtype", "found"), [("auto", []), ("fp8", ["cache.disputed"]), ("int4", ["cache.coarse"])]
    )
    async def test_the_type_of_its_cache_is_a_label(self, dtype: str, found: list[str]) -> None:
        assert ids(await self.run(CacheType(), CONFIG % (dtype, "True"))) == found

    async def test_its_drafts_are_counted_over_all_engines(self) -> None:
        result = await self.run(Drafts(), COUNTS)
        assert result.measured["drafted_tokens"] == 2_000
        assert result.measured["accepted_tokens"] == 500
        assert ids(result) == ["drafts.rejected"]
        assert "num_speculative_tokens" in result.findings[0].change


LISTENER = """
import socket, sys
door = socket.create_server(("127.0.0.1", 0))
print(door.getsockname()[1], flush=True)
sys.stdin.read()
"""


@contextmanager
def listener(folder: Path, words: list[str], variables: dict[str, str]) -> Iterator[int]:
    """A process by the name of llama-server that listens, and does no more; its port."""
    program = folder / "llama-server"
    program.write_text(LISTENER)
    command = [sys.executable, str(program), *words]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=variables
    ) as process:
        assert process.stdout
        yield int(process.stdout.readline())
        process.communicate()


@pytest.mark.skipif(not Path("/proc/net/tcp").exists(), reason="only Linux tells who listens")
class TestStarted:
    @pytest.mark.parametrize(
        ("words", "variables", "found"),
        [
            (["-ctk", "q4_0", "-ctv", "q4_0"], {}, ["cache.coarse"]),
            (["--cache-type-k=q8_0"], {}, ["cache.disputed"]),
            (["-c", "65536"], {}, []),
            ([], {"LLAMA_ARG_CACHE_TYPE_V": "q4_0"}, ["cache.coarse"]),
        ],
        ids=["flags", "one flag", "none", "variable"],
    )
    async def test_the_type_of_the_cache_is_read_off_the_command_line(
        self,
        words: list[str],
        variables: dict[str, str],
        found: list[str],
        scripted: StartScripted,
        tmp_path: Path,
    ) -> None:
        with listener(tmp_path, words, variables) as port:
            async with subject_of(scripted(about=About(kind="llamacpp"))) as subject:
                at = facts(base_url=f"http://127.0.0.1:{port}/v1")
                result = await CacheType().run(replace(subject, facts=at))
        assert ids(result) == found

    async def test_another_program_before_the_server_tells_nothing(
        self, scripted: StartScripted
    ) -> None:
        async with subject_of(scripted(about=About(kind="llamacpp"))) as subject:
            result = await CacheType().run(subject)  # this process listens, no llama-server
        assert result.verdict == "unclear"

    def test_nobody_listens_and_nothing_is_told(self) -> None:
        assert listening(1) == ()

    def test_no_files_of_the_kernel_and_nothing_is_told(self, tmp_path: Path) -> None:
        assert listening(80, tmp_path) == ()


def test_of_a_flag_that_is_given_twice_the_last_holds() -> None:
    words = ("llama-server", "-ctk", "q4_0", "--cache-type-k=q8_0")
    assert started.value(words, "-ctk", "--cache-type-k") == "q8_0"
    assert started.value(words, "-ctv") is None


TURN = (
    "look at it: Look at a file. <think>\nThe blue file is meant.\n</think>\nblue.txt "
    "An empty page, as it seems."
)


class TestTemplate:
    @pytest.mark.parametrize(
        ("printed", "found"),
        [
            (Printed(TURN, TURN), []),
            (Printed("<think>", "<think>"), ["template.tools", "template.reasoning"]),
            (Printed(TURN.replace("blue.txt", ""), TURN), ["template.calls"]),
            (
                Printed(TURN, TURN.replace("</think>", "") + "And the red one?"),
                ["template.unclosed"],
            ),
            (Printed(f"Today is 2026-11-21. You are examined. {TURN}", TURN), ["template.date"]),
        ],
        ids=["well", "bare", "no call", "open", "dated"],
    )
    def test_what_is_printed_shows_the_fault(self, printed: Printed, found: list[str]) -> None:
        assert [each.id for each in faults.found(facts(), printed)] == found

    def test_a_date_that_is_our_own_is_none(self) -> None:
        printed = Printed(f"You are examined. 2026-11-21 {TURN}", TURN)
        assert not faults.found(facts(), printed)

    def test_a_clock_in_front_of_everything_costs_more_than_a_date(self) -> None:
        clock = Printed(f"21 Nov 2026, 12:30. You are examined. {TURN}", TURN)
        (finding,) = faults.found(facts(), clock)
        assert finding.weight == "slow"

    def test_known_templates_have_a_source_and_fit_what_they_name(self) -> None:
        for row in templates.rows():
            assert row.source
            assert row.digest or row.has
            assert not row.fits("{{ messages }}")
        gemma = "{%- set a = format_type_argument(x) -%}"
        assert [each.id for each in templates.known_faults(gemma)] == ["template.gemma4"]
        whole = f"{{%- macro format_type_argument(x) -%}}{gemma}"
        assert not templates.known_faults(whole)


class TestSpill:
    MODEL = "unsloth/Qwen3.6-35B-A3B-GGUF:UD-Q4_K_XL"

    @pytest.mark.parametrize(
        ("near", "far", "found"),
        [
            ((110.0, 112.0), (100.0, 101.0), []),
            ((70.0, 71.0), (15.0, 16.0), ["rates.spill"]),
            ((70.0, 30.0), (15.0, 16.0), []),  # a machine that does other work
            ((70.0,), (15.0,), []),  # measured once
        ],
        ids=["as usual", "falls", "varies", "once"],
    )
    def test_a_fall_beyond_the_usual_is_an_alarm(
        self, near: tuple[float, ...], far: tuple[float, ...], found: list[str]
    ) -> None:
        known = facts(model=self.MODEL)
        told = spill.findings(known, Speed(1_000, 2_000.0, near), Speed(16_000, 900.0, far), ())
        assert [each.id for each in told] == found

    def test_of_a_model_that_nobody_measured_nothing_is_said(self) -> None:
        short, far = Speed(1_000, 900.0, (70.0, 70.0)), Speed(16_000, 900.0, (5.0, 5.0))
        assert not spill.findings(facts(model="tiny"), short, far, ())

    def test_a_card_that_others_measured_is_compared_with(self) -> None:
        card = Card("NVIDIA GeForce RTX 3090", 24 << 30, 24 << 30)
        slow, well = Speed(1_000, 300.0, (9.0, 9.2)), Speed(1_000, 2_600.0, (105.0, 104.0))
        known = facts(model=self.MODEL)
        assert [each.id for each in spill.findings(known, slow, None, (card,))] == ["rates.low"]
        assert not spill.findings(known, well, None, (card,))
        assert "is full" in spill.findings(known, slow, None, (card,))[0].title

    def test_a_card_whose_name_only_begins_alike_is_another(self) -> None:
        model = expected.of(self.MODEL)
        assert model
        assert model.on("NVIDIA GeForce RTX 3090 Ti") is None
        assert model.on("NVIDIA GeForce RTX 5060 Ti")

    def test_rows_have_a_source(self) -> None:
        assert all(row.source and row.cards for row in expected.rows())


NVML = """
#include <string.h>
typedef struct { unsigned long long total, free, used; } memory;
int nvmlInit_v2(void) { return 0; }
int nvmlShutdown(void) { return 0; }
int nvmlDeviceGetCount_v2(unsigned *count) { *count = 2; return 0; }
int nvmlDeviceGetHandleByIndex_v2(unsigned index, void **device) {
    *device = (void *)(0x7f0012345678ull + index); return 0;
}
int nvmlDeviceGetName(void *device, char *name, unsigned size) {
    strncpy(name, "NVIDIA GeForce RTX 3090", size);
    return (unsigned long long)device >> 40 ? 0 : 2;
}
int nvmlDeviceGetMemoryInfo(void *device, memory *told) {
    if ((unsigned long long)device & 1) return 3;
    told->total = 24ull << 30; told->free = 1ull << 30; told->used = 23ull << 30; return 0;
}
"""
"""NVIDIA's library as nvml.h declares it; the second card shares the system's memory."""


class TestMemory:
    @pytest.mark.skipif(not shutil.which("cc"), reason="no compiler for the library's double")
    def test_nvidias_library_is_asked_as_its_header_says(self, tmp_path: Path) -> None:
        source, library = tmp_path / "nvml.c", tmp_path / "libnvml.so"
        source.write_text(NVML)
        subprocess.run(["cc", "-shared", "-fPIC", "-o", library, source], check=True)
        found = cards("http://127.0.0.1:1/v1", tmp_path, str(library))
        assert found == (Card("NVIDIA GeForce RTX 3090", 24 << 30, 23 << 30),)

    def test_amds_files_are_read(self, tmp_path: Path) -> None:
        device = tmp_path / "card1" / "device"
        device.mkdir(parents=True)
        (device / "mem_info_vram_total").write_text("17163091968\n")
        (device / "mem_info_vram_used").write_text("17100000000\n")
        (device / "mem_info_gtt_used").write_text("3221225472\n")
        (device / "product_name").write_text("Radeon AI PRO R9700\n")
        (card,) = cards("http://127.0.0.1:8080/v1", tmp_path)
        assert card.name == "Radeon AI PRO R9700"
        assert card.is_full
        assert card.shared_bytes == 3 << 30

    def test_a_server_elsewhere_has_other_cards(self, tmp_path: Path) -> None:
        assert not cards("http://192.168.1.9:8080/v1", tmp_path)

    def test_a_file_that_is_no_number_is_no_card(self, tmp_path: Path) -> None:
        device = tmp_path / "card0" / "device"
        device.mkdir(parents=True)
        (device / "mem_info_vram_total").write_text("?\n")
        assert not [card for card in cards("http://localhost:1/v1", tmp_path) if "AMD" in card.name]
