"""A model's file: what a plan must know of it, all its parts together."""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec

from qcode.protocol.errors import InputError
from qcode.protocol.text import one_line
from qcode.serve.base import ModelFile
from qcode.serve.gguf_names import FILE_TYPES, quantisation
from qcode.serve.gguf_part import Part, Tensor, read_part
from qcode.serve.gguf_shape import Shape

_SPLIT = re.compile(r"(?P<stem>.+)-(?P<number>\d{5})-of-(?P<count>\d{5})\.gguf$")
_MOST_PARTS = 999


def read(path: Path) -> ModelFile:
    """What `path` is; for one part of several, the whole. Raises InputError."""
    parts = tuple(map(read_part, parts_of(path)))
    head = parts[0]
    architecture = head.text("general.architecture")
    if not architecture:
        raise InputError(f"{path} names no architecture: it is a GGUF file, and no model.")
    if architecture == "clip":
        raise InputError(
            f"{path} is a projector, the eyes of a model. Name the model's own file; "
            "the projector is found beside it."
        )
    return _model(architecture, parts)


def parts_of(path: Path) -> tuple[Path, ...]:
    """Every file of the model that `path` is or is a part of. Raises InputError if one misses."""
    found = _SPLIT.match(path.name)
    if found is None:
        return (path,)
    count = int(found["count"])
    if not 1 <= count <= _MOST_PARTS:
        raise InputError(f"{path} says that it is one of {count:,} parts. Check its name.")
    names = (f"{found['stem']}-{one:05}-of-{count:05}.gguf" for one in range(1, count + 1))
    files = tuple(path.with_name(name) for name in names)
    if missing := [one.name for one in files if not one.is_file()]:
        said = f"{missing[0]} is missing beside it"
        more = f", and {len(missing) - 1} more" if len(missing) > 1 else ""
        raise InputError(f"{path} is one of {count} parts; {said}{more}. Download all of them.")
    return files


def projector_of(path: Path) -> Path | None:
    """A file `mmproj*.gguf` in the same folder; the most exact one where there are several."""
    try:
        beside = sorted(path.parent.glob("*mmproj*.gguf"), key=_exactness)
    except OSError:
        return None
    return next((one for one in beside if one.is_file()), None)


def _exactness(path: Path) -> tuple[int, str]:
    # bf16 is what such a model was made in, f16 may overflow; f32 takes twice the memory
    for rank, word in enumerate(("bf16", "f16", "f32")):
        if word in path.name.lower():
            return rank, path.name
    return 3, path.name


class _Weights(msgspec.Struct, frozen=True):
    """Sums over tensors, in bytes."""

    experts: int
    expert_layers: int
    head: int
    table: int


def _weights(tensors: Sequence[Tensor], first_head_layer: int) -> _Weights:
    experts = [one for one in tensors if "_exps." in one.name]
    layers = {one.name.split(".")[1] for one in experts if one.name.startswith("blk.")}
    return _Weights(
        experts=sum(one.size_bytes for one in experts),
        expert_layers=len(layers),
        head=sum(one.size_bytes for one in tensors if _is_head(one.name, first_head_layer)),
        table=sum(one.size_bytes for one in tensors if one.name == "token_embd.weight"),
    )


def _is_head(name: str, first_head_layer: int) -> bool:
    """Of the layers behind the model's own, which guess the next tokens."""
    found = re.match(r"blk\.(\d{1,6})\.", name)
    return "nextn" in name or (found is not None and int(found[1]) >= first_head_layer)


def _model(architecture: str, parts: Sequence[Part]) -> ModelFile:
    head = parts[0]
    tensors = tuple(_all_tensors(parts))
    shape = Shape.of(architecture, head, tensors)
    weights = _weights(tensors, shape.layers)
    projector = projector_of(head.path)
    has_mtp = shape.head_layers > 0 and any("nextn" in one.name for one in tensors)
    size = sum(part.size_bytes for part in parts)
    return ModelFile(
        path=head.path,
        architecture=one_line(architecture, 60),
        name=one_line(head.text("general.name"), 120) or head.path.stem,
        quantisation=quantisation(head.path.name)
        or FILE_TYPES.get(head.number("general.file_type", -1), ""),
        size_bytes=size,
        layers=shape.layers,
        trained_tokens=shape.trained_tokens,
        kv_bytes_per_token=shape.kv_bytes_per_token,
        state_bytes=shape.state_bytes,
        expert_bytes=weights.experts,
        has_mtp=has_mtp,
        template=head.text("tokenizer.chat_template"),
        projector=projector,
        projector_bytes=projector.stat().st_size if projector else 0,
        vocabulary=shape.vocabulary,
        width=shape.width,
        attention_layers=shape.attention_layers,
        input_bytes=weights.table if shape.has_own_output else 0,
        expert_layers=weights.expert_layers,
        active_expert_bytes=int(weights.experts * shape.active_share),
        mtp_bytes=weights.head if has_mtp else 0,
        mtp_kv_bytes_per_token=shape.head_kv_bytes_per_token if has_mtp else 0,
        origin=_origin(head),
        flaws=tuple(_flaws(head, tensors)),
    )


_REPOSITORY = re.compile(r"https://huggingface\.co/([\w.-]{1,96}/[\w.-]{1,96})/?$", re.ASCII)


def _origin(head: Part) -> str:
    """Of the model itself rather than of its conversion."""
    for key in ("base_model.0.repo_url", "source.url", "source.repo_url", "repo_url"):
        if found := _REPOSITORY.match(head.text(f"general.{key}")):
            return found[1]
    return ""


_MXFP4 = 39


def _flaws(head: Part, tensors: Sequence[Tensor]) -> Iterator[str]:
    """What the file itself shows; what only its date would tell is in the catalogue."""
    named = quantisation(head.path.name)
    if named.startswith("UD-Q") and any(one.kind == _MXFP4 for one in tensors):
        yield (
            f"This {named} has MXFP4 tensors: it is of the first uploads, which were retired on "
            "2026-02-27 for their quality. Download it again."
        )
    if not head.text("tokenizer.chat_template"):
        yield (
            "The file has no chat template: tool calls and thinking will not work. "
            "Take another conversion of the model."
        )


def _all_tensors(parts: Sequence[Part]) -> Iterator[Tensor]:
    for part in parts:
        yield from part.tensors
