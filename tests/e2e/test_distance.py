"""What leaves the local network, and only where a profile allows it: tried at a public address."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.test_fetch import OWN, pytestmark

__all__ = ["pytestmark"]


def far(word: str) -> dict[str, Any]:
    """How a run ended whose fallback says `remote = WORD`."""
    done = subprocess.run(
        [*OWN, sys.executable, "-m", "tests.e2e.own_distance", word],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout))


def test_a_fallback_far_away_answers_where_it_is_allowed_and_what_leaves_is_told() -> None:
    told = far("allow")
    assert (told["code"], told["out"]) == (0, "Done.\n"), told["err"]
    assert told["keys"] == ["Bearer sk-far"]
    assert "leave your network for docs.test" in told["err"]


@pytest.mark.parametrize("word", ["unsaid", "deny"])
def test_else_nothing_leaves_and_the_way_is_told(word: str) -> None:
    told = far(word)
    assert (told["code"], told["keys"]) == (75, [])
    assert 'Allow it with remote = "allow" in [profiles.far]' in told["err"]
