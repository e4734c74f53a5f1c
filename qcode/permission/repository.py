"""Which settings of a repository are harmless to a git that only reads, as data.

`core.fsmonitor`, `diff.external`, filters, text converters and more name programs that git runs for
a harmless question. Settings are listed, not excluded: of a name that nobody listed, nobody knows.
The user's own settings (`~/.gitconfig`) are theirs, and not looked at. Of hooks one matters: where
commands run, git takes no optional locks, but `git diff` refreshes the index all the same when a
file is newer and still the same, and says so to `post-index-change` (tried with git 2.39).
"""

import re

import msgspec

_KEYS = r"""(?xs)
    core\.(?:abbrev|autocrlf|bare|checkstat|commentchar|compression|eol|filemode|hidedotfiles
        |ignorecase|logallrefupdates|longpaths|pager|precomposeunicode|protecthfs|protectntfs
        |quotepath|repositoryformatversion|safecrlf|sharedrepository|symlinks|trustctime
        |untrackedcache|whitespace)
    |(?:advice|branch|color|column|commit|fetch|gc|gui|i18n|index|init|maintenance|pack|pull|push|rebase
        |receive|rerere|status|tag|transfer|user|versionsort)\..*
    |(?:diff|merge)\.(?:algorithm|colormoved|conflictstyle|ff|mnemonicprefix|noprefix|renamelimit|renames
        |statgraphwidth|suppressblankempty)
    |extensions\.(?:objectformat|refstorage|noop)
    |lfs\.(?:repositoryformatversion|url|.*\.access|.*\.locksverify)
    |log\.(?:abbrevcommit|date|decorate|follow|showroot)
    |remote\..*\.(?:url|pushurl|fetch|push|mirror|prune|prunetags|tagopt|skipfetchall)
    |submodule\.(?:active|.*\.(?:active|branch|url|update))
    """
"""Compiled where it is used: few commands are git's, and it is a millisecond of every start."""

_HEADING = re.compile(r'\[\s*([A-Za-z0-9.-]+)(?:[ \t]+"([^"\\\n]*)")?\s*\]')
_SETTING = re.compile(r"([A-Za-z][A-Za-z0-9-]*)[ \t]*(?:=(.*))?")

_FOLDER = re.compile(r"[\w./-]+")

LARGEST = 256 * 1024
"""Bytes of settings that are looked at."""


HOOK = "post-index-change"


class Settings(msgspec.Struct, frozen=True):
    """What matters of a repository's settings."""

    doubtful: str = ""
    """The first one that could make git run a program or look elsewhere; empty = there is none."""
    hooks: str = "hooks"
    """The folder of its hooks: `hooks` below the repository's own, else from the working tree."""


def settings(text: str) -> Settings:
    """Reads less than git does: what is written in another form than git's own is doubtful."""
    found, section = Settings(), ""
    for line in text.split("\n"):
        plain = line.strip()
        if not plain or plain[0] in "#;":
            continue
        if heading := _HEADING.fullmatch(plain):
            below = f".{heading[2]}" if heading[2] is not None else ""
            section = f"{heading[1].lower()}{below}"
            continue
        setting = _SETTING.fullmatch(plain)
        if setting is None or plain.endswith("\\"):
            return Settings(plain)
        name = f"{section}.{setting[1].lower()}"
        if name == "core.hookspath" and _FOLDER.fullmatch(_said(setting)):
            found = Settings(hooks=_said(setting))
        elif not re.fullmatch(_KEYS, name) or (name == "core.bare" and _said(setting) != "false"):
            return Settings(name)
    return found


def _said(setting: "re.Match[str]") -> str:
    return (setting[2] or "true").strip()
