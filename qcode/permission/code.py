"""Arguments by which a harmless-looking command runs other code, as data.

An allow rule such as `Bash(git:*)` never covers a command that has one of these: what it would run
is not in the rule. Deny rules and rules that quote a whole line are not concerned.
"""

import re
from collections.abc import Iterator, Mapping, Sequence

import msgspec

from qcode.permission.words import UNKNOWN, Word, names


class Loaded(msgspec.Struct, frozen=True):
    """How one command is made to run something else.

    In options `-c` also stands for `c` in a bundle, and `--eval` for its abbreviations.
    """

    anywhere: tuple[str, ...] = ()
    """Options that count wherever they stand."""
    own: tuple[str, ...] = ()
    """Options that count before the first operand: what follows belongs to a script."""
    flags: tuple[str, ...] = ()
    """Options without a value, so that the operand after them really is one."""
    exact: tuple[str, ...] = ()
    """Words, up to a `=`, that count wherever they stand."""
    subcommands: tuple[str, ...] = ()
    """First operands."""
    after: Mapping[str, "Loaded"] = msgspec.field(default_factory=dict)
    """Subcommand -> what counts behind it, besides: `-c` is harmless in `git switch -c`."""
    dashless: str = ""
    """Letters that count in the first argument even without a dash, as in `tar xIf`."""
    script: re.Pattern[str] | None = None
    """What each `;` part of the first operand must look like; None = it has no script."""
    operands: re.Pattern[str] | None = None
    """What every operand must look like."""


_ADDRESS = r"(?:\d+|\$|/(?:[^/\\]|\\.)*/)"
_COMMAND = r"(?:[pdq=]|s([/|#,:])(?:(?!\1)[^\\]|\\.)*\1(?:(?!\1)[^\\]|\\.)*\1[gpiI\d]*)"
_SED_PART = re.compile(rf"(?:{_ADDRESS}(?:,{_ADDRESS})?!?)?{_COMMAND}", re.DOTALL)
_AWK_WORD = re.compile(r"(?!.*(?:system|getline|[|>@])).*", re.DOTALL)

_AWK = Loaded(
    ("-f", "-e", "-E", "-l", "-i", "--file", "--source", "--exec", "--load", "--include"),
    operands=_AWK_WORD,
)
_SED = Loaded(
    # `-l` has a value, which would pass for the script.
    ("-f", "-e", "-l", "--file", "--expression", "--line-length"),
    script=_SED_PART,
)
_PYTHON = Loaded(
    own=("-c",),
    flags=("-m", "-u", "-B", "-v", "-E", "-s", "-S", "-I", "-O", "-q"),
    # Modules behind `-m` that run what stands in their arguments or comes on their input.
    subcommands=(
        *("-", "IPython", "asyncio", "bpython", "cProfile", "code", "idlelib", "pdb", "profile"),
        *("ptpython", "runpy", "timeit", "trace"),
    ),
)
_NODE = Loaded(
    own=(
        *("-e", "-p", "-r", "--eval", "--print", "--require", "--import", "--loader"),
        *("--env-file", "--env-file-if-exists", "--experimental-loader"),
    ),
    subcommands=("-",),
)
_PYTEST = Loaded(("-p", "--basetemp", "--confcutdir", "--pdbcls", "--pyargs", "--rootdir"))
"""Plugins by name, code from elsewhere, and a folder that is emptied first."""
_SHELL = Loaded(own=("-c", "-s", "-i", "--init-file", "--rcfile"), subcommands=("-",))
_EVAL = Loaded(own=("-e", "-E", "--eval", "--print"), subcommands=("-",))
_FD = Loaded(("-x", "-X"), exact=("--exec", "--exec-batch"))
_CC = Loaded(
    exact=("-wrapper", "-fplugin", "-load", "-specs", "--specs"),
    operands=re.compile(r"(?!@).*", re.DOTALL),  # a file of more options
)
_MAKE = Loaded(
    ("-E", "--eval", "--file", "--makefile"),
    exact=("-", "-f-"),
    # `x!=id` and `x:=$(shell id)` run at once, `SHELL=x` and `CC=x` when something is built.
    operands=re.compile(r"[^=$!`]*"),
)
_APT = Loaded(("-o", "-c", "--option", "--config-file"))
_PIP = Loaded(("--python", "--config-settings"))
_GRADLE = Loaded(("-I", "--init-script"))

