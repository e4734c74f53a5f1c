"""The app as a person uses it, over a scripted engine."""

from functools import partial

import pytest
from msgspec.structs import replace
from textual.message_pump import MessagePump

from qcode.protocol.events import (
    AnyEvent,
    MessageCompleted,
    ModeChanged,
    NotBegun,
    StepStarted,
    TextDelta,
    TurnFinished,
    TurnStarted,
)
from qcode.protocol.inputs import Begin, Cancel, Prompt, SetMode, SetModel, SetThinking, Steer
from qcode.protocol.messages import AssistantMessage, Text, user
from qcode.tui.commands import Action
from qcode.tui.home import Held, Report, Wanted
from qcode.tui.screens.palette import Picked
from qcode.tui.screens.pickers import Picker
from tests.tui.conftest import STARTED, Engine, Enter, House


def turn(prompt: str, answer: str, number: int = 1) -> tuple[AnyEvent, ...]:
    """One that ends well."""
    return (*beginning(prompt, answer, number), *ending(answer))


def beginning(prompt: str, answer: str, number: int = 1) -> tuple[AnyEvent, ...]:
    """One that still runs."""
    return (TurnStarted(number, user(prompt)), StepStarted(number, 1), TextDelta(answer))


def ending(answer: str) -> tuple[AnyEvent, ...]:
    """The rest of it."""
    message = AssistantMessage((Text(answer),))
    return (MessageCompleted(message, 10, 1.0), TurnFinished("end_turn"))


async def test_the_session_begins_before_the_first_prompt(house: Enter) -> None:
    async with house() as h:
        await h.begun()
        assert h.engine.inputs == [Begin()]
        assert "qwen" in h.screen


async def test_a_prompt_is_sent_and_its_answer_shown(house: Enter) -> None:
    async with house(Engine(turn("hello", "All is **well**."))) as h:
        await h.said("hello", "All is well.")
        assert h.engine.inputs[-1] == Prompt("hello")
        assert h.app.chat.prompt.text == ""


async def test_keys_typed_before_the_session_is_open_are_kept(house: Enter) -> None:
    async with house() as h:
        await h.type("early")
        await h.begun()
        assert h.app.chat.prompt.text == "early"


async def test_a_prompt_sent_before_the_session_is_open_goes_out_then(house: Enter) -> None:
    async with house(Engine(turn("first", "yes"))) as h:
        h.app.submit(Prompt("first"))
        await h.until(lambda: "yes" in h.screen)
        assert h.engine.inputs == [Prompt("first")]


async def test_enter_steers_and_tab_queues_while_a_turn_runs(house: Enter) -> None:
    async with house(Engine(beginning("go", "working"))) as h:
        await h.said("go", "working")
        await h.type("left")
        await h.press("enter")
        await h.type("then")
        await h.press("tab")
        await h.until(lambda: len(h.engine.inputs) == 4)
        assert isinstance(h.engine.inputs[2], Steer)
        assert h.engine.inputs[2].text == "left"
        assert type(h.engine.inputs[3]).__name__ == "Queue"


async def test_escape_interrupts_and_keeps_what_is_written(house: Enter) -> None:
    async with house(Engine(beginning("go", "working"))) as h:
        await h.said("go", "working")
        await h.type("draft")
        await h.press("escape")
        await h.until(lambda: h.engine.inputs[-1] == Cancel("comes back"))
        assert h.app.chat.prompt.text == "draft"


async def test_ctrl_c_interrupts_then_empties_the_prompt_then_quits(house: Enter) -> None:
    engine = Engine(beginning("go", "working"))
    async with house(engine) as h:
        await h.said("go", "working")
        await h.type("draft")
        await h.press("ctrl+c")
        await h.until(lambda: engine.inputs[-1] == Cancel("comes back"))
        engine.say(TurnFinished("cancelled"))
        await h.until(lambda: not h.app.talk.busy)
        await h.press("ctrl+c")
        await h.until(lambda: h.app.chat.prompt.text == "")
        assert h.app.is_running
        await h.press("ctrl+c")
        await h.until(lambda: "again" in h.app.chat.notice.text)
        assert not engine.closed
        await h.press("ctrl+c")
        await h.until(lambda: engine.closed)


async def test_ctrl_d_leaves_only_on_an_empty_prompt(house: Enter) -> None:
    async with house() as h:
        await h.begun()
        await h.type("x")
        await h.press("left", "ctrl+d")
        assert h.app.chat.prompt.text == ""
        assert not h.engine.closed
        await h.press("ctrl+d")
        await h.until(lambda: h.engine.closed)


async def test_shift_tab_goes_through_the_modes(house: Enter) -> None:
    async with house() as h:
        await h.begun()
        await h.press("shift+tab")
        await h.until(lambda: h.engine.inputs[-1] == SetMode("edit"))


async def test_keys_raise_and_lower_the_thinking_budget(house: Enter) -> None:
    async with house() as h:
        await h.begun()
        await h.press("alt+full_stop")
        await h.until(lambda: isinstance(h.engine.inputs[-1], SetThinking))


