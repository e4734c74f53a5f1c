"""Commands that only read, as data: what `plan` mode lets run.

Options are listed, not excluded: an option that nobody listed may write files or run a pager.
Operands must lie below the working folder as far as their spelling tells; links are not followed
here, so this is a help for people who watch, and no boundary.
"""

import re
from collections.abc import Mapping, Sequence

import msgspec

from qcode.permission.shell import Line
from qcode.permission.words import Word, names

_NUMBER = r"-n?\d+|-[nc]|-[nc]\d+|--(?:lines|bytes)=\d+"


class Reader(msgspec.Struct, frozen=True):
    """How a command may be called."""

    options: str = r"(?!)"
    """Pattern that each option must match whole."""
    words: int = 0
    """So many operands at the start are no paths: a pattern, a script."""
    first: str = ".*"
    """Pattern of these operands."""
    least: int = 0
    """Fewer operands than this would write: `git stash`."""
    most: int = 1000
    """More operands than this would write: `uniq IN OUT`, `hostname NAME`."""


_ANY_WORDS = 1000

COMMANDS: Mapping[str, Reader] = {
    "basename": Reader("-[az]+", _ANY_WORDS),
    "cat": Reader("-[AbeEnstTuv]+|--number|--show-all"),
    "cmp": Reader("-[bls]+"),
    "comm": Reader("-[123]+"),
    "cut": Reader(r"-[dfcb].*|--(?:delimiter|fields)=.*|-s"),
    "date": Reader("-[uR]|-I.*|--utc|--iso-8601.*", _ANY_WORDS, r"\+.*"),
    "df": Reader("-[hHkTi]+"),
    "diff": Reader(r"-[abBcdeEinNpqrsStTuwyZ]+|-[UC]\d*|--(?:brief|unified|color|recursive)"),
    "dirname": Reader("-z", _ANY_WORDS),
    "du": Reader(r"-[abchHkmsSx]+|-d\d*|--(?:max-depth=\d+|human-readable|summarize)"),
    "echo": Reader("-.*", _ANY_WORDS),
    "egrep": Reader(r"-[abcEFGhHiIlLnoqrsvwxz]+|-[ABCm]\d*|--(?:include|exclude)=.*|--color.*", 1),
    "false": Reader(most=0),
    "fgrep": Reader(r"-[abchHiIlLnoqrsvwxz]+|-[ABCm]\d*|--(?:include|exclude)=.*|--color.*", 1),
    "file": Reader("-[bhikL0]+|--(?:brief|mime|mime-type)"),
    "find": Reader(
        "-(?:name|iname|path|ipath|type|size|mtime|mmin|newer|maxdepth|mindepth|not|o|or|a|and"
        "|print|print0|empty|prune|regex|iregex|perm|depth|ls|quit|xdev|executable|readable)"
    ),
    "grep": Reader(
        r"-[abcEFGhHiIlLnoPqrsvwxz]+|-[ABCm]\d*|--(?:include|exclude|exclude-dir)=.*|--color.*", 1
    ),
    "head": Reader(_NUMBER + "|-[qv]"),
    "id": Reader("-[ugGnr]+", _ANY_WORDS),
    "jq": Reader("-[rcesSnaj]+", 1, r"(?!.*(?:\$ENV|\benv\b|\binclude\b|\bimport\b)).*"),
    "ls": Reader("-[1aAbBcCdfFghHiIklLmnNopqQrRsStTuUvwxXZ]+|--(?:all|color.*|time-style=.*)"),
    "md5sum": Reader("-[bt]"),
    "nl": Reader("-[bhfnw].*"),
    "printf": Reader(words=_ANY_WORDS, first=r"(?!.*%n).*"),
    "pwd": Reader("-[LP]", most=0),
    "readlink": Reader("-[femnqsvz]+"),
    "realpath": Reader("-[emsqz]+"),
    "rev": Reader(),
    "rg": Reader(
        r"-[aciFHhIlNnoPpSsUuvwx0.]+|-[ABCmtgT]\d*|-[gtT].+"
        r"|--(?:hidden|no-ignore|no-heading|heading|line-number|ignore-case|smart-case|sort"
        r"|glob|iglob|type|type-not|max-count|max-depth|context|count|files-with-matches"
        r"|fixed-strings|word-regexp|multiline|json|stats|vimgrep|color)(?:=.*)?",
        1,
    ),
    "sed": Reader("-n|--quiet|--silent", 1, r"(?:(?:\d+|\$)(?:,(?:\d+|\$|\+\d+))?p;?)+"),
    "seq": Reader("-[sw].*", _ANY_WORDS, r"-?[\d.]+"),
    "sha256sum": Reader("-[bt]"),
    "sort": Reader(r"-[bdfghinMrRsuVz]+|-[kt].*"),
    "stat": Reader("-[Lft]+|-c|--(?:format|printf)=.*"),
    "tac": Reader(),
    "tail": Reader(_NUMBER + r"|-[qv]|-n\+\d+"),
    "tr": Reader("-[cCdst]+", _ANY_WORDS),
    "tree": Reader(r"-[adfghipstuvFrDC]+|-L|-I|-P|--(?:dirsfirst|noreport|gitignore)"),
    "true": Reader(most=0),
    "type": Reader("-[aptP]+", _ANY_WORDS),
    "uname": Reader("-[asnrvmpio]+", most=0),
    "uniq": Reader("-[cdDiuz]+", most=1),
    "wc": Reader("-[clLmw]+"),
    "which": Reader("-a", _ANY_WORDS),
    "whoami": Reader(most=0),
}

