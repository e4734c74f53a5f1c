"""Writes the tiny model as a folder in Hugging Face's layout, for engines that read no GGUF.

The same vocabulary and chain of classes as `gguf.py`, in a dense Qwen3: its two layers add nothing
to what the embedding says, since their last matrices are zero. By hand, because the libraries that
write such folders are those of the engines, and live in environments of their own.
"""

import json
from pathlib import Path
from typing import Any

import numpy as np

from tests.support.gguf import WIDTH, Array, Followers, embedding, output
from tests.support.vocabulary import END, FOLLOWERS, MERGES, Token, escaped, vocabulary

LAYERS = 2
HEADS = 2
HEAD = 32
INNER = 64

RESPONSE = {
    "defaults": {"role": "assistant"},
    "start_anchor": "<|im_start|>assistant\n",
    "fields": {
        "reasoning_content": {"open": "<think>", "close": "</think>", "content": "text"},
        "tool_calls": {
            "open_pattern": r"\s*<tool_call>\s*<function=(?P<name>[^>\n]+)>",
            "close_pattern": r"</function>\s*</tool_call>",
            "repeats": True,
            "content": "xml-inline",
            "content_args": {
                "tag_pattern": r"<parameter=(?P<key>[^>\n]+)>\s*(?P<value>.*?)\s*</parameter>"
            },
            "transform": {
                "type": "function",
                "function": {"name": "{name}", "arguments": "{content}"},
            },
        },
        "content": {"close_pattern": r"\s*<\|im_end\|>", "content": "text"},
    },
}
"""What transformers serve (5.23) reads out of an answer: for a model of type `qwen3` it expects
calls as JSON, while the template here is that of 3.5, whose calls are XML."""


def write_folder(folder: Path, template: str, followers: Followers = FOLLOWERS) -> None:
    """A model folder with `template` as its chat template. The same bytes each time."""
    tokens = vocabulary()
    folder.mkdir(parents=True, exist_ok=True)
    _write(folder / "config.json", _config(tokens))
    sampled = {"eos_token_id": _id(tokens, END), "do_sample": True}
    _write(folder / "generation_config.json", sampled)
    _write(folder / "tokenizer.json", _tokenizer(tokens))
    _write(
        folder / "tokenizer_config.json",
        {
            "tokenizer_class": "Qwen2TokenizerFast",
            "eos_token": END,
            "pad_token": "<|endoftext|>",
            "chat_template": template,
            "response_template": RESPONSE,
            "model_max_length": 262144,
            "clean_up_tokenization_spaces": False,
        },
    )
    (folder / "chat_template.jinja").write_text(template, encoding="utf-8")
    _write_safetensors(folder / "model.safetensors", _tensors(tokens, followers))


def _config(tokens: list[Token]) -> dict[str, Any]:
    return {
        "architectures": ["Qwen3ForCausalLM"],
        "model_type": "qwen3",
        "vocab_size": len(tokens),
        "hidden_size": WIDTH,
        "intermediate_size": INNER,
        "num_hidden_layers": LAYERS,
        "num_attention_heads": HEADS,
        "num_key_value_heads": 1,
        "head_dim": HEAD,
        "hidden_act": "silu",
        "max_position_embeddings": 262144,
        "rms_norm_eps": 1e-6,
        "rope_theta": 1e7,
        "tie_word_embeddings": False,
        "attention_bias": False,
        "torch_dtype": "float32",
        "eos_token_id": _id(tokens, END),
        "pad_token_id": _id(tokens, "<|endoftext|>"),
    }


def _tokenizer(tokens: list[Token]) -> dict[str, Any]:
    """Byte-level pairs, as the GGUF has them: every byte a token, and the few merges."""
    added = [
        {
            "id": number,
            "content": token.text,
            "single_word": False,
            "lstrip": False,
            "rstrip": False,
            "normalized": False,
            "special": token.kind == "control",
        }
        for number, token in enumerate(tokens)
        if token.kind != "normal"
    ]
    level = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": False}
    return {
        "version": "1.0",
        "added_tokens": added,
        "normalizer": None,
        "pre_tokenizer": {**level, "use_regex": False},
        "post_processor": None,
        "decoder": {**level, "use_regex": False},
        "model": {
            "type": "BPE",
            "unk_token": None,
            "vocab": {t.text: n for n, t in enumerate(tokens) if t.kind == "normal"},
            "merges": [[escaped(left), escaped(right)] for left, right in MERGES],
        },
    }


def _tensors(tokens: list[Token], followers: Followers) -> dict[str, Array]:
    random = np.random.default_rng(0)
    tensors = {
        "model.embed_tokens.weight": embedding(random, tokens),
        "lm_head.weight": output(tokens, followers),
        "model.norm.weight": np.ones(WIDTH, np.float32),
    }
    for number in range(LAYERS):
        layer = {
            "self_attn.q_proj.weight": (HEADS * HEAD, WIDTH),
            "self_attn.k_proj.weight": (HEAD, WIDTH),
            "self_attn.v_proj.weight": (HEAD, WIDTH),
            "self_attn.o_proj.weight": (WIDTH, HEADS * HEAD),
            "mlp.gate_proj.weight": (INNER, WIDTH),
            "mlp.up_proj.weight": (INNER, WIDTH),
            "mlp.down_proj.weight": (WIDTH, INNER),
        }
        weak = {
            name: (random.standard_normal(shape) * 0.02).astype(np.float32)
            for name, shape in layer.items()
        }
        for last in ("self_attn.o_proj.weight", "mlp.down_proj.weight"):
            weak[last][:] = 0.0
        for norm, size in (
            ("self_attn.q_norm.weight", HEAD),
            ("self_attn.k_norm.weight", HEAD),
            ("input_layernorm.weight", WIDTH),
            ("post_attention_layernorm.weight", WIDTH),
        ):
            weak[norm] = np.ones(size, np.float32)
        tensors |= {f"model.layers.{number}.{name}": tensor for name, tensor in weak.items()}
    return tensors


def _write_safetensors(path: Path, tensors: dict[str, Array]) -> None:
    """The format's whole: the header's length, the header as JSON, the bytes one after another."""
    header: dict[str, Any] = {"__metadata__": {"format": "pt"}}
    data = b""
    for name, tensor in tensors.items():
        raw = np.ascontiguousarray(tensor, dtype="<f4").tobytes()
        place = [len(data), len(data) + len(raw)]
        header[name] = {"dtype": "F32", "shape": list(tensor.shape), "data_offsets": place}
        data += raw
    head = json.dumps(header).encode()
    head += b" " * (-len(head) % 8)
    path.write_bytes(len(head).to_bytes(8, "little") + head + data)


def _id(tokens: list[Token], text: str) -> int:
    return [token.text for token in tokens].index(text)


def _write(path: Path, value: Any) -> None:
    path.write_text(json.dumps(value, ensure_ascii=False, indent=1), encoding="utf-8")
