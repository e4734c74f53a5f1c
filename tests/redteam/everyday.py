"""False alarms: of 120 commands of everyday work, how many ask in which mode.

`python -m tests.redteam.everyday` prints the table. The list is frozen: a guard that gets stricter
is measured by it, and is not made to look better by another list. What it counts is a session at
its first minute, before any rule was approved.
"""

import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from qcode.engine.reach import Looking
from qcode.permission.judge import Policy, judge
from qcode.permission.modes import Fence, Mode, modes
from qcode.protocol.access import Access, Answer
from qcode.workspace.files import Workspace

Sort = Literal["local", "network", "protected"]

_COMMIT = """git commit -m "$(cat <<'EOF'
app: refuse an empty name

It was taken for a missing one.
EOF
)\""""
_FILE = """cat > src/config.py <<'EOF'
DEBUG = False
EOF"""

LOCAL = (
    # what changed, and who did it
    "git status", "git status --short", "git diff", "git diff --stat", "git diff --cached",
    "git diff HEAD~1 -- src/app.py", "git log --oneline -10", "git log -p -1 -- src/app.py",
    "git log --oneline main..HEAD", "git show HEAD --stat", "git show HEAD:src/app.py | head -40",
    "git blame -L 1,20 src/app.py", "git branch -a", "git branch --show-current",
    "git rev-parse --short HEAD", "git ls-files | wc -l", "git grep -n TODO", "git stash list",
    # what there is
    "ls", "ls -la", "ls -la src tests", "ls src/*.py", "ls -la 2>/dev/null | head -20", "pwd",
    "pwd && ls -la", "tree -L 2", "find . -name '*.py' -type f", "find src -type f | wc -l",
    "find . -maxdepth 2 -type d | sort", "du -sh .",
    "du -sh * | sort -h", "stat src/app.py", "wc -l src/*.py",
    "which python3", "command -v node", "test -f Makefile && echo yes || echo no",
    # what stands in it
    "cat README.md", "cat src/app.py | head -50", "cat -n src/app.py | sed -n '10,40p'",
    "head -n 40 src/app.py", "tail -n 20 build.log", "tail -50 build.log | grep -i error",
    "sed -n '1,80p' src/app.py", "sed -n '/def main/,/return/p' src/app.py",
    "nl -ba src/app.py | sed -n '20,40p'", "rg -n 'def main' src", "rg -l TODO", "rg -n -C 3 parse",
    "rg -n --type py 'import os' | head -20", "rg -g '*.py' 'class \\w+' src | sort",
    "grep -rn TODO src", "grep -rn --include='*.py' 'import os' .", "grep -n version package.json",
    "grep -rl old_name src | sort -u", "grep -c error build.log", "diff src/app.py src/util.py",
    "cat package.json | jq .scripts", "jq -r .version package.json",
    "sort names.txt | uniq -c | sort -rn | head -5", "cut -d: -f1 names.txt | sort -u",
    "awk '{print $1}' names.txt | sort | uniq", "cat src/app.py src/util.py | wc -l",
    "cd src && ls -la", "cd src && grep -n main app.py | head", "(ls src; ls tests)",
    "if test -d dist; then ls dist; fi",
    # changing files by name
    "mkdir -p src/new/pkg && touch src/new/pkg/__init__.py", "touch src/empty.py",
    "cp src/app.py src/app_backup.py", "mv src/old.py src/older.py", "rm -f src/tmp.txt",
    "rm -rf build", "cp -r templates/base templates/other", "chmod +x scripts/run.sh",
    "sed -i 's/old_name/new_name/g' src/app.py", "sed -i 's/old_name/new_name/' src/*.py",
    "echo 'build/' >> .gitignore", "printf '%s\\n' one two > list.txt",
    "git diff > changes.patch", "rg -n TODO src > todo.txt", "echo note | tee -a notes.txt",
    # running what the project is
    "pytest -q", "pytest -x tests/test_app.py 2>&1 | tail -30", "python -m pytest -k empty",
    "python src/app.py --help", "python -c 'import app; print(app.main())'", "npm test",
    "npm run build 2>&1 | tail -20", "npx tsc --noEmit", "cargo build",
    "cargo test 2>&1 | grep -E 'FAILED|panicked'", "make", "make test", "go test ./...",
    "ruff check .", "mypy src", "uv run pytest -q", "npm run lint", "node --version",
    "DEBUG=1 python src/app.py",
    # git's own writes, and what only running it shows
    "git add -A", "git add src/app.py && git commit -m 'app: mend'", _COMMIT, "git checkout -b fix",
    _FILE, "wc -l $(git ls-files '*.py')", 'for f in src/*.py; do echo "$f"; done',
    "find . -name '*.py' | xargs wc -l", 'echo "on $(git branch --show-current)"',
)  # fmt: skip
NETWORK = (
    "npm install", "pip install -r requirements.txt", "git push origin main", "git pull --rebase",
    "git fetch origin && git log --oneline HEAD..origin/main", "curl -s https://example.com | head",
    "cargo add serde",
)  # fmt: skip
PROTECTED = (
    "cat .github/workflows/ci.yml", "sed -i 's/3.11/3.12/' .github/workflows/ci.yml",
    "echo 'pytest -q' > .git/hooks/pre-commit", "cat .vscode/settings.json",
)  # fmt: skip

