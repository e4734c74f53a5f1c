"""`qcode models`: what fits here, ending in one recommendation; connects to nothing."""

import json

import pytest

from qcode.cli import models, models_tables
from qcode.protocol.cells import cells
from qcode.protocol.errors import UsageError
from qcode.serve.advice import advice
from qcode.serve.base import Gpu, Machine
from qcode.serve.catalog import catalog
from qcode.serve.fits import fits, impossible
from tests.serve.models import GIB, gpu, machine

Captured = pytest.CaptureFixture[str]

HOSTS = {
    "card": machine(gpu(24, "NVIDIA GeForce RTX 3090")),
    "two": machine(gpu(24), gpu(24)),
    "none": machine(gigabytes=16),
    "little": machine(gigabytes=2),
    "mac": Machine(
        "macos",
        "Apple M4 Max",
        12,
        64 * GIB,
        60 * GIB,
        (Gpu("Apple M4 Max", "apple", 48 * GIB, None, is_unified=True),),
    ),
    "no driver": machine(Gpu("NVIDIA GPU 2684", "nvidia", 0, None)),
}


def shown(host: Machine) -> str:
    known = catalog()
    found = fits(host, known)
    return models_tables.text(
        models_tables.Shown(host, known, found, impossible(known), advice(found))
    )


@pytest.mark.parametrize("name", HOSTS)
def test_a_terminal_of_eighty_columns_holds_it(name: str) -> None:
    text = shown(HOSTS[name])
    assert max(map(cells, text.splitlines())) <= 80
    assert "What sources say and cannot be:" in text
    assert "Files known to be bad:" in text
    assert "uploaded before 2026-02-27" in text


def test_it_ends_in_one_recommendation_with_its_reason_and_the_command() -> None:
    last = shown(HOSTS["card"]).split("\n\n")[-1]
    assert last == (
        "Take Qwen3.6-35B-A3B at UD-Q4_K_S: an agent's work is many short steps, and few\n"
        "of its weights are read for each token. On the GPU, 131,072 tokens of context,\n"
        "79-111 tok/s reported.\n"
        "UD-Q4_K_S: the best file that is whole on the GPU with 65,536 tokens or more. A\n"
        "smaller one is faster and errs more, below four bits above all; above six\n"
        "little is gained.\n"
        "For depth: Qwen3.6-27B at UD-Q4_K_XL. On the GPU, 131,072 tokens of context,\n"
        "28-34 tok/s reported.\n"
        "With a head that drafts ahead (MTP), faster on NVIDIA's, a little larger:\n"
        "  qcode models pull hf:unsloth/Qwen3.6-35B-A3B-MTP-GGUF:UD-Q4_K_S\n"
        "Without it:\n"
        "  qcode models pull hf:unsloth/Qwen3.6-35B-A3B-GGUF:UD-Q4_K_S\n"
    )
    assert "MTP" not in shown(HOSTS["mac"]).split("\n\n")[-1]


def test_tight_fits_and_slow_ones_are_called_so() -> None:
    text = shown(HOSTS["card"])
    rows = {line.split()[0]: line for line in text.split("Qwen3.6-27B:")[1].splitlines()[2:10]}
    assert rows["Q6_K"].endswith("on the GPU, tight")
    assert rows["Q8_0"].endswith("GPU, layers beside")
    assert "no room for Q5_K_M, Q6_K, Q8_0: from 8" in text
    assert "GiB on are needed" in " ".join(text.split())
    assert rows["Q6_K"].split()[4] == "q8_0"


def test_figures_that_cannot_be_stand_with_their_source() -> None:
    text = " ".join(shown(HOSTS["none"]).split())
    assert (
        "Qwen3.6-35B-A3B Q6_K on RTX 4090 (24 GiB): 26.4 GiB are needed at the least [guide2]"
    ) in text
    assert "[guide2] field guide" in text
    assert "without author or address: folklore" in text


def test_a_machine_that_can_run_nothing_is_told_so() -> None:
    text = shown(HOSTS["little"])
    assert text.endswith("work.\n")
    assert "There is not enough memory here" in text
    assert "pull" not in text.split("\n\n")[-1]


def test_machines_are_described_as_they_are() -> None:
    assert "NVIDIA GPU 2684 without a driver" in shown(HOSTS["no driver"])
    assert "no GPU was found; 16 GiB of memory, 8 cores" in shown(HOSTS["none"])
    assert "Apple M4 Max (48 GiB, of the system's)" in shown(HOSTS["mac"])


def test_this_machine_is_told(capsys: Captured) -> None:
    assert models.main([]) == 0
    told = capsys.readouterr()
    assert told.err == ""
    assert "Qwen3.6-35B-A3B: " in told.out


def test_a_supposed_gpu_is_said_once_and_its_rates_are_a_guess(capsys: Captured) -> None:
    assert models.main(["--memory", "24"]) == 0
    told = " ".join(capsys.readouterr().out.split())
    assert "a GPU of 24 GiB;" in told
    assert "from a RTX A5000 (768 GB/s) to a GeForce RTX 4090 (1,008 GB/s)" in told
    assert "tok/s guessed." in told
    assert models.main(["--memory", "512"]) == 0
    assert "a GPU that is known by name" in " ".join(capsys.readouterr().out.split())


def test_another_memory_may_be_supposed_and_read_by_scripts(capsys: Captured) -> None:
    assert models.main(["--memory", "24", "--json"]) == 0
    read = json.loads(capsys.readouterr().out)
    assert read["machine"]["gpus"][0]["memory_bytes"] == 24 * GIB
    whole = {one["handle"] for one in read["models"] if one["how"] == "whole"}
    assert "hf:unsloth/Qwen3.6-27B-GGUF:Q4_K_M" in whole
    assert read["recommendation"]["take"] in whole
    assert {one["claim"]["on"] for one in read["impossible"]} >= {"RTX 4090"}
    assert set(read) == {
        *("machine", "checked", "models", "impossible", "bad", "sources", "recommendation"),
    }


def test_a_memory_that_is_none_is_told() -> None:
    with pytest.raises(UsageError, match="--memory: '0' is not a whole number from 1 on"):
        models.main(["--memory", "0"])
