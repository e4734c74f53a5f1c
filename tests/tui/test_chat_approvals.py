"""Calls that wait for a person: what is shown, and which key is which answer."""

import asyncio

import pytest
from textual import events
from textual.keys import _character_to_key

from qcode.protocol.access import NETWORK_CALL, Access, AccessKind
from qcode.protocol.display import DiffBlock
from qcode.protocol.events import (
    AnyEvent,
    ApprovalRequested,
    ApprovalSettled,
    QuestionAsked,
    StepStarted,
    ToolCallStarted,
    TurnFinished,
    TurnStarted,
)
from qcode.protocol.inputs import ApprovalReply, Cancel, HunkReply, QuestionReply
from qcode.protocol.messages import ToolCall, user
from qcode.tui.blocks import CallBlock
from qcode.tui.home import Wanted
from tests.tui.conftest import STARTED, Engine, Enter, House

PATCH = """\
--- a/a.py
+++ b/a.py
@@ -1,2 +1,2 @@
-one
+eins
 two
@@ -9,2 +9,2 @@
 nine
-ten
+zehn
"""


def shell(number: int = 1, command: str = "pytest -q > out.txt", **said: object) -> AnyEvent:
    """A command that waits."""
    call = ToolCall(f"c{number}", "shell", "{}")
    given = {
        "because": "ask mode asks before commands",
        "folder": "/project",
        "rules": ("Bash(pytest:*)",),
        **said,
    }
    access = Access("shell", command)
    # `given` holds fields of any type; the constructor is given what the test names
    return ApprovalRequested(f"r{number}", call, (access,), **given)  # type: ignore[arg-type]


def edit() -> AnyEvent:
    """A change of two hunks that waits."""
    block = DiffBlock("a.py", PATCH, 2, 2)
    access = Access("edit", "a.py")
    return ApprovalRequested(
        "r1", ToolCall("c1", "edit", "{}"), (access,), "ask mode asks before edits", (block,)
    )


def running(*asked: AnyEvent) -> tuple[AnyEvent, ...]:
    """A turn in which these wait."""
    calls = [one.call for one in asked if isinstance(one, ApprovalRequested)]
    started = [ToolCallStarted(call, f"{call.name} it") for call in calls]
    return (TurnStarted(1, user("go")), StepStarted(1, 1), *started, *asked)


async def waits(h: House, *asked: AnyEvent) -> None:
    """Until the strip has the keys and takes them for answers."""
    await h.begun()
    h.engine.say(*running(*asked))
    await h.until(lambda: h.app.chat.strip.has_focus_within)
    await asyncio.sleep(0.35)  # the guard is a matter of time


async def replied(h: House) -> ApprovalReply:
    """The first answer."""
    await h.until(lambda: h.engine.heard(ApprovalReply))
    reply = h.engine.heard(ApprovalReply)[0]
    assert isinstance(reply, ApprovalReply)
    return reply


async def test_the_strip_tells_command_folder_reason_and_rule(house: Enter) -> None:
    async with house() as h:
        await waits(h, shell(command="pytest -q > out.txt\u202e"))
        for words in ("/project", "pytest -q > out.txt‹U+202E›", "ask mode asks", "Bash(pytest:*)"):
            assert words in h.screen


@pytest.mark.parametrize(
    ("key", "answer", "scope"),
    [
        ("y", "allow", "once"),
        ("n", "deny", "once"),
    ],
)
async def test_each_key_is_its_answer(house: Enter, key: str, answer: str, scope: str) -> None:
    async with house() as h:
        await waits(h, shell())
        await h.press(key)
        reply = await replied(h)
        assert (reply.request_id, reply.answer, reply.scope) == ("r1", answer, scope)


async def test_no_longer_scope_is_offered_where_no_rule_can_say_it(house: Enter) -> None:
    async with house() as h:
        await waits(h, shell(rules=()))
        assert "this project" not in h.screen
        for key in "psy":
            await h.press(key)
            await asyncio.sleep(0.45)
        assert (await replied(h)).scope == "once"