async def test_a_resumed_session_shows_what_was_said(house: Enter) -> None:
    past = (STARTED, *turn("old question", "old answer"))
    async with house(past=past, wanted=Wanted("s1")) as h:
        await h.until(lambda: "old answer" in h.screen)
        assert "old question" in h.screen
        assert not h.app.talk.running


async def test_a_new_session_closes_the_old_one_and_empties_the_screen(house: Enter) -> None:
    first, second = Engine(turn("hello", "fine")), Engine()
    async with house(first, second) as h:
        await h.said("hello", "fine")
        await h.until(lambda: not h.app.talk.running)
        await h.type("/new")
        await h.press("enter")
        await h.until(lambda: len(h.opened) == 2)
        await h.until(lambda: second.inputs)
        assert first.closed
        await h.until(lambda: "fine" not in h.screen)


async def test_without_a_server_the_app_offers_what_can_be_done(house: Enter) -> None:
    engine = Engine(begun=(NotBegun("No server answers at :8080.", "ServerGone"),))
    async with house(engine) as h:
        await h.until(lambda: "watch the demo" in h.screen)
        assert "No server answers at :8080." in h.screen
        await h.until(lambda: h.app.chat.onboarding.has_focus)
        await h.press("r")
        await h.until(lambda: len(engine.heard(Begin)) == 2)


async def test_an_address_opens_a_session_with_that_server(house: Enter) -> None:
    engine = Engine(begun=(NotBegun("Nobody there.", "ServerGone"),))
    async with house(engine) as h:
        await h.until(lambda: h.app.chat.onboarding.has_focus)
        await h.press("a")
        await h.type("localhost:9000")
        await h.press("enter")
        await h.until(lambda: len(h.opened) == 2)
        assert h.opened[1].base_url == "http://localhost:9000/v1"


async def test_a_command_that_fails_is_a_sentence(house: Enter) -> None:
    async with house() as h:
        await h.begun()
        await h.type("/export")
        await h.press("enter")
        await h.until(lambda: h.app.chat.notice.text)
        assert "Nothing was said" in h.app.chat.notice.text


@pytest.mark.parametrize("which", ["header", "prompt", "view", "screen"])
async def test_what_breaks_is_made_anew_and_the_session_goes_on(house: Enter, which: str) -> None:
    async with house(Engine(turn("hello", "still here"))) as h:
        await h.said("hello", "still here")
        await h.type("draft")
        before = h.app.chat
        node: MessagePump = before if which == "screen" else getattr(before, which)
        node.call_later(_broken)
        await h.until(lambda: h.app.chat is not before and "drawn anew" in h.screen)
        assert "still here" in h.screen
        assert h.app.chat.prompt.text == "draft"
        assert not h.engine.closed


async def test_a_screen_that_breaks_again_and_again_ends_the_app_and_closes_the_session(
    house: Enter,
) -> None:
    engine = Engine()
    with pytest.raises(RuntimeError, match="a widget's defect"):
        await _break_often(house, engine)
    assert engine.closed


async def test_a_list_that_breaks_leaves_the_conversation(house: Enter) -> None:
    async with house() as h:
        await h.begun()
        before = h.app.chat
        await h.press("f1")
        await h.until(lambda: h.app.screen is not before)
        h.app.screen.call_later(_broken)
        await h.until(lambda: h.app.screen is h.app.chat and h.app.chat is not before)
        await h.until(lambda: "drawn anew" in h.screen)


async def test_a_row_that_cannot_be_drawn_costs_no_more_than_itself(house: Enter) -> None:
    async with house() as h:
        await h.begun()
        before = h.app.chat
        h.engine.say(ModeChanged("a mode of a later version"))
        await h.until(lambda: "cannot be drawn" in h.screen)
        assert h.app.chat is before


async def _break_often(house: Enter, engine: Engine) -> None:
    async with house(engine) as h:
        await h.begun()
        for _ in range(4):
            before = h.app.chat
            before.call_later(_broken)
            await h.until(partial(_is_renewed, h, before))


def _is_renewed(h: House, before: object) -> bool:
    return h.app.chat is not before or not h.app.is_running


def _broken() -> None:
    raise RuntimeError("a widget's defect")


async def test_on_leaving_the_end_of_the_conversation_and_the_way_back_are_told(
    house: Enter,
) -> None:
    async with house(Engine(turn("hello", "fine"))) as h:
        await h.said("hello", "fine")
        text = h.app.farewell()
        assert "hello" in text
        assert "fine" in text
        assert "qcode --resume s1\n" in text
        assert "\x1b" not in text
        h.app.home = replace(h.app.home, again=lambda: " --gguf m.gguf")
        assert "qcode --resume s1 --gguf m.gguf\n" in h.app.farewell()


def offered(h: House) -> list[Picked]:
    """By the list on top."""
    screen = h.app.screen
    assert isinstance(screen, Picker)
    return [row.value for row in screen.choices.rows]


