"""`qcode doctor` against a real llama.cpp: it is well, and its user loses nothing."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from qcode.doctor.report import Report
from qcode.server.base import Request
from qcode.server.client import connect
from qcode.server.sounding import Sounding, filler, sound
from tests.support.llama import LlamaServer, Options, make_model

pytestmark = [pytest.mark.llamacpp, pytest.mark.timeout(240)]


@pytest.fixture
def saving(models: Path, tmp_path: Path) -> Iterator[LlamaServer]:
    """llama.cpp that saves its slots; nothing is put aside for it in memory."""
    slots = tmp_path / "slots"
    slots.mkdir()
    options = Options(str(make_model(models, "3.6")), slot_save_path=str(slots), cache_ram_mib=0)
    with LlamaServer(options, tmp_path / "llama.log") as server:
        yield server


def examined(base_url: str, folder: Path, *flags: str) -> tuple[int, Report, str]:
    """Exit code, report, stderr."""
    line = [sys.executable, "-m", "qcode", "doctor", "--json", "--base-url", base_url, *flags]
    done = subprocess.run(
        line, cwd=folder, env={**os.environ}, capture_output=True, timeout=200, check=False
    )
    return done.returncode, msgspec.json.decode(done.stdout, type=Report), done.stderr.decode()


async def asked(base_url: str, words: str) -> Sounding:
    """A conversation of one message."""
    server = connect(base_url)
    try:
        facts = await server.facts()
        messages = [{"role": "user", "content": words}]
        return await sound(
            server, Request(facts.model, messages, [], thinking_budget=0, max_tokens=4)
        )
    finally:
        await server.close()


async def test_a_well_server_has_no_fault_and_its_conversation_is_put_back(
    saving: LlamaServer, tmp_path: Path
) -> None:
    words = filler(3_000, "a conversation")
    cold = await asked(saving.base_url, words)
    assert cold.prompt_tokens
    assert cold.prompt_tokens > 2_000
    code, report, said = examined(saving.base_url, tmp_path, "--seconds", "120")
    assert code == 0, report.findings
    assert report.is_well
    assert report.server
    assert report.server.kind == "llamacpp"
    verdicts = {check.probe: check.verdict for check in report.checks}
    assert verdicts["rates"] == verdicts["context"] == verdicts["reuse"] == "works"
    assert report.measured["rates.short_read_per_second"]
    assert "was saved, and is put back" in said
    warm = await asked(saving.base_url, words)
    assert warm.cached_tokens
    assert warm.cached_tokens > 0.9 * cold.prompt_tokens


def test_a_context_that_is_too_small_is_exit_1_with_the_flag(models: Path, tmp_path: Path) -> None:
    options = Options(str(make_model(models, "3.6")), n_ctx=4096)
    with LlamaServer(options, tmp_path / "llama.log") as server:
        code, report, _ = examined(server.base_url, tmp_path, "--only", "context")
    assert code == 1
    assert "-c " in report.findings[0].change
