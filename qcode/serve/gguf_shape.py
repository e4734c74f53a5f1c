"""From the keys of a GGUF file: layers, what the cache of a token takes, what a state takes.

After llama.cpp b11549: `src/llama-hparams.cpp` (n_embd_k_gqa, n_embd_r, n_embd_s) and
`src/models/qwen35moe.cpp` for what is recurrent where the file does not say it.
"""

import re
from collections.abc import Collection, Sequence

import msgspec

from qcode.serve.gguf_part import Part, Tensor

F16 = 2
F32 = 4
_MOST_LAYERS = 4096
_MOST_TOKENS = 1 << 30


class Shape(msgspec.Struct, frozen=True):
    """What follows from the keys alone."""

    layers: int
    """Without those of the head that guesses ahead."""
    head_layers: int
    trained_tokens: int
    kv_bytes_per_token: int
    head_kv_bytes_per_token: int
    state_bytes: int
    vocabulary: int
    width: int
    attention_layers: int
    active_share: float
    """Of the experts, those that a token uses."""
    has_own_output: bool
    """False = the table of input tokens is the output matrix, too, and lies on the GPU again."""

    @classmethod
    def of(cls, architecture: str, part: Part, tensors: Sequence[Tensor]) -> "Shape":
        """Read it; what is not told counts as 0."""
        keys = _Keys(architecture, part)
        everything = min(keys.number("block_count"), _MOST_LAYERS)
        ahead = min(keys.number("nextn_predict_layers"), max(everything - 1, 0))
        layers = everything - ahead
        names = frozenset(one.name for one in tensors)
        recurrent = {one for one in range(layers) if _is_recurrent(one, names, keys)}
        listed = frozenset(int(found[1]) for one in names if (found := _ATTENTION.match(one)))
        attending = [
            one
            for one in range(layers)
            if _attends(one, names, recurrent) or (one not in recurrent and one not in listed)
        ]
        experts = keys.number("expert_count")
        return cls(
            layers=layers,
            head_layers=ahead,
            trained_tokens=min(keys.number("context_length"), _MOST_TOKENS),
            kv_bytes_per_token=sum(keys.kv_bytes(one) for one in attending),
            head_kv_bytes_per_token=sum(keys.kv_bytes(layers + one) for one in range(ahead)),
            state_bytes=len(recurrent) * keys.state_bytes(),
            vocabulary=part.lengths.get("tokenizer.ggml.tokens", 0) or keys.number("vocab_size"),
            width=keys.number("embedding_length"),
            attention_layers=len(attending),
            active_share=min(1.0, keys.number("expert_used_count") / experts) if experts else 0.0,
            has_own_output="output.weight" in names,
        )


class _Keys:
    """The keys of one architecture."""

    def __init__(self, architecture: str, part: Part) -> None:
        self._prefix = architecture
        self._part = part

    def number(self, name: str, default: int = 0) -> int:
        return self._part.number(f"{self._prefix}.{name}", default)

    def each(self, name: str, layer: int) -> int | None:
        """The value of a layer where the file has a list of them."""
        found = self._part.lists.get(f"{self._prefix}.{name}", ())
        value = found[layer] if layer < len(found) else None
        return max(0, int(value)) if isinstance(value, int) else None

    def kv_bytes(self, layer: int) -> int:
        """Of one token in one layer that attends, at f16."""
        rank = self.number("attention.kv_lora_rank")
        if rank:  # one latent vector stands for keys and values of all heads
            return (rank + self.number("rope.dimension_count")) * F16
        heads = self.each("attention.head_count_kv", layer)
        if heads is None:
            heads = self.number("attention.head_count_kv", self.number("attention.head_count"))
        usual = self.number("embedding_length") // max(1, self.number("attention.head_count"))
        key = self.number("attention.key_length", usual)
        return heads * (key + self.number("attention.value_length", usual)) * F16

    def state_bytes(self) -> int:
        """Of one recurrent layer: its state and the tail of its convolution, both f32."""
        inner, size = self.number("ssm.inner_size"), self.number("ssm.state_size")
        tail = max(0, self.number("ssm.conv_kernel") - 1)
        return (tail * (inner + 2 * self.number("ssm.group_count") * size) + inner * size) * F32


def _is_recurrent(layer: int, names: Collection[str], keys: _Keys) -> bool:
    told = keys.each("attention.recurrent_layers", layer)
    if told is not None:
        return bool(told)
    if any(f"blk.{layer}.{name}" in names for name in ("ssm_a", "ssm_conv1d.weight", "ssm_d")):
        return True
    every = keys.number("full_attention_interval")
    return not names and every > 0 and (layer + 1) % every != 0


_KEYS = ("attn_k.weight", "attn_k_b.weight", "attn_kv_a_mqa.weight", "attn_kv_b.weight")
_ALL_IN_ONE = "attn_qkv.weight"
_ATTENTION = re.compile(r"blk\.(\d{1,6})\.attn", re.ASCII)


def _attends(layer: int, names: Collection[str], recurrent: Collection[int]) -> bool:
    """Whether the layer has a cache. Some are both; DeltaNet calls its own matrix as attention."""
    if any(f"blk.{layer}.{name}" in names for name in _KEYS):
        return True
    return layer not in recurrent and f"blk.{layer}.{_ALL_IN_ONE}" in names
