"""Start-up: settings cost no heavy package."""

import subprocess
import sys

HEAVY = ("pathspec", "keyring", "tree_sitter", "tree_sitter_bash", "openai", "tiktoken")


def test_settings_and_rules_import_no_heavy_package() -> None:
    code = (
        "import sys, qcode.config.load, qcode.config.secrets, qcode.permission.judge\n"
        f"print([name for name in {HEAVY!r} if name in sys.modules])"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout == "[]\n"
