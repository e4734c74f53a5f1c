"""Paths: names, links, races."""

import os
import shutil
import subprocess
from pathlib import Path

from tests.redteam.attempts.benched import Laid
from tests.redteam.attempts.judged import Touch
from tests.redteam.attempts.placed import ListRace, Looked, Prepare, Race, Reach, ReadRace
from tests.redteam.case import Case


def _chain(to: str) -> Prepare:
    """A link to a link."""

    def prepare(tmp: Path) -> None:
        (tmp / "root/one").symlink_to("two")
        (tmp / "root/two").symlink_to(to)

    return prepare


def _edit(name: str, what: str, guard: str, attack: str, twin: str) -> Case:
    return Case(name, what, guard, Reach("edit", attack), Reach("edit", twin))


def _swapped(tmp: Path) -> None:
    (tmp / "root/a.txt").unlink()
    (tmp / "root/a.txt").symlink_to("../outside/secret")


def _parent_swapped(tmp: Path) -> None:
    shutil.rmtree(tmp / "root/sub")
    (tmp / "root/sub").symlink_to("../outside")


def _with_mine(tmp: Path) -> None:
    (tmp / "root/sub").mkdir()
    (tmp / "root/sub/mine").touch()


def _sub_swapped(tmp: Path) -> None:
    (tmp / "root/sub").rename(tmp / "root/away")
    (tmp / "root/sub").symlink_to("../outside")


def _with_sub(tmp: Path) -> None:
    (tmp / "root/sub").mkdir()
    (tmp / "root/sub/secret").write_text("one\n")
    (tmp / "root/other").mkdir()


def _changed(tmp: Path) -> None:
    path = tmp / "root/a.txt"
    path.write_text("another's\n")
    os.utime(path, (1, 1))


def _nothing(tmp: Path) -> None:
    """Nobody does anything."""


def _touched(tmp: Path) -> None:
    os.utime(tmp / "root/a.txt", (5, 5))


def _linked_to_hooks(tmp: Path) -> None:
    (tmp / "root/.git/hooks").mkdir(parents=True)
    (tmp / "root/harmless").symlink_to(".git/hooks")


def _tree(tmp: Path) -> None:
    (tmp / "root/tree").symlink_to("../outside")


def _repository(config: str) -> Prepare:
    """With a setting of its own behind those that git makes."""

    def prepare(tmp: Path) -> None:
        subprocess.run(["git", "init", "-q", tmp / "root"], check=True)
        with (tmp / "root/.git/config").open("a") as file:
            file.write(config)

    return prepare


def _way(tmp: Path) -> None:
    (tmp / "root/way").symlink_to("../outside")


def _dashed(tmp: Path) -> None:
    (tmp / "root/-o.txt").touch()


def _looked(name: str, what: str, attack: Looked, twin: Looked) -> Case:
    return Case(name, what, "looking", attack, twin)


_PLAIN = _repository("")

