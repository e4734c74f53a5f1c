"""What was decided, as one value: flags and remarks are made of it."""

import msgspec

from qcode.serve.base import Engine, Machine, ModelFile, Need
from qcode.serve.needs import Layout
from qcode.serve.room import Room


class Decided(msgspec.Struct, frozen=True):
    """Everything that a flag or a remark may hang on."""

    machine: Machine
    model: ModelFile
    engine: Engine
    room: Room
    layout: Layout
    needed: tuple[Need, ...]
    fits: bool
    checkpoints: int
    """States that are kept of a slot, to go back to."""
    cache_ram_bytes: int
    """For conversations that lost their slot."""
    yarn_factor: float
    """1 = positions are as they were trained."""
    is_asked: bool
    """The context is what a person asked for."""
    slot_folder: str
    """Empty = states of slots are not saved."""
    sleep_seconds: int
    """0 = it never sleeps."""