@pytest.mark.parametrize("kind", ["read", "edit"])
async def test_who_is_asked_about_a_key_is_warned(house: Enter, kind: AccessKind) -> None:
    access = Access(kind, "/home/ann/.ssh/id", "secret")
    async with house() as h:
        await waits(
            h, ApprovalRequested("r1", ToolCall("c1", kind, "{}"), (access,), "a rule asks")
        )
        assert "/home/ann/.ssh/id is a key, or qcode's own" in h.screen


async def test_a_refusal_may_say_why(house: Enter) -> None:
    async with house() as h:
        await waits(h, shell())
        for sign in "tuse make yes":  # in one burst
            h.app.post_message(events.Key(_character_to_key(sign), sign))
        h.app.post_message(events.Key("enter", "\r"))
        reply = await replied(h)
        assert (reply.answer, reply.words) == ("deny", "use make yes")


async def test_a_key_right_after_a_call_came_up_is_no_answer(house: Enter) -> None:
    async with house() as h:
        await h.begun()
        h.engine.say(*running(shell()))
        await h.until(lambda: h.app.chat.approval.calls)
        await h.press("y")
        assert not h.engine.heard(ApprovalReply)
        assert h.app.chat.prompt.text == "y"


async def test_who_is_typing_goes_on_typing(house: Enter) -> None:
    async with house() as h:
        await h.begun()
        await h.type("a draft ")
        h.engine.say(*running(shell()))
        for _ in range(8):
            await h.press("y")
            await asyncio.sleep(0.08)
        assert not h.engine.heard(ApprovalReply)
        assert h.app.chat.prompt.text == "a draft yyyyyyyy"
        await h.until(lambda: h.app.chat.approval.has_focus)
        await asyncio.sleep(0.35)
        await h.press("y")
        assert (await replied(h)).answer == "allow"
        assert h.app.chat.prompt.text == "a draft yyyyyyyy"


async def test_who_types_slowly_gives_no_answer_either(house: Enter) -> None:
    async with house() as h:
        await h.begun()
        await h.type("s")
        h.engine.say(*running(shell()))
        await h.until(lambda: h.app.chat.approval.calls)
        for sign in "psy":
            await asyncio.sleep(0.6)
            await h.type(sign)
        assert not h.engine.heard(ApprovalReply)
        assert h.app.chat.prompt.text == "spsy"


async def test_who_searches_the_conversation_gives_no_answer(house: Enter) -> None:
    async with house() as h:
        await h.begun()
        await h.press("f4")
        await h.until(lambda: h.app.chat.finding.has_focus_within)
        h.engine.say(*running(shell()))
        await h.until(lambda: h.app.chat.approval.calls)
        for sign in "spy":
            await asyncio.sleep(0.45)
            await h.type(sign)
        assert not h.engine.heard(ApprovalReply)
        assert h.app.chat.finding.has_focus_within


@pytest.mark.parametrize(
    ("key", "scope", "words"),
    [("s", "session", "for this session"), ("p", "project", "in this project, from now on")],
)
async def test_a_rule_is_shown_before_it_is_kept(
    house: Enter, key: str, scope: str, words: str
) -> None:
    async with house() as h:
        await waits(h, shell())
        await h.press(key)
        await h.until(lambda: f"allowed {words}: Bash(pytest:*)" in h.screen)
        assert "⏎ keep it" in h.screen
        assert "y once" not in h.screen
        assert not h.engine.heard(ApprovalReply)
        await asyncio.sleep(0.35)
        await h.press("enter")
        reply = await replied(h)
        assert (reply.answer, reply.scope) == ("allow", scope)


