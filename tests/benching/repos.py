"""A small repository with tests and two commits, and what is left of it afterwards."""

import hashlib
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

SHOP = '''\
"""Prices."""


def discount(total: int, items: int) -> int:
    """Ten off for more than three items."""
    if items > 3:
        return total - 10
    return total
'''
GROSS = '''

def gross(net: int, percent: int = 19) -> int:
    """With tax, rounded down."""
    return net + net * percent // 100
'''
TESTS = """\
import unittest

import shop


class Prices(unittest.TestCase):
    def test_discount(self) -> None:
        self.assertEqual(shop.discount(100, 3), 100)
        self.assertEqual(shop.discount(100, 4), 90)
"""
GROSS_TEST = """
    def test_gross(self) -> None:
        self.assertEqual(shop.gross(100), 119)
        self.assertEqual(shop.gross(101, 7), 108)
"""
COMMAND = f"{sys.executable} -m unittest discover -q -s tests -t ."
MESSAGE = "shop: gross price\n\ngross(net, percent=19) adds the tax, rounded down."


def git(folder: Path, *words: str) -> str:
    """Run it as somebody; what it printed."""
    own = {
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_NOSYSTEM": "1",
        **{f"GIT_{who}_NAME": "Somebody" for who in ("AUTHOR", "COMMITTER")},
        **{f"GIT_{who}_EMAIL": "somebody@localhost" for who in ("AUTHOR", "COMMITTER")},
    }
    done = subprocess.run(
        ["git", *words], cwd=folder, env={**os.environ, **own}, capture_output=True, check=True
    )
    return done.stdout.decode()


def commit(folder: Path, message: str, files: Mapping[str, str]) -> str:
    """Write files and commit them all; the commit's name."""
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "-m", message)
    return git(folder, "rev-parse", "HEAD").strip()


def shop(folder: Path) -> Path:
    """The repository: a first commit, and one of code and its tests."""
    folder.mkdir(parents=True, exist_ok=True)
    git(folder, "init", "-q", "-b", "main")
    first = {"shop.py": SHOP, "tests/__init__.py": "", "tests/test_shop.py": TESTS}
    commit(folder, "Prices", first)
    second = {"shop.py": SHOP + GROSS, "tests/test_shop.py": TESTS + GROSS_TEST}
    commit(folder, MESSAGE, second)
    return folder


def print_of(folder: Path) -> dict[str, str]:
    """All that can be seen of a folder, `.git` and times included."""
    found = {}
    for path in sorted(folder.rglob("*")):
        told = path.lstat()
        data = path.read_bytes() if path.is_file() and not path.is_symlink() else b""
        mark = hashlib.sha256(data).hexdigest()
        found[str(path.relative_to(folder))] = f"{told.st_mode:o} {told.st_mtime_ns} {mark}"
    return found
