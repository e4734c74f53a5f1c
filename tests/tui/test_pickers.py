"""Pickers: found, chosen, left; at every size, with rows that come late and words that hurt."""

import asyncio
from collections.abc import AsyncIterator, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qcode.permission.patterns import Ground
from qcode.permission.rules import parse_rules
from qcode.protocol.cells import cells
from qcode.protocol.errors import ServerError
from qcode.protocol.inputs import SetMode, SetModel, SetSampling, SetThinking
from qcode.tui.commands import COMMANDS, Action
from qcode.tui.keys import live
from qcode.tui.lines import STYLES
from qcode.tui.picker.frame import CHROME, Sheet, frame
from qcode.tui.picker.match import fuzzy
from qcode.tui.picker.rows import Choices, Row
from qcode.tui.picker.typing import Typed
from qcode.tui.screens import choosing
from qcode.tui.screens.help import of_help
from qcode.tui.screens.palette import of_everything
from qcode.tui.screens.pickers import About, Picker
from qcode.tui.screens.theme import ThemePicker
from qcode.tui.themes import load
from tests.support.llama_words import About as AboutServer
from tests.tui.picking import SIZES, Below, seen, until, until_seen

NAMES = ["alpha one", "beta two", "gamma three"]


def about(*names: str) -> About[str]:
    return About(Sheet("names", empty="None here."), [Row(name, name) for name in names])


async def test_enter_gives_the_row_at_hand() -> None:
    app = Below(lambda paint: Picker(about(*NAMES), paint))
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("down", "enter")
        assert app.answers == ["beta two"]


async def test_typing_searches_and_escape_changes_nothing() -> None:
    app = Below(lambda paint: Picker(about(*NAMES), paint))
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press(*"gam")
        await until_seen(pilot, "1 of 3")
        assert not any("beta" in row for row in seen(app))
        await pilot.press("ctrl+u")
        await until_seen(pilot, "beta two")
        await pilot.press("escape")
        assert app.answers == [None]


async def test_a_click_chooses_the_row_under_it() -> None:
    app = Below(lambda paint: Picker(about(*NAMES), paint))
    async with app.run_test(size=(80, 24)) as pilot:
        row = next(y for y, text in enumerate(seen(app)) if "gamma" in text)
        await pilot.click(offset=(6, row))
        assert app.answers == ["gamma three"]


async def test_pasted_text_is_searched_without_its_control_sequences() -> None:
    app = Below(lambda paint: Picker(about(*NAMES), paint))
    async with app.run_test(size=(80, 24)) as pilot:
        assert isinstance(app.screen, Picker)
        app.screen.view.post_message(app.screen.view.Typed("", None, "\x1b[2Jbet\nrest"))
        await until_seen(pilot, "1 of 3")
        await pilot.press("enter")
        assert app.answers == ["beta two"]


@pytest.mark.parametrize("size", SIZES)
async def test_what_is_below_stays_to_be_seen(size: tuple[int, int]) -> None:
    app = Below(lambda paint: Picker(about(*NAMES), paint))
    async with app.run_test(size=size) as pilot:
        await until_seen(pilot, "alpha one")
        rows = seen(app)
        assert len(rows) == size[1]
        assert rows[0].startswith("line 0 of the conversation")
        assert "esc" not in rows[0]


async def test_a_smaller_terminal_loses_nothing_at_hand() -> None:
    names = [f"name {at}" for at in range(50)]
    app = Below(lambda paint: Picker(about(*names), paint))
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.press("end")
        await until_seen(pilot, "name 49")
        await pilot.resize_terminal(60, 20)
        await until(pilot, lambda: len(seen(app)) == 20)
        await until_seen(pilot, "name 49")
        await pilot.press("enter")
        assert app.answers == ["name 49"]


async def test_rows_appear_as_they_come_and_the_one_at_hand_stays() -> None:
    gate = asyncio.Event()

    async def source() -> AsyncIterator[Sequence[Row[str]]]:
        yield [Row("a", "first"), Row("b", "second")]
        await gate.wait()
        yield [Row("c", "third")]

    app = Below(lambda paint: Picker(About(Sheet("names"), source), paint))
    async with app.run_test(size=(80, 24)) as pilot:
        await until_seen(pilot, "second")
        assert any("looking" in row for row in seen(app))
        await pilot.press("down")
        gate.set()
        await until_seen(pilot, "third")
        await until(pilot, lambda: not any("looking" in row for row in seen(app)))
        await pilot.press("enter")
        assert app.answers == ["b"]