async def test_escape_goes_back_from_the_rule_and_interrupts_nothing(house: Enter) -> None:
    async with house() as h:
        await waits(h, shell())
        await h.press("p")
        await h.until(lambda: "keep it" in h.screen)
        await asyncio.sleep(0.35)
        await h.press("escape")
        await h.until(lambda: "y once" in h.screen)
        await h.press("enter")
        await asyncio.sleep(0.1)
        assert not h.engine.heard(ApprovalReply)
        assert not h.engine.heard(Cancel)


@pytest.mark.parametrize(
    "words", ["yes please", "please stop", "stop", "no, use make", "but why", "hello", "very well"]
)
async def test_a_sentence_begun_over_a_call_is_no_answer(house: Enter, words: str) -> None:
    async with house() as h:
        await waits(h, shell())
        for sign in words:  # in one burst, as a read of the terminal brings them
            h.app.post_message(events.Key(_character_to_key(sign), sign))
        await h.until(lambda: h.app.chat.prompt.text == words)
        await asyncio.sleep(0.5)
        assert h.app.chat.prompt.text == words
        assert not h.engine.heard(ApprovalReply)
        assert not h.app.chat.approval.has_class("telling")


async def test_who_types_slowly_is_asked_before_a_rule_is_kept(house: Enter) -> None:
    async with house() as h:
        await waits(h, shell())
        for sign in "pl":
            await h.press(sign)
            await asyncio.sleep(0.6)
        assert h.app.chat.prompt.text == "pl"
        assert not h.engine.heard(ApprovalReply)
        await h.until(lambda: h.app.chat.approval.has_focus)
        assert "y once" in h.screen


async def test_enter_behind_an_answer_does_not_wait(house: Enter) -> None:
    async with house() as h:
        await waits(h, shell())
        h.app.post_message(events.Key("y", "y"))
        h.app.post_message(events.Key("enter", "\r"))
        assert (await replied(h)).scope == "once"
        assert len(h.engine.heard(ApprovalReply)) == 1


async def test_escape_takes_a_letter_back_that_was_just_pressed(house: Enter) -> None:
    async with house() as h:
        await waits(h, shell())
        h.app.post_message(events.Key("y", "y"))
        h.app.post_message(events.Key("escape", None))
        await asyncio.sleep(0.6)
        assert not h.engine.inputs[1:]


async def test_an_answer_is_never_one_to_the_call_that_comes_after(house: Enter) -> None:
    async with house() as h:
        await waits(h, shell(1))
        await h.press("y")
        h.engine.say(ApprovalSettled("r1", "deny", "timeout"), shell(2, "rm -r /"))
        await h.until(lambda: "rm -r /" in h.screen)
        await asyncio.sleep(0.6)
        assert not h.engine.heard(ApprovalReply)


async def test_an_answer_leaves_the_prompt_empty(house: Enter) -> None:
    async with house() as h:
        await waits(h, shell())
        await h.press("n")
        await replied(h)
        await h.until(lambda: h.app.chat.prompt.has_focus_within)
        assert h.app.chat.prompt.text == ""


async def test_b_allows_what_can_be_read_at_once(house: Enter) -> None:
    async with house() as h:
        await waits(h, shell(behind=("make", "ls")))
        await h.press("b")
        assert (await replied(h)).scope == "batch"


@pytest.mark.parametrize("behind", ["echo " + "x" * 300 + "END", "first\nsecond\nEND"])
async def test_b_shows_first_what_could_not_be_read(house: Enter, behind: str) -> None:
    async with house() as h:
        await waits(h, shell(behind=("make", behind)))
        await h.press("b")
        await h.until(lambda: "⏎ allow all 3" in h.screen)
        assert "END" in h.screen
        assert not h.engine.heard(ApprovalReply)
        await asyncio.sleep(0.35)
        await h.press("enter")
        assert (await replied(h)).scope == "batch"


