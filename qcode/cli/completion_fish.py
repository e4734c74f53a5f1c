"""Completion code for fish, from the table of levels of `completion_shells`. Pure."""

from collections.abc import Iterable, Sequence

from qcode.cli.completion_shells import Flag, Level

_FISH = """\
# Completion of qcode for fish
function __qcode_at
    set -l at ''
    for word in (commandline -opc)[2..-1]
        if contains -- $at/$word %(paths)s
            set at $at/$word
        else if test -z $at
            break
        end
    end
    test "$at" = "$argv[1]"
end
complete -c qcode -f -n "not string match -q -- '-*' (commandline -ct)"
"""


def fish(levels: Sequence[Level]) -> str:
    """For fish 3."""
    paths = " ".join(level.name for level in levels if level.path)
    rows = [row for level in levels for row in _fish_rows(level)]
    return _FISH % {"paths": paths} + "\n".join(rows) + "\n"


def _fish_rows(level: Level) -> Iterable[str]:
    here = f"complete -c qcode -n {_fish(f'__qcode_at {_fish(level.name)}')}"
    first = f"{here[:-1]}; and test (count (commandline -opc)) -eq {len(level.path) + 1}'"
    if level.takes == "model":
        yield f"{first} -f -a {_fish(_fish_model(word.text for word in level.words))}"
    for word in () if level.takes == "model" else level.words:
        yield f"{first} -f -a {word.text} -d {_fish(word.help)}"
    for flag in level.flags:
        names = " ".join(_fish_name(spelling) for spelling in flag.offered)
        yield f"{here} {names} -d {_fish(flag.help)}{_fish_values(flag)}"


def _fish_name(spelling: str) -> str:
    if spelling.startswith("--"):
        return f"-l {spelling[2:]}"
    return f"-s {spelling[1:]}"


def _fish_values(flag: Flag) -> str:
    match flag.takes:
        case "nothing":
            return ""
        case "folder":
            return " -x -a '(__fish_complete_directories)'"
        case "file":
            return " -r -F"
        case "model":
            return f" -x -a {_fish(_fish_model(flag.words))}"
        case _ if flag.words:
            return f" -x -a {_fish(' '.join(flag.words))}"
    return " -x"


def _fish_model(handles: Iterable[str]) -> str:
    # __fish_complete_suffix offers all other files, too
    files = (
        r"(string match -r '.*(?:\.gguf|/)(?:\t.*)?$' -- (__fish_complete_path (commandline -ct)))"
    )
    return f"{files} {' '.join(handles)}"


def _fish(text: str) -> str:
    """Quoted as fish reads it."""
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"
