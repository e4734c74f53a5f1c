"""Fetching in a network of its own: real names, real addresses, the whole of qcode."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.e2e.own_network import PORT, PUBLIC

OWN = ("unshare", "--user", "--map-root-user", "--net", "--mount")


def _why_not() -> str:
    if not all(map(shutil.which, ("unshare", "ip"))):
        return "no unshare or ip here"
    tried = subprocess.run(
        [*OWN, "ip", "link", "set", "lo", "up"], capture_output=True, check=False
    )
    return tried.stderr.decode() if tried.returncode else ""


pytestmark = pytest.mark.skipif(
    sys.platform != "linux" or bool(_why_not()), reason="no network namespaces here"
)


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """What the model was told of each of `own_network.URLS`."""
    root = Path(__file__).parents[2]
    done = subprocess.run(
        [*OWN, sys.executable, "-m", "tests.e2e.own_network"],
        cwd=root,
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["code"] == 0, found["err"]
    return list(found["told"])


def test_a_public_page_is_read(told: list[str]) -> None:
    assert told[0].startswith(f"http://docs.test:{PORT}/page · 200 · text/html")
    assert f"# Asked as docs.test:{PORT}" in told[0]
    assert f"# Asked as {PUBLIC}:{PORT}" in told[5]


def test_a_page_that_moved_is_found(told: list[str]) -> None:
    assert told[1].startswith(f"http://docs.test:{PORT}/page · 200")


def test_a_page_that_points_inside_is_not_followed(told: list[str]) -> None:
    assert "redirects to another host: http://127.0.0.1" in told[2]
    assert "Asked as" not in told[2]


def test_a_name_that_means_this_machine_is_refused(told: list[str]) -> None:
    assert "127.0.0.1 is an address of this machine" in told[3]


def test_one_private_address_among_several_is_enough(told: list[str]) -> None:
    assert "10.1.2.3 is a private address" in told[4]


def test_an_unknown_name_is_told(told: list[str]) -> None:
    assert "the host unknown.test is not known" in told[6]
