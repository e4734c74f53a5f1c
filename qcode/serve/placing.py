"""Which context fits, with which cache, and what of the model stays off the GPU.

One rule holds throughout: more memory never gives less context. So the length is found first, with
the smallest cache, and what is nicer to have (a cache at f16, drafting) is added where it costs no
token of it.
"""

from collections.abc import Iterable, Iterator, Sequence

import msgspec
from msgspec.structs import replace

from qcode.serve.base import KvType, ModelFile
from qcode.serve.needs import Layout, needs, totals
from qcode.serve.room import GIB, MIB, Room

LENGTHS = (
    *(4096, 8192, 16384, 24576, 32768, 49152, 65536, 81920, 98304, 114688, 131072),
    *(163840, 196608, 229376, 262144, 393216, 524288, 786432, 1048576),
)
WANTED = 65_536
"""Tokens that an agent needs to work at all well; asked for before speed where the loss is small,
as with experts beside the GPU."""
WANTED_DENSE = 32_768
"""The same of models without experts, the smallest aside: each layer off the GPU costs a great part
of the speed, and where the processor computes alone, to read more takes hours."""
_LARGE = 2 * GIB
COMFORT = 131_072
"""Qwen's card: keep at least 128K for thinking. Beyond it the cache is better than longer."""
SPARE = 512 * MIB
"""Of a GPU's own memory, beside its margin: what is nicer to have does not take the last of it."""
_UNTOLD = 32_768
"""Tokens of a model that does not tell what it was trained for."""


class Wish(msgspec.Struct, frozen=True):
    """What is fixed beforehand; None = as it fits."""

    context_tokens: int | None
    slots: int
    kv_type: KvType | None
    mtp: bool
    vision: bool


class Placed(msgspec.Struct, frozen=True):
    """What was found."""

    layout: Layout
    fits: bool


def place(model: ModelFile, room: Room, wish: Wish) -> Placed:
    """The best layout; the smallest one, and `fits` False, where there is none."""
    return _Search(model, room, wish).best()


class _Search:
    """Tries layouts against the room."""

    def __init__(self, model: ModelFile, room: Room, wish: Wish) -> None:
        self._model = model
        self._room = room
        self._wish = wish
        self._lengths = _lengths(model, wish)
        is_heavy = not model.expert_bytes and model.size_bytes >= _LARGE
        least = WANTED_DENSE if is_heavy else WANTED
        self._floor = max(one for one in self._lengths if one <= max(least, self._lengths[0]))
        self._whole = Layout(
            self._floor,
            wish.slots,
            wish.kv_type or "q8_0",
            is_on_gpu=bool(room.gpus),
            mtp=wish.mtp,
            vision=wish.vision,
        )

    def best(self) -> Placed:
        if self._fits(self._whole):
            return Placed(self._grown(self._whole), fits=True)
        plain = replace(self._whole, mtp=False)
        beside = [plain, *self._beside(plain)]
        for length in reversed([one for one in self._lengths if one <= self._floor]):
            if found := self._first(replace(one, context_tokens=length) for one in beside):
                return Placed(self._nicer(found), fits=True)
        return Placed(replace(beside[-1], context_tokens=self._lengths[0]), fits=False)

    def _grown(self, layout: Layout) -> Layout:
        """Longer while it fits, up to a comfortable length; then the better cache; then longer."""
        most = COMFORT if layout.is_on_gpu else self._floor
        comfortable = [one for one in self._lengths if one <= max(most, self._floor)]
        layout = self._longest(layout, comfortable)
        better = self._nicer(layout)
        is_full = layout.is_on_gpu and layout.context_tokens == comfortable[-1]
        grows = is_full and (better != layout or self._wish.kv_type is not None)
        return self._longest(better, self._lengths) if grows else better

    def _longest(self, layout: Layout, lengths: Sequence[int]) -> Layout:
        """Of those that are longer than `layout`, the longest that leaves something to spare."""
        longer = (one for one in reversed(lengths) if one > layout.context_tokens)
        found = (replace(layout, context_tokens=one) for one in longer)
        return next(filter(self._fits_well, found), layout)

    def _nicer(self, layout: Layout) -> Layout:
        """With a cache at f16, if nobody asked otherwise and it costs nothing else."""
        better = replace(layout, kv_type=self._wish.kv_type or "f16")
        return better if self._fits_well(better) else layout

    def _beside(self, layout: Layout) -> Iterator[Layout]:
        """Less and less on the GPU: experts first, then whole layers, then nothing."""
        if not layout.is_on_gpu:
            return
        for count in range(1, self._model.expert_layers + 1):
            yield replace(layout, expert_layers_off=count)
        for count in range(1, self._model.layers):
            off = self._model.expert_layers
            yield replace(layout, expert_layers_off=off, layers_off=count)
        yield replace(layout, is_on_gpu=False)

    def _first(self, layouts: Iterable[Layout]) -> Layout | None:
        return next(filter(self._fits, layouts), None)

    def _fits_well(self, layout: Layout) -> bool:
        gpu, system = totals(needs(self._model, layout, self._room))
        return self._room.holds(gpu + (SPARE if gpu else 0), system)

    def _fits(self, layout: Layout) -> bool:
        return self._room.holds(*totals(needs(self._model, layout, self._room)))


def _lengths(model: ModelFile, wish: Wish) -> Sequence[int]:
    if wish.context_tokens is not None:
        return (wish.context_tokens,)
    trained = model.trained_tokens or _UNTOLD
    return (*(one for one in LENGTHS if one < trained), trained)
