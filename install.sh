#!/bin/sh
# Installs qcode from this checkout for one user, without root. See usage() below.
set -eu
# What is set for other environments must not lead pip or Python elsewhere.
unset PYTHONHOME PYTHONPATH PIP_USER PIP_TARGET PIP_PREFIX PIP_REQUIRE_VIRTUALENV

usage() {
    cat <<'END'
Usage: ./install.sh [demo | test | --uninstall | --help]

  (nothing)     install or upgrade qcode into an environment of its own
  demo [...]    the same, then `qcode demo`: a real bug is fixed in a temporary repository;
                --gguf MODEL: by this model file, which qcode serves itself
  test [...]    install what the tests need into .venv of this checkout, and run them all
                (what follows goes to pytest)
  --uninstall   remove what the installation made; sessions and configuration stay

Needs Python 3.11 or newer; uses uv where it is on the PATH, else python3 -m venv.
Environment: ${XDG_DATA_HOME:-~/.local/share}/qcode/venv; command: ~/.local/bin/qcode;
manual: ~/.local/share/man/man1/qcode.1.
END
}

say() { printf '%s\n' "$*"; }

fail() {
    printf 'install.sh: %s\n' "$*" >&2
    exit 1
}

# Where this script lies, through any symlinks (readlink -f is not on every macOS).
checkout() {
    script=$0
    while [ -L "$script" ]; do
        target=$(readlink "$script")
        case $target in
            /*) script=$target ;;
            *) script=$(dirname "$script")/$target ;;
        esac
    done
    CDPATH='' cd -- "$(dirname "$script")" && pwd -P
}

# A folder as XDG has it: a relative path in the variable counts as unset.
folder_of() {
    case $1 in
        /*) say "$1" ;;
        *) say "$HOME/$2" ;;
    esac
}

# --- Python ------------------------------------------------------------------

# Prints the interpreter behind a name when it runs and is new enough. Being on the PATH
# proves nothing: a pyenv shim is there and fails for a version that is not switched on.
real_python() {
    "$1" -c 'import sys; sys.version_info >= (3, 11) and print(sys.executable)' 2>/dev/null </dev/null
}

has_venv() { "$1" -c 'import ensurepip, venv' 2>/dev/null </dev/null; }

has_uv() { uv --version >/dev/null 2>&1 </dev/null; }

# Sets `python`: the newest of 3.13, 3.12, 3.11 that works, else whatever python3 is.
find_python() {
    python='' without_venv=''
    for candidate in python3.13 python3.12 python3.11 python3 python \
        "${PYENV_ROOT:-$HOME/.pyenv}"/versions/3.1[1-9]*/bin/python3; do
        found=$(real_python "$candidate") || continue
        [ -n "$found" ] || continue
        if has_uv || has_venv "$found"; then
            python=$found
            return
        fi
        without_venv=${without_venv:-$found}
    done
    [ -z "$without_venv" ] || fail "$without_venv cannot make virtual environments: its module venv \
or ensurepip is missing. Install it (Debian, Ubuntu: apt install python3-venv), or install uv, \
and run this again."
    has_uv || fail "no Python 3.11 or newer works here. Install one (Debian, Ubuntu: apt install \
python3 python3-venv; macOS: brew install python@3.13), or install uv, and run this again."
    python='>=3.11' # uv fetches one
}

# --- virtual environments ----------------------------------------------------

# environment FOLDER: makes it, keeps it when it works, makes it anew when it does not.
environment() {
    if [ -e "$1" ] && [ ! -f "$1/pyvenv.cfg" ]; then
        fail "$1 is in the way: it is no virtual environment. Move it away and run this again."
    fi
    if works "$1"; then return; fi
    find_python
    say "Making a virtual environment: $1"
    if has_uv; then
        rm -rf -- "$1"
        uv venv --quiet --python "$python" "$1" || fail "uv could not make $1; its reason is above."
    else
        "$python" -m venv --clear "$1" || fail "$python could not make $1; its reason is above. \
If it speaks of ensurepip: apt install python3-venv. If the disk is full or not writable, \
set XDG_DATA_HOME to a folder that is not."
    fi
}

