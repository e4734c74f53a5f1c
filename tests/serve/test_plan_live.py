"""Plans on a real llama.cpp: it knows each flag, and takes the memory that was counted."""

import importlib.util
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from qcode.serve.base import Plan, Wants
from qcode.serve.gguf import read
from qcode.serve.needs import Layout, needs
from qcode.serve.plan import plan
from qcode.serve.room import room
from tests.serve.models import CUDA, DENSE, EXPERTS, PROCESSOR, gpu, machine
from tests.support.llama import make_model

pytestmark = [
    pytest.mark.llamacpp,
    pytest.mark.skipif(
        importlib.util.find_spec("xllamacpp") is None, reason="xllamacpp is not installed"
    ),
]
MIB = 1 << 20

SCRIPT = """
import json, sys, urllib.request
import xllamacpp
from qcode.serve.fields import apply
params = xllamacpp.CommonParams()
model, flags = json.loads(sys.argv[1])
unknown = apply(params, flags)
params.model.path, params.port, params.fit_params, params.verbosity = model, 0, False, 4
params.cpuparams.n_threads = params.cpuparams_batch.n_threads = 1
server = xllamacpp.Server(params)
with urllib.request.urlopen(server.listening_address + "/props") as answer:
    props = json.load(answer)
print(json.dumps([props["default_generation_settings"]["n_ctx"], props["total_slots"], unknown]))
"""


def served(found: Plan) -> tuple[int, int, list[str], str]:
    """Context of a slot, slots, flags without a counterpart, and the engine's log."""
    told = [str(found.model.path), [(flag.name, flag.value) for flag in found.flags]]
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, json.dumps(told)],
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    context, slots, unknown = json.loads(done.stdout.splitlines()[-1])
    return context, slots, unknown, done.stderr


def mebibytes(log: str, pattern: str) -> float:
    found = re.search(rf"{pattern}\s*=\s*([\d.]+) MiB", log)
    assert found, log[-3000:]
    return float(found[1])


def test_the_engine_serves_what_was_planned_in_the_memory_that_was_counted(
    tmp_path: Path,
) -> None:
    model = read(make_model(tmp_path, "3.6"))
    host = machine(gigabytes=8)
    found = plan(host, model, PROCESSOR, Wants(context_tokens=131_072, slots=2, kv_type="f16"))
    context, slots, unknown, log = served(found)
    assert (context, slots) == (131_072, 2)
    assert unknown == []
    layout = Layout(131_072, 2, "f16", is_on_gpu=False)
    counted = {
        one.name: one.size_bytes / MIB for one in needs(model, layout, room(host, PROCESSOR))
    }
    cache = mebibytes(log, "KV buffer size")
    assert cache == pytest.approx(counted["cache of 131,072 tokens"], abs=0.01)
    state = mebibytes(log, "RS buffer size")
    assert state == pytest.approx(counted["state"], abs=0.01)
    assert mebibytes(log, "CPU compute buffer size") <= counted["buffers"]


def test_a_quantised_cache_takes_the_share_that_was_counted(tmp_path: Path) -> None:
    model = read(make_model(tmp_path, "3.6"))
    wants = Wants(context_tokens=65_536, kv_type="q8_0")
    *_, log = served(plan(machine(gigabytes=8), model, PROCESSOR, wants))
    assert mebibytes(log, "KV buffer size") == pytest.approx(8 * 34 / 64, abs=0.01)


def test_a_stretched_context_is_one_that_the_engine_gives(tmp_path: Path) -> None:
    """Without a stretch it caps a slot at what the model was trained for."""
    model = read(make_model(tmp_path, "3.6"))
    wants = Wants(context_tokens=300_032)
    context, *_ = served(plan(machine(gigabytes=8), model, PROCESSOR, wants))
    assert context == 300_032


def test_the_engine_knows_every_flag() -> None:
    origin = importlib.util.find_spec("xllamacpp")
    assert origin
    assert origin.origin
    library = next(Path(origin.origin).parent.glob("xllamacpp*.so")).read_bytes()
    plans = (
        plan(machine(gpu(12)), EXPERTS, CUDA, Wants(slots=2, slot_folder="/s")),
        plan(machine(gpu(24)), DENSE, CUDA, Wants(context_tokens=300_000)),
        plan(
            machine(gpu(12)), EXPERTS, CUDA.__class__("llama-server", "", 8000, ("cuda",)), Wants()
        ),
    )
    for flag in {flag.name for found in plans for flag in found.flags}:
        assert flag.encode() + b"\0" in library, flag
