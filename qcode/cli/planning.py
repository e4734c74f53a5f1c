"""A model file, wishes and settings -> how it would be served here, and why.

Who joins a server that runs needs none of it.
"""

import re
from collections.abc import Callable, Sequence
from pathlib import Path

from msgspec.structs import replace

from qcode.config.model import Config
from qcode.protocol.errors import ConfigError
from qcode.serve import engines, shared
from qcode.serve.base import Engine, Flag, Machine, ModelFile, Plan, Wants
from qcode.serve.fields import SETTERS
from qcode.serve.gguf import read
from qcode.serve.hardware import look
from qcode.serve.plan import plan

Say = Callable[[str], None]


def planned(file: Path, wants: Wants, config: Config, folder: Path) -> Plan:
    """How it would be served here; what programs told of themselves is kept in `folder`. Raises
    ConfigError and InputError."""
    return _planned(look(), file, wants, config, folder)


def _planned(machine: Machine, file: Path, wants: Wants, config: Config, folder: Path) -> Plan:
    engine = engines.find(machine, config.serve.binary, folder)
    return _flagged(plan(machine, read(file), engine, wants), config)


def plan_to_print(file: Path, wants: Wants, config: Config) -> Plan:
    """The same for a `llama-server`, also where none is installed."""
    machine = look()
    engine = _server_of(machine, config)
    return _flagged(plan(machine, read(file), engine, wants), config)


def plan_unseen(model: ModelFile, wants: Wants, config: Config) -> Plan:
    """The same of a model that is not on this machine, as the table knows it."""
    machine = look()
    found = _flagged(plan(machine, model, _server_of(machine, config), wants), config)
    told = (
        f"{model.hub} is not on this machine, so this is planned by qcode's table of models and "
        f"not by the file. qcode models pull {model.hub} fetches it."
    )
    return replace(found, remarks=(told, *found.remarks))


def plan_in_room(file: Path, wants: Wants, config: Config, folder: Path, say: Say) -> Plan:
    """The plan, for which servers told of in `folder` that nobody uses make room: a plan for what
    memory they leave is a slow one."""
    machine = look()
    found = _planned(machine, file, wants, config, folder)
    if found.fits and not machine.gpus:
        return found
    ended = [card.alias for place, card in shared.servers(folder) if shared.end_unused(place)]
    if not ended:
        return found
    say(f"{', '.join(ended)} made room for it: nobody used it any more.")
    return planned(file, wants, config, folder)


def _flagged(found: Plan, config: Config) -> Plan:
    """With the person's own flags in the place of those of the same name."""
    own = own_flags(config.serve.flags)
    _check_flags(found, own)
    names = {flag.name for flag in own}
    kept = (flag for flag in found.flags if flag.name not in names)
    return replace(found, flags=(*kept, *own))


def own_flags(said: Sequence[str]) -> list[Flag]:
    """What `serve.flags` says: a flag and its value in one string, or in two as a list of words for
    a command has them. Raises ConfigError."""
    pairs: list[list[str]] = []
    for text in map(str.strip, said):
        name, _, value = text.partition("=" if re.match(r"--[\w-]+=", text) else " ")
        if re.match(r"--?[A-Za-z]", text):
            pairs.append([name, value.strip()])
        elif pairs and not pairs[-1][1]:
            pairs[-1][1] = text
        else:
            raise ConfigError(
                f"serve.flags has {text!r} where a flag of llama-server should stand. Write "
                '"--threads 4", or "--threads", "4".'
            )
    return [Flag(name, value, "as serve.flags says") for name, value in pairs]


def _check_flags(found: Plan, own: Sequence[Flag]) -> None:
    """What was planned may be left out by an engine that has no such thing; what was asked for may
    not. Raises ConfigError."""
    unknown = [flag.name for flag in own if flag.name not in SETTERS]
    if found.engine.backend == "xllamacpp" and unknown:
        raise ConfigError(
            f"serve.flags has {', '.join(unknown)}, which xllamacpp does not know. Write the long "
            "name as llama-server spells it (--threads 4), or install a llama-server."
        )


def _server_of(machine: Machine, config: Config) -> Engine:
    try:
        found = engines.find(machine, config.serve.binary)
    except ConfigError:
        found = None
    if found and found.backend == "llama-server":
        return found
    vendors = {"nvidia": "cuda", "amd": "rocm", "intel": "vulkan", "apple": "metal"}
    could = tuple(dict.fromkeys(vendors[gpu.vendor] for gpu in machine.gpus))
    return Engine("llama-server", "llama-server", 0, could)
