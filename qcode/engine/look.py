"""The workspace as it is when a session begins: what the first user message says of it."""

import asyncio
from datetime import datetime

from qcode.engine.prompt import Facts
from qcode.workspace.files import Workspace

GIT_SECONDS = 0.4
"""`git status` of a large repository may take seconds; the first request does not wait for it."""


async def look(workspace: Workspace) -> tuple[Facts, tuple[str, ...]]:
    """The workspace as it is now, and sentences on notes of the project that cannot be read."""
    from qcode.workspace import git, instructions, sketch  # noqa: PLC0415 - once a session

    folder = workspace.root
    changes, tree, notes, branch = await asyncio.gather(
        git.changes(folder, GIT_SECONDS),
        asyncio.to_thread(sketch.sketch, folder, workspace.exclude),
        asyncio.to_thread(instructions.instructions, folder),
        asyncio.to_thread(git.branch, folder),
    )
    facts = Facts(
        folder=str(folder),
        date=datetime.now().astimezone().date().isoformat(),
        branch=branch,
        changes=changes or "",
        tree=tree,
        instructions=notes.text,
    )
    return facts, notes.unread
