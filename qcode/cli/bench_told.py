"""What a server tells of itself to `qcode bench server`, beside its facts."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from qcode.server.ask import Asker, NoAnswer
from qcode.server.base import ServerFacts
from qcode.server.door import make_http
from qcode.server.liveness import doing


async def is_busy(facts: ServerFacts, key: str) -> bool:
    """Only llama.cpp tells."""
    if facts.kind != "llamacpp":
        return False
    async with make_http(facts.base_url, 5.0) as http:
        return await doing(Asker(http, key, 5.0), facts) == "busy"


async def told_of(facts: ServerFacts, key: str) -> dict[str, str]:
    """How it was started, as far as it tells; llama.cpp does in part."""
    told = {"slots": str(facts.slots)} if facts.slots else {}
    if facts.kind != "llamacpp":
        return told
    async with make_http(facts.base_url, 5.0) as http:
        try:
            props = (await Asker(http, key, 5.0).get(f"{facts.base_url[:-3]}/props")).fields
        except NoAnswer:
            return told
    return told | _of_props(props)


def _of_props(props: Mapping[str, Any]) -> dict[str, str]:
    path, defaults = props.get("model_path"), props.get("default_generation_settings")
    told = {"file": Path(path).name} if isinstance(path, str) and path else {}
    if isinstance(defaults, dict) and defaults.get("speculative") is True:
        told["speculative"] = "on"
    return told
