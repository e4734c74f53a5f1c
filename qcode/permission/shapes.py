"""Commands of a well-known shape: how many of their words an allow rule needs, as data.

`git status -s` is `git status` with any more words; `pytest -q x` is `pytest`. A command that is
not here is allowed only as it stands, and those of `NEVER` not at all: what they run or destroy is
not in their first words.
"""

from collections.abc import Mapping, Sequence

from qcode.permission.words import names

NEVER = names(
    "ash at awk bash batch busybox chmod chown crontab csh dash dd doas ed eval ex exec expect "
    "fish gawk gdb kill killall ksh lldb mawk mkfs mksh mysql nc ncat osascript parallel patch "
    "pkill powershell psql pwsh rm rmdir rsync scp sftp sh shred shutdown socat source sponge "
    "sqlite3 ssh su sudo systemctl tcsh tee telnet toybox truncate vi vim xargs zsh ."
)
"""No rule is offered for these. Some do what comes through a pipe, which no rule shows."""

TRANSPARENT = names("time timeout nice ionice nohup stdbuf")
"""Wrappers that run what stands behind them and change nothing about it."""

_CARGO = names("bench build check clippy doc fmt nextest test tree")
_GO = names("build doc fmt list test version vet")
_GIT = names("add blame commit describe diff log ls-files ls-tree rev-parse shortlog show status")
"""Without `fetch`: behind it may stand any address, and what is told to it."""
_SCRIPTS = names("run run-script")

ELSEWHERE = names("docker docker-compose kubectl nerdctl podman")
"""They run a command where their other words say: allowed only as it stands."""

WHOLE = names(
    "basename black cal cmp ctest df dirname du echo eslint false flake8 gofmt id "
    "isort jest ls mypy nproc prettier printenv ps pwd py.test pylint pyright pytest rspec rustfmt "
    "seq shellcheck stat tree true tsc type uname uptime vitest wc which whoami"
)
"""These with any words: they tell something, check or test."""

BELOW: Mapping[str, frozenset[str]] = {
    "cargo": _CARGO,
    "deno": names("check fmt lint"),
    "dotnet": names("build format test"),
    "git": _GIT,
    "go": _GO,
    "hatch": names("build fmt test"),
    "mix": names("compile format test"),
    "npm": names("ci ls outdated test"),
    "pnpm": names("ls outdated test"),
    "poetry": names("check show"),
    "ruff": names("check format rule"),
    "swift": names("build test"),
    "uv": names("tree"),
    "yarn": names("test"),
}
"""These with one of these words, and any more."""


def known(words: Sequence[str]) -> int:
    """How many of the first words are a well-known shape; 0 = it has none."""
    name, rest = words[0], words[1:]
    if name in WHOLE:
        return 1
    if rest and rest[0] in BELOW.get(name, frozenset()):
        return 2
    if name in ("npm", "pnpm", "yarn", "bun") and len(rest) > 1 and rest[0] in _SCRIPTS:
        return 3
    if name in ("python", "python3") and len(rest) > 1 and rest[0] == "-m" and rest[1] in WHOLE:
        return 3
    return 0