COMMANDS: Mapping[str, Loaded] = {
    "R": _EVAL,
    "Rscript": _EVAL,
    "apt": _APT,
    "apt-get": _APT,
    "awk": _AWK,
    "bash": _SHELL,
    "bun": Loaded(own=("-e", "-p", "-r", "--eval", "--print", "--preload"), subcommands=("x",)),
    "c++": _CC,
    "cargo": Loaded(("--config", "--manifest-path")),
    "cc": _CC,
    "clang": _CC,
    "clang++": _CC,
    "cmake": Loaded(exact=("-E", "-P")),
    "ctest": Loaded(exact=("-S", "-SP", "--script", "--build-and-test", "--test-command")),
    "curl": Loaded(("-K", "--config", "--engine")),
    "dash": _SHELL,
    "deno": Loaded(subcommands=("eval", "repl")),
    "diff3": Loaded(("--diff-program",)),
    "docker": Loaded(own=("-H", "--host", "--context", "--config")),
    "elixir": _EVAL,
    "fd": _FD,
    "fdfind": _FD,
    "eslint": Loaded(("--rulesdir", "--resolve-plugins-relative-to", "--plugin", "--parser")),
    "file": Loaded(("-m", "-C", "--magic-file", "--compile")),
    "find": Loaded(exact=("-delete", "-fprint", "-fprint0", "-fprintf", "-fls", "-files0-from")),
    "fish": _SHELL,
    "g++": _CC,
    "gawk": _AWK,
    "gcc": _CC,
    "gh": Loaded(subcommands=("alias", "config", "extension", "extensions", "ext")),
    "ghc": _EVAL,
    "git": Loaded(
        (
            *("--ext-diff", "--exec", "--open-files-in-pager", "--output", "--receive-pack"),
            *("--template", "--textconv", "--upload-pack"),
        ),
        own=(
            *("-c", "-C", "-p", "--paginate", "--exec-path", "--config-env", "--git-dir"),
            *("--work-tree", "--namespace", "--super-prefix"),
        ),
        flags=("--no-pager", "-P", "--no-optional-locks", "--literal-pathspecs", "--bare"),
        subcommands=(
            *("bisect", "config", "credential", "credential-cache", "credential-store", "daemon"),
            *("difftool", "difftool--helper", "filter-branch", "for-each-repo", "hook"),
            *("instaweb", "maintenance", "merge-index", "mergetool", "remote-ext", "remote-fd"),
            *("send-email", "shell", "submodule", "submodule--helper", "web--browse"),
        ),
        after={
            "clone": Loaded(("-c", "-u", "--config")),
            "grep": Loaded(("-O",)),
            "rebase": Loaded(("-x",)),
        },
    ),
    "go": Loaded(
        exact=("-exec", "--exec", "-toolexec", "--toolexec", "-vettool", "--vettool"),
        after={"env": Loaded(("-w", "-u"))},
    ),
    "gradle": _GRADLE,
    "gradlew": _GRADLE,
    "groovy": _EVAL,
    "gsed": _SED,
    "guile": Loaded(own=("-c", "-e", "-l"), subcommands=("-",)),
    "helm": Loaded(("--kubeconfig", "--post-renderer"), subcommands=("plugin",)),
    "ip": Loaded(exact=("exec", "-batch", "-b")),
    "julia": Loaded(own=("-e", "-E", "-L", "--eval", "--print", "--load"), subcommands=("-",)),
    "kubectl": Loaded(("--kubeconfig",), subcommands=("edit", "plugin")),
    "jest": Loaded(
        ("--globalSetup", "--rootDir", "--runner", "--setupFiles", "--transform", "--testRunner")
    ),
    "lua": Loaded(own=("-e", "-l", "-i"), subcommands=("-",)),
    "make": _MAKE,
    "gmake": _MAKE,
    "man": Loaded(("-C", "-P", "-H", "--config-file", "--pager", "--html")),
    "mawk": _AWK,
    "mvn": Loaded(operands=re.compile(r"(?!(?:.*:)?exec[:-]).*")),
    "mypy": Loaded(("--python-executable", "--install-types")),
    "node": _NODE,
    "nodejs": _NODE,
    "npm": Loaded(
        ("--script-shell", "--node-options", "--prefix", "--userconfig", "--globalconfig"),
        subcommands=(
            *("config", "create", "edit", "exec", "explore", "init", "innit", "set", "x"),
        ),
    ),
    "osascript": Loaded(("-e",)),
    "perl": Loaded(own=("-d", "-e", "-E", "-n", "-p", "-M", "-m"), subcommands=("-",)),
    "pnpm": Loaded(("-C", "--dir", "--script-shell", "--node-options")),
    "php": Loaded(own=("-r", "-B", "-R", "-E", "-d"), subcommands=("-",)),
    "pip": _PIP,
    "pip3": _PIP,
    "prettier": Loaded(("--plugin", "--plugin-search-dir")),
    "pylint": Loaded(("--init-hook", "--load-plugins")),
    "py.test": _PYTEST,
    "pypy": _PYTHON,
    "pytest": _PYTEST,
    "python": _PYTHON,
    "rg": Loaded(("--pre", "--hostname-bin")),
    "rspec": Loaded(("-I", "-r", "--require", "--options")),
    "rsync": Loaded(("-e", "--rsh", "--rsync-path")),
    "ruby": Loaded(own=("-e", "-r", "-n", "-p"), subcommands=("-",)),
    "scp": Loaded(("-o", "-S", "-F")),
    "sdiff": Loaded(("-o", "--diff-program", "--output")),
    "sed": _SED,
    "sh": _SHELL,
    "sort": Loaded(("-o", "--compress-program", "--output")),
    "split": Loaded(("--filter",)),
    "ssh": Loaded(own=("-o", "-F", "-E", "-J")),
    "tar": Loaded(
        (
            *("-I", "-F", "--checkpoint-action", "--info-script", "--new-volume-script"),
            *("--rmt-command", "--rsh-command", "--to-command", "--use-compress-program"),
        ),
        dashless="IF",
    ),
    "tclsh": _EVAL,
    "tcpdump": Loaded(("-z",)),
    "test": Loaded(exact=("-v", "-R")),
    "tree": Loaded(("-o",)),
    "wget": Loaded(("-e", "--use-askpass", "--execute", "--config")),
    "zip": Loaded(("--unzip-command",), exact=("-TT",)),
    "zsh": _SHELL,
}

