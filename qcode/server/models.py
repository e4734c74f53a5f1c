"""The list of models at `/v1/models`, read leniently, and the choice of one."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from qcode.protocol.errors import UnknownModel
from qcode.protocol.text import well_formed
from qcode.server.ask import Reply
from qcode.server.failures import unknown_model

_CONTEXT_FIELDS = ("max_model_len", "context_length", "n_ctx")
"""vLLM and SGLang; llama-swap and others; llama.cpp within `meta`."""


@dataclass(frozen=True, slots=True)
class Listing:
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
        return {str(row.get("owned_by", "")) for row in self.rows}

    @property
    def loaded(self) -> tuple[str, ...]:
        """Those that are ready now, where the server tells."""
        return tuple(str(row["id"]) for row in self.rows if _is_loaded(row))

    def context(self, name: str) -> int | None:
        """The context of a model in tokens, None = not told."""
        row = next((row for row in self.rows if row["id"] == name), {})
        meta = row.get("meta")
        places = (meta if isinstance(meta, dict) else {}, row)
        told = (place.get(field) for place in places for field in _CONTEXT_FIELDS)
        return next((n for n in told if isinstance(n, int) and n > 0), None)


def read(reply: Reply) -> Listing:
    """The list in an answer of `/v1/models`; its status is not looked at."""
    rows = reply.fields.get("data")
    if not isinstance(rows, list):
        return Listing()
    return Listing(tuple(r for r in rows if isinstance(r, dict) and r.get("id")), is_list=True)


def pick(base_url: str, name: str, listing: Listing) -> str:
    """`name` if the server has it, as the server spells it; "" = what is loaded, else the first."""
    names = listing.names
    if not name:
        if not names:
            raise UnknownModel(f"{base_url} lists no models. Set `model` to the name it expects.")
        return next(iter(listing.loaded), names[0])
    if not names or name in names:
        return name
    if f"{name}:latest" in names:  # Ollama's short form
        return name
    raise unknown_model(base_url, name, names)


def _is_loaded(row: Mapping[str, Any]) -> bool:
    status = row.get("status")  # llama.cpp's router: an object; LM Studio: `state`
    value = status.get("value") if isinstance(status, dict) else row.get("state")
    return value == "loaded"
