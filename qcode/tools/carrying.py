"""A change that was planned is carried out: the same for each tool that makes one."""

from qcode.tools.base import Context, Outcome, failed
from qcode.tools.change import Change, written
from qcode.workspace.trouble import FileTrouble


async def carried_out(planned: Change | Outcome, context: Context) -> Outcome:
    """Write it, where there is something to write; the caller holds `write_lock`."""
    if isinstance(planned, Outcome):
        return planned
    try:
        await written(planned, context.seen)
    except FileTrouble as error:
        return failed(str(error))
    return Outcome(planned.said, (planned.block,), edited=(planned.located.shown,))
