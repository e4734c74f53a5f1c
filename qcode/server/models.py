"""The list of models at `/v1/models`, read leniently, and the choice of one."""

import re
from collections.abc import Collection, Mapping
from pathlib import PurePath
from typing import Any

import msgspec

from qcode.protocol.errors import UnknownModel
from qcode.protocol.text import well_formed
from qcode.server.ask import Reply
from qcode.server.failures import unknown_model

_CONTEXT_FIELDS = ("max_model_len", "context_length", "n_ctx")
"""vLLM and SGLang; llama-swap and others; llama.cpp within `meta`."""

_NO_CHAT = re.compile(r"embed|rerank|whisper|\btts\b|(?:^|/)bge-", re.IGNORECASE)
"""Names of models that write no answers: they stand beside the others in many lists."""


class Listing(msgspec.Struct, frozen=True):
    """What a server lists; empty when it lists nothing or cannot."""

    rows: tuple[Mapping[str, Any], ...] = ()
    is_list: bool = False
    """Whether the answer was a list of models at all."""

    @property
    def names(self) -> tuple[str, ...]:
        """In the server's order."""
        return tuple(well_formed(str(row["id"])) for row in self.rows)

    @property
    def owners(self) -> set[str]:
        """Who the server says made them; several servers name themselves here."""
        return {str(row.get("owned_by") or "") for row in self.rows}

    @property
    def loaded(self) -> tuple[str, ...]:
        """Those that are ready now, where the server tells."""
        return tuple(str(row["id"]) for row in self.rows if _is_loaded(row))

    def row(self, name: str) -> Mapping[str, Any]:
        """What is said of a model; empty when it is not listed."""
        return next((row for row in self.rows if row["id"] == name), {})

    def context(self, name: str) -> int | None:
        """The context of a model in tokens, None = not told."""
        row = self.row(name)
        told = (place.get(field) for place in (_in(row, "meta"), row) for field in _CONTEXT_FIELDS)
        return next(filter(None, map(count, told)), None)

    def trained(self, name: str) -> int | None:
        """The longest context that a model was made for, None = not told."""
        return count(_in(self.row(name), "meta").get("n_ctx_train"))

    def vision(self, name: str) -> bool | None:
        """Whether a model takes images, None = not told."""
        row = self.row(name)
        modalities = _in(row, "architecture").get("input_modalities")
        if isinstance(modalities, list):
            return "image" in modalities
        told = _in(row, "capabilities").get("vision")
        return told if isinstance(told, bool) else None


class Picked(msgspec.Struct, frozen=True):
    """The model that answers, and why it, as a clause for people."""

    model: str
    why: str


def read(reply: Reply) -> Listing:
    """The list in an answer of `/v1/models`; its status is not looked at."""
    rows = reply.fields.get("data")
    if not isinstance(rows, list):
        return Listing()
    return Listing(tuple(r for r in rows if isinstance(r, dict) and r.get("id")), is_list=True)


def pick(base_url: str, name: str, names: tuple[str, ...], loaded: Collection[str] = ()) -> Picked:
    """`name` if the server has it, else what is loaded, else the first that can chat.

    Raises UnknownModel.
    """
    if not name:
        return _pick_any(base_url, names, loaded)
    # Ollama's short form; a folder or file of the server's machine, which no list names
    if not names or {name, f"{name}:latest"} & {*names} or PurePath(name).is_absolute():
        return Picked(name, "named")
    raise unknown_model(base_url, name, names)


def _pick_any(base_url: str, names: tuple[str, ...], loaded: Collection[str]) -> Picked:
    if not names:
        raise UnknownModel(f"{base_url} lists no models. Set `model` to the name it expects.")
    talking = tuple(one for one in names if not _NO_CHAT.search(one)) or names
    if ready := [one for one in talking if one in loaded]:
        among = "loaded" if len(ready) == 1 else f"the first of {len(ready)} that are loaded"
        return Picked(ready[0], among)
    only = "the only one" if len(talking) == 1 else f"the first of {len(talking)}"
    return Picked(talking[0], only)


def count(value: Any) -> int | None:
    """A number of tokens or slots; None for what is none."""
    is_number = isinstance(value, int) and not isinstance(value, bool)
    return value if is_number and value > 0 else None


def _in(row: Mapping[str, Any], field: str) -> Mapping[str, Any]:
    value = row.get(field)
    return value if isinstance(value, dict) else {}


def _is_loaded(row: Mapping[str, Any]) -> bool:
    status = row.get("status")  # llama.cpp's router: an object; LM Studio: `state`
    value = status.get("value") if isinstance(status, dict) else row.get("state")
    return value == "loaded" or row.get("loaded") is True  # mlx-vlm
