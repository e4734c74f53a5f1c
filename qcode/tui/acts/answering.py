"""Who answers, and how: server, model, profile, mode, thinking, sampling, rules."""

import asyncio
from typing import TypeVar

from qcode.protocol.errors import InputError
from qcode.protocol.inputs import Begin, Input, SetSampling
from qcode.server.endpoint import normalise
from qcode.tui.acts.hands import Acts, Hands
from qcode.tui.home import Wanted
from qcode.tui.screens.choosing import (
    models_at,
    of_mode,
    of_model,
    of_profile,
    of_rules,
    of_sampling,
    of_server,
    of_thinking,
)
from qcode.tui.screens.pickers import About, Picker

Given = TypeVar("Given", bound=Input)


async def _choose(hands: Hands, about: About[Given]) -> None:
    chosen = await hands.ask(Picker(about, hands.palette))
    if chosen is not None:
        hands.submit(chosen)


async def modes(hands: Hands, _: str) -> None:
    """The four modes with what each allows."""
    await _choose(hands, of_mode(hands.talk.status.mode, hands.held.fence))


async def thinking(hands: Hands, _: str) -> None:
    """Budgets."""
    settings = hands.talk.settings
    await _choose(hands, of_thinking(settings.thinking_budget, settings.max_tokens))


async def sampling(hands: Hands, _: str) -> None:
    """Presets with the values that will be sent."""
    status, settings = hands.talk.status, hands.talk.settings
    now = SetSampling(
        **{  # type: ignore[arg-type] # the event has them by the input's names
            name: value
            for name, value in settings.sampling.items()
            if name in SetSampling.__struct_fields__
        }
    )
    await _choose(hands, of_sampling(status.model, settings.thinking_budget, now))


async def models(hands: Hands, _: str) -> None:
    """Those of this server."""
    held = hands.held
    if not held.base_url:
        await servers(hands, "")
        return
    names = models_at(held.base_url, await asyncio.to_thread(held.key_for, held.base_url))
    await _choose(hands, of_model(hands.talk.status.model, names))


async def servers(hands: Hands, _: str) -> None:
    """What answers on this machine."""
    await _choose(hands, of_server(hands.held.base_url))


async def again(hands: Hands, _: str) -> None:
    """Look for a server once more."""
    hands.submit(Begin())


async def address(hands: Hands, words: str) -> None:
    """Begin with the server at that address."""
    await hands.open(Wanted(base_url=normalise(words)))


async def profiles(hands: Hands, _: str) -> None:
    """Those of the settings."""
    if not hands.held.profiles:
        raise InputError("The settings have no profiles. [profiles.NAME] in config.toml makes one.")
    await _choose(hands, of_profile(hands.held.profiles, ""))


async def permissions(hands: Hands, _: str) -> None:
    """All rules, with where they stand."""
    await hands.ask(Picker(of_rules(hands.held.rules, hands.talk.status.mode), hands.palette))


ACTS: Acts = {
    "modes": modes,
    "thinking": thinking,
    "sampling": sampling,
    "models": models,
    "servers": servers,
    "profiles": profiles,
    "permissions": permissions,
    "again": again,
    "address": address,
}
