"""Commands that run other commands: `timeout`, `sudo`, `xargs`, `sh -c`, `find -exec`, …

Unwrapped, the inner command is judged like any other. Where an option of the wrapper is not known,
nobody can tell where the inner command begins: that is a reason, and no prefix rule allows it.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Literal

import msgspec

from qcode.permission.words import UNKNOWN, Word, names

Argv = tuple[Word, ...]


class Unwrapped(msgspec.Struct, frozen=True):
    """What a wrapper runs."""

    commands: tuple[Argv, ...] = ()
    lines: tuple[str, ...] = ()
    """Command lines that a shell will read."""
    reasons: tuple[str, ...] = ()
    """Why it cannot be told, as clauses."""
    own: Literal["judge", "pass"] = "pass"
    """`judge` = the wrapper itself needs a rule as well."""


class Wrapper(msgspec.Struct, frozen=True):
    """How the arguments of one wrapper are read."""

    flags: str = r"(?!)"
    """Pattern of options that stand for themselves."""
    valued: tuple[str, ...] = ()
    """Options whose value is the next word."""
    operands: int = 0
    """Words between the options and the command."""
    own: Literal["judge", "pass"] = "pass"


WRAPPERS: Mapping[str, Wrapper] = {
    "busybox": Wrapper(),
    "command": Wrapper("-p"),
    "doas": Wrapper("-n", ("-u",), own="judge"),
    "ionice": Wrapper(r"-[cn]\d+|-t", ("-c", "-n")),
    "nice": Wrapper(r"-n-?\d+|-\d+|--adjustment=-?\d+", ("-n", "--adjustment")),
    "nohup": Wrapper(),
    "setsid": Wrapper(r"-[wfc]+|--wait|--fork|--ctty"),
    "stdbuf": Wrapper(r"-[ioe][0L]|--(?:input|output|error)=[0L]", ("-i", "-o", "-e")),
    "sudo": Wrapper("-[nEHkS]+|--non-interactive", ("-u", "-g"), own="judge"),
    "time": Wrapper("-p|-v"),
    "timeout": Wrapper(
        r"-v|-k[\w.]+|-s\w+|--(?:foreground|preserve-status|verbose)|--(?:kill-after|signal)=\w+",
        ("-k", "-s", "--kill-after", "--signal"),
        operands=1,
    ),
    "toybox": Wrapper(),
    "xargs": Wrapper(
        r"-[0rt]+|-[nPL]\d+|-I\S+|--(?:null|no-run-if-empty|verbose)|--max-(?:args|procs)=\d+",
        ("-n", "-P", "-L", "-I", "-d", "--max-args", "--max-procs"),
    ),
}

STATEFUL = names(
    ". alias bind builtin compgen complete coproc declare enable eval exec export fc getopts hash "
    "history jobs let local mapfile popd pushd read readarray readonly set shopt source trap "
    "typeset unalias unset wait"
)
"""Built-ins that change what the next command does, or run their arguments."""

OPAQUE = names(
    "arch at batch caffeinate choom chpst chroot chrt concurrently cpulimit cross-env cssh "
    "daemonize dbus-run-session dotenv dumb-init eatmydata ed emacs entr ex expect faketime "
    "firejail flatpak flock fakeroot ftp gdb gosu hyperfine less lftp ltrace mariadb more mysql nc "
    "ncat nodemon nsenter numactl nvim parallel perf pkexec prlimit proot pssh psql rlwrap "
    "run-parts runcon runuser screen script setarch setpriv setuidgid sftp snap socat sqlite3 ssh "
    "sshpass start-stop-daemon strace su systemd-inhibit systemd-run taskset telnet tini tmux "
    "torsocks unbuffer unshare valgrind vi view vim watch watchexec xvfb-run"
)
"""Commands that run a command which is not looked for, or (`psql`, `nc`) can be told to in a
language of their own: never allowed by a prefix."""

SHELLS = names("ash bash dash ksh mksh sh zsh")
_RESERVED = names(
    "case coproc do done elif else esac fi for function if in select then until while [[ ]] { } !"
)


def unwrap(argv: Argv) -> Unwrapped | None:
    """What `argv` runs beside itself; None = it is no wrapper."""
    name = argv[0].text.rsplit("/", 1)[-1]
    if argv[0].kind != "fixed":
        return Unwrapped(reasons=("the name of a command is computed",), own="judge")
    if name in SPECIAL:
        return SPECIAL[name](argv)
    if name in SHELLS and (line := _shell_line(argv)):
        return line
    if name in WRAPPERS:
        return _plain(argv, WRAPPERS[name])
    if name in STATEFUL or name in _RESERVED:
        return _opaque(argv, f"{name} changes or runs other commands")
    if name in OPAQUE:
        return _opaque(argv, f"what {name} runs is not looked at")
    return None


def _opaque(argv: Argv, reason: str) -> Unwrapped:
    return Unwrapped(reasons=(reason,), lines=(_joined(argv[1:]),), own="judge")


def _joined(argv: Sequence[Word]) -> str:
    return " ".join(word.text for word in argv)


def _plain(argv: Argv, wrapper: Wrapper) -> Unwrapped:
    """A wrapper of the table: options, operands, then the command."""
    at, reasons = options(argv, wrapper)
    at += wrapper.operands
    inner = argv[at:]
    if reasons:
        return Unwrapped((inner,) if inner else (), reasons=reasons, own="judge")
    return Unwrapped((inner,), own=wrapper.own) if inner else Unwrapped(own="judge")


def options(argv: Argv, wrapper: Wrapper) -> tuple[int, tuple[str, ...]]:
    """Where the options behind the first word end, and why that is not sure."""
    at = 1
    while at < len(argv) and (argv[at].text.startswith("-") or argv[at].kind != "fixed"):
        text = argv[at].text
        if argv[at].kind != "fixed":
            return at, (f"an option of {argv[0].text} is computed",)
        if text == "--":
            return at + 1, ()
        if text in wrapper.valued:
            at += 2
        elif re.fullmatch(wrapper.flags, text):
            at += 1
        else:
            return at + 1, (f"the option {text} of {argv[0].text} is not known here",)
    return at, ()


def _env(argv: Argv) -> Unwrapped:
    """`env`: assignments change what the command means, so only plain unsetting is passed."""
    at, reasons = options(argv, Wrapper("-i|-|--ignore-environment", ("-u", "--unset")))
    start = at
    while at < len(argv) and "=" in argv[at].text:
        at += 1
    if at > start:
        reasons = (*reasons, "it sets variables")
    inner = argv[at:]
    own: Literal["judge", "pass"] = "pass" if inner and not reasons else "judge"
    return Unwrapped((inner,) if inner else (), (), reasons, own)


def _xargs(argv: Argv) -> Unwrapped:
    """`xargs`: the command gets arguments that nobody sees; with -I they may stand anywhere."""
    spelled = " ".join(word.text for word in argv[1:])
    mark = found[1] if (found := re.search(r"(?:^| )-I *(\S+)", spelled)) else ""
    plain = _plain(argv, WRAPPERS["xargs"])
    if not plain.commands:
        return plain
    inner = plain.commands[0]
    if mark:
        filled = tuple(Word(word.text, "computed") if mark in word.text else word for word in inner)
    else:
        filled = (*inner, UNKNOWN)
    return Unwrapped((filled,), (), plain.reasons, plain.own)


def _find(argv: Argv) -> Unwrapped | None:
    """`find … -exec CMD ;`: `{}` is a file name. Other deeds of `find` are in `code`."""
    commands: list[Argv] = []
    at = 1
    while at < len(argv):
        if argv[at].text in ("-exec", "-execdir", "-ok", "-okdir"):
            inner = _until_end(argv[at + 1 :])
            commands.append(tuple(_named(word) for word in inner))
            at += len(inner)
        at += 1
    if not commands:
        return None
    reasons = () if all(commands) else ("find -exec has no command",)
    return Unwrapped(tuple(argv for argv in commands if argv), reasons=reasons, own="judge")


def _until_end(argv: Sequence[Word]) -> Sequence[Word]:
    for at, word in enumerate(argv):
        if word.text == ";" or (word.text == "+" and at and argv[at - 1].text == "{}"):
            return argv[:at]
    return argv


def _named(word: Word) -> Word:
    return Word(word.text, "computed") if "{}" in word.text else word


def _shell_line(argv: Argv) -> Unwrapped | None:
    """`sh -c LINE`; None = it is given a file, which is judged as a command of its own."""
    for at, word in enumerate(argv[1:], 1):
        if re.fullmatch(r"-[eux]*c", word.text) and at + 1 < len(argv):
            line = argv[at + 1]
            reasons = () if line.kind == "fixed" else ("the line of a shell is computed",)
            return Unwrapped((), (line.text,), reasons)
        if not re.fullmatch(r"-[eux]+", word.text):
            break
    if any(word.text.startswith("-") and "c" in word.text for word in argv[1:]):
        return _opaque(argv, f"an option of {argv[0].text} is not known here")
    return None


def _git(argv: Argv) -> Unwrapped | None:
    """`git -c alias.x='!CMD' x`: the alias is a line of its own, for deny rules to see."""
    aliases = [word.text.partition("=")[2] for word in argv if word.text.startswith("alias.")]
    lines = tuple(text.lstrip("!") for text in aliases if text)
    return Unwrapped((), lines, ("git -c can run code",), "judge") if lines else None


def _time(argv: Argv) -> Unwrapped:
    """`time` is a keyword: the assignments after it are not words of the command."""
    at, _ = options(argv, WRAPPERS["time"])
    if at < len(argv) and "=" in argv[at].text:
        inner = _env((argv[0], *argv[at:]))
        return Unwrapped(inner.commands, reasons=inner.reasons, own="judge")
    return _plain(argv, WRAPPERS["time"])


def _describe(argv: Argv) -> Unwrapped | None:
    """`command -v NAME` only says where a command is."""
    if len(argv) > 1 and argv[1].text in ("-v", "-V"):
        return None
    return _plain(argv, WRAPPERS["command"])


def _printf(argv: Argv) -> Unwrapped | None:
    """`printf -v` sets a variable."""
    loaded = len(argv) > 1 and argv[1].text.startswith("-v")
    return _opaque(argv, "printf -v sets variables") if loaded else None


SPECIAL: Mapping[str, Callable[[Argv], Unwrapped | None]] = {
    "command": _describe,
    "env": _env,
    "find": _find,
    "git": _git,
    "printf": _printf,
    "time": _time,
    "xargs": _xargs,
}
