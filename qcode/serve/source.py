"""Which file a person means by MODEL: a path, or `hf:REPO:QUANT` in the cache of the hub."""

import os
import re
from collections.abc import Mapping
from pathlib import Path

from qcode.protocol.errors import InputError

_LATER_PART = re.compile(r"-(?!00001)\d{5}-of-\d{5}\.gguf$")
_PART = re.compile(r"-\d{5}-of-\d{5}$")


def located(model: str, environ: Mapping[str, str]) -> Path:
    """The file, the first part where there are several. Raises InputError."""
    if model.startswith("hf:"):
        return _fetched(model, environ)
    path = Path(model).expanduser()
    if path.is_file():
        return path.resolve()
    if path.is_dir():
        raise InputError(f"{model} is a folder. Name the GGUF file in it.")
    hint = f" Is it hf:{model}?" if re.fullmatch(r"[\w.-]+/[\w.-]+(:[\w.-]+)?", model) else ""
    raise InputError(
        f"There is no file {model}. Name a GGUF file, or hf:REPO:QUANT for one of the hub.{hint}"
    )


def alias_of(path: Path) -> str:
    """The name under which a model answers: that of its file."""
    return _PART.sub("", path.stem)


def hub(environ: Mapping[str, str]) -> Path:
    """The folder in which `huggingface_hub` keeps what it fetched."""
    if folder := environ.get("HF_HUB_CACHE"):
        return Path(folder).expanduser()
    if home := environ.get("HF_HOME"):
        return Path(home).expanduser() / "hub"
    cache = environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")  # noqa: PTH111 - HOME
    return Path(cache) / "huggingface" / "hub"


def _fetched(model: str, environ: Mapping[str, str]) -> Path:
    repo, _, quant = model.removeprefix("hf:").partition(":")
    if not re.fullmatch(r"[\w.-]+/[\w.-]+", repo):
        raise InputError(
            f"{model} names no model. Write hf:OWNER/REPOSITORY:QUANT, such as "
            "hf:unsloth/Qwen3.6-35B-A3B-GGUF:UD-Q4_K_XL."
        )
    folder = hub(environ) / f"models--{repo.replace('/', '--')}" / "snapshots"
    found = [
        path
        for path in sorted(folder.glob("*/**/*.gguf"))
        if path.is_file() and not _LATER_PART.search(path.name) and "mmproj" not in path.name
    ]
    fitting = [path for path in found if _has(path, quant)]
    if not fitting:
        others = sorted({path.name for path in found})
        there = f" There is {', '.join(others)}." if others else ""
        raise InputError(
            f"{model} is not on this machine.{there} Fetch it: qcode models pull {model}"
        )
    if len({path.name for path in fitting}) > 1:
        names = ", ".join(sorted({path.name for path in fitting}))
        raise InputError(f"{model} fits several files: {names}. Say which quantisation.")
    return max(fitting, key=lambda path: path.stat().st_mtime)


def _has(path: Path, quant: str) -> bool:
    """`Q4_K_M` is not `UD-Q4_K_M`: the word stands alone."""
    if not quant:
        return True
    stem = _PART.sub("", path.stem).lower()
    plain = stem.replace("-ud-", "-ud_") if not quant.lower().startswith("ud-") else stem
    return re.search(rf"(^|[-.]){re.escape(quant.lower())}$", plain) is not None
