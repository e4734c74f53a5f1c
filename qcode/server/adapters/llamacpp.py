"""llama.cpp's server: what it tells on `/props`, `/v1/models` and `/apply-template`.

As of b11549. None of the questions loads a model: in router mode `/props?model=` would, and is not
asked; a name is rendered with only if it is loaded.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any

from qcode.server.ask import Asker, NoAnswer, Reply
from qcode.server.base import ServerFacts, Strategy
from qcode.server.endpoint import root
from qcode.server.failures import read_body
from qcode.server.models import Listing, pick
from qcode.server.probe import TOOL, choose
from qcode.server.quirks import QUIRKS

_log = logging.getLogger(__name__)

_RENDER_SECONDS = 5.0


def recognises(props: Reply, listing: Listing) -> bool:
    """Whether the answers are llama.cpp's. By the bodies: a status proves nothing (LM Studio)."""
    fields = props.fields
    is_direct = "build_info" in fields and "default_generation_settings" in fields
    return is_direct or fields.get("role") == "router" or "llamacpp" in listing.owners


async def describe(
    asker: Asker, base_url: str, name: str, props: Reply, listing: Listing
) -> ServerFacts:
    """The facts. Raises UnknownModel where names are checked."""
    fields = props.fields
    kind = "llamacpp-router" if fields.get("role") == "router" else "llamacpp"
    if QUIRKS[kind].model_name == "ignored":
        model = name or next(iter(listing.names), "") or _own_name(fields)
    else:
        model = pick(base_url, name, listing)
    strategy, why = await _strategy(asker, base_url, kind, model, listing)
    return ServerFacts(
        kind=kind,
        version=str(fields.get("build_info", "")).split("-")[0],
        base_url=base_url,
        model=model,
        models=listing.names,
        context_tokens=_context(fields) or listing.context(model),
        strategy=strategy,
        strategy_why=why,
        reasoning_field=QUIRKS[kind].reasoning_field,
        slots=_count(fields.get("total_slots")),
        continues=bool(QUIRKS[kind].continuation),
    )


async def _strategy(
    asker: Asker, base_url: str, kind: str, model: str, listing: Listing
) -> tuple[Strategy, str]:
    if kind == "llamacpp-router" and model not in listing.loaded:
        return "plain", "the model is not loaded yet"
    try:
        renderer = _Renderer(asker, f"{root(base_url)}/apply-template", model)
        return await choose(renderer.render, QUIRKS[kind].reasoning_field)
    except NoAnswer as failed:
        _log.info("%s does not render: %s", base_url, failed)
        return "plain", f"the server does not render: {failed}"


@dataclass(frozen=True, slots=True)
class _Renderer:
    asker: Asker
    url: str
    model: str

    async def render(
        self, messages: Sequence[Mapping[str, Any]], kwargs: Mapping[str, bool]
    ) -> str:
        body = {
            "model": self.model,
            "messages": messages,
            "tools": [TOOL],
            "chat_template_kwargs": kwargs,
        }
        reply = await self.asker.post(self.url, body, _RENDER_SECONDS)
        prompt = reply.fields.get("prompt")
        if reply.status != 200 or not isinstance(prompt, str):
            raise NoAnswer(f"status {reply.status}, {read_body(reply.body).words}")
        return prompt


def _own_name(props: Mapping[str, Any]) -> str:
    return str(props.get("model_alias") or PurePath(str(props.get("model_path", ""))).name)


def _context(props: Mapping[str, Any]) -> int | None:
    """Of one slot; a router tells 0."""
    settings = props.get("default_generation_settings")
    return _count(settings.get("n_ctx")) if isinstance(settings, dict) else None


def _count(value: Any) -> int | None:
    return value if isinstance(value, int) and value > 0 else None
