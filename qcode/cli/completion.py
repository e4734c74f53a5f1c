"""`qcode completion`: code that makes a shell complete qcode's words.

Everything is read from the parsers, so a new flag completes as soon as it exists. What a program
cannot know from a parser stands in `WORDS`. The shells' own words are in `completion_shells`.
"""

import argparse
import importlib
import sys
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import get_args

from qcode.cli import completion_shells as shells
from qcode.cli import dispatch
from qcode.cli.args import parser as main_parser
from qcode.cli.completion_fish import fish
from qcode.cli.pages import TOPICS
from qcode.cli.parser import Parser
from qcode.config.model import ModeWord, ThinkingWord
from qcode.doctor.probes.table import DEEP, PROBES
from qcode.serve.catalog import catalog

WORDS: Mapping[str, tuple[str, ...]] = {
    "permission_mode": get_args(ModeWord),
    "think": get_args(ThinkingWord),
    "thinking": get_args(ThinkingWord),
    "only": tuple(probe.name.replace(" ", "-") for probe in (*PROBES, *DEEP)),
    "kinds": ("bug", "redo", "bug,redo"),
    "topic": tuple(sorted({*TOPICS, *dispatch.SUBCOMMANDS})),
}
"""`dest` of a flag or word without choices -> words that are good for it."""

_FETCHED, _SERVED = ("models", "pull"), ("serve",)
"""Where a word behind it is a model: of the hub alone, or a file, too."""

SUBCOMMANDS = (
    *("sessions", "review", "servers", "auth", "config", "permissions", "sandbox"),
    *("audit", "trust", "paths", "bug", "help", "doctor", "serve", "bench"),
    "models",
)
"""Modules of this folder that can `add` themselves to a parser."""

SHELLS = {"bash": shells.bash, "zsh": shells.zsh, "fish": fish}

DESCRIPTION = """\
Print code that makes your shell complete qcode's words.

  bash   echo 'eval "$(qcode completion bash)"' >> ~/.bashrc
  zsh    echo 'eval "$(qcode completion zsh)"' >> ~/.zshrc     (behind compinit)
  fish   qcode completion fish > ~/.config/fish/completions/qcode.fish
"""


def main(argv: list[str]) -> int:
    """Print the code for a shell; returns the exit code."""
    parser = _parser()
    found = parser.parse_args(argv)
    sys.stdout.write(SHELLS[found.shell](tuple(levels())))
    return 0


def _parser() -> Parser:
    made = Parser(
        prog="qcode completion",
        description=DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    made.add_argument("shell", choices=SHELLS)
    return made


Parsers = Mapping[str, argparse.ArgumentParser]


def parsers() -> tuple[Parsers, Mapping[str, str]]:
    """Of all subcommands, by name; and what each is for."""
    top = Parser(prog="qcode", add_help=False)
    group = top.add_subparsers()
    for name in SUBCOMMANDS:
        importlib.import_module(f"qcode.cli.{name}").add(group)
    demo = importlib.import_module("qcode.cli.demo")
    names = {**group.choices, "demo": demo.parser(), "completion": _parser()}
    helps = {pseudo.dest: pseudo.help or "" for pseudo in group._choices_actions}
    helps |= {"demo": "watch it mend a bug", "completion": "code for your shell"}
    return names, helps


def levels() -> Iterator[shells.Level]:
    """What may stand behind `qcode`, and behind each of its subcommands."""
    names, helps = parsers()
    below = tuple(shells.Word(name, helps.get(name, "")) for name in names)
    yield shells.Level((), below, tuple(_flags(main_parser())))
    for name, parser in names.items():
        yield from _level((name,), parser)


def _level(path: tuple[str, ...], parser: argparse.ArgumentParser) -> Iterator[shells.Level]:
    words: list[shells.Word] = []
    deeper: list[shells.Level] = []
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            helps = {pseudo.dest: pseudo.help or "" for pseudo in action._choices_actions}
            words += [shells.Word(name, helps.get(name, "")) for name in action.choices]
            for name, inner in action.choices.items():
                deeper += _level((*path, name), inner)
        elif action.dest == "model" and path == _FETCHED:
            words += [shells.Word(handle, "") for handle in handles()]
        elif action.dest == "model" and path == _SERVED:
            words += [shells.Word(f"hf:{handle}", "") for handle in handles()]
        elif not action.option_strings:
            choices = action.choices or WORDS.get(action.dest, ())
            words += [shells.Word(str(choice), "") for choice in choices]
    takes: shells.Takes = "model" if path == _SERVED else "word"
    yield shells.Level(path, tuple(words), tuple(_flags(parser)), takes)
    yield from deeper


@cache
def handles() -> tuple[str, ...]:
    """Of the models of the table, as `qcode models pull` takes them."""
    return tuple(
        f"{model.repository}:{file.quantisation}"
        for model in catalog().models
        for file in model.files
    )


def _flags(parser: argparse.ArgumentParser) -> Iterator[shells.Flag]:
    for action in parser._actions:
        if action.option_strings and action.help is not argparse.SUPPRESS:
            yield shells.Flag(
                tuple(action.option_strings),
                (action.help or action.dest.strip("_").replace("_", " ")).replace("%%", "%"),
                _takes(action),
                _words(action),
            )


def _words(action: argparse.Action) -> tuple[str, ...]:
    if action.dest == "gguf":
        return tuple(f"hf:{handle}" for handle in handles())
    return WORDS.get(action.dest, tuple(map(str, action.choices or ())))


def _takes(action: argparse.Action) -> shells.Takes:
    if action.nargs == 0:
        return "nothing"
    if action.dest == "gguf":
        return "model"
    if action.type is Path:
        return "folder" if action.metavar == "DIR" else "file"
    return "word"
