"""What waits when the person interrupts is theirs again: in the prompt, and sent once at most."""

import asyncio

from qcode.protocol.events import Returned, StepStarted, TextDelta, TurnFinished, TurnStarted
from qcode.protocol.inputs import Cancel, Queue, Unqueue
from qcode.protocol.messages import user
from qcode.tui.prompt.writing import Writing, joined
from qcode.tui.screens.chat import TWICE_SECONDS
from tests.tui.conftest import Engine, Enter

RUNNING = (TurnStarted(1, user("go")), StepStarted(1, 1), TextDelta("working"))


async def test_escape_puts_back_what_waits_ahead_of_what_is_written(house: Enter) -> None:
    async with house(Engine(RUNNING)) as h:
        await h.said("go", "working")
        await h.type("steer me")
        await h.press("enter")
        await h.type("queued one")
        await h.press("tab")
        await h.type("draft")
        await h.press("escape")
        await h.until(lambda: h.engine.inputs[-1] == Cancel("comes back"))
        h.engine.say(Returned((user("steer me", "steer"), user("queued one"))))
        h.engine.say(TurnFinished("cancelled", "The turn was cancelled."))
        await h.until(lambda: not h.app.talk.busy)
        assert h.app.chat.prompt.text == "steer me\n\nqueued one\n\ndraft"
        assert not h.app.talk.state.pending
        assert h.app.talk.status.queued == ()


async def test_up_takes_the_queued_prompt_back_and_never_offers_it_besides(house: Enter) -> None:
    async with house(Engine(RUNNING)) as h:
        await h.said("go", "working")
        await h.type("queued one")
        await h.press("tab")
        await h.until(lambda: h.engine.heard(Queue))
        await h.type("x")
        await h.press("up")
        assert h.app.chat.prompt.text == "go"
        await h.press("down", "backspace", "up")
        await h.until(lambda: h.engine.inputs[-1] == Unqueue())
        assert h.app.chat.prompt.text == ""
        h.engine.say(Returned((user("queued one"),)))
        await h.until(lambda: h.app.chat.prompt.text == "queued one")


def test_writings_are_joined_with_their_tokens_told_apart() -> None:
    one = Writing("see [pasted #1: 12 lines]", {1: "a"})
    two = Writing("and [image #1: b.png] [pasted #2: 11 lines]", {2: "c"}, {1: "/b.png"})
    both = joined([one, two])
    assert both.expanded() == "see a\n\nand [image #2: b.png] c"
    assert both.shown_pictures() == ("/b.png",)


async def test_a_hint_of_a_second_press_lasts_no_longer_than_that_press_counts(
    house: Enter,
) -> None:
    async with house() as h:
        await h.begun()
        await h.press("escape")
        await h.until(lambda: "Esc again" in h.screen)
        await asyncio.sleep(TWICE_SECONDS)
        await h.until(lambda: "Esc again" not in h.screen, 1.0)
