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

from qcode.serve.base import ModelFile

_VOCABULARY = 248_320
_TRAINED = 262_144
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
        template="",
        vocabulary=_VOCABULARY,
        width=model.width,
        attention_layers=model.attention_layers,
        input_bytes=int(_VOCABULARY * model.width * size / model.weights / 1e9),
        expert_layers=model.layers if experts else 0,
        active_expert_bytes=int(experts * model.active_share),
    )
