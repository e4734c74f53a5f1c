"""A plan as a command line or a service file, for those who run their server themselves."""

import shlex
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Literal, get_args

from qcode.protocol.errors import InputError
from qcode.protocol.text import one_line
from qcode.serve import printing_others as others
from qcode.serve import printing_services as services
from qcode.serve.base import Plan
from qcode.serve.command import Address, words

Form = Literal[
    "llama-server", "vllm", "sglang", "ollama", "mlx", "systemd", "launchd", "llama-swap", "compose"
]
FORMS: tuple[str, ...] = get_args(Form)

_WIDTH = 90
_PORTS = {"vllm": 8000, "sglang": 30000, "ollama": 11434}
"""Their own, where qcode looks for them."""


def printed(form: str, plan: Plan, address: Address | None = None) -> str:
    """The text of `form`, one of FORMS; ends with a newline. Raises InputError.

    Without an `address` it is this machine's own, at the port where qcode looks for such a server.
    """
    if form not in _FORMS:
        raise InputError(f"There is no form {form!r}. There are: {', '.join(FORMS)}.")
    return _FORMS[form](plan, address or Address(port=_PORTS.get(form, 8080)))


def _llama_server(plan: Plan, address: Address) -> str:
    return "".join((*_reasons(plan), *_open_door(address), _lines(words(plan, address))))


def _reasons(plan: Plan) -> Iterator[str]:
    """A comment for each flag, the same reason of several together."""
    told: dict[str, list[str]] = {}
    for flag in plan.flags:
        why = f"{flag.why} [{flag.source}]" if flag.source else flag.why
        told.setdefault(why, []).append(flag.name)
    for why, names in told.items():
        yield others.comment(f"{' '.join(names)}: {one_line(why, 400)}")


def _open_door(address: Address) -> Iterator[str]:
    if not address.key_file:
        yield others.comment(
            "Every program of this machine can use it; with --api-key-file FILE it asks for a key."
        )


def _lines(command: Sequence[str]) -> str:
    """One shell command over several lines; a flag and its value stay together."""
    groups: list[str] = []
    for word in command:
        if word.startswith("--") or not groups:
            groups.append(shlex.quote(word))
        else:
            groups[-1] += f" {shlex.quote(word)}"
    rows = [groups[0]]
    for group in groups[1:]:
        if len(rows) > 1 and len(rows[-1]) + len(group) < _WIDTH:
            rows[-1] += f" {group}"
        else:
            rows.append(group)
    return " \\\n  ".join(rows) + "\n"


_FORMS: Mapping[str, Callable[[Plan, Address], str]] = {
    "llama-server": _llama_server,
    "vllm": others.vllm,
    "sglang": others.sglang,
    "ollama": others.ollama,
    "mlx": others.mlx,
    "systemd": services.systemd,
    "launchd": services.launchd,
    "llama-swap": services.llama_swap,
    "compose": services.compose,
}