works() { real_python "$1/bin/python" >/dev/null && { has_uv || "$1/bin/python" -m pip --version; } >/dev/null 2>&1; }

# packages FOLDER ARGUMENT...: installs into an environment, with uv or its own pip.
packages() {
    into=$1
    shift
    say "Installing packages (about 60 MB the first time; a minute or two) ..."
    if has_uv; then
        uv pip install --quiet --python "$into/bin/python" --reinstall-package qcode "$@"
    else
        "$into/bin/python" -m pip install --quiet --disable-pip-version-check --no-input "$@"
    fi || fail "the packages could not be installed; the reason is above. If it speaks of a \
connection: check the network (behind a proxy set HTTPS_PROXY); of space: the disk is full. \
Then run this again: it goes on where it stopped."
}

# --- install -----------------------------------------------------------------

is_ours() { # the link, whatever XDG_DATA_HOME was when it was made
    [ -L "$link" ] && case $(readlink "$link") in */qcode/venv/bin/qcode) ;; *) false ;; esac
}

# Notes in `made`, deepest first, which folders were not there: --uninstall takes them away.
make_folder() {
    if [ -d "$1" ]; then return; fi
    case $1 in /*/*) make_folder "${1%/*}" ;; esac
    mkdir -- "$1" || fail "$1 cannot be made. Give yourself write permission there, or set HOME or \
XDG_DATA_HOME to a folder where you have it."
    made="$1
$made"
}

writable() {
    [ -w "$1" ] || fail "no write permission in $1. Change its owner or mode, or set HOME or \
XDG_DATA_HOME to a folder that is yours."
}

# Ends with 42, as qcode does, where --gguf names a file that is not there: nothing is installed.
model_there() {
    before=''
    for word; do
        case $before$word in
            --gguf=hf:* | '--gguf hf:'* | '--gguf=~'*) ;; # qcode reads the ~ itself
            --gguf=?* | '--gguf '?*)
                [ -f "${word#--gguf=}" ] || {
                    printf 'install.sh: There is no file %s. Name a GGUF file, or hf:REPO:QUANT.\n' \
                        "${word#--gguf=}" >&2
                    exit 42
                }
                ;;
        esac
        before=''
        [ "$word" != --gguf ] || before='--gguf '
    done
}

# Prints `[local]`, a llama.cpp for the processor, where a model file is to be served and no
# llama-server is there to do it.
extra() {
    for word; do
        case $word in
            --gguf | --gguf=*)
                command -v llama-server >/dev/null 2>&1 || command -v llama >/dev/null 2>&1 ||
                    say '[local]'
                return
                ;;
        esac
    done
}

# install [EXTRA]
install() {
    [ -f "$root/pyproject.toml" ] && [ -d "$root/qcode" ] ||
        fail "$root is no checkout of qcode. Clone the repository and run ./install.sh in it."
    if [ -e "$link" ] || [ -L "$link" ]; then
        is_ours || fail "$link is there already and not made by this script, so it stays as it is. \
Move it away and run this again."
    fi
    made=$(cat -- "$venv/$record" 2>/dev/null || :)
    make_folder "$bin"
    make_folder "${venv%/*}"
    writable "$bin"
    writable "${venv%/*}"
    may_have_page && make_folder "${page%/*}"
    environment "$venv"
    packages "$venv" --upgrade "$root${1:-}"
    printf '%s\n' "$made" >"$venv/$record"
    version=$("$venv/bin/qcode" --version) ||
        fail "qcode is installed but does not start; the reason is above. Please report it."
    { rm -f -- "$link" && ln -s -- "$venv/bin/qcode" "$link"; } || fail "$link could not be made."
    say "$version is installed: $link -> $venv/bin/qcode"
    if may_have_page && ! "$venv/bin/qcode" help --man >"$page"; then
        say "Note: the manual page could not be written: $page"
    fi
    tell_path
}

# The manual page lies where `man` looks for a command of ~/.local/bin. Where another's page is, or
# nothing can be written, there is none: qcode works without.
may_have_page() {
    [ ! -e "$page" ] || is_our_page || return 1
    near=${page%/*}
    while [ ! -d "$near" ]; do near=${near%/*}; done
    [ -w "$near" ]
}

is_our_page() {
    IFS= read -r first 2>/dev/null <"$page" && case $first in '.TH QCODE 1 '*) ;; *) false ;; esac
}

tell_path() {
    case ":$PATH:" in
        *":$bin:"*)
            first=$(command -v qcode || :)
            [ "$first" = "$link" ] || say "Note: another qcode comes first on your PATH: $first"
            ;;
        *)
            say "$bin is not on your PATH. Add this line to ~/.profile (zsh: ~/.zprofile), and open a new terminal:"
            # shellcheck disable=SC2016  # for the person's shell to expand, not for this one
            say '  export PATH="$HOME/.local/bin:$PATH"'
            ;;
    esac
}

# --- uninstall ---------------------------------------------------------------

uninstall() {
    made=$(cat -- "$venv/$record" 2>/dev/null || :)
    if is_ours; then
        rm -f -- "$link" || fail "$link could not be removed: no write permission in $bin."
        say "Removed $link"
    fi
    if [ -f "$page" ] && is_our_page; then
        rm -f -- "$page" && say "Removed $page"
    fi
    if [ -f "$venv/pyvenv.cfg" ]; then
        rm -rf -- "$venv" || fail "$venv could not be removed; the reason is above."
        say "Removed $venv"
    elif [ -e "$venv" ]; then
        fail "$venv is no virtual environment, so it stays. Look at it and remove it yourself."
    else
        say "There is no $venv: nothing to remove."
    fi
    say "$made" | while IFS= read -r folder; do
        [ -z "$folder" ] || rmdir -- "$folder" 2>/dev/null || : # what is not empty stays
    done
    tell_what_stays
}

tell_what_stays() {
    for kept in "${QCODE_HOME:-}" "$config/qcode" "$data/qcode" "$state/qcode"; do
        [ -z "$kept" ] || [ -z "$(ls -A -- "$kept" 2>/dev/null)" ] || say "Stays, it is yours: $kept"
    done
    say "Stays too: what pip or uv keep in their caches (pip cache purge; uv cache clean)."
}

# -----------------------------------------------------------------------------

run_tests() {
    cd -- "$root"
    [ ! -d .venv ] || works "$root/.venv" || fail "$root/.venv is there, but has no Python 3.11 or \
newer, or no pip. It may be yours, so it stays: remove it and run this again."
    environment "$root/.venv"
    packages "$root/.venv" --no-binary claude-agent-sdk --editable '.[dev,sdk]'
    [ $# -eq 0 ] || exec "$root/.venv/bin/python" -m pytest "$@" # what is given is taken as it is
    # Much of the suite waits: three at once keep two cores busy. Floods and bombs run alone: beside
    # them others would wait beyond their limits.
    "$root/.venv/bin/python" -m pytest -n 4 --dist loadfile --no-loadscope-reorder \
        --ignore tests/faults
    exec "$root/.venv/bin/python" -m pytest tests/faults
}

case ${1:-} in
    -h | --help)
        usage
        exit 0
        ;;
    '' | demo | test | --uninstall) ;;
    *)
        usage >&2
        exit 2
        ;;
esac

case ${HOME:-} in
    /*) ;;
    *) fail "HOME is not set to an absolute path. Set it to your home folder and run this again." ;;
esac
root=$(checkout)
data=$(folder_of "${XDG_DATA_HOME:-}" .local/share)
config=$(folder_of "${XDG_CONFIG_HOME:-}" .config)
state=$(folder_of "${XDG_STATE_HOME:-}" .local/state)
venv=$data/qcode/venv
bin=$HOME/.local/bin
link=$bin/qcode
page=$HOME/.local/share/man/man1/qcode.1
record='made-folders.txt'

[ $# -eq 0 ] || {
    what=$1
    shift
}
case ${what:-} in
    '') install ;;
    demo)
        model_there "$@"
        install "$(extra "$@")"
        exec "$venv/bin/qcode" demo "$@"
        ;;
    test) run_tests "$@" ;;
    --uninstall) uninstall ;;
esac