_LOG = (
    r"-\d+|-n\d*|-[pPuisw]|-[SGLMCU].*|--(?:oneline|graph|all|stat|patch|no-patch|name-only"
    r"|name-status|no-merges|merges|reverse|follow|decorate|date|since|until|after|before|author"
    r"|grep|pretty|format|abbrev-commit|no-color|shortstat|numstat|first-parent|tags|branches"
    r"|max-count|cached|staged|word-diff|ignore-all-space|unified|diff-filter|color)(?:=.*)?"
)

GIT: Mapping[str, Reader] = {
    "blame": Reader(r"-[wCMs]+|-L.*"),
    "branch": Reader("-[avr]+|-vv|--(?:list|all|show-current|remotes|no-color)", most=0),
    # `--dirty` is not here: it refreshes the index, and a hook of the repository runs then.
    "describe": Reader("--(?:tags|always|long|abbrev=.*)"),
    "diff": Reader(_LOG),
    "grep": Reader(r"-[cEFGhHiIlLnovwW]+|-[ABC]\d*|--(?:count|name-only|cached|untracked)", 1),
    "log": Reader(_LOG),
    "ls-files": Reader("-[cdmostuz]+|--(?:others|cached|modified|deleted|exclude-standard)"),
    "ls-tree": Reader("-[drtlz]+|--name-only"),
    "merge-base": Reader("--(?:all|is-ancestor)"),
    "reflog": Reader(r"-\d+|-n\d*", words=1, first="show", most=2),
    "remote": Reader("-v", most=0),
    "rev-list": Reader(r"--(?:count|all|no-merges|left-right|max-count=\d+)|-\d+"),
    "rev-parse": Reader("--(?:show-toplevel|abbrev-ref|short|git-dir|verify|is-inside-work-tree)"),
    "shortlog": Reader("-[sne]+"),
    "show": Reader(_LOG),
    "stash": Reader(words=1, first="list", least=1, most=1),
    "status": Reader("-[sbuvz]+|--(?:short|branch|porcelain.*|long|ignored|untracked-files.*)"),
    "tag": Reader("-[ln]+|--list", most=0),
}

HIDDEN = names(".git .qcode .claude .ssh .gnupg .aws .netrc")
"""Names whose content is no business of an unasked command."""


def is_read_only(line: Line) -> bool:
    """Does every command of `line` only read, and only below the working folder?"""
    if line.unclear or not line.commands:
        return False
    return all(_reads(command.words) for command in line.commands)


def _reads(words: Sequence[Word]) -> bool:
    if any(word.kind == "computed" or _globs_first(word) for word in words):
        return False
    texts = [word.text for word in words]
    if texts[0] != "git":
        reader = COMMANDS.get(texts[0])
        return reader is not None and _fits(texts[1:], reader)
    rest = texts[2:] if texts[1:2] == ["--no-pager"] else texts[1:]
    git = GIT.get(rest[0]) if rest else None
    return git is not None and _fits(rest[1:], git)


def _globs_first(word: Word) -> bool:
    """A file named like an option could take the place of `*`."""
    return word.kind == "glob" and word.text[0] in "*?["


def _fits(arguments: Sequence[str], reader: Reader) -> bool:
    """Are all options listed, and all operands in place?"""
    end = arguments.index("--") if "--" in arguments else len(arguments)
    options = [text for text in arguments[:end] if text.startswith("-") and text != "-"]
    operands = [text for text in arguments[:end] if text not in options] + [*arguments[end + 1 :]]
    said, paths = operands[: reader.words], operands[reader.words :]
    return (
        reader.least <= len(operands) <= reader.most
        and all(re.fullmatch(reader.options, option) for option in options)
        and all(re.fullmatch(reader.first, word, re.DOTALL) for word in said)
        and all(map(_below, paths))
    )


def _below(path: str) -> bool:
    """Does `path` stay below the working folder, by its spelling?"""
    parts = path.casefold().split("/")
    return not path.startswith(("/", "~")) and ".." not in parts and not HIDDEN & set(parts)
