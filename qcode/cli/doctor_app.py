"""`/doctor`: the examination inside the app, which has the terminal and knows the server."""

from pathlib import Path

from qcode.cli.doctor_kept import keep
from qcode.cli.doctor_visit import Visit, own_side, visit
from qcode.config.load import Loaded
from qcode.config.profiles import tuned
from qcode.doctor.base import Probe
from qcode.doctor.examination import USUAL_SECONDS
from qcode.doctor.meeting import Address
from qcode.doctor.probes.table import PROBES
from qcode.doctor.report import Report
from qcode.server.known import Wishes
from qcode.tui.home import Examination


async def examine(wanted: Examination, loaded: Loaded, state: Path) -> Report:
    """See `Home.examine`; what it learned is kept, unless it was cut short."""

    def context(model: str) -> int:
        return tuned(loaded.config, model, loaded.said).server.context_tokens

    def tell(probe: Probe, _: float) -> None:
        wanted.checks(f"{probe.name}: {probe.label}")

    wanted.checks("qcode's own side")
    own = own_side(loaded.config)
    wanted.checks("meeting the server")
    server = loaded.config.server
    history = server.history if wanted.base_url == server.base_url else "auto"
    wishes = Wishes(None if history == "auto" else history, context)
    address = Address(wanted.base_url, wanted.api_key, wanted.model, wishes)
    found = await visit(
        address,
        Visit(
            *(PROBES, own, USUAL_SECONDS),
            is_deep=False,
            anyway=wanted.anyway,
            say=wanted.said,
            tell=tell,
        ),
    )
    if not found.interrupted:
        keep(state, found, wanted.said)
    return found
