"""argparse that speaks in sentences, and the kinds of values that flags take."""

import argparse
import difflib
import re
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, NoReturn

from qcode.protocol.errors import UsageError

if TYPE_CHECKING:
    Subparsers = argparse._SubParsersAction[argparse.ArgumentParser]

_CHOICE = re.compile(r"invalid choice: '(.*?)' \(choose from (.*)\)$", re.DOTALL)
_ARGUMENT = re.compile(r"argument (\S+): (.*)$", re.DOTALL)
_FLAG = re.compile(r"--?[A-Za-z][\w-]*(=.*)?", re.DOTALL)
_HUMP = re.compile(r"([a-z])([A-Z])")
_REQUIRED = re.compile(r"the following arguments are required: (.*)$")


class Parser(argparse.ArgumentParser):
    """Raises UsageError where argparse prints ten lines of usage and ends the process.

    The parsers of its subcommands are of this class, too. No flag may be abbreviated: a new one
    must not change what an old script says.
    """

    def __init__(self, **said: Any) -> None:
        super().__init__(allow_abbrev=False, **said)

    def error(self, message: str) -> NoReturn:
        """Say what is wrong in a sentence."""
        said = self._missing(message) or _flag_first(message)
        raise UsageError(f"{said}. {self._hint(message)}{self.prog} --help lists the flags.")

    def _missing(self, message: str) -> str:
        """What to add where a word is missing; empty = none is."""
        found = _REQUIRED.match(message)
        if found is None:
            return ""
        for action in self._actions:
            if action.required and action.choices and not action.option_strings:
                return f"Say which: {self.prog} {' | '.join(map(str, action.choices))}"
        return f"{found[1].upper()} is missing: {self.prog} {found[1].upper()}"

    def _hint(self, message: str) -> str:
        choice = _CHOICE.search(message)
        words = (word.strip(" '") for word in choice[2].split(",")) if choice else ()
        return meant(choice[1], words) if choice else ""

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> tuple[Any, list[str]]:
        """Knows all of them, or raises: else a subcommand would leave what it does not know to
        the parser above it, which has other flags."""
        found, unknown = super().parse_known_args(args and self._bound(args), namespace)
        if unknown:
            raise UsageError(f"{self._about(unknown[0])}{self.prog} --help lists the flags.")
        return found, []

    def _bound(self, words: Sequence[str]) -> list[str]:
        """What stands behind a long flag that takes a value is its value, though it begins with a
        dash as lists and front matter do: programs pass such texts as words of their own."""
        takes = {flag for it in self._actions if it.nargs is None for flag in it.option_strings}
        found: list[str] = []
        for at, word in enumerate(words):
            if word == "--":
                return [*found, *words[at:]]
            word = self._spelt(word)
            is_text = word.startswith("-") and not _FLAG.fullmatch(word)
            if is_text and found and found[-1] in takes and found[-1].startswith("--"):
                found[-1] += f"={word}"
            else:
                found.append(word)
        return found

    def spelt(self, words: Sequence[str]) -> list[str]:
        """`words` with flags as they are declared."""
        end = words.index("--") if "--" in words else len(words)
        return [*map(self._spelt, words[:end]), *words[end:]]

    def _spelt(self, word: str) -> str:
        """`--maxTurns` is `--max-turns`: other command lines know either."""
        flag, sign, value = word.partition("=")
        known = _HUMP.sub(r"\1-\2", flag).lower()
        is_other = flag.startswith("--") and flag not in self.flags() and known in self.flags()
        return f"{known}{sign}{value}" if is_other else word

    def _about(self, unknown: str) -> str:
        """Repeats no more than the name of a flag: what else stands there may be a key."""
        if unknown.startswith("-"):
            flag = unknown.split("=")[0]
            return f"There is no flag {flag}. {meant(flag, self.flags())}"
        quotes = "Put a prompt of several words in quotes. " if self.prog == "qcode" else ""
        return f"There are too many words. {quotes}"

    def flags(self) -> list[str]:
        """Every spelling of every flag."""
        return [flag for action in self._actions for flag in action.option_strings]


def _flag_first(message: str) -> str:
    """argparse's sentence about a flag's value, under the flag's long name alone."""
    found = _ARGUMENT.match(message)
    if found is None:
        return message
    names = found[1].split("/")
    name = next((name for name in names if name.startswith("--")), names[0])
    if choice := _CHOICE.match(found[2]):
        known = ", ".join(word.strip(" '") for word in choice[2].split(","))
        return f"{name}: {choice[1]!r} is none of {known}"
    return f"{name}: {found[2].replace('expected one argument', 'a value must follow it')}"


def meant(word: str, known: Iterable[str]) -> str:
    """`Did you mean list? `, or nothing where no known word is near."""
    close = difflib.get_close_matches(word, [*known], 1)
    return f"Did you mean {close[0]}? " if close else ""


def parsed(name: str, add: Callable[["Subparsers"], None], argv: list[str]) -> argparse.Namespace:
    """The arguments of the subcommand that `add` declares. Raises UsageError."""
    top: argparse.ArgumentParser = Parser(prog="qcode")
    add(top.add_subparsers())
    return top.parse_args([name, *argv])


def positive(text: str) -> int:
    """A whole number from 1 on."""
    try:
        number = int(text)
    except ValueError:
        number = 0
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 1 on")
    return number


def count(text: str) -> int:
    """A whole number from 0 on."""
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 0 on")
    return int(text)


def share(text: str) -> float:
    """A number above 0, at most 1."""
    value = between(0, 1)(text)
    if value == 0:
        raise argparse.ArgumentTypeError("0 is too little: write a number above 0, at most 1")
    return value


def sha256(text: str) -> str:
    """A hash, as `qcode trust` shows it."""
    if not re.fullmatch(r"[0-9a-fA-F]{64}", text):
        raise argparse.ArgumentTypeError(f"{text!r} is not a hash of 64 hexadecimal digits")
    return text.lower()


def duration(text: str) -> float:
    """Seconds of `90`, `90s`, `15m`, `2h`."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)([smh]?)", text.strip())
    if match is None or float(match[1]) <= 0:
        raise argparse.ArgumentTypeError(f"{text!r} is not a time such as 90s, 15m or 2h")
    return float(match[1]) * {"": 1, "s": 1, "m": 60, "h": 3600}[match[2]]


def between(low: float, high: float) -> Callable[[str], float]:
    """A number from `low` to `high`."""

    def number(text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            value = float("nan")
        if not low <= value <= high:
            raise argparse.ArgumentTypeError(f"{text!r} is not a number from {low:g} to {high:g}")
        return value

    return number