async def test_all_that_the_command_palette_offers_can_be_done(house: Enter) -> None:
    async with house() as h:
        await h.begun()
        await h.press("f3")
        await h.until(lambda: isinstance(h.app.screen, Picker))
        assert all(h.app.can(one.name) for one in offered(h) if isinstance(one, Action))
        assert {"find", "edit", "search"} <= {one.name for one in offered(h)}
        await h.type("search earlier prompts")
        await h.press("enter")
        await h.until(lambda: "type what to look for" in h.screen)


async def test_the_command_palette_over_a_list_offers_none_of_its_keys(house: Enter) -> None:
    async with house(Engine(beginning("go", "working"))) as h:
        await h.begun()
        h.app.do("modes")
        await h.until(lambda: isinstance(h.app.screen, Picker))
        h.app.do("commands")
        await h.until(lambda: len(h.app.screen_stack) == 4)
        assert not any(isinstance(one, Action) for one in offered(h))


async def test_f1_tells_the_keys_of_a_list_too(house: Enter) -> None:
    async with house(Engine(turn("hello", "yes"))) as h:
        await h.begun()
        await h.type("hello")
        await h.press("enter")
        await h.until(lambda: "yes" in h.screen and not h.app.talk.busy)
        h.app.do("rewind")
        await h.until(lambda: isinstance(h.app.screen, Picker))
        await h.press("f1")
        await h.until(lambda: "go back in a copy" in h.screen and "the row above" in h.screen)


async def test_the_settings_are_shown_with_where_they_come_from(house: Enter) -> None:
    async with house() as h:
        await h.begun()
        h.app.held = Held(settings=(("agent.thinking", "high", "config.toml"),))
        await h.type("/config")
        await h.press("enter")
        await h.until(lambda: "agent.thinking = high" in h.screen and "config.toml" in h.screen)
        assert "edit the file that `qcode paths` names" in h.screen


@pytest.mark.parametrize(
    ("command", "address"),
    [
        ("/profile big", "http://big:1/v1"),
        ("/profile looked-for", ""),
        ("/model other", "http://here:1/v1"),
        ("/server http://there:1/v1", "http://there:1/v1"),
    ],
)
async def test_the_lists_know_the_server_that_was_switched_to(
    house: Enter, command: str, address: str
) -> None:
    async with house() as h:
        await h.begun()
        known = {"big": "http://big:1/v1", "looked-for": ""}
        h.app.held = Held(base_url="http://here:1/v1", addresses=known)
        await h.type(command)
        await h.press("enter")
        await h.until(lambda: h.engine.heard(SetModel))
        assert h.app.held.base_url == address


async def test_ctrl_s_in_a_search_of_earlier_prompts_is_the_newer_one(house: Enter) -> None:
    async with house(Engine(turn("hello", "yes"))) as h:
        await h.begun()
        await h.type("hello")
        await h.press("enter")
        await h.until(lambda: "yes" in h.screen and not h.app.talk.busy)
        await h.press("ctrl+r")
        await h.type("he")
        await h.press("ctrl+s")
        assert h.app.chat.prompt.searches
        assert not h.app.chat.finding.is_open
        await h.press("escape", "ctrl+s")
        await h.until(lambda: h.app.chat.finding.is_open)


async def test_escape_takes_the_focus_from_a_block(house: Enter) -> None:
    async with house(Engine(turn("hello", "yes"))) as h:
        await h.begun()
        await h.type("hello")
        await h.press("enter")
        await h.until(lambda: "yes" in h.screen and not h.app.talk.busy)
        await h.press("alt+up")
        await h.until(lambda: h.app.chat.view.picture.focused is not None)
        await h.press("escape")
        await h.until(lambda: h.app.chat.view.picture.focused is None)


@pytest.mark.parametrize(("said", "about"), [(False, ""), (True, "s1")])
async def test_a_report_is_written_and_shown_before_anybody_sends_it(
    house: Enter,
    said: bool,  # noqa: FBT001  a parameter of pytest, by name
    about: str,
) -> None:
    asked: list[str] = []

    def report(session_id: str) -> Report:
        asked.append(session_id)
        path = h.folder.parent / "bug.md"
        path.write_text("# qcode: a report\n\n- qcode 0.1\n")
        return Report(path, path.read_text())

    async with house(Engine(turn("hello", "yes")), size=(160, 30)) as h:
        await h.begun()
        assert "bug" not in {one.name for one in h.app.commands}
        h.app.home = replace(h.app.home, report=report)
        if said:
            await h.type("hello")
            await h.press("enter")
            await h.until(lambda: "yes" in h.screen and not h.app.talk.busy)
        h.app.command("bug")
        await h.until(lambda: "- qcode 0.1" in h.screen)
        assert asked == [about]
        assert "Read it before you send it" in h.screen
        await h.press("escape")
        await h.until(lambda: "A report about qcode is in" in h.screen)
