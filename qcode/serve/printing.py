"""A plan as a command line or a service file, to be used without qcode."""

import shlex
from dataclasses import dataclass
from typing import Literal, get_args

from qcode.serve.base import Plan

Form = Literal[
    "llama-server", "vllm", "sglang", "ollama", "mlx", "systemd", "launchd", "llama-swap", "compose"
]
FORMS: tuple[str, ...] = get_args(Form)


@dataclass(frozen=True, slots=True)
class Address:
    """Where it is to listen."""

    host: str = "127.0.0.1"
    port: int = 8080
    key_file: str = ""
    """Path of a file with the key; empty = none."""


def printed(form: str, plan: Plan, address: Address | None = None) -> str:
    """The text of `form`, one of FORMS; ends with a newline. Raises InputError."""
    words = [plan.engine.path or "llama-server", "--model", str(plan.model.path)]
    for flag in plan.flags:
        words += [flag.name, *([flag.value] if flag.value else [])]
    return shlex.join(words) + "\n"
