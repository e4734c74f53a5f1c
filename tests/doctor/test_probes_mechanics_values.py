"""Faults of mechanics that are seen in values alone: texts, rates, counters, versions."""

import shutil
import subprocess
from pathlib import Path

import pytest
from msgspec.structs import replace

from qcode.doctor.base import Finding
from qcode.doctor.probes import advice, expected, faults, spill, templates
from qcode.doctor.probes.context import Context
from qcode.doctor.probes.memory import Card, cards
from qcode.doctor.probes.origin import Origin, template_of
from qcode.doctor.probes.printing import Printed
from qcode.doctor.probes.speeds import Speed
from qcode.doctor.probes.templates import rows
from tests.doctor.questioned import facts, subject_of
from tests.support.gguf import write_model
from tests.support.scripted_server import StartScripted


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

    def test_of_slots_that_divide_the_context_one_is_left_and_has_all_of_it(self) -> None:
        """The finding about the slots says `-np 1`, too."""
        assert "`-c 65536 -np 1`" in advice.context(facts(), 65_536, slots=2)
        assert "-np" not in advice.context(facts(), 65_536)


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

    def test_a_steep_fall_is_not_called_well(self) -> None:
        short = Speed(1_000, 900.0, (100.0, 101.0))
        assert spill.is_steep(short, Speed(16_000, 800.0, (11.0, 11.0)))
        assert not spill.is_steep(short, Speed(16_000, 800.0, (80.0, 80.0)))
        assert not spill.is_steep(short, Speed(2_000, 800.0, (11.0, 11.0)))

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


class TestOrigin:
    @pytest.mark.parametrize("cut", [0, 3, 40, 400])
    def test_a_file_that_is_cut_is_no_template_and_no_end(self, tmp_path: Path, cut: int) -> None:
        whole, half = tmp_path / "whole.gguf", tmp_path / "half.gguf"
        write_model(whole, "{{ messages }}")
        half.write_bytes(whole.read_bytes()[:cut])
        assert template_of(whole) == "{{ messages }}"
        assert not template_of(half)

    def test_one_without_a_template_is_told_from_one_that_is_not_there(
        self, tmp_path: Path
    ) -> None:
        write_model(tmp_path / "bare.gguf", "")
        assert template_of(tmp_path / "bare.gguf") == ""
        assert template_of(tmp_path / "none.gguf") is None

    @pytest.mark.parametrize(
        ("of", "fault", "words"),
        [
            ("a flag", "template.replaced", "started with another"),
            ("a stand-in", "template.missing", "has no chat template"),
            ("unknown", "template.missing", "prints by llama.cpp's stand-in"),
        ],
    )
    def test_who_is_blamed_is_known_or_nobody(self, of: Origin, fault: str, words: str) -> None:
        row = next(row for row in rows() if row.id == "template.missing")
        plain = Finding(
            id=row.id, weight=row.weight, title=row.title, cost=row.cost, change=row.change
        )
        [found] = faults.blamed((plain,), of)
        assert found.id == fault
        assert words in found.title
