"""A command line -> its simple commands, or why that cannot be told.

Two readers must agree: bash's grammar (`syntax`) and bash's quoting (`words`). Where they differ,
or meet something that can run code, write files or change state, the line is unclear: no prefix
rule allows it. Every command that was seen is kept all the same, for deny rules and for eyes.

A fence, not this file, is what stops a command. This decides whether to ask.
"""

import shlex
from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import pairwise
from typing import Literal

import msgspec

from qcode.permission.code import runs_code
from qcode.permission.runners import inside
from qcode.permission.syntax import outline
from qcode.permission.words import (
    CONTROL,
    REDIRECTS,
    Unclear,
    Word,
    lex,
    loose,
    names,
    oddities,
    scan,
)
from qcode.permission.wrappers import unwrap

LONGEST = 10_000
MOST_PARTS = 50
DEEPEST = 4

_DESCRIPTORS = frozenset("0123456789")
_LEADING = names("if then elif else fi while until do done { } !")
"""Reserved words that stand before a command, or where one could be."""


class Simple(msgspec.Struct, frozen=True):
    """One simple command."""

    words: tuple[Word, ...]
    """At least one."""
    named: int = 1
    """So many of them an allow rule must name: with `uv run pytest` also what is run."""

    def __str__(self) -> str:
        return " ".join(_shown(word) for word in self.words)


class Redirected(msgspec.Struct, frozen=True):
    """A file that the shell opens for a command."""

    kind: Literal["read", "edit"]
    target: Word

    def __str__(self) -> str:
        return f"it {'reads' if self.kind == 'read' else 'writes'} {self.target.text}"


class Line(msgspec.Struct, frozen=True):
    """What is known of a command line."""

    text: str
    commands: tuple[Simple, ...]
    """Each needs a rule that allows it; wrappers are replaced by what they run."""
    wrappers: tuple[Simple, ...] = ()
    """`timeout`, `sh -c`, … as written: only deny and ask rules look at them."""
    inner: tuple[Simple, ...] = ()
    """What runners such as `uv run` run: only deny and ask rules look at it by itself."""
    unclear: tuple[str, ...] = ()
    """Why no prefix rule may allow it, as clauses; empty = everything was understood."""
    scanned: tuple[str, ...] = ()
    """Every word of the text without quotes; only filled when unclear, for deny rules."""
    files: tuple[Redirected, ...] = ()
    """Files of redirections; each is a reason in `unclear` as well."""


def _shown(word: Word) -> str:
    return shlex.quote(word.text) if word.kind == "fixed" else word.text


@lru_cache(maxsize=64)
def split(line: str) -> Line:
    """The simple commands of `line`. Never raises; looks at nothing but the text."""
    if len(line) > LONGEST:
        reason = f"it is longer than {LONGEST:,} characters"
        return Line(line, (), unclear=(reason,), scanned=scan(line))
    found = _Found()
    found.read(line, 0)
    reasons = dict.fromkeys(found.reasons)
    if not found.commands and not reasons:
        reasons["it has no command"] = None
    return Line(
        line,
        tuple(found.commands),
        tuple(found.wrappers),
        tuple(found.inner),
        tuple(reasons),
        scan(line) if reasons else (),
        tuple(found.files),
    )


class _Found:
    """Collects commands while lines and wrappers are opened."""

    def __init__(self) -> None:
        self.commands: list[Simple] = []
        self.wrappers: list[Simple] = []
        self.inner: list[Simple] = []
        self.reasons: list[str] = []
        self.files: list[Redirected] = []

    def read(self, line: str, depth: int) -> None:
        """Take up every command of `line`."""
        commands, reasons, files = _commands(line)
        self.reasons += [*reasons, *map(str, files)]
        self.files += files
        for words in commands:
            self.take(words, depth)

    def take(self, words: tuple[Word, ...], depth: int) -> None:
        """Take up one command and what it runs."""
        if len(self.commands) + len(self.wrappers) + len(self.inner) >= MOST_PARTS:
            self.reasons.append(f"it has more than {MOST_PARTS} parts")
            return
        inner = unwrap(words)
        runner = inside(words) if inner is None else None
        if inner is None or inner.own == "judge":
            self.commands.append(Simple(words, runner.at + 1 if runner else 1))
            self.reasons += filter(None, [runs_code(words)])
        else:
            self.wrappers.append(Simple(words))
        if inner and depth >= DEEPEST:
            self.reasons.append(f"commands in it run commands more than {DEEPEST} deep")
        elif inner:
            self.reasons += inner.reasons
            for command in inner.commands:
                self.take(command, depth + 1)
            for text in inner.lines:
                self.read(text, depth + 1)
        if runner:
            self.reasons += runner.reasons
            self._look_into(words[runner.at :], depth + 1)

    def _look_into(self, words: tuple[Word, ...], depth: int) -> None:
        """What a runner runs, for deny rules; what is unclear in it counts for all."""
        if not words:
            return
        if depth > DEEPEST:
            self.reasons.append(f"commands in it run commands more than {DEEPEST} deep")
            return
        found = _Found()
        found.take(words, depth)
        self.inner += (*found.commands, *found.wrappers, *found.inner)
        self.reasons += found.reasons


def _commands(line: str) -> tuple[list[tuple[Word, ...]], list[str], list[Redirected]]:
    """The commands that stand in `line` itself, what is unclear about it, and files it opens."""
    tree = outline(line)
    reasons = [*oddities(line), *tree.reasons]
    by_grammar = [tuple(loose(line[start:end]) for start, end in argv) for argv in tree.commands]
    try:
        tokens = lex(line)
    except Unclear as unclear:
        return by_grammar, [*reasons, str(unclear)], []
    by_quoting = list(_segments(tokens))
    found = list(_redirections(tokens))
    files = [each for each in found if isinstance(each, Redirected)]
    reasons += [each for each in found if isinstance(each, str)]
    agreed = _names(by_quoting) == {argv[0][0] for argv in tree.commands} and tree.units == {
        (token.start, token.end) for token in tokens if isinstance(token, Word)
    }
    if reasons or (files and not agreed):
        return by_grammar or by_quoting, reasons or ["it can be read in two ways"], files
    return by_quoting, [] if agreed else ["it can be read in two ways"], files


def _names(commands: Sequence[tuple[Word, ...]]) -> set[int]:
    return {words[0].start for words in commands}


def _segments(tokens: Sequence[Word | str]) -> Iterator[tuple[Word, ...]]:
    """The words between control operators, without redirections and leading reserved words."""
    words: list[Word] = []
    target = False
    for token in (*tokens, ";"):
        if isinstance(token, Word):
            leads = not words and token.spelling == "bare" and token.text in _LEADING
            if not target and not leads:
                words.append(token)
            target = False
        elif token in CONTROL:
            if words:
                yield tuple(words)
            words, target = [], False
        else:
            target = True


def _redirections(tokens: Sequence[Word | str]) -> Iterator[Redirected | str]:
    """Files that are read or written beside the commands, or why that cannot be told."""
    for sign, target in pairwise((*tokens, ";")):
        if not isinstance(sign, str) or sign not in REDIRECTS:
            continue
        if not isinstance(target, Word):
            yield "a redirection in it has no target"
        elif target.kind == "fixed" and target.text == "/dev/null":
            continue
        elif not (sign in (">&", "<&") and target.text in _DESCRIPTORS):
            yield Redirected("read" if sign.startswith("<") else "edit", target)
