"""All cases, by class."""

from collections.abc import Mapping

from tests.redteam.case import Case
from tests.redteam.cases import (
    absence,
    closed,
    drawing,
    egress,
    endpoints,
    matcher,
    paths,
    sandbox,
    settings,
)

CLASSES: Mapping[str, tuple[Case, ...]] = {
    "commands: what is judged": matcher.CASES,
    "paths: names, links, races": paths.CASES,
    "keys, qcode's own state: tools": closed.CASES,
    "sandbox: what is possible": sandbox.CASES,
    "settings, trust, environment": settings.CASES,
    "drawing: what reaches the terminal": drawing.CASES,
    "endpoints: sizes and forms": endpoints.CASES,
    "egress: hosts and addresses": egress.CASES,
    "what qcode does not have": absence.CASES,
}
"""In the order of the table."""

CASES: tuple[Case, ...] = tuple(case for cases in CLASSES.values() for case in cases)
