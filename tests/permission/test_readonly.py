"""Plan mode's commands: they read below the working folder, and nothing else."""

import pytest

from qcode.permission.readonly import is_read_only
from qcode.permission.shell import split

READS = (
    "ls", "ls -la src", "ls src/*.py", "cat README.md", "cat a | head -20 | wc -l", "pwd",
    "head -n 5 a", "tail -20 a", "wc -l a b", "git status", "git status --short",
    "git log --oneline -5", "git log -p -3 -- src", "git diff", "git diff --stat HEAD~1",
    "git diff main..feature", "git show HEAD:src/a.py", "git branch -a", "git --no-pager log",
    "git blame -L 1,5 a.py", "git stash list", "git grep -n x", "git remote -v",
    "rg -n 'foo|bar' src",
    "rg --hidden x", "grep -rn foo src", "grep -A 3 foo a", "find . -name '*.py' -type f",
    "find . ! -name x", "sed -n '1,20p' a", "sed -n '5p;7p' a", "sort a | uniq -c", "date +%s",
    "echo done", "echo 'a/../b'", "tree -L 2", "timeout 5 ls", "time ls", "env ls",
    "bash -c 'ls; pwd'", "ls 2>/dev/null", "cut -d: -f1 a", "jq .name package.json", "stat a",
    "printf '%s\\n' a", "which python", "if ls; then pwd; fi",
)  # fmt: skip

ELSE = (
    "rm a", "touch a", "make", "python a.py", "curl x", "tee a", "cd src", "sudo ls", "xargs ls",
    "ls > a", "cat < a", "ls; rm a", "echo $(ls)", "echo $HOME", "A=1 ls", "./ls", "/bin/ls",
    "cat /etc/passwd", "cat ~/.ssh/id_rsa", "cat ../x", "cat a/../../x", "ls -- /etc",
    "cat .git/config", "cat .GIT/config", "cat .ssh/id", "head -n 5 /etc/passwd", "rg x /etc",
    "grep -e x /etc/passwd", "grep -f /etc/passwd a", "grep -ein /etc/passwd", "rg --files /etc",
    "grep --regexp=x /etc/passwd", "ls *", "rg x *", "cat [a-z]", "find . -delete",
    "find . -exec ls {} \\;", "find . -fprint a", "find / -name x", "find -L . -name x",
    "sed -i s/a/b/ a", "sed s/a/b/w\\ x a", "sed -n 1e\\ id a", "sed -n '1w x' a", "sed s/a/b/ a",
    "sort -o a b", "sort --compress-program=x a", "uniq a b", "date -s x", "date 01010101",
    "hostname x", "file -m x a", "tail -f a", "tree -o a", "tree -R", "rg --pre x y", "rg -z x",
    "git branch x", "git branch -D x", "git stash", "git stash pop", "git tag x",
    "git diff --output=a", "git diff --ext-diff", "git diff --no-index /etc/passwd a",
    "git diff -O a", "git log --textconv", "git -c x=y status", "git -C x status", "git -p log",
    "git show --outpu=x", "git checkout x", "git fetch", "git config -l", "git remote add x y",
    "git", "git reflog expire", "git grep -O x", "jq env a", "jq '$ENV' a", "jq -f x a",
    "printf -v x y", "printf %n x", "awk 1 a", "less a", "man ls", "",
)  # fmt: skip


@pytest.mark.parametrize("line", READS)
def test_a_command_that_reads_is_on_the_list(line: str) -> None:
    assert is_read_only(split(line))


@pytest.mark.parametrize("line", ELSE)
def test_anything_else_is_not(line: str) -> None:
    assert not is_read_only(split(line))
