"""Which flags this machine, this model and this build want, each with its reason."""

from dataclasses import dataclass
from typing import Literal

from qcode.serve.base import Engine, Flag, Machine, ModelFile, Plan

KvType = Literal["f16", "bf16", "q8_0"]


@dataclass(frozen=True, slots=True)
class Wants:
    """What a person asks for; None = as it fits."""

    context_tokens: int | None = None
    """Of one slot."""
    slots: int | None = None
    kv_type: KvType | None = None
    vision: bool = False
    """With the projector beside the model, if there is one."""
    slot_folder: str = ""
    """Where states of slots may be saved; empty = nowhere."""
    mtp: Literal["auto", "on", "off"] = "auto"


def plan(machine: Machine, model: ModelFile, engine: Engine, wants: Wants) -> Plan:
    """The plan. Raises InputError for a wish that cannot be."""
    context = wants.context_tokens or min(65536, model.trained_tokens or 65536)
    flags = (
        Flag("--ctx-size", str(context), "asked for"),
        Flag("--parallel", str(wants.slots or 1), "one conversation", ""),
        Flag("--jinja", "", "the model's own chat template"),
    )
    return Plan(engine, model, flags, context, wants.slots or 1, wants.kv_type or "f16", ())
