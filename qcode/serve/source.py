"""Which file a person means by MODEL: a path, or `hf:REPO:QUANT` in the cache of the hub."""

import os
import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from qcode.protocol.errors import InputError

if TYPE_CHECKING:
    from qcode.serve.hubfiles import HubFile

_PART = re.compile(r"-\d{5}-of-\d{5}$")


def located(model: str, environ: Mapping[str, str]) -> Path:
    """The file, the first part where there are several. Raises InputError.

    Links are kept: what they lead to, such as a blob of the hub's cache, has neither the name nor
    the other parts beside it.
    """
    if model.startswith("hf:"):
        return _fetched(model, environ)
    if not model:
        raise InputError("The name of the model is empty. Name a GGUF file, or hf:REPO:QUANT.")
    path = Path(model).expanduser()
    try:
        if path.is_file():
            return path.absolute()
        if path.is_dir():
            raise InputError(f"{model} is a folder. Name the GGUF file in it.")
    except OSError as error:  # its folder is not for us to read, or no file can be named so
        raise InputError(
            f"{model} cannot be looked at ({error.strerror}). Name a GGUF file that you may read."
        ) from error
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
    from qcode.serve.hubfiles import model_files, named  # noqa: PLC0415 - most name a path

    wanted = named(model)
    folder = hub(environ) / f"models--{wanted.repo.replace('/', '--')}" / "snapshots"
    there: set[str] = set()
    for snapshot in sorted(folder.glob("*"), key=lambda path: path.stat().st_mtime, reverse=True):
        files = tuple(_files(snapshot))
        there |= {file.name for file in files}
        with suppress(InputError):  # another one may have it
            return snapshot / model_files(files, wanted)[0].name
    if there and not wanted.quant:
        raise InputError(f"{model} may be one of {', '.join(sorted(there))}. Say its quantisation.")
    others = f" There is {', '.join(sorted(there))}." if there else ""
    raise InputError(f"{model} is not on this machine.{others} Fetch it: qcode models pull {model}")


def _files(snapshot: Path) -> Iterator["HubFile"]:
    """Models alone; what a link of the cache leads to may be gone."""
    from qcode.serve.hubfiles import HubFile  # noqa: PLC0415 - the same

    for path in snapshot.glob("**/*.gguf"):
        if path.is_file() and "mmproj" not in path.name:
            yield HubFile(path.relative_to(snapshot).as_posix(), path.stat().st_size, "")
