"""What a slot of llama.cpp holds, as a file of the server's: written at the end of a session, read
when it goes on, so that not even a new start of the server has the conversation read again.

Only where the server was started with `--slot-save-path`; others answer 501, and that is all.
"""

import hashlib

import msgspec

from qcode.server.ask import Asker, NoAnswer
from qcode.server.base import ServerFacts
from qcode.server.endpoint import is_private, root
from qcode.server.liveness import doing
from qcode.server.quirks import QUIRKS

_ASK_SECONDS = 2.0
"""What is asked is answered beside the work; the end of a session waits for it."""
SAVE_SECONDS = 20.0
"""Some gigabytes to a disk. The server goes on with it when nobody waits any more."""
RESTORE_SECONDS = 60.0
WAKE_SECONDS = 600.0
"""The same with the model to be loaded first."""


async def save(asker: Asker, facts: ServerFacts, slot: int, name: str) -> int:
    """See `Server.keep_slot`."""
    return await _act(asker, facts, slot, ("save", name, SAVE_SECONDS))


async def restore(asker: Asker, facts: ServerFacts, name: str) -> int:
    """See `Server.restore_slot`. Of the slots that rest, the one that holds least is taken; of a
    server that sleeps none holds anything, and the request wakes it (seen on b11549)."""
    if not _keeps(facts):
        return 0
    state = await doing(asker, facts)
    if state == "waking":
        return await _act(asker, facts, 0, ("restore", name, WAKE_SECONDS))
    if state:
        return 0
    slot = await _free(asker, facts)
    return 0 if slot is None else await _act(asker, facts, slot, ("restore", name, RESTORE_SECONDS))


async def fingerprint(asker: Asker, facts: ServerFacts) -> str:
    """See `Server.fingerprint`. The server itself compares shapes, not weights: another
    quantisation of the same model would pass."""
    if not _keeps(facts):
        return ""
    try:
        props = (await asker.get(f"{root(facts.base_url)}/props", _ASK_SECONDS)).fields
        rows = (await asker.get(f"{facts.base_url}/models", _ASK_SECONDS)).fields.get("data")
    except NoAnswer:
        return ""
    meta = rows[0].get("meta") if isinstance(rows, list) and isinstance(rows[0], dict) else None
    if "build_info" not in props or not isinstance(meta, dict):
        return ""
    weights = [meta.get(key) for key in ("n_params", "size", "n_vocab", "n_embd")]
    told = [facts.model, props["build_info"], props.get("model_path"), weights]
    return hashlib.blake2b(msgspec.json.encode(told), digest_size=10).hexdigest()


def _keeps(facts: ServerFacts) -> bool:
    near = is_private(facts.base_url) and facts.loaded is not False
    return near and QUIRKS[facts.kind].warming == "llamacpp"


async def _free(asker: Asker, facts: ServerFacts) -> int | None:
    """None = none rests, or the server does not tell of its slots."""
    try:
        told = (await asker.get(f"{root(facts.base_url)}/slots", _ASK_SECONDS)).json
    except NoAnswer:
        return None
    rows = [row for row in told if isinstance(row, dict)] if isinstance(told, list) else []
    free = [row for row in rows if row.get("is_processing") is False]
    held = {row["id"]: row.get("n_prompt_tokens") or 0 for row in free if "id" in row}
    return min(held, key=lambda number: held[number], default=None)


async def _act(asker: Asker, facts: ServerFacts, slot: int, act: tuple[str, str, float]) -> int:
    action, name, seconds = act
    url = f"{root(facts.base_url)}/slots/{slot}?action={action}"
    try:
        reply = await asker.post(url, {"filename": name}, seconds)
    except NoAnswer:
        return 0
    told = reply.fields.get(f"n_{action}d")
    return told if reply.status == 200 and isinstance(told, int) else 0