async def test_b_does_not_allow_a_call_that_has_just_come(house: Enter) -> None:
    async with house() as h:
        await waits(h, shell(1), shell(2, "make"))
        await h.press("b")
        await h.until(lambda: "allow all 2" in h.screen)
        h.engine.say(shell(3, "rm -r /"))
        await h.until(lambda: len(h.app.chat.approval.calls) == 3)
        await asyncio.sleep(0.35)
        await h.press("enter")
        await asyncio.sleep(0.1)
        assert not h.engine.heard(ApprovalReply)


async def test_several_calls_wait_in_one_strip_and_b_allows_them_all(house: Enter) -> None:
    async with house() as h:
        await waits(h, shell(1), shell(2, "make"), shell(3, "ls"))
        assert "1 of 3" in h.screen
        await h.press("b")
        await h.until(lambda: "⏎ allow all 3" in h.screen)
        assert "make" in h.screen
        await asyncio.sleep(0.35)
        await h.press("enter")
        await h.until(lambda: len(h.engine.heard(ApprovalReply)) == 3)


async def test_one_answer_is_one_reply(house: Enter) -> None:
    async with house() as h:
        await waits(h, shell())
        await h.press("y", "y", "y")
        await h.until(lambda: not h.app.chat.approval.has_class("open"))
        assert len(h.engine.heard(ApprovalReply)) == 1


async def test_escape_interrupts_the_turn(house: Enter) -> None:
    async with house() as h:
        await waits(h, shell())
        await h.press("escape")
        await h.until(lambda: h.engine.inputs[-1] == Cancel("comes back"))
        h.engine.say(ApprovalSettled("r1", "deny", "cancelled"), TurnFinished("cancelled"))
        await h.until(lambda: h.app.chat.prompt.has_focus_within)


async def test_an_edit_opens_for_review_and_is_answered_hunk_by_hunk(house: Enter) -> None:
    async with house() as h:
        (h.folder / "a.py").write_text("one\ntwo\n" + "-\n" * 6 + "nine\nten\n")
        await waits(h, edit())
        await h.press("enter")
        await h.until(lambda: h.app.screen is not h.app.chat and "hunk 1 of 2" in h.screen)
        await h.press("a", "r", "enter")
        reply = await replied(h)
        assert reply.answer == "allow"
        assert reply.hunks == (HunkReply(0, "keep"), HunkReply(1, "drop"))


async def test_a_review_that_is_left_answers_nothing(house: Enter) -> None:
    async with house() as h:
        await waits(h, edit())
        await h.press("v")
        await h.until(lambda: h.app.screen is not h.app.chat and "hunk 1 of 2" in h.screen)
        await h.press("escape")
        await h.until(lambda: h.app.chat.approval.has_focus)
        assert not h.engine.heard(ApprovalReply)


async def test_while_a_call_waits_only_the_footer_has_a_clock(house: Enter) -> None:
    async with house() as h:
        await waits(h, edit())
        assert h.app.chat._ticking is None
        await h.press("v")
        await h.until(lambda: h.app.screen is not h.app.chat and "hunk 1 of 2" in h.screen)
        before = h.app.chat.footer.repaints
        await asyncio.sleep(1.3)
        assert h.app.chat.footer.repaints == before


async def test_what_was_decided_waits_with_the_call(house: Enter) -> None:
    async with house() as h:
        (h.folder / "a.py").write_text("one\ntwo\n" + "-\n" * 6 + "nine\nten\n")
        await waits(h, edit())
        await h.press("enter")
        await h.until(lambda: h.app.screen is not h.app.chat and "hunk 1 of 2" in h.screen)
        await h.press("r", "c", "n", "o", "enter", "escape")
        await h.until(lambda: h.app.chat.approval.has_focus and "is kept" in h.screen)
        await asyncio.sleep(0.35)
        await h.press("enter")
        await h.until(lambda: h.app.screen is not h.app.chat and "1 left" in h.screen)
        await h.press("A", "enter")
        reply = await replied(h)
        assert reply.hunks == (HunkReply(0, "drop"), HunkReply(1, "keep", "", "no"))


