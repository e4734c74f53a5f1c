"""A scripted server whose model comes into memory with the first request for an answer.

What it tells of itself is a wire recording before that and another one from then on.
"""

import asyncio
import copy
from collections.abc import Mapping
from typing import Any

from tests.server.replay import Asked, Wire, load
from tests.support.http1 import Json
from tests.support.script import Answer, Received
from tests.support.scripted_server import Otherwise, ScriptedServer

ROUTER = "unsloth/Qwen3.6-35B-A3B-GGUF:UD-Q4_K_XL"

PAIRS: Mapping[str, tuple[str, str, str]] = {
    "ollama": ("ollama-idle", "ollama", "qwen3.6:27b"),
    "router": ("llamacpp-router-idle", "llamacpp-router", ROUTER),
    "asleep": ("llamacpp-asleep", "llamacpp", ""),
    "switch": ("llama-swap-idle", "llama-swap", ""),
}
"""The recording before, the one after, and the model that is asked for."""


class Waking(ScriptedServer):
    """Use as any scripted server; `PAIRS` has the names."""

    def __init__(self, name: str, *replies: Answer, otherwise: Otherwise | None = None) -> None:
        super().__init__(*replies, otherwise=otherwise)
        before, after, self.model = PAIRS[name]
        self.idle, self.awake = load(before), load(after)
        _forget_context(self.idle)
        self.look_seconds = 0.0
        """Before an answer to anything but a request for an answer, once it is awake."""
        self.failures = 0
        """So many questions to the awake server are answered with status 500."""

    async def other(self, request: Received) -> tuple[int, Json]:
        """As the recordings have it."""
        if self.requests and self.failures:
            self.failures -= 1
            return 500, "busy"
        if self.requests:
            await asyncio.sleep(self.look_seconds)
        wire = self.awake if self.requests else self.idle
        said = wire.answer(Asked(request.method, request.path, request.body))
        return said.get("status", 200), said["body"]


def _forget_context(wire: Wire) -> None:
    """What no server tells of a model that it never had in memory."""
    told: dict[str, Any] = copy.deepcopy(dict(wire.told))
    answers = told["answers"]
    answers.get("POST /api/show", {}).get("body", {}).pop("parameters", None)
    for row in answers["GET /v1/models"]["body"]["data"]:
        row.pop("meta", None)
    wire.told = told
