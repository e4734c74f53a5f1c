"""Completion code for bash and zsh, from a table of levels. Pure: table in, text out."""

import shlex
from collections.abc import Iterable, Sequence
from typing import Literal

import msgspec

Takes = Literal["nothing", "word", "file", "folder", "model"]
"""model = a GGUF file, or one of `words`."""


class Word(msgspec.Struct, frozen=True):
    """A subcommand, or a choice of an argument."""

    text: str
    help: str


class Flag(msgspec.Struct, frozen=True):
    """One flag with all its spellings."""

    spellings: tuple[str, ...]
    help: str
    takes: Takes
    words: tuple[str, ...] = ()
    """Good values, where they are known."""

    @property
    def offered(self) -> tuple[str, ...]:
        """The short ones and the first long one: other agents' spellings are taken, not shown."""
        long = [spelling for spelling in self.spellings if spelling.startswith("--")]
        return tuple(spelling for spelling in self.spellings if spelling not in long[1:])


class Level(msgspec.Struct, frozen=True):
    """What may stand behind `qcode` and the words of `path`."""

    path: tuple[str, ...]
    words: tuple[Word, ...]
    flags: tuple[Flag, ...]
    takes: Takes = "word"
    """What may stand there beside the words."""

    @property
    def name(self) -> str:
        """As the scripts keep it: `/sessions/list`; empty = the main command."""
        return "".join(f"/{word}" for word in self.path)


_BASH = """\
# Completion of qcode for bash: eval "$(qcode completion bash)"
_qcode() {
    local cur=${COMP_WORDS[COMP_CWORD]} n=$COMP_CWORD prev at= words= i
    # bash takes hf:NAME for three words
    while ((n > 1)) && [[ ${COMP_WORDS[n]} == : || ${COMP_WORDS[n-1]} == : ]]; do
        n=$((n - 1))
        cur=${COMP_WORDS[n]}$cur
    done
    prev=${COMP_WORDS[n-1]}
    if [[ $cur == = ]]; then
        cur=
    elif [[ $prev == = ]]; then
        prev=${COMP_WORDS[n-2]}
    fi
    COMPREPLY=()
    for ((i = 1; i < n; i++)); do
        case $at/${COMP_WORDS[i]} in
            %(paths)s) at=$at/${COMP_WORDS[i]} ;;
            *) [[ -n $at ]] || break ;;
        esac
    done
    case $at:$prev in
%(values)s
    esac
    case $at in
%(levels)s
    esac
    if [[ $cur == -* ]]; then
        COMPREPLY=($(compgen -W "${words#* ; }" -- "$cur"))
    elif [[ ${words%% ; *} == *:* ]]; then
        _qcode_words "${words%% ; *}"
        return
    elif [[ -n $at ]] || ((COMP_CWORD == 1)); then
        COMPREPLY=($(compgen -W "${words%% ; *}" -- "$cur"))
    fi
    if [[ ${#COMPREPLY[@]} -eq 0 && $cur != -* ]]; then
        _qcode_files -f
    fi
}
_qcode_words() {
    COMPREPLY=($(compgen -W "$1" -- "$cur"))
    [[ $cur != *:* ]] || COMPREPLY=("${COMPREPLY[@]#"${cur%%:*}:"}")
}
_qcode_model() {
    [[ $cur != h* ]] || _qcode_words "$1"
    ((${#COMPREPLY[@]} == 0)) || return 0
    compopt -o filenames 2>/dev/null # bash 3.2 has none
    local IFS=$'\n'
    COMPREPLY=($(compgen -d -- "$cur"; compgen -f -X '!*.gguf' -- "$cur"))
}
_qcode_files() {
    compopt -o filenames 2>/dev/null # bash 3.2 has none
    local IFS=$'\n'
    COMPREPLY=($(compgen "$1" -- "$cur"))
}
complete -F _qcode qcode
"""


def bash(levels: Sequence[Level]) -> str:
    """For bash 3.2 (macOS) and later."""
    values = [
        f"        {_cases(level, flag)}) {_bash_values(flag)}; return ;;"
        for level in levels
        for flag in level.flags
        if flag.takes != "nothing"
    ]
    rows = [f"        {level.name or chr(39) * 2}) {_bash_level(level)} ;;" for level in levels]
    paths = "|".join(level.name for level in levels if level.path)
    return _BASH % {"paths": paths, "values": "\n".join(values), "levels": "\n".join(rows)}