async def test_y_does_not_allow_what_was_rejected_in_a_review(house: Enter) -> None:
    async with house() as h:
        (h.folder / "a.py").write_text("one\ntwo\n" + "-\n" * 6 + "nine\nten\n")
        await waits(h, edit())
        await h.press("enter")
        await h.until(lambda: h.app.screen is not h.app.chat and "hunk 1 of 2" in h.screen)
        await h.press("r", "escape")
        await h.until(lambda: h.app.chat.approval.has_focus)
        await asyncio.sleep(0.35)
        await h.press("y")
        reply = await replied(h)
        assert reply.hunks == (HunkReply(0, "drop"), HunkReply(1, "keep"))


async def test_ctrl_c_in_a_review_interrupts_the_turn(house: Enter) -> None:
    async with house() as h:
        await waits(h, edit())
        await h.press("v")
        await h.until(lambda: h.app.screen is not h.app.chat and "hunk 1 of 2" in h.screen)
        await h.press("ctrl+c")
        await h.until(lambda: h.engine.heard(Cancel))
        assert h.app.screen is not h.app.chat
        h.engine.say(ApprovalSettled("r1", "deny", "cancelled"), TurnFinished("cancelled"))
        await h.until(lambda: h.app.screen is h.app.chat)


async def test_f3_in_a_list_finds_a_command_in_its_place(house: Enter) -> None:
    async with house() as h:
        await h.begun()
        h.app.command("theme")
        await h.until(lambda: "theme" in h.screen and h.app.screen is not h.app.chat)
        themes = h.app.screen
        await h.press("f3")
        await h.until(lambda: h.app.screen not in (h.app.chat, themes))
        assert themes not in h.app.screen_stack


async def test_a_number_answers_a_question(house: Enter) -> None:
    async with house() as h:
        await waits(h, QuestionAsked("q1", "Which colour?", ("red", "green")))
        assert "Which colour?" in h.screen
        await h.press("2")
        await h.until(lambda: h.engine.heard(QuestionReply))
        assert h.engine.heard(QuestionReply) == [QuestionReply("q1", "green")]


async def test_words_that_begin_with_a_number_answer_a_question(house: Enter) -> None:
    async with house() as h:
        await waits(h, QuestionAsked("q1", "Which colour?", ("red", "green")))
        await h.type("2 of each")
        await h.press("enter")
        await h.until(lambda: h.engine.heard(QuestionReply))
        await asyncio.sleep(0.5)
        assert h.engine.heard(QuestionReply) == [QuestionReply("q1", "2 of each")]


async def test_enter_behind_a_number_chooses_at_once_and_once(house: Enter) -> None:
    async with house() as h:
        await waits(h, QuestionAsked("q1", "Which colour?", ("red", "green")))
        await h.press("2", "enter")
        await asyncio.sleep(0.6)
        assert h.engine.heard(QuestionReply) == [QuestionReply("q1", "green")]


async def test_words_answer_a_question(house: Enter) -> None:
    async with house() as h:
        await waits(h, QuestionAsked("q1", "Which colour?", ("red", "green")))
        await h.type("blue")
        await h.press("enter")
        await h.until(lambda: h.engine.heard(QuestionReply))
        assert h.engine.heard(QuestionReply) == [QuestionReply("q1", "blue")]


async def test_what_waited_in_a_log_waits_no_more(house: Enter) -> None:
    past = (STARTED, *running(shell()))
    async with house(Engine(), past=past, wanted=Wanted("s1")) as h:
        await h.begun()
        assert not h.app.chat.approval.calls
        assert h.app.chat.prompt.has_focus_within


