"""Completion code, tried in the shells themselves."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from qcode.cli.args import parser
from qcode.cli.completion import SHELLS, levels

SMALL = "unsloth/Qwen3.5-9B-GGUF"
MISSING = "this shell is not installed here"


@pytest.fixture(scope="module")
def scripts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the code for each shell, as the command prints it."""
    folder = tmp_path_factory.mktemp("completion")
    for shell in SHELLS:
        line = [sys.executable, "-m", "qcode", "completion", shell]
        done = subprocess.run(line, capture_output=True, text=True, check=True)
        (folder / shell).write_text(done.stdout, encoding="utf-8")
    return folder


def ran(shell: str, code: str, folder: Path) -> str:
    """What a shell without settings prints."""
    flags = {"bash": ["--norc"], "zsh": ["-f"], "fish": ["--no-config"]}[shell]
    path = shutil.which(shell)
    assert path
    done = subprocess.run(
        [path, *flags, "-c", code], cwd=folder, capture_output=True, text=True, check=False
    )
    assert not done.stderr, done.stderr
    return done.stdout


def in_bash(scripts: Path, folder: Path, *words: str) -> set[str]:
    """What bash offers for the last of the words behind `qcode`."""
    line = " ".join(f"'{word}'" for word in ("qcode", *words))
    code = (
        f"source {scripts / 'bash'}; COMP_WORDS=({line}); COMP_CWORD={len(words)}; "
        'compopt() { :; }; _qcode; printf "%s\\n" "${COMPREPLY[@]}"'
    )
    return set(ran("bash", code, folder).split())


@pytest.mark.skipif(not shutil.which("bash"), reason=MISSING)
def test_bash_accepts_the_code(scripts: Path) -> None:
    subprocess.run(["bash", "-n", scripts / "bash"], check=True)


@pytest.mark.skipif(not shutil.which("bash"), reason=MISSING)
@pytest.mark.parametrize(
    ("words", "offered"),
    [
        (["ses"], {"sessions"}),
        (["sessions", "e"], {"export"}),
        (["help", "ser"], {"serve", "servers"}),
        (["doctor", "--on"], {"--only"}),
        (["models", "p"], {"pull"}),
        (["sessions", "export", "--for"], {"--format"}),
        (["sessions", "export", "--format", ""], {"markdown", "html", "json"}),
        (["--sandbox", "re"], {"required"}),
        (["--sandbox", "=", "re"], {"required"}),  # bash takes `--sandbox=re` for three words
        (["--output-format", "="], {"text", "json", "json-array", "stream-json"}),
        (["-p", "x", "--permission-mode", "au"], {"auto", "auto-edit"}),
        (["-p", "x", "--max-tu"], {"--max-turns"}),
        (["completion", ""], {"bash", "zsh", "fish"}),
        (["demo", "--p"], {"--playback"}),
        (["auth", "r"], {"remove"}),
        (["--loops", ""], {"break", "off"}),
        (["--gguf", ""], {"sub", "b.gguf"}),
        (["serve", ""], {"sub", "b.gguf"}),
        (["serve", "--vi"], {"--vision"}),
        (["doctor", "--gguf", "b"], {"b.gguf"}),
        (["serve", "hf", ":", "unsloth/Qwen3.5-9B"], {f"{SMALL}:Q4_K_M", f"{SMALL}:Q8_0"}),
        (["serve", "hf:unsloth/Qwen3.5-9B"], {f"{SMALL}:Q4_K_M", f"{SMALL}:Q8_0"}),
        (["models", "pull", f"{SMALL}"], {f"{SMALL}:Q4_K_M", f"{SMALL}:Q8_0"}),
        (["models", "pull", f"{SMALL}", ":", "Q8"], {"Q8_0"}),
        (["models", "pull", "a"], set()),
        (["bench", "tasks", "--thinking", "lo"], {"low"}),
        (["doctor", "--only", "tool"], {"tool-call"}),
        (["bench", "tasks", "--kinds", ""], {"bug", "redo", "bug,redo"}),
        (["-i", "a"], {"a.md"}),
        (["--max-turns", ""], set()),
        (["-C", ""], {"sub"}),
        (["-o", ""], {"sub", "a.md", "b.gguf"}),
        (["-p", "a"], {"a.md"}),
    ],
)
def test_bash_offers_what_fits(
    scripts: Path, tmp_path: Path, words: list[str], offered: set[str]
) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "a.md").touch()
    (tmp_path / "b.gguf").touch()
    assert in_bash(scripts, tmp_path, *words) == offered