def _bash_level(level: Level) -> str:
    said = f"words={shlex.quote(_bash_words(level))}"
    if level.takes != "model":
        return said
    handles = shlex.quote(" ".join(word.text for word in level.words))
    return f"{said}; if [[ $cur != -* ]]; then _qcode_model {handles}; return; fi"


def _bash_words(level: Level) -> str:
    """Subcommands, then ` ; `, then flags: behind the first word only flags are left."""
    words = " ".join(word.text for word in level.words)
    return f"{words} ; {' '.join(_spellings(level))}"


def _bash_values(flag: Flag) -> str:
    match flag.takes:
        case "folder":
            return "_qcode_files -d"
        case "file":
            return "_qcode_files -f"
        case "model":
            return f"_qcode_model {shlex.quote(' '.join(flag.words))}"
        case _ if flag.words:
            return f'COMPREPLY=($(compgen -W {shlex.quote(" ".join(flag.words))} -- "$cur"))'
    return ":"


def _spellings(level: Level) -> list[str]:
    return [spelling for flag in level.flags for spelling in flag.offered]


def _cases(level: Level, flag: Flag) -> str:
    """Patterns of a `case` over `$at:$prev`."""
    return "|".join(f"{level.name}:{spelling}" for spelling in flag.spellings)


_ZSH = """\
#compdef qcode
# Completion of qcode for zsh: eval "$(qcode completion zsh)", behind compinit
_qcode() {
    local cur=${words[CURRENT]} prev=${words[CURRENT-1]} at= i
    local -a found
    for ((i = 2; i < CURRENT; i++)); do
        case $at/${words[i]} in
            %(paths)s) at=$at/${words[i]} ;;
            *) [[ -n $at ]] || break ;;
        esac
    done
    if [[ $cur == --*=* ]]; then
        prev=${cur%%%%=*}
        compset -P '*='
    fi
    case $at:$prev in
%(values)s
    esac
    case $at in
%(levels)s
    esac
    [[ $cur == -* ]] || found=(${found:#-*})
    if [[ -z $at ]] && ((CURRENT > 2)) && [[ $cur != -* ]]; then
        _files
        return
    fi
    _describe 'qcode' found || _files
}
if [[ ${zsh_eval_context[-1]} == loadautofunc ]]; then
    _qcode "$@"
else
    compdef _qcode qcode
fi
"""


def zsh(levels: Sequence[Level]) -> str:
    """For zsh 5; also as a file `_qcode` in `$fpath`."""
    values = [
        f"        {_cases(level, flag)}) {_zsh_values(flag)}; return ;;"
        for level in levels
        for flag in level.flags
        if flag.takes != "nothing"
    ]
    rows = [f"        {level.name or chr(39) * 2}) {_zsh_level(level)} ;;" for level in levels]
    paths = "|".join(level.name for level in levels if level.path)
    return _ZSH % {"paths": paths, "values": "\n".join(values), "levels": "\n".join(rows)}


def _zsh_level(level: Level) -> str:
    found = f"found=({' '.join(_zsh_words(level))})"
    if level.takes != "model":
        return found
    handles = _zsh_model(word.text for word in level.words)
    return f"{found}; if [[ $cur != -* ]]; then {handles}; return; fi"


def _zsh_model(handles: Iterable[str]) -> str:
    words = " ".join(map(shlex.quote, handles))
    return f"[[ $cur == h* ]] && compadd -- {words} || _files -g '*.gguf(-.)'"


def _zsh_words(level: Level) -> Iterable[str]:
    """`word:what it does`, quoted."""
    for word in () if level.takes == "model" else level.words:
        text = word.text.replace(":", r"\:")
        yield shlex.quote(f"{text}:{word.help}" if word.help else text)
    for flag in level.flags:
        told = flag.help.replace(":", r"\:")
        yield from (shlex.quote(f"{spelling}:{told}") for spelling in flag.offered)


def _zsh_values(flag: Flag) -> str:
    match flag.takes:
        case "folder":
            return "_files -/"
        case "file":
            return "_files"
        case "model":
            return _zsh_model(flag.words)
        case _ if flag.words:
            return f"compadd -- {' '.join(map(shlex.quote, flag.words))}"
    return "_message 'a value'"