@pytest.mark.parametrize(
    ("error", "words"),
    [(ServerError("No server answers."), "No server answers."), (ValueError("x"), "ValueError: x")],
)
async def test_rows_that_fail_are_a_sentence_and_not_the_end(error: Exception, words: str) -> None:
    async def source() -> AsyncIterator[Sequence[Row[str]]]:
        yield [Row("a", "first")]
        raise error

    app = Below(lambda paint: Picker(About(Sheet("names"), source), paint))
    async with app.run_test(size=(80, 24)) as pilot:
        await until_seen(pilot, words)
        await pilot.press("enter")
        assert app.answers == ["a"]


async def test_an_empty_list_says_so() -> None:
    app = Below(lambda paint: Picker(about(), paint))
    async with app.run_test(size=(60, 20)) as pilot:
        await until_seen(pilot, "None here.")
        await pilot.press("enter", "escape")
        assert app.answers == [None]


async def test_a_row_that_is_bad_says_why_and_is_not_chosen() -> None:
    rows = [Row("x", "http://127.0.0.1:1/v1", "it is still loading", mark="bad")]
    app = Below(lambda paint: Picker(About(Sheet("server"), rows), paint))
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("enter")
        await until(pilot, lambda: "it is still loading" in seen(app)[-1])
        assert app.answers == []


async def test_each_theme_is_shown_while_it_is_at_hand_and_put_back() -> None:
    app = Below(lambda paint: ThemePicker(load().themes, "night", paint))
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("down")
        await until(pilot, lambda: app.theme == "paper")
        assert app.screen.styles.base is not None
        assert app.paint.colours.background == "#fbfaf7"
        await pilot.press("escape")
        await until(pilot, lambda: app.theme == "night")
        assert app.answers == [None]
        assert app.paint.colours.background == "#14161b"


async def test_every_theme_can_be_tried_in_the_running_app() -> None:
    app = Below(lambda paint: ThemePicker(load().themes, "night", paint))
    async with app.run_test(size=(60, 20)) as pilot:
        for theme in load().themes[1:]:
            await pilot.press("down")
            await until(pilot, lambda theme=theme: app.theme == theme.name)  # type: ignore[misc] # mypy cannot type a default of a lambda
        await pilot.press("enter")
        (chosen,) = app.answers
        assert chosen == load().themes[-1]


async def test_without_colours_the_row_at_hand_is_still_seen() -> None:
    app = Below(lambda paint: Picker(about(*NAMES), paint), "none")
    async with app.run_test(size=(80, 24)) as pilot:
        await until_seen(pilot, "alpha one")
        strips = app.screen._compositor.render_strips()
        row = next(strip for strip in strips if "alpha one" in strip.text)
        assert all(segment.style and segment.style.reverse for segment in row if segment.text)


async def test_the_mode_at_hand_is_the_one_that_holds() -> None:
    app = Below(lambda paint: Picker(choosing.of_mode("edit"), paint))
    async with app.run_test(size=(60, 20)) as pilot:
        await pilot.press("down", "enter")
        assert app.answers == [SetMode("auto")]


def notes(made: About[SetMode]) -> dict[str, str]:
    assert not callable(made.source)
    return {row.title: row.note for row in made.source}


def test_modes_say_what_the_table_says() -> None:
    assert "commands yes" in notes(choosing.of_mode("ask"))["auto"]
    assert "commands asks" in notes(choosing.of_mode("ask", "none"))["auto"]
    assert "edits no" in notes(choosing.of_mode("ask"))["plan"]


async def test_a_thinking_budget_may_be_a_number() -> None:
    app = Below(lambda paint: Picker(choosing.of_thinking(8_000, 32_768), paint))
    async with app.run_test(size=(80, 24)) as pilot:
        await until_seen(pilot, "medium")
        await pilot.press(*"12345")
        await until_seen(pilot, "12,345 tokens")
        await pilot.press("enter")
        assert app.answers == [SetThinking(12_345)]


async def test_sampling_shows_the_values_that_are_sent() -> None:
    made = choosing.of_sampling("Qwen3.6-35B-A3B", 8_000, SetSampling())
    app = Below(lambda paint: Picker(made, paint))
    async with app.run_test(size=(120, 40)) as pilot:
        await until_seen(pilot, "temperature 0.6  top_p 0.95")
        await until_seen(pilot, "model card of Qwen3.6")
        await pilot.press("down", "enter")
        (given_,) = app.answers
        assert isinstance(given_, SetSampling)
        assert (given_.temperature, given_.top_p, given_.top_k) == (0.6, 0.95, 20)


