"""Writes a tiny model for llama.cpp: the hybrid architecture of Qwen 3.5, under 1 MB.

Four layers (three DeltaNet, one attention), 64 wide, four experts: slow paths, checkpoints and
caches of the engine behave as with the real one. The layers' weights are random but weak; what the
model says is set by `vocabulary` through the embedding and the output matrix.
Names and shapes of the tensors: llama.cpp, `src/models/qwen35moe.cpp`, b11549.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

import gguf
import numpy as np
import numpy.typing as npt

from tests.support.vocabulary import CLASSES, END, FOLLOWERS, MERGES, Token, escaped, vocabulary

Array = npt.NDArray[np.float32]
Followers = Mapping[str, Sequence[str]]
"""As `vocabulary.FOLLOWERS`: what the model may say after what."""

WIDTH = 64
LAYERS = 4
ATTENTION_EVERY = 4
HEAD = 32
HEADS = 2
STATE = 32
"""Size of a DeltaNet head; two of them for keys and two for values."""
STATE_HEADS = 2
EXPERTS = 4
EXPERT_WIDTH = 16

CERTAIN = 20.0
"""Logit of a token that may follow; all others are near 0."""

_KINDS = {"normal": 1, "control": 3, "user_defined": 4}


def write_model(path: Path, template: str, followers: Followers = FOLLOWERS) -> None:
    """A model file with `template` as its chat template. The same bytes each time."""
    tokens = vocabulary()
    writer = gguf.GGUFWriter(path, "qwen35moe")
    _write_shape(writer)
    _write_tokenizer(writer, tokens)
    if template:
        writer.add_chat_template(template)
    for name, tensor in _tensors(tokens, followers).items():
        writer.add_tensor(name, tensor)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def _write_shape(writer: gguf.GGUFWriter) -> None:
    writer.add_context_length(262144)
    writer.add_embedding_length(WIDTH)
    writer.add_block_count(LAYERS)
    writer.add_full_attention_interval(ATTENTION_EVERY)
    writer.add_head_count(HEADS)
    writer.add_head_count_kv(1)
    writer.add_key_length(HEAD)
    writer.add_value_length(HEAD)
    writer.add_rope_dimension_count(HEAD // 2)
    writer.add_rope_dimension_sections([3, 3, 2, 0])
    writer.add_rope_freq_base(1e7)
    writer.add_layer_norm_rms_eps(1e-6)
    writer.add_expert_count(EXPERTS)
    writer.add_expert_used_count(2)
    writer.add_expert_feed_forward_length(EXPERT_WIDTH)
    writer.add_expert_shared_feed_forward_length(EXPERT_WIDTH)
    writer.add_ssm_conv_kernel(4)
    writer.add_ssm_inner_size(STATE * STATE_HEADS)
    writer.add_ssm_state_size(STATE)
    writer.add_ssm_time_step_rank(STATE_HEADS)
    writer.add_ssm_group_count(STATE_HEADS)


def _write_tokenizer(writer: gguf.GGUFWriter, tokens: list[Token]) -> None:
    texts = [token.text for token in tokens]
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("qwen35")
    writer.add_token_list(texts)
    writer.add_token_types([_KINDS[token.kind] for token in tokens])
    writer.add_token_merges([f"{escaped(left)} {escaped(right)}" for left, right in MERGES])
    writer.add_eos_token_id(texts.index(END))
    writer.add_pad_token_id(texts.index("<|endoftext|>"))
    writer.add_add_bos_token(False)  # noqa: FBT003  the library's signature


def _tensors(tokens: list[Token], followers: Followers) -> dict[str, Array]:
    random = np.random.default_rng(0)
    tensors = {
        "token_embd.weight": embedding(random, tokens),
        "output.weight": output(tokens, followers),
        "output_norm.weight": np.ones(WIDTH, np.float32),
    }
    for number in range(LAYERS):
        attends = (number + 1) % ATTENTION_EVERY == 0
        layer = _ffn(random) | (_attention(random) if attends else _delta_net(random))
        tensors |= {f"blk.{number}.{name}": tensor for name, tensor in layer.items()}
    return tensors


def embedding(random: np.random.Generator, tokens: list[Token]) -> Array:
    """Token -> its class as one of the first columns, and noise that tells tokens apart."""
    rows = random.standard_normal((len(tokens), WIDTH)).astype(np.float32) * 0.05
    rows[np.arange(len(tokens)), [token.class_number for token in tokens]] = 4.0
    return rows


def output(tokens: list[Token], followers: Followers = FOLLOWERS) -> Array:
    """Class of the last token -> logits. The norm before it makes its column sqrt(WIDTH)."""
    ids = {token.means: number for number, token in enumerate(tokens) if token.means}
    rows = np.zeros((len(tokens), WIDTH), np.float32)
    for column, name in enumerate(CLASSES):
        rows[[ids[text] for text in followers[name]], column] = CERTAIN / WIDTH**0.5
    return rows


def _weak(random: np.random.Generator, *shape: int) -> Array:
    return (random.standard_normal(shape) * 0.02).astype(np.float32)


def _attention(random: np.random.Generator) -> dict[str, Array]:
    return {
        "attn_q.weight": _weak(random, 2 * HEAD * HEADS, WIDTH),  # query and gate
        "attn_k.weight": _weak(random, HEAD, WIDTH),
        "attn_v.weight": _weak(random, HEAD, WIDTH),
        "attn_output.weight": _weak(random, WIDTH, HEAD * HEADS),
        "attn_q_norm.weight": np.ones(HEAD, np.float32),
        "attn_k_norm.weight": np.ones(HEAD, np.float32),
    }


def _delta_net(random: np.random.Generator) -> dict[str, Array]:
    inner = STATE * STATE_HEADS
    return {
        "attn_qkv.weight": _weak(random, 3 * inner, WIDTH),
        "attn_gate.weight": _weak(random, inner, WIDTH),
        "ssm_conv1d.weight": _weak(random, 3 * inner, 4),
        "ssm_dt.bias": _weak(random, STATE_HEADS),
        "ssm_a": -np.ones(STATE_HEADS, np.float32),
        "ssm_alpha.weight": _weak(random, STATE_HEADS, WIDTH),
        "ssm_beta.weight": _weak(random, STATE_HEADS, WIDTH),
        "ssm_norm.weight": np.ones(STATE, np.float32),
        "ssm_out.weight": _weak(random, WIDTH, inner),
    }


def _ffn(random: np.random.Generator) -> dict[str, Array]:
    return {
        "attn_norm.weight": np.ones(WIDTH, np.float32),
        "post_attention_norm.weight": np.ones(WIDTH, np.float32),
        "ffn_gate_inp.weight": _weak(random, EXPERTS, WIDTH),
        "ffn_gate_exps.weight": _weak(random, EXPERTS, EXPERT_WIDTH, WIDTH),
        "ffn_up_exps.weight": _weak(random, EXPERTS, EXPERT_WIDTH, WIDTH),
        "ffn_down_exps.weight": _weak(random, EXPERTS, WIDTH, EXPERT_WIDTH),
        "ffn_gate_inp_shexp.weight": _weak(random, WIDTH),
        "ffn_gate_shexp.weight": _weak(random, EXPERT_WIDTH, WIDTH),
        "ffn_up_shexp.weight": _weak(random, EXPERT_WIDTH, WIDTH),
        "ffn_down_shexp.weight": _weak(random, WIDTH, EXPERT_WIDTH),
    }
