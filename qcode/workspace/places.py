"""Names that a tool may not change without being asked about, existing or not.

What these files hold is run or obeyed by programs outside of any sandbox: git, shells, editors,
agents. Whoever writes them, runs commands later. (AGENTS.md is not here: it only advises.)
"""

import unicodedata
from collections.abc import Sequence

PROTECTED = (
    # agents and their servers
    ".qcode", ".claude", ".codex", ".gemini", ".qwen", ".cursor", ".continue", ".mcp.json",
    ".opencode", "opencode.json", "opencode.jsonc", ".crush.json", "crush.json", ".windsurf",
    ".kiro", ".roo", ".roomodes", ".kilocode", ".clinerules", ".amazonq", ".junie", ".trae",
    ".goosehints", ".aider.conf.yml",
    # qcode's own: settings, rules that were approved, sessions; for who works in their home
    ".config/qcode", ".local/share/qcode", ".local/state/qcode",
    # git, its hooks, what continuous integration runs
    ".git", ".gitconfig", ".gitmodules", ".githooks", ".husky", ".pre-commit-config.yaml",
    "git~1",  # what Windows' disks call `.git`, too; WSL reaches them
    "lefthook.yml", ".lefthook.yml", "lefthook.yaml", ".lefthook.yaml",
    ".github/workflows", ".github/actions", ".gitlab-ci.yml", ".gitea/workflows",
    ".forgejo/workflows", ".circleci", ".buildkite", ".woodpecker", ".woodpecker.yml",
    ".woodpecker.yaml", ".drone.yml", ".travis.yml", "azure-pipelines.yml", "jenkinsfile",
    "bitbucket-pipelines.yml",
    # editors
    ".vscode", ".idea", ".devcontainer", ".zed", ".nvim.lua", ".exrc", ".vimrc", ".dir-locals.el",
    ".nvimrc", ".lvimrc", ".dir-locals-2.el", ".helix", ".fleet", ".run",
    # shells and what they load on entering a folder
    ".bashrc", ".bash_profile", ".bash_login", ".bash_logout", ".profile", ".inputrc",
    ".zshrc", ".zshenv", ".zprofile", ".zlogin", ".zlogout", ".config/fish", ".envrc", ".direnv",
    ".bash_aliases", ".oh-my-zsh", ".pam_environment", ".tmux.conf", ".screenrc",
    # for who works in their home: what programs and desktops load there
    ".config/git", ".config/systemd", ".config/autostart", ".config/environment.d", ".config/nvim",
    ".vim", ".emacs", ".emacs.d", ".xprofile", ".xsession", ".xinitrc", ".local/bin",
    ".local/share/applications", ".curlrc", ".wgetrc", ".pdbrc", ".pythonrc",
    # programs that look like the tools they stand before
    "node_modules/.bin", "bin/activate", "bin/activate.csh", "bin/activate.fish",
    "sitecustomize.py", "usercustomize.py",
    # keys and registries
    ".ssh", ".gnupg", ".netrc", ".npmrc", ".yarnrc", ".yarnrc.yml", ".pypirc", ".ripgreprc",
)  # fmt: skip

_RUNS: dict[str, list[list[str]]] = {}
"""By their first component."""
for _run in (name.split("/") for name in PROTECTED):
    _RUNS.setdefault(_run[0], []).append(_run)


def protects(components: Sequence[str]) -> bool:
    """True when one of `PROTECTED` is among the components of a path, at any depth.

    Compared as forgiving file systems do: case, invisible characters, trailing dots and blanks
    do not count.
    """
    plain = [_plain(component) for component in components]
    return any(
        plain[start : start + len(run)] == run
        for start, first in enumerate(plain)
        for run in _RUNS.get(first, ())
    )


def _plain(component: str) -> str:
    if component.isascii():
        return component.lower().rstrip(" .")
    folded = unicodedata.normalize("NFKC", component).casefold()
    shown = "".join(char for char in folded if unicodedata.category(char) != "Cf")
    return shown.rstrip(" .")
