"""The words of llama-server's command line, as a plan has them."""

import re
from collections.abc import Sequence

import msgspec

from qcode.serve.base import Flag, Plan


class Address(msgspec.Struct, frozen=True):
    """Where it is to listen."""

    host: str = "127.0.0.1"
    port: int = 8080
    key_file: str = ""
    """Path of a file with the key; empty = it asks for none."""


def program(plan: Plan) -> str:
    """The binary; where the plan is made for the package, the one on the PATH."""
    is_binary = plan.engine.backend == "llama-server" and plan.engine.path
    return plan.engine.path if is_binary else "llama-server"


def words(plan: Plan, address: Address) -> tuple[str, ...]:
    """All of them, the program first."""
    key = ("--api-key-file", address.key_file) if address.key_file else ()
    return (
        program(plan),
        *model_words(plan),
        *("--host", address.host, "--port", str(address.port), *key),
        *flag_words(plan.flags),
    )


def model_words(plan: Plan) -> tuple[str, str]:
    """Which file; one that is not here yet llama-server fetches itself."""
    if plan.model.hub:
        return "--hf-repo", plan.model.hub
    return "--model", str(plan.model.path.absolute())


def flag_words(flags: Sequence[Flag]) -> tuple[str, ...]:
    """Names and values, in their order."""
    return tuple(word for flag in flags for word in (flag.name, flag.value) if word)


def short_name(plan: Plan) -> str:
    """For a service or a list of models: the file's name without its ending, in plain signs."""
    stem = plan.model.path.name.removesuffix(".gguf")
    kept = re.sub(r"[^A-Za-z0-9._-]", "-", stem)
    return kept.strip(".-_")[:80].lower() or "model"
