"""Which flags this machine, this model and this build want, each with its reason."""

from collections.abc import Iterator
from math import ceil

from qcode.protocol.errors import InputError
from qcode.serve.base import Engine, Machine, ModelFile, Need, Plan, Wants
from qcode.serve.builds import surely_has
from qcode.serve.decided import Decided
from qcode.serve.flags import flags
from qcode.serve.needs import Layout, cache_bytes, checkpoint_bytes, needs, totals
from qcode.serve.placing import Wish, place
from qcode.serve.remarks import remarks
from qcode.serve.room import GIB, MIB, Room, room

YARN_MOST = 4.0
"""Qwen's cards stretch 262,144 tokens to 1,010,000, no further."""
_CHECKPOINTS = 32
"""llama.cpp's own number."""
_CACHE_RAM = 8 * GIB
"""llama.cpp's own."""
_CACHE_RAM_MOST = 32 * GIB


def plan(machine: Machine, model: ModelFile, engine: Engine, wants: Wants) -> Plan:
    """The plan; `fits` is False where the memory does not suffice.

    Raises InputError for a wish that cannot be.
    """
    found = _decided(machine, model, engine, wants)
    return Plan(
        engine=engine,
        model=model,
        flags=flags(found),
        context_tokens=found.layout.context_tokens,
        slots=found.layout.slots,
        kv_type=found.layout.kv_type,
        remarks=remarks(found),
        needs=(*found.needed, *_extras(found)),
        fits=found.fits,
    )


def _decided(machine: Machine, model: ModelFile, engine: Engine, wants: Wants) -> Decided:
    factor = _yarn_factor(model, wants)
    here = room(machine, engine)
    drafts = model.has_mtp and _drafts(engine, here, wants)
    placed = place(model, here, _wish(model, wants, mtp=drafts))
    needed = needs(model, placed.layout, here)
    checkpoints, cache_ram = _kept(model, placed.layout, _left(needed, here))
    return Decided(
        machine=machine,
        model=model,
        engine=engine,
        room=here,
        layout=placed.layout,
        needed=needed,
        fits=placed.fits,
        checkpoints=checkpoints,
        cache_ram_bytes=cache_ram,
        yarn_factor=factor,
        is_asked=wants.context_tokens == placed.layout.context_tokens,
        slot_folder=wants.slot_folder,
        sleep_seconds=wants.sleep_seconds if surely_has(engine.build, "sleep") else 0,
    )


def _yarn_factor(model: ModelFile, wants: Wants) -> float:
    asked, trained = wants.context_tokens or 0, model.trained_tokens
    if not trained or asked <= trained:
        return 1.0
    factor = ceil(100 * asked / trained) / 100
    if factor > YARN_MOST:
        raise InputError(
            f"{asked:,} tokens are more than {YARN_MOST:g} times the {trained:,} that "
            f"{model.name} was trained for. Ask for {int(trained * YARN_MOST):,} at most."
        )
    return factor


def _wish(model: ModelFile, wants: Wants, *, mtp: bool) -> Wish:
    if wants.vision and model.projector is None:
        raise InputError(
            f"No projector (mmproj*.gguf) lies beside {model.path}. "
            "Download it into the same folder, or leave --vision out."
        )
    if wants.mtp == "on" and not model.has_mtp:
        raise InputError(
            f"{model.path.name} has no head for speculative decoding (MTP). "
            "Take a conversion that has it, or leave --mtp out."
        )
    return Wish(
        context_tokens=wants.context_tokens,
        slots=wants.slots or 1,
        kv_type=wants.kv_type,
        mtp=mtp,
        vision=wants.vision,
    )


def _drafts(engine: Engine, here: Room, wants: Wants) -> bool:
    """CUDA is where it was reported to help; elsewhere it was slower, or crashed (PR 22673)."""
    if wants.mtp == "auto":
        is_good = "cuda" in engine.uses and any(gpu.vendor == "nvidia" for gpu in here.gpus)
        return is_good and surely_has(engine.build, "mtp")
    return wants.mtp == "on"


def _left(needed: tuple[Need, ...], here: Room) -> int:
    """Bytes of the system's memory that the model itself does not take."""
    gpu, system = totals(needed)
    return max(0, here.system_bytes - system - (gpu if here.is_shared else 0))


def _kept(model: ModelFile, layout: Layout, left: int) -> tuple[int, int]:
    """How many states are kept to go back to, and the bytes for conversations without a slot."""
    each = checkpoint_bytes(model) * layout.slots
    checkpoints = min(_CHECKPOINTS, left // 2 // each) if each else _CHECKPOINTS
    left -= checkpoints * each
    # one that does not fit whole is not kept at all
    whole = cache_bytes(model, layout) + checkpoint_bytes(model) * (checkpoints + 1)
    wanted = min(_CACHE_RAM_MOST, max(_CACHE_RAM, whole))
    return checkpoints, min(wanted, left * 3 // 4) // MIB * MIB


def _extras(found: Decided) -> Iterator[Need]:
    """What fills up by and by, and never beyond what it is allowed."""
    kept = found.checkpoints * checkpoint_bytes(found.model) * found.layout.slots
    if kept:
        yield Need(f"{found.checkpoints} states to go back to", kept, "system")
    if found.cache_ram_bytes:
        yield Need("conversations without a slot, at most", found.cache_ram_bytes, "system")
