"""The catalogue: whole, with a source for each row, and of shapes that the engine itself logs."""

import pytest

from qcode.serve.catalog import as_file, catalog
from qcode.serve.gguf_names import quantisation

KNOWN = catalog()


def test_every_row_has_a_source_that_is_told() -> None:
    sources = {one.source for one in KNOWN.report} | {one.source for one in KNOWN.claim}
    sources |= {file.source for model in KNOWN.models for file in model.files}
    assert sources <= set(KNOWN.sources)


def test_every_row_is_of_a_model_and_a_quantisation_that_are_there() -> None:
    names = {model.name for model in KNOWN.models}
    assert all(claim.of in names for claim in KNOWN.claim)
    assert all(any(name.endswith(one.of) for name in names) for one in KNOWN.report)


@pytest.mark.parametrize("model", KNOWN.models, ids=lambda one: one.name)
def test_sizes_grow_with_the_bits_and_are_those_of_such_weights(model: object) -> None:
    found = next(one for one in KNOWN.models if one is model)
    sizes = [file.gigabytes for file in found.files]
    assert sizes == sorted(sizes)
    for file in found.files:
        assert quantisation(f"x-{file.quantisation}.gguf") == file.quantisation
        bits = 8 * file.gigabytes / found.weights
        told = 16 if file.quantisation == "BF16" else int(file.quantisation.split("Q")[1][0])
        assert told - 0.2 <= bits <= told + 1.3


def test_a_row_makes_the_file_that_a_plan_needs() -> None:
    model = next(one for one in KNOWN.models if one.name == "Qwen3.6-27B")
    file = next(one for one in model.files if one.quantisation == "Q4_K_M")
    found = as_file(model, file)
    assert (found.expert_bytes, found.expert_layers) == (0, 0)
    assert found.state_bytes / (1 << 20) == pytest.approx(149.62, abs=0.01)  # llama.cpp's log
    # 682 MiB in the log of a file of this kind, whose table has fewer bits than the rest
    assert found.input_bytes / (1 << 20) == pytest.approx(700, abs=60)
    experts = next(one for one in KNOWN.models if one.name == "Qwen3.6-35B-A3B")
    found = as_file(experts, experts.files[0])
    assert found.active_expert_bytes == pytest.approx(found.expert_bytes / 32, rel=1e-6)
    assert found.state_bytes / (1 << 20) == pytest.approx(62.81, abs=0.01)
