"""What a silent server does. A long prompt is silence too, so silence alone proves nothing."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from qcode.server.ask import Asker, NoAnswer, NotListening, Reply
from qcode.server.base import ServerFacts
from qcode.server.endpoint import root
from qcode.server.quirks import QUIRKS

_TIMES = 2
_REST_SECONDS = 1.0

Doing = Literal["", "waking", "busy", "loading"]


async def why_dead(asker: Asker, facts: ServerFacts, limit_seconds: float) -> str:
    """ "" when the server lives, else why it is taken for dead, as a clause.

    Nobody listening is death for any server. No answer, twice, is death only for one that answers
    beside its work (llama.cpp): others compute and serve in one thread. One that answers, and works
    on nothing at all, has lost the request.
    """
    path = QUIRKS[facts.kind].health_path
    url = root(facts.base_url) + path if path else f"{facts.base_url}/models"
    because = ""
    for _ in range(_TIMES):
        try:
            await asker.get(url, limit_seconds)
        except NotListening as nobody:
            because = str(nobody)
        except NoAnswer as nothing:
            because = f"{path} gives {nothing}" if path else ""
        else:
            return await _why_stalled(asker, facts)
    return because


async def doing(asker: Asker, facts: ServerFacts) -> Doing:
    """What keeps a server from taking a request that was sent; "" = it does not tell.

    Asks only what neither loads nor wakes a model, on its own account.
    """
    try:
        match facts.kind:
            case "llamacpp":
                return await _llamacpp(asker, facts)
            case "llamacpp-router":
                return _router(await asker.get(f"{facts.base_url}/models"), facts.model)
            case "ollama" | "ollama-chat":
                return _ollama(await asker.get(f"{root(facts.base_url)}/api/ps"), facts.model)
            case "llama-swap":
                return _swap(await asker.get(f"{root(facts.base_url)}/running"), facts.model)
    except NoAnswer:
        pass  # whether it is dead, the watch of the stream asks
    return ""


def is_loading(reply: Reply) -> bool:
    """llama.cpp's 503 while it loads; the same on every path."""
    error = reply.fields.get("error")
    words = error.get("message", "") if isinstance(error, dict) else error
    return reply.status == 503 and isinstance(words, str) and "loading" in words.lower()


async def _llamacpp(asker: Asker, facts: ServerFacts) -> Doing:
    """`/props` first: it wakes nobody, whereas `/slots` does (seen on b11549)."""
    props = await asker.get(f"{root(facts.base_url)}/props")
    if is_loading(props):
        return "loading"
    if props.fields.get("is_sleeping") is True:
        return "waking"
    # It sends the head of its answer when a slot takes the request up: none is free yet.
    return "busy" if await works(asker, facts) else ""


async def _why_stalled(asker: Asker, facts: ServerFacts) -> str:
    """llama.cpp tells what its slots do: one that reads or writes for us is not stalled."""
    if facts.kind != "llamacpp":
        return ""
    try:
        for at in range(_TIMES):  # twice: between two requests it rests for a moment
            await asyncio.sleep(at * _REST_SECONDS)
            props = await asker.get(f"{root(facts.base_url)}/props")
            if is_loading(props) or props.fields.get("is_sleeping") is not False:
                return ""
            if await works(asker, facts) is not False:
                return ""
    except NoAnswer:  # it is at work on a batch
        return ""
    return "it works on no request any more"


async def works(asker: Asker, facts: ServerFacts) -> bool | None:
    """Whether a slot of llama.cpp is at work; None = not told (`--no-slots`). Raises NoAnswer, and
    wakes a model that sleeps."""
    slots = (await asker.get(f"{root(facts.base_url)}/slots")).json
    if not isinstance(slots, list) or not all(isinstance(slot, dict) for slot in slots):
        return None
    told = [slot.get("is_processing") for slot in slots]
    return any(told) if told and all(isinstance(one, bool) for one in told) else None


def _router(models: Reply, name: str) -> Doing:
    """`status.value` of the model: unloaded, loading, loaded, sleeping, downloading."""
    status = _row(models.fields.get("data"), "id", name).get("status")
    value = status.get("value") if isinstance(status, dict) else ""
    states: Mapping[Any, Doing] = {
        "unloaded": "loading",  # our request has it loaded
        "loading": "loading",
        "downloading": "loading",
        "sleeping": "waking",
        "loaded": "busy",
    }
    return states.get(value, "")


def _ollama(running: Reply, name: str) -> Doing:
    """What is loaded is listed; a request for another model waits until that is."""
    models = running.fields.get("models")
    if not isinstance(models, list):
        return ""
    named = (name, f"{name}:latest")
    return "" if any(_row(models, "name", one) for one in named) else "loading"


def _swap(running: Reply, name: str) -> Doing:
    """`state` of the model: starting, ready, stopping; one that does not run is started for us."""
    models = running.fields.get("running")
    if not isinstance(models, list):
        return ""
    return "" if _row(models, "model", name).get("state") == "ready" else "loading"


def _row(rows: Any, key: str, name: str) -> Mapping[str, Any]:
    """The object of a list whose `key` is `name`; {} when there is none."""
    found: Sequence[Any] = rows if isinstance(rows, list) else ()
    return next((row for row in found if isinstance(row, dict) and row.get(key) == name), {})