async def test_ctrl_d_leaves_nothing_half_written_while_a_call_waits(house: Enter) -> None:
    async with house() as h:
        await h.begun()
        await h.type("a draft")
        h.engine.say(*running(shell()))
        await h.until(lambda: h.app.chat.strip.has_focus_within)
        await h.press("ctrl+d")
        await asyncio.sleep(0.1)
        assert not h.engine.closed
        assert h.app.chat.prompt.text == "a draft"


NETWORK = ToolCall("network-1", NETWORK_CALL, '{"host":"pypi.org","port":443}')


def network(number: int = 9) -> ApprovalRequested:
    """A command that wants to reach a host."""
    access, rules = Access("network", "pypi.org"), ("WebFetch(domain:pypi.org)",)
    because = "auto mode asks before network access"
    return ApprovalRequested(f"r{number}", NETWORK, (access,), because, rules=rules)


async def test_outside_the_sandbox_takes_a_second_key_and_is_for_once(house: Enter) -> None:
    async with house() as h:
        await waits(h, shell(where="inside"))
        assert "o outside the sandbox" in h.screen
        await h.press("o")
        await h.until(lambda: "run it outside" in h.screen)
        assert "this once outside the sandbox" in h.screen
        assert h.engine.heard(ApprovalReply) == []
        await asyncio.sleep(0.35)
        await h.press("enter")
        reply = await replied(h)
        assert (reply.answer, reply.scope, reply.where) == ("allow", "once", "outside")


async def test_going_back_from_outside_asks_as_before(house: Enter) -> None:
    async with house() as h:
        await waits(h, shell(where="inside"))
        await h.press("o")
        await h.until(lambda: "run it outside" in h.screen)
        await h.press("escape")
        await h.until(lambda: "run it outside" not in h.screen)
        await asyncio.sleep(0.35)
        await h.press("y")
        assert (await replied(h)).where == "inside"


@pytest.mark.parametrize("where", ["", "outside"])
async def test_outside_is_offered_only_for_what_would_run_inside(house: Enter, where: str) -> None:
    async with house() as h:
        await waits(h, shell(where=where))
        assert "o outside the sandbox" not in h.screen
        assert ("runs outside the sandbox" in h.screen) == (where == "outside")
        await h.press("o")
        await asyncio.sleep(0.45)
        await h.press("enter")
        assert h.engine.heard(ApprovalReply) == []


async def test_a_host_is_asked_about_by_name_and_leaves_no_card_of_its_own(house: Enter) -> None:
    async with house() as h:
        await h.begun()
        h.engine.say(TurnStarted(1, user("go")), StepStarted(1, 1), network())
        await h.until(lambda: h.app.chat.strip.has_focus_within)
        await asyncio.sleep(0.35)
        for words in ("wants to reach pypi.org:443", "for this turn", "WebFetch(domain:pypi.org)"):
            assert words in h.screen
        assert not any(isinstance(one, CallBlock) for one in h.app.talk.blocks)
        await h.press("y")
        assert (await replied(h)).answer == "allow"


async def test_a_job_that_wants_a_host_is_still_asked_about_when_the_turn_ends(
    house: Enter,
) -> None:
    async with house() as h:
        await h.begun()
        h.engine.say(TurnStarted(1, user("go")), network(), TurnFinished("end_turn"))
        await h.until(lambda: "wants to reach" in h.screen)
        assert h.app.chat.approval.calls
        h.engine.say(ApprovalSettled("r9", "deny", "the command no longer waits for it"))
        await h.until(lambda: not h.app.chat.approval.calls)


async def test_to_see_all_of_it_is_offered_where_there_is_more(house: Enter) -> None:
    async with house() as h:
        await waits(h, shell())
        assert "pytest -q > out.txt" in h.screen
        assert "all of it" not in h.screen
        h.engine.say(ApprovalSettled("r1", "deny", "no"))
        h.engine.say(*running(shell(2, "\n".join(f"echo {n}" for n in range(40)))))
        await h.until(lambda: "v all of it" in h.screen)
        assert "more lines: v shows all" in h.screen
