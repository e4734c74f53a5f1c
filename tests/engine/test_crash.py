"""A defect of qcode's own ends a turn with a sentence, and words that waited for it come back."""

from pathlib import Path

from qcode.protocol.events import AnyEvent, ApprovalRequested, Returned, TurnStarted
from qcode.protocol.inputs import ApprovalReply, Input, Queue, Steer
from tests.engine.rig import configured, rig, started
from tests.support.script import Call, Reply
from tests.support.scripted_server import StartScripted


def broken(*_: object) -> None:
    """Keeps rules, and has a defect."""
    raise RuntimeError("a defect")


async def test_words_that_wait_behind_a_crash_come_back_and_the_next_prompt_is_answered(
    scripted: StartScripted, tmp_path: Path
) -> None:
    server = scripted(
        Reply(calls=(Call("shell", {"command": "cargo build"}),)), Reply(text="Again.")
    )

    async with rig(
        configured(server.base_url), started(tmp_path, keep=broken, person="present")
    ) as run:

        def on(event: AnyEvent) -> Input | None:
            if not isinstance(event, ApprovalRequested):
                return None
            run.engine.submit(Queue("queued"))
            run.engine.submit(Steer("steered"))
            return ApprovalReply(event.request_id, "allow", scope="project")

        end = await run.turn("go", on)
        assert end.reason == "error"
        assert "a defect" in end.detail
        back = await run.until(Returned)
        assert [message.text for message in back.messages] == ["steered", "queued"]
        assert (await run.turn("once more")).reason == "end_turn"
    assert len(run.said(TurnStarted)) == 2