_VERSIONED = re.compile(r"(python|pypy|perl|ruby|php|lua|node)[\d.]+")
_TESTERS = names("mypy pylint pytest")
_SHELLS = names("bash dash fish sh zsh")
_INTERPRETERS = names(
    "R Rscript elixir ghc groovy guile julia lua node nodejs perl php pypy python ruby tclsh"
)
_INPUT = re.compile(r"(?:^|[/=])(?:stdin|fd/+\d+)/*$")
"""A name of what comes through the pipe: `/dev/stdin`, `/proc/self/fd/0`, by whatever way."""
_ONLY_TELLS = names("--help --version -V -h")


def runs_code(words: Sequence[Word]) -> str:
    """Which argument of the command `words` runs code: a clause, empty = none does."""
    name = words[0].text.rsplit("/", 1)[-1]
    name = versioned[1] if (versioned := _VERSIONED.fullmatch(name)) else name
    if name == "python" and len(words) > 2 and words[1].text == "-m" and words[2].text in _TESTERS:
        return runs_code(words[2:])
    loaded = COMMANDS.get(name)
    if loaded is None:
        return ""
    if any(_could_be_option(word) for word in words[1:]):
        return f"a file name could become an option of {name}"
    found = next(_found([word.text for word in words[1:]], loaded), "")
    if found:
        return f"{name} {found} can run code or write files"
    operands = [word for word in words[1:] if not word.text.startswith("-")]
    if _reads_input(name, operands, [word.text for word in words[1:]]):
        return f"{name} reads commands from its input"
    return "" if _harmless(operands, loaded) else f"the {name} script can run code or write files"


def _reads_input(name: str, operands: Sequence[Word], options: Sequence[str]) -> bool:
    """Does it take a program from its input? Without operands, or where one names it."""
    if operands or name == "make":
        runs = name in _SHELLS or name in _INTERPRETERS or name == "make"
        return runs and any(_INPUT.search(word) for word in options)
    # `-v` is the version for all but Python, which talks of its imports and reads on.
    tells = not _ONLY_TELLS.isdisjoint(options) or (options == ["-v"] and name != "python")
    return name in _SHELLS or (name in _INTERPRETERS and not tells)


def _could_be_option(word: Word) -> bool:
    """Is it a glob or an argument of `xargs` whose first sign nobody knows?"""
    return word == UNKNOWN or (word.kind == "glob" and word.text[0] in "*?[")


def _found(words: Sequence[str], loaded: Loaded) -> Iterator[str]:
    """The words that make it run code."""
    if words and set(words[0]) & set(loaded.dashless):
        yield words[0]
    own = True
    for index, word in enumerate(words):
        owned = _is_option(word, loaded.own) or word in loaded.subcommands
        exact = word.split("=", 1)[0] in loaded.exact
        if exact or _is_option(word, loaded.anywhere) or (own and owned):
            yield word
        # The word after an unknown option may be its value: it does not end the own options.
        before = words[index - 1] if index else ""
        if not word.startswith("-") and (not before.startswith("-") or before in loaded.flags):
            own = False
        if word in loaded.after:
            yield from _found(words[index + 1 :], loaded.after[word])


def _is_option(word: str, options: tuple[str, ...]) -> bool:
    if word.startswith("--"):
        name = word.split("=", 1)[0]
        return len(name) > 2 and any(option.startswith(name) for option in options)
    letters = {option[1] for option in options if not option.startswith("--")}
    return word.startswith("-") and bool(set(word[1:]) & letters)


def _harmless(operands: Sequence[Word], loaded: Loaded) -> bool:
    if loaded.operands:
        return all(loaded.operands.fullmatch(word.text) for word in operands)
    if loaded.script is None or not operands:
        return True
    script = operands[0].text
    parts = [part.strip() for part in script.split(";")]
    if len(parts) > 1 and "[" in script:  # BSD sed lets a bracket hide the delimiter
        return False
    return operands[0].kind == "fixed" and all(loaded.script.fullmatch(part) for part in parts)