async def test_servers_appear_as_they_answer(scripted: object) -> None:
    server = scripted(about=AboutServer())  # type: ignore[operator] # a fixture that is called
    port = int(server.base_url.split(":")[2].split("/")[0])
    app = Below(lambda paint: Picker(choosing.of_server("", (port, 9)), paint))
    async with app.run_test(size=(120, 40)) as pilot:
        await until_seen(pilot, f"http://127.0.0.1:{port}/v1")
        await pilot.press("enter")
        (given_,) = app.answers
        assert isinstance(given_, SetModel)
        assert given_.base_url == f"http://127.0.0.1:{port}/v1"
        assert given_.model


async def test_an_address_may_be_typed_where_no_server_is_found() -> None:
    app = Below(lambda paint: Picker(choosing.of_server("", (9,)), paint))
    async with app.run_test(size=(80, 24)) as pilot:
        await until_seen(pilot, "No server answers on the known ports")
        await pilot.press(*"http://10.0.0.5:8080/v1".replace("/", "/"))
        await until_seen(pilot, "this address")
        await pilot.press("enter")
        assert app.answers == [SetModel("", "http://10.0.0.5:8080/v1")]


async def test_models_are_those_of_the_server(scripted: object) -> None:
    server = scripted(about=AboutServer())  # type: ignore[operator] # a fixture that is called
    made = choosing.of_model("none", choosing.models_at(server.base_url))
    app = Below(lambda paint: Picker(made, paint))
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: app.screen.choices.row)  # type: ignore[attr-defined] # a Picker
        await pilot.press("enter")
        (given_,) = app.answers
        assert isinstance(given_, SetModel)
        assert given_.base_url == ""


async def test_a_server_that_is_gone_is_a_sentence() -> None:
    made = choosing.of_model("x", choosing.models_at("http://127.0.0.1:9/v1"))
    app = Below(lambda paint: Picker(made, paint))
    async with app.run_test(size=(80, 24)) as pilot:
        await until_seen(pilot, "No server answers at http://127.0.0.1:9/v1")


async def test_profiles_are_models_by_name() -> None:
    made = choosing.of_profile([("deep", "http://10.0.0.5:8080/v1"), ("fast", "")], "")
    app = Below(lambda paint: Picker(made, paint))
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("enter")
        assert app.answers == [SetModel("deep")]


async def test_rules_stand_with_their_sources(tmp_path: object) -> None:
    ground = Ground.of(tmp_path)  # type: ignore[arg-type] # pytest's own path
    rules = [
        *parse_rules(["Bash(git status:*)"], "allow", "user config.toml:3", ground),
        *parse_rules(["Edit(secrets/**)"], "deny", "flag --disallowed-tools", ground),
    ]
    app = Below(lambda paint: Picker(choosing.of_rules(rules, "ask"), paint))
    async with app.run_test(size=(80, 24)) as pilot:
        await until_seen(pilot, "where no rule speaks: ask mode")
        rows = [row.strip() for row in seen(app)]
        assert rows.index("denied") < rows.index("allowed unasked")
        assert any("Bash(git status:*)" in row and "user config.toml:3" in row for row in rows)


async def test_the_palette_finds_commands_and_keys_by_their_words() -> None:
    app = Below(lambda paint: Picker(of_everything(COMMANDS, live("chat")), paint))
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press(*"larger think")
        await until_seen(pilot, "A larger thinking budget")
        await pilot.press("enter")
        assert app.answers == [Action("think_more")]


async def test_help_takes_a_command_into_the_prompt() -> None:
    app = Below(lambda paint: Picker(of_help(live("chat"), COMMANDS), paint))
    async with app.run_test(size=(60, 20)) as pilot:
        await until_seen(pilot, "F1")
        await pilot.press(*"rename")
        await until_seen(pilot, "/rename [name]")
        await pilot.press("enter")
        assert app.answers == ["/rename "]


def test_help_holds_every_live_key_and_every_command() -> None:
    made = of_help(live("chat"), COMMANDS)
    assert not callable(made.source)
    titles = "\n".join(row.title for row in made.source)
    assert all(f"/{row.name}" in titles for row in COMMANDS)
    assert len(made.source) == len(live("chat")) + len(COMMANDS)


