"""What a fresh interpreter imports, read from its `sys.modules`. Milliseconds are in the bench."""

import subprocess
import sys

import pytest

HEAVY = ("openai", "tiktoken", "keyring", "unidiff", "pathspec", "textual", "tree_sitter")


def modules_after(code: str) -> set[str]:
    """The modules that a fresh interpreter holds after `code`."""
    script = f"{code}\nimport sys\nprint('\\n'.join(sys.modules), file=sys.stderr)"
    found = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    return set(found.stderr.split())


def run_main(*argv: str) -> str:
    """Code that runs qcode's entry point and survives its exit."""
    return (
        f"import sys; sys.argv = ['qcode', *{list(argv)!r}]\n"
        "from qcode.cli.main import main\n"
        "try: main()\nexcept SystemExit: pass"
    )


def test_version_imports_nothing_beyond_the_package() -> None:
    before = modules_after("import sys")
    ours = modules_after(run_main("--version")) - before
    allowed = {"qcode", "qcode.cli", "qcode.cli.main", "sys"}
    assert ours == allowed - before


def test_help_needs_only_argparse() -> None:
    found = modules_after(run_main("--help"))
    assert not {name for name in found if name.split(".")[0] in (*HEAVY, "msgspec", "asyncio")}


@pytest.mark.parametrize("module", ["qcode.assemble", "qcode.headless.run", "qcode.cli.main"])
def test_heavy_packages_load_only_where_they_are_used(module: str) -> None:
    found = modules_after(f"import {module}")
    assert not {name for name in found if name.split(".")[0] in HEAVY}
