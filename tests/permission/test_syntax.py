"""The grammar is foreign code that reads hostile text: it must not take the process with it."""

import subprocess
import sys

from qcode.permission.shell import split

FUZZ = """
import random, sys
from qcode.permission.syntax import outline
chance = random.Random(int(sys.argv[1]))
signs = [chr(code) for code in range(128)] + list("ab $(){}<>|&;'`=#!-\\"\\n" * 4)
signs += ["<<E\\n", "$((", "${a", "[[ ", " =~ ", "<<-", "\\\\\\n"]
signs += ["\\u00e9", "\\U000771a8", "\\udc80"]
for _ in range(4000):
    outline("".join(chance.choices(signs, k=chance.randrange(1, 60))))
"""


def test_no_text_ends_the_process() -> None:
    """Code points beyond ASCII made the scanner of tree-sitter-bash 0.25.1 read foreign memory."""
    for seed in range(4):
        found = subprocess.run(
            [sys.executable, "-c", FUZZ, str(seed)], capture_output=True, text=True, check=False
        )
        assert found.returncode == 0, found.stderr[-2000:]


def test_a_name_in_any_script_stays_one_word() -> None:
    found = split("echo größe 日本語 'zwei Wörter' | cat ÿ")
    assert not found.unclear
    assert [[word.text for word in command.words] for command in found.commands] == [
        ["echo", "größe", "日本語", "zwei Wörter"],
        ["cat", "ÿ"],
    ]


def test_what_bash_takes_for_no_name_sets_no_variable() -> None:
    (command,) = split("é=1 ls").commands
    assert [word.text for word in command.words] == ["é=1", "ls"]
