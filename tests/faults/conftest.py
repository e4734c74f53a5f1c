"""The command line and the servers of `tests/e2e`."""

import sys

from tests.e2e.conftest import cli, serve, small_disk

__all__ = ["cli", "serve", "small_disk"]

if sys.platform != "linux":  # /proc tells what is left, and how much memory it took
    collect_ignore_glob = ["test_*.py"]