EVERYDAY: Mapping[Sort, tuple[str, ...]] = {
    "local": LOCAL,
    "network": NETWORK,
    "protected": PROTECTED,
}
FENCES: tuple[Fence, ...] = ("none", "holds")


@dataclass(frozen=True, slots=True)
class Tried:
    """What one command was answered."""

    sort: Sort
    line: str
    mode: Mode
    fence: Fence
    answer: Answer


def project(folder: Path) -> None:
    """A small project with a history, in which the commands make sense."""
    for name in ("src", "tests", "templates/base", "scripts", "build", ".github/workflows"):
        (folder / name).mkdir(parents=True)
    for name in ("app", "util", "old", "tmp"):
        (folder / "src" / f"{name}.py").write_text("def main():\n    return old_name  # TODO\n")
    for name in ("README.md", "Makefile", "build.log", "names.txt", "package.json", "build/x.o",
                 "scripts/run.sh", "templates/base/a.txt", ".github/workflows/ci.yml"):  # fmt: skip
        (folder / name).write_text("{}\n")
    _git(folder, "init", "-q", "-b", "main")
    _git(folder, "remote", "add", "origin", "https://example.com/x.git")
    _git(folder, "add", "-A")
    _git(folder, "-c", "user.name=a", "-c", "user.email=a@b", "commit", "-q", "-m", "begin")


def _git(folder: Path, *arguments: str) -> None:
    subprocess.run(["git", "-C", str(folder), *arguments], check=True)


def tried(folder: Path) -> Iterator[Tried]:
    """Every command in every mode, without a fence and with one."""
    looking = Looking(Workspace(folder))
    for sort, lines in EVERYDAY.items():
        for line in lines:
            reach = {line: looking.reached(line)}
            for fence in FENCES:
                for mode in modes():
                    access = [Access("shell", line)]
                    verdict = judge(access, Policy(mode, fence), reach)
                    yield Tried(sort, line, mode, fence, verdict.answer)


def asking(found: list[Tried], mode: Mode, fence: Fence, sort: Sort) -> list[str]:
    """The commands that are not simply allowed."""
    return [
        one.line
        for one in found
        if (one.mode, one.fence, one.sort) == (mode, fence, sort) and one.answer != "allow"
    ]


def table(found: list[Tried]) -> str:
    """How many of each sort ask or are denied, as Markdown."""
    sorts = get_args(Sort)
    heads = [f"{sort} ({len(EVERYDAY[sort])})" for sort in sorts]
    rows = [["mode", "fence", *heads, f"all ({sum(map(len, EVERYDAY.values()))})"]]
    rows.append(["---"] * len(rows[0]))
    for mode in modes():
        for fence in FENCES:
            counts = [len(asking(found, mode, fence, sort)) for sort in sorts]
            rows.append([mode, fence, *map(str, counts), str(sum(counts))])
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)


def main() -> int:
    """Print the table, and what asks in `edit` mode."""
    with tempfile.TemporaryDirectory() as folder:
        project(Path(folder))
        found = list(tried(Path(folder)))
    sys.stdout.write(table(found))
    sys.stdout.write(
        "\nIn auto mode within a fence a command asks for each host when it connects, and cannot\n"
        "write a protected name. In edit mode these ask:\n"
    )
    for sort in get_args(Sort):
        for line in asking(found, "edit", "none", sort):
            sys.stdout.write(f"  {sort:<9}  {line.splitlines()[0]}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
