"""Which command runs the tests of a repository, by the files that it has."""

import json
import re
from collections.abc import Callable, Collection

from qcode.bench.roles import is_test

Read = Callable[[str], str]
"""Path -> the text of a file of the repository."""


def command_of(paths: Collection[str], read: Read) -> str:
    """Such as `cargo test --quiet`; empty = none is known."""
    top = {path for path in paths if "/" not in path}
    if "Cargo.toml" in top:
        return "cargo test --quiet"
    if "go.mod" in top:
        return "go test ./..."
    if "package.json" in top and _has_script(read("package.json")):
        return "npm test --silent"
    if any(path.endswith(".py") and is_test(path) for path in paths):
        return "python -m pytest -q -x -p no:cacheprovider"
    makefile = next((name for name in ("GNUmakefile", "makefile", "Makefile") if name in top), "")
    if makefile and re.search(r"(?m)^test\s*:", read(makefile)):
        return "make test"
    return ""


def _has_script(text: str) -> bool:
    """What `npm init` writes there is none."""
    try:
        script = json.loads(text)["scripts"]["test"]
    except (ValueError, KeyError, TypeError):
        return False
    return isinstance(script, str) and "no test specified" not in script