@pytest.mark.skipif(not shutil.which("bash"), reason=MISSING)
def test_bash_offers_every_flag_once(scripts: Path, tmp_path: Path) -> None:
    offered = in_bash(scripts, tmp_path, "-")
    firsts = {
        next(flag for flag in action.option_strings if flag.startswith("--"))
        for action in parser()._actions
        if action.option_strings and action.help != "==SUPPRESS=="
    }
    assert firsts <= offered
    assert "--allowedTools" not in offered
    assert "--yolo" not in offered


@pytest.mark.skipif(not shutil.which("zsh"), reason=MISSING)
def test_zsh_accepts_the_code_and_finds_the_words(scripts: Path, tmp_path: Path) -> None:
    subprocess.run(["zsh", "-n", scripts / "zsh"], check=True)
    stand_ins = "compdef() { :; }; compset() { :; }; _describe() { print -l -- ${(P)2}; }"
    code = f"{stand_ins}; source {scripts / 'zsh'}; words=(qcode sessions ''); CURRENT=3; _qcode"
    rows = ran("zsh", code, tmp_path).splitlines()
    assert [row.split(":")[0] for row in rows][:3] == ["list", "show", "search"]
    assert not [row for row in rows if row.startswith("-")]


@pytest.mark.skipif(not shutil.which("fish"), reason=MISSING)
@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("qcode ses", {"sessions"}),
        ("qcode sessions e", {"export"}),
        ("qcode help ser", {"serve", "servers"}),
        ("qcode --sandbox re", {"required"}),
        ("qcode -p x --max-turn", {"--max-turns"}),
        ("qcode completion ", {"bash", "zsh", "fish"}),
        ("qcode bench tasks --thinking lo", {"low"}),
        (f"qcode models pull {SMALL}", {f"{SMALL}:Q4_K_M", f"{SMALL}:Q8_0"}),
        (f"qcode serve hf:{SMALL}", {f"hf:{SMALL}:Q4_K_M", f"hf:{SMALL}:Q8_0"}),
        (f"qcode doctor --gguf hf:{SMALL}", {f"hf:{SMALL}:Q4_K_M", f"hf:{SMALL}:Q8_0"}),
        ("qcode serve on", {"one.gguf", "onward/"}),
    ],
)
def test_fish_offers_what_fits(scripts: Path, home: Path, line: str, offered: set[str]) -> None:
    (home / "one.gguf").touch()
    (home / "only.md").touch()
    (home / "onward").mkdir()
    code = f"source {scripts / 'fish'}; complete -C '{line}'"
    assert {row.split("\t")[0] for row in ran("fish", code, home).splitlines()} == offered


def test_each_subcommand_of_the_help_has_its_words() -> None:
    from qcode.cli.dispatch import SUBCOMMANDS  # noqa: PLC0415 - beside its only use

    assert {level.path[0] for level in levels() if level.path} == set(SUBCOMMANDS)


def test_an_unknown_shell_is_a_sentence() -> None:
    line = [sys.executable, "-m", "qcode", "completion", "tcsh"]
    done = subprocess.run(line, capture_output=True, text=True, check=False, env=os.environ)
    assert done.returncode == 2
    assert "bash" in done.stderr
    assert "Traceback" not in done.stderr
