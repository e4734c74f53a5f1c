"""Every screen and state of which there is a picture, by its name."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from qcode.protocol.events import AnyEvent
from tests.tui.snapshots import batch, chat, doctor, lists
from tests.tui.snapshots.blocks import SHEETS, sheet
from tests.tui.snapshots.stage import SIZES, THEMES, Stage, stage

Size = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Scene:
    """How to get there."""

    act: Callable[[Stage], Awaitable[None]]
    begun: tuple[AnyEvent, ...] = ()
    """What the session begins with; empty = well."""
    sizes: tuple[Size, ...] = SIZES
    before: Callable[[Path], None] = lambda project: None
    """What is done to the project before the app starts."""


SCENES: Mapping[str, Scene] = {
    "chat-empty": Scene(chat.empty),
    "chat-again": Scene(lists.again, before=lists.sessions_of),
    "chat-reading": Scene(chat.reading),
    "chat-thinking": Scene(chat.thinking),
    "chat-work": Scene(chat.work),
    "chat-running": Scene(chat.running),
    "chat-rest": Scene(chat.rest, sizes=((60, 20), *SIZES)),
    "chat-commands": Scene(chat.commands),
    "chat-files": Scene(chat.files),
    "chat-several": Scene(chat.several),
    "chat-own": Scene(chat.own),
    "chat-finding": Scene(chat.finding),
    "approval-edit": Scene(chat.approve_edit),
    "approval-shell": Scene(chat.approve_shell),
    "approval-batch": Scene(chat.approve_batch),
    "approval-two": Scene(chat.approve_two),
    "approval-why": Scene(chat.approve_why),
    "approval-fenced": Scene(chat.approve_fenced, (chat.FENCED,)),
    "approval-outside": Scene(chat.approve_outside, (chat.FENCED,)),
    "approval-network": Scene(chat.approve_network, (chat.AUTO,)),
    "question": Scene(chat.question),
    "onboarding": Scene(chat.nobody, (chat.GONE,)),
    "onboarding-address": Scene(chat.address, (chat.GONE,)),
    "batch": Scene(batch.approve),
    "batch-review": Scene(batch.review),
    "trust": Scene(lists.trust),
    "trust-changed": Scene(lists.trust_changed),
    "review-one": Scene(lists.review_one),
    "review-several": Scene(lists.review_several, sizes=(*SIZES, (160, 40))),
    "review-comment": Scene(lists.review_comment),
    "review-edit": Scene(lists.review_edit),
    "review-edited": Scene(lists.review_edited),
    "review-conflict": Scene(lists.review_conflict),
    "review-nothing": Scene(lists.review_nothing),
    "review-keys": Scene(lists.review_keys),
    "sessions": Scene(lists.sessions, before=lists.sessions_of),
    "sessions-found": Scene(lists.sessions_found, before=lists.sessions_of),
    "sessions-none": Scene(lists.no_sessions),
    "models": Scene(lists.models),
    "themes": Scene(lists.themes),
    "sampling": Scene(lists.sampling),
    "modes": Scene(lists.modes),
    "thinking": Scene(lists.levels),
    "rewind": Scene(lists.rewind),
    "list-empty": Scene(lists.nothing),
    "keys": Scene(lists.keys),
    "palette": Scene(lists.palette),
    "stats": Scene(lists.stats),
    "context": Scene(lists.context),
    "report": Scene(lists.report),
    "doctor": Scene(doctor.found),
    "doctor-goes-on": Scene(doctor.goes_on),
}
"""The first size is that of most terminals; the others only where more has room."""


def sheets(name: str) -> dict[str, str]:
    """Name of the picture -> SVG, of a sheet of blocks."""
    return {
        f"block-{name}.{width}.{theme}": sheet(name, width, theme)
        for width, _ in SIZES
        for theme in THEMES
    }


async def pictures(name: str, size: Size, project: Path) -> dict[str, str]:
    """The same of a scene at one size; the theme is changed while it is open."""
    scene = SCENES[name]
    scene.before(project)
    async with stage(project, size, *scene.begun) as s:
        await scene.act(s)
        width, height = size
        return {f"{name}.{width}x{height}.{theme}": await s.picture(theme) for theme in THEMES}


def named() -> list[tuple[str, Size]]:
    """All scenes at all of their sizes."""
    return [(name, size) for name, scene in SCENES.items() for size in scene.sizes]


__all__ = ["SCENES", "SHEETS", "named", "pictures", "sheets"]
