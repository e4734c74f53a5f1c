"""What a cancelled turn leaves behind in the task that goes on."""

import asyncio


def forget_cancel() -> None:
    """A cancelled turn is over: the count of its task must not end the next one's scopes."""
    task = asyncio.current_task()
    while task is not None and task.cancelling():
        task.uncancel()
