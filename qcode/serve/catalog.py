"""Models that an agent can work with, as data: files, shapes, what was reported, what is wrong.

The data is `data/models.toml`, one row a statement of one source.
"""

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Literal

import msgspec
from msgspec.structs import replace

from qcode.protocol.errors import InputError
from qcode.serve.base import ModelFile
from qcode.serve.hubfiles import Named

_VOCABULARY = 248_320
_TRAINED = 262_144
_MAKER = "Qwen"
GoodFor = Literal["depth", "loops", "small"]


class CatalogFile(msgspec.Struct, frozen=True):
    """One quantisation."""

    quantisation: str
    gigabytes: float
    """Of the file, in 10^9 bytes."""
    source: str
    """Key of `Catalog.sources`."""


class CatalogModel(msgspec.Struct, frozen=True):
    """One model, and its shape as its config.json has it."""

    name: str
    repository: str
    """Of files for llama.cpp."""
    drafting: str
    """Of files that have a head for drafting (MTP), too; empty = not known."""
    good_for: GoodFor
    weights: float
    """In 10^9."""
    layers: int
    attention_layers: int
    kv_bytes_per_token: int
    """At f16."""
    state_bytes: int
    width: int
    expert_share: float
    """Of all weights, those of single experts; 0 = a dense model."""
    active_share: float
    """Of the experts, those that a token uses."""
    note: str
    files: tuple[CatalogFile, ...]
    switches: tuple[str, ...] = ()
    """Words of its chat template on which flags hang."""


class Report(msgspec.Struct, frozen=True):
    """A rate that somebody saw."""

    of: str
    """A part of the model's name: generations of one shape run alike."""
    quantisation: str
    on: str
    """Words of a GPU's name; `processor`."""
    context: int
    """0 = not given."""
    writes: float
    reads: float
    """Tokens a second; 0 = not given."""
    source: str


class Claim(msgspec.Struct, frozen=True):
    """What somebody says fits."""

    of: str
    quantisation: str
    gigabytes: float
    """Of the file, as they have it."""
    on: str
    memory: int
    """GiB of the machine that is named."""
    unified: bool
    context: int
    """0 = not given."""
    source: str


class Bad(msgspec.Struct, frozen=True):
    """Files that should not be used."""

    files: str
    what: str
    then: str


class Catalog(msgspec.Struct, frozen=True, rename={"models": "model"}):
    """All of it."""

    checked: str
    """The day on which it was compared with its sources."""
    sources: Mapping[str, str]
    models: tuple[CatalogModel, ...]
    report: tuple[Report, ...]
    claim: tuple[Claim, ...]
    bad: tuple[Bad, ...]


@cache
def catalog() -> Catalog:
    """As it is shipped."""
    text = (resources.files("qcode.serve") / "data/models.toml").read_text(encoding="utf-8")
    return msgspec.convert(tomllib.loads(text), Catalog)


def as_file(model: CatalogModel, file: CatalogFile) -> ModelFile:
    """What the file would tell of itself, as far as a plan needs it."""
    size = int(file.gigabytes * 1e9)
    experts = int(size * model.expert_share)
    return ModelFile(
        path=Path(f"{model.name}-{file.quantisation}.gguf"),
        architecture="qwen35moe" if experts else "qwen35",
        name=model.name,
        quantisation=file.quantisation,
        size_bytes=size,
        layers=model.layers,
        trained_tokens=_TRAINED,
        kv_bytes_per_token=model.kv_bytes_per_token,
        state_bytes=model.state_bytes,
        expert_bytes=experts,
        has_mtp=False,
        template=" ".join(model.switches),
        vocabulary=_VOCABULARY,
        width=model.width,
        attention_layers=model.attention_layers,
        input_bytes=int(_VOCABULARY * model.width * size / model.weights / 1e9),
        expert_layers=model.layers if experts else 0,
        active_expert_bytes=int(experts * model.active_share),
    )


Needs = Literal["its GGUF", "its name"]
"""What is to be served: the file itself, or the model that it was converted from."""


def unseen(wanted: Named, needs: Needs, known: Catalog) -> ModelFile | None:
    """What the table tells of a model of the hub; None = it has none from that repository.

    Raises InputError where it has the model and not that file.
    """
    model = next((one for one in known.models if wanted.repo in _repositories(one)), None)
    if model is None:
        return None
    file = _file_of(model, wanted, needs)
    made = as_file(model, file)
    origin = f"{_MAKER}/{model.name}"
    repo = model.repository if wanted.repo.startswith(f"{_MAKER}/") else wanted.repo
    return replace(made, origin=origin, hub=f"{repo}:{file.quantisation}")


def _repositories(model: CatalogModel) -> tuple[str, ...]:
    origin = f"{_MAKER}/{model.name}"
    return model.repository, model.drafting, origin, f"{origin}-FP8"


def _file_of(model: CatalogModel, wanted: Named, needs: Needs) -> CatalogFile:
    for file in model.files:
        if file.quantisation == wanted.quant.upper():
            return file
    if needs == "its name" and not wanted.quant:
        return next(file for file in model.files if file.quantisation.endswith("Q4_K_M"))
    there = ", ".join(file.quantisation for file in model.files)
    raise InputError(
        f"qcode's table has {model.name} as {there}. Say which: hf:{model.repository}:QUANT."
    )