@pytest.mark.parametrize("width", [60, 80])
def test_no_key_and_no_command_is_cut_in_the_help(width: int) -> None:
    made = of_help(live("chat"), COMMANDS)
    assert not callable(made.source)
    choices = Choices(made.source, made.order)
    shown = frame(choices, made.sheet, width, 300)
    assert not [line.text for line in shown.lines[3:] if "…" in line.text.replace("=…", "")]
    words = " ".join(" ".join(line.text.split()) for line in shown.lines)
    for row in made.source:
        assert " ".join(row.title.split()) in words.replace("  ", " ") or row.note
    assert all(line.width <= width for line in shown.lines)


def test_a_row_that_goes_on_is_one_row_to_the_mouse_and_the_keys() -> None:
    rows = [Row("a", "Ctrl+X  " + "word " * 30, hang=8), Row("b", "second")]
    choices = Choices(rows)
    made = frame(choices, Sheet("x"), 60, 16)
    assert [*made.rows.values()] == [0, 0, 0, 0, 1]
    assert [line.text.index("w") for line in made.lines[3:7]] == [11] * 4
    assert [line.spans[0].style.endswith("focus") for line in made.lines[3:8]] == [
        *[True] * 4,
        False,
    ]


async def test_an_export_goes_to_a_format_or_to_a_file() -> None:
    app = Below(lambda paint: Picker(choosing.of_export(), paint))
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press(*"talk.html")
        await until_seen(pilot, "write talk.html")
        await pilot.press("enter")
        assert app.answers == ["talk.html"]


WORDS = st.text(max_size=40)
ROWS = st.lists(
    st.builds(
        Row,
        st.integers(),
        WORDS,
        note=WORDS,
        group=st.sampled_from(["", "one", "two"]),
        hang=st.integers(0, 12),
        mark=st.sampled_from(["", "now", "bad"]),
    ),
    max_size=30,
)


@given(ROWS, WORDS, st.integers(20, 200), st.integers(6, 60), st.integers(-50, 50))
def test_a_frame_fills_its_cells_and_shows_the_row_at_hand(
    rows: list[Row[int]], query: str, width: int, height: int, steps: int
) -> None:
    choices: Choices[int] = Choices(rows)
    choices.search(Typed().paste(query).text)
    choices.move(steps)
    made = frame(choices, Sheet("title", preview=()), width, height)
    assert len(made.lines) == height
    assert all(line.width <= width for line in made.lines)
    assert all(set(span.style.split()) <= set(STYLES) for ln in made.lines for span in ln.spans)
    assert not any(
        "\n" in span.text or "\x1b" in span.text for ln in made.lines for span in ln.spans
    )
    if choices.found and height > CHROME:
        assert choices.at in made.rows.values()


@given(WORDS, WORDS)
def test_what_is_found_has_the_letters_in_their_order(query: str, text: str) -> None:
    found = fuzzy(query, text)
    if found is not None:
        assert all(0 <= place < len(text) for place in found[1])
        assert found[1] == tuple(sorted(set(found[1])))
    assert fuzzy(text, text) is not None


@pytest.mark.parametrize(
    ("query", "better", "worse"),
    [
        ("the", "theme", "gather"),
        ("fk", "fork", "half the keys"),
        ("st", "stats", "best"),
        ("new s", "new session", "answers of sun wine"),
    ],
)
def test_starts_of_words_come_first(query: str, better: str, worse: str) -> None:
    first, second = fuzzy(query, better), fuzzy(query, worse)
    assert first
    assert second is None or first[0] > second[0]


@given(ROWS, st.lists(st.tuples(st.sampled_from(["search", "move", "add"]), WORDS), max_size=12))
def test_the_row_at_hand_is_always_one_that_is_shown(
    rows: list[Row[int]], deeds: list[tuple[str, str]]
) -> None:
    choices: Choices[int] = Choices(rows)
    for deed, words in deeds:
        match deed:
            case "search":
                choices.search(words)
            case "move":
                choices.move(len(words) - 20)
            case _:
                choices.add([Row(len(words), words)])
        assert (choices.row is None) == (not choices.found)
        assert 0 <= choices.at <= max(0, len(choices.found) - 1)


def test_wide_signs_keep_the_columns() -> None:
    choices = Choices([Row(1, "写一个测试", "note"), Row(2, "plain", "other")])
    made = frame(choices, Sheet("x"), 60, 12)
    starts = [
        cells(line.text.split(note)[0])
        for line, note in zip(made.lines[3:5], ("note", "other"), strict=True)
    ]
    assert starts[0] == starts[1]
