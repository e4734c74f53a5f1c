"""A plan as a command line or a service file, for those who run their server themselves."""

import shlex
from collections.abc import Callable, Iterator, Mapping
from typing import Literal, get_args

from qcode.protocol.errors import InputError
from qcode.serve import printing_others as others
from qcode.serve import printing_services as services
from qcode.serve.base import Plan
from qcode.serve.command import Address, words
from qcode.serve.printing_words import comment, one_a_line, reasons, slot_folders

Form = Literal[
    "llama-server", "vllm", "sglang", "ollama", "mlx", "systemd", "launchd", "llama-swap", "compose"
]
FORMS: tuple[str, ...] = get_args(Form)

NO_FILE = frozenset({"vllm", "sglang", "mlx"})
"""Those for which the model's name is enough: they do not run GGUF files."""

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
    made = "".join(f"mkdir -p {shlex.quote(it)}\n" for it in slot_folders(plan))
    command = one_a_line(words(plan, address))
    return "".join((*reasons(plan), *_open_door(address), made, command))


def _open_door(address: Address) -> Iterator[str]:
    if not address.key_file:
        yield comment(
            "Every program of this machine can use it; with --api-key-file FILE it asks for a key."
        )


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
