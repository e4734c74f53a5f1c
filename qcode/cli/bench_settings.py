"""The settings that `qcode bench tasks` compares, out of its flags."""

import argparse
from collections.abc import Iterator
from itertools import product
from typing import get_args

from qcode.bench.task import Kind, Setting
from qcode.cli.args import SAMPLING
from qcode.config.model import Config, ThinkingWord
from qcode.protocol.errors import UsageError
from qcode.protocol.text import one_line

USUAL = "as configured"
"""The name of a setting that changes nothing."""

Choice = tuple[str, tuple[str, ...]]
"""Its name, and flags of `qcode -p`."""


def kinds(text: str) -> tuple[Kind, ...]:
    """Of `bug,redo`, for argparse."""
    words = [word.strip() for word in text.split(",")]
    known = get_args(Kind)
    if not words or any(word not in known for word in words):
        raise argparse.ArgumentTypeError(f"{text!r} is not a list of {' and '.join(known)}")
    return tuple(kind for kind in known if kind in words)


def chosen(arguments: argparse.Namespace, config: Config) -> tuple[Setting, ...]:
    """One of each list with one of each other. Raises UsageError and InputError."""
    served = _served(arguments)
    axes: list[list[Choice]] = [
        [(name, ("--gguf", path)) for name, path in served.items()],
        [*_models(arguments.models), *_profiles(arguments.profiles, config)],
        [*_thinking(arguments.thinking)],
        [*_sampling(arguments.sampling)],
    ]
    settings = [
        Setting(
            " · ".join(name for name, _ in parts) or USUAL,
            _flags(parts),
            served[parts[0][0]] if served else "",
        )
        for parts in product(*filter(None, axes))
    ]
    names = [it.name for it in settings]
    if twice := next((name for name in names if names.count(name) > 1), ""):
        raise UsageError(f"{twice} is named twice. Each setting is compared with the others.")
    return tuple(settings)


def _served(arguments: argparse.Namespace) -> dict[str, str]:
    """Model files, by names."""
    if not arguments.gguf:
        return {}
    if arguments.models or arguments.profiles or arguments.base_url:
        raise UsageError(
            "--gguf brings its own models: leave --models, --profiles and --base-url out."
        )
    from qcode.cli.bench_serving import files  # noqa: PLC0415 - most have a server

    return dict(files(arguments.gguf))


def _flags(parts: tuple[Choice, ...]) -> tuple[str, ...]:
    return tuple(word for _, flags in parts for word in flags)


def _listed(text: str) -> list[str]:
    return [word.strip() for word in text.split(",") if word.strip()]


def _models(text: str) -> Iterator[Choice]:
    for name in _listed(text):
        yield one_line(name, 60), ("--model", name)


def _profiles(text: str, config: Config) -> Iterator[Choice]:
    for name in _listed(text):
        if name not in config.profiles:
            known = ", ".join(config.profiles) or "none"
            raise UsageError(f"There is no profile {name!r} in your settings; there are: {known}.")
        yield name, ("--model", name)


def _thinking(text: str) -> Iterator[Choice]:
    for word in _listed(text):
        if word not in get_args(ThinkingWord) and not word.isdecimal():
            known = ", ".join(get_args(ThinkingWord))
            raise UsageError(f"--thinking: {word!r} is none of {known}, and no number of tokens.")
        yield f"think {word}", ("--think", word)


def _sampling(text: str) -> Iterator[Choice]:
    for words in _listed(text):
        flags: list[str] = []
        for word in words.split("+"):
            name, _, value = word.partition("=")
            name = name.strip().replace("-", "_")
            if name not in SAMPLING or not _is_number(value):
                known = ", ".join(SAMPLING)
                raise UsageError(f"--sampling: {word!r} is no NAME=NUMBER; names are {known}.")
            flags += (f"--{name.replace('_', '-')}={value.strip()}",)
        yield words, tuple(flags)


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
