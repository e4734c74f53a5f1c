"""The table of figures: `python -m tests.bench [ROW…] [--json]`. Nothing here is asserted."""

import argparse
import json
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict

from tests.bench.budgets import budgets
from tests.bench.checkpoints import checkpoints
from tests.bench.completion import completion
from tests.bench.detection import detection
from tests.bench.drivers import drivers
from tests.bench.fence import fence
from tests.bench.figure import Figure, table
from tests.bench.ground import Ground, ground
from tests.bench.loops import loops
from tests.bench.repair import repair
from tests.bench.screen import screen
from tests.bench.served import served
from tests.bench.start import first_request, repository, version
from tests.bench.steps import gaps, reread, tokens
from tests.bench.strategies import strategies
from tests.bench.streaming import streaming
from tests.bench.streams import streams
from tests.bench.warm import warm

ROWS: dict[str, Callable[[Ground], Iterator[Figure]]] = {
    "version": version,
    "start": first_request,
    "detection": detection,
    "steps": gaps,
    "tokens": tokens,
    "reread": reread,
    "streaming": streaming,
    "loops": loops,
    "repair": repair,
    "streams": streams,
    "screen": screen,
    "completion": completion,
    "strategies": strategies,
    "budgets": budgets,
    "sandbox": fence,
    "repository": repository,
    "checkpoints": checkpoints,
    "drivers": drivers,
    "served": served,
    "warm": warm,
}


def main() -> int:
    """Measure the rows that were asked for, all unless told."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("rows", nargs="*", metavar="ROW", help=", ".join(ROWS))
    parser.add_argument("--json", action="store_true", help="a list of objects on stdout")
    options = parser.parse_args()
    if unknown := set(options.rows) - set(ROWS):
        parser.error(f"no such row: {', '.join(sorted(unknown))}")
    figures = list(_measured(options.rows or list(ROWS)))
    if options.json:
        print(json.dumps([{**asdict(one), "verdict": one.verdict} for one in figures], indent=1))
    else:
        print(table(figures))
    return 0


def _measured(rows: list[str]) -> Iterator[Figure]:
    for row in rows:
        began = time.monotonic()
        with ground() as place:
            yield from ROWS[row](place)
        sys.stderr.write(f"{row}: {time.monotonic() - began:.0f} s\n")


if __name__ == "__main__":
    sys.exit(main())