CASES = (
    # ---------------------------------------------------------------- 5.1
    Case("cve-2025-54794", "a folder whose name begins like the workspace's", "components",
        Touch("read", "/home/ann/project-twin/secret", ("Read(//home/ann/project/**)",), "ask",
        "outside"), Touch("read", "/home/ann/project/a.txt", ("Read(//home/ann/project/**)",),
        "ask", "outside")),
    Case("cve-2025-54794", "and by way of ..", "resolving", Reach("edit", "../root-twin/secret"),
        Reach("edit", "sub/../a.txt")),
    Case("cve-2025-53109", "a link out of the workspace", "resolving", Reach("read", "way/secret",
        lambda tmp: (tmp / "root/way").symlink_to("../outside")), Reach("read", "way/a.txt",
        lambda tmp: (tmp / "root/way").symlink_to("."))),
    Case("cve-2025-53109", "a chain of links", "resolving", Reach("edit", "one",
        _chain("../outside/secret")), Reach("edit", "one", _chain("a.txt"))),
    Case("cve-2025-53109", "links that end where they began", "components", Touch("edit",
        "/home/ann/projects/x", ("Edit(//home/ann/project/**)",), "ask", "outside"), Touch("edit",
        "/home/ann/project/x", ("Edit(//home/ann/project/**)",), "ask", "outside")),
    Case("cve-2026-39861", "the file becomes a link before it is written", "holding", Race("a.txt",
        _swapped), Race("a.txt", _nothing)),
    Case("cve-2026-39861", "a folder above becomes one", "holding", Race("sub/secret",
        _parent_swapped, _with_sub), Race("sub/secret", _nothing, _with_sub)),
    Case("qwen-4250", "a file is read that was swapped for a link", "holding", ReadRace("a.txt",
        _swapped, "a secret"), ReadRace("a.txt", _nothing, "one")),
    Case("qwen-4250", "names of a folder that was swapped for a link", "holding",
        ListRace("sub", _sub_swapped, "secret", _with_mine), ListRace("sub", _nothing, "mine",
        _with_mine)),
    Case("qwen-4250", "a file changed after it was approved", "unchanged", Race("a.txt", _changed),
        Race("a.txt", _touched)),
    Case("cve-2026-25725", "settings of agents that do not exist", "names", Reach("edit",
        ".claude/settings.json"), Reach("edit", "claude/settings.json")),
    _edit("cve-2026-25725", "qcode's own", "names", ".qcode/config.toml", "qcode/config.toml"),
    _edit("cve-2025-54135", "the servers of an editor", "names", ".cursor/mcp.json",
        "cursor/mcp.json"),
    _edit("cve-2025-54135", "those of the project", "names", ".mcp.json", "mcp.json.md"),
    _edit("cve-2025-54135", "in another spelling", "names", ".CURSOR/mcp.json",
        ".cursors/mcp.json"),
    _edit("cbse", "a workflow", "names", ".github/workflows/x.yml", ".github/ISSUE_TEMPLATE.md"),
    _edit("guardbase", "a rule for itself", "names", ".qcode/rules.toml", "rules.toml"),
    _edit("clinejection", "what a bot would publish", "names", ".github/workflows/release.yml",
        "docs/release.yml"),
    Case("clinejection", "also where rules let it edit everything", "names", Reach("edit",
        ".github/workflows/x.yml", None, ("Edit(**)",), "ask"), Reach("edit", "src/x.yml", None,
        ("Edit(**)",), "ask")),
    # ---------------------------------------------------------------- 5.2
    Case("symlinked-parent", "a folder above leads out", "resolving", Reach("edit", "sub/x/y",
        lambda tmp: (tmp / "root/sub").symlink_to("../outside")), Reach("edit", "sub/x/y",
        lambda tmp: (tmp / "root/sub").mkdir())),
    Case("symlinked-parent", "and leads to what is protected", "resolving", Reach("edit",
        "harmless/pre-commit", _linked_to_hooks), Reach("edit", "hooks/pre-commit")),
    Case("rule-on-link", "a rule for the link's name", "resolving", Reach("edit", "docs",
        lambda tmp: (tmp / "root/docs").symlink_to("../outside/secret"), ("Edit(/docs)",), "ask"),
        Reach("edit", "docs", None, ("Edit(/docs)",), "ask")),
    Case("worktree-symlink", "the worktree is a link", "resolving", Reach("edit", "tree/x", _tree),
        Reach("edit", "trees/x", _tree)),
    Case("trailing-slash-deny-read", "a deny rule for a folder, with a slash", "strictest",
        Touch("read", "keys/x", ("deny Read(/keys/)",)), Touch("read", "key/x",
        ("deny Read(/keys/)",))),
    Case("trailing-slash-deny-read", "the folder itself is searched", "strictest", Touch("read",
        "keys", ("deny Read(/keys/**)",)), Touch("read", "docs", ("deny Read(/keys/**)",))),
    Case("trailing-slash-deny-read", "in another case", "strictest", Touch("read", "Keys/x",
        ("deny Read(/keys/**)",)), Touch("read", "donkeys/x", ("deny Read(/keys/**)",))),
    Case("nested-repository-trust", "the repository below has hooks of its own", "names",
        Reach("edit", "vendor/x/.git/hooks/pre-commit"), Reach("edit",
        "vendor/x/git/hooks/pre-commit")),
    _edit("nested-repository-trust", "and settings", "names", "vendor/x/.git/config",
        "vendor/x/git.config"),
    _edit("diff-drivers", "git's settings name a driver", "names", ".git/config", ".gitattributes"),
    Case("cygwin-links", "a link in place of a file, whatever kind it is of", "resolving",
        Reach("read", "a.lnk", lambda tmp: (tmp / "root/a.lnk").symlink_to("../outside/secret")),
        Reach("read", "b.lnk",
        lambda tmp: (tmp / "root/b.lnk").write_text("!<symlink>../outside/secret"))),
    # ---------------------------------------------------------------- 5.3
    _edit("exec-direnv", "what a shell runs on entering", "names", ".envrc", "env.rc"),
    _edit("exec-git", "a hook", "names", ".git/hooks/pre-commit", "hooks/pre-commit"),
    _edit("exec-git", "hooks of a helper", "names", ".husky/pre-commit", "husky/pre-commit"),
    _edit("exec-pythonstartup", "what every Python starts with", "names", "sitecustomize.py",
        "customize.py"),
    _edit("exec-npm-test", "a program in the place of a tool", "names", "node_modules/.bin/jest",
        "bin/jest"),
    _edit("feed-file-names", "a name with an invisible sign", "names", ".g\u200bit/config",
        "git/config"),
    _edit("feed-file-names", "a name with a dot at its end", "names", ".git./config",
        "a.git/config"),
    _edit("cve-2025-54135", "the servers of yet another agent", "names", "opencode.json",
        "opencode.md"),
    _edit("cbse", "hooks by a helper that git starts", "names", "lefthook.yml", "lefthook.md"),
    _edit("cbse", "a workflow of another forge", "names", ".forgejo/workflows/x.yml",
        "forgejo/workflows/x.yml"),
    _edit("exec-editor", "a language server that an editor starts", "names",
        ".helix/languages.toml", "helix/languages.toml"),
    _edit("codex-git-helpers", "git's settings of the user, who works in their home", "names",
        ".config/git/config", "config/git/config"),
    _edit("guardbase", "what a desktop starts, of one who works in their home", "names",
        ".config/autostart/x.desktop", ".config/app/x.desktop"),
    _looked("codex-git-helpers", "a monitor in the repository's settings",
        Looked("git status", _repository("[core]\n\tfsmonitor = ./evil\n")),
        Looked("git status", _PLAIN)),
    _looked("diff-drivers", "a program for differences in the repository's settings",
        Looked("git diff", _repository("[diff]\n\texternal = ./evil\n")),
        Looked("git diff", _PLAIN)),
    _looked("diff-drivers", "settings that include others",
        Looked("git diff --stat", _repository("[include]\n\tpath = ../evil\n")),
        Looked("git diff --stat", _PLAIN)),
    _looked("rule-on-link", "a reader is led out by a link", Looked("cat way/secret", _way),
        Looked("cat a.txt", _way)),
    _looked("rule-on-link", "an edit is", Looked("sed -i 's/x/y/' way/secret", _way),
        Looked("sed -i 's/x/y/' a.txt", _way)),
    _looked("exec-sort", "a file's name becomes an option", Looked("sort *.txt", _dashed),
        Looked("sort a*.txt", _dashed)),
    _looked("cbse", "a copy comes to a hook", Looked("cp a.txt .git/hooks/pre-commit", _PLAIN),
        Looked("cp a.txt hooks.txt", _PLAIN)),
    _looked("exec-git", "everything is removed, the repository too", Looked("rm -rf .", _PLAIN),
        Looked("rm -f a.txt", _PLAIN)),
    _looked("guardfall", "a redirection to a protected name", Looked("echo x > .envrc"),
        Looked("echo x > env.txt")),
    Case("own-bench-links", "a commit made a link of a folder in which bench takes files back",
        "clearing", Laid("{out}"), Laid("way")),
)  # fmt: skip
