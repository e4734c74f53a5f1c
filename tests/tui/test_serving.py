"""Where no server answers, a model's file on this machine can be served."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from msgspec.structs import replace

from qcode.protocol.errors import ConfigError, ServerGone
from qcode.protocol.events import NotBegun
from qcode.protocol.inputs import Begin, Prompt, SetMode
from qcode.tui.app import QcodeApp
from qcode.tui.home import Home, Opened, Wanted
from tests.tui.conftest import STARTED, Engine, Enter, House
from tests.tui.test_app import turn
from tests.tui.until import until

GONE = NotBegun("No server answers at :8080.", "ServerGone")


@dataclass
class Served:
    """Loads until it is let go, or given up."""

    go: threading.Event = field(default_factory=threading.Event)
    asked: list[str] = field(default_factory=list)
    given_up: list[str] = field(default_factory=list)
    trouble: str = ""

    def ahead(self, say: Callable[[str], None], loads: Callable[[str], None]) -> None:
        """See `Home.ahead`."""
        self.serve("tiny.gguf", say, loads)

    def serve(self, model: str, say: Callable[[str], None], loads: Callable[[str], None]) -> str:
        """See `Home.serve`."""
        self.asked.append(model)
        say("A GPU is not used.")
        try:
            while not self.go.is_set():
                loads("tiny")
                time.sleep(0.01)
        except Exception as error:
            self.given_up.append(type(error).__name__)
            raise
        if self.trouble:
            raise ServerGone(self.trouble)
        return "tiny"


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A model in somebody's ~/models."""
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))
    made = tmp_path / "home" / "models" / "Tiny-Q4_K_M.gguf"
    made.parent.mkdir(parents=True)
    made.write_bytes(b"GGUF" * 1000)
    return made


async def without_server(h: House, served: Served) -> None:
    """The app as it is where none answers."""
    h.app.home = replace(h.app.home, serve=served.serve)
    h.app.chat.onboarding._body.serves = True
    await h.until(lambda: "watch the demo" in h.screen)
    await h.until(lambda: h.app.chat.onboarding.has_focus)


async def test_a_file_that_is_found_is_served_and_a_session_begins(
    house: Enter, file: Path
) -> None:
    served = Served()
    async with house(Engine(begun=(GONE,)), size=(120, 30)) as h:
        await without_server(h, served)
        await h.press("m")
        await h.until(lambda: "Tiny-Q4_K_M" in h.screen)
        assert "1 MiB" in h.screen
        await h.press("enter")
        await h.until(lambda: "loading model" in h.screen)
        assert "A GPU is not used." in h.screen
        assert "watch the demo" not in h.screen
        served.go.set()
        await h.until(lambda: len(h.opened) == 2)
        await h.until(lambda: "tiny is served by qcode itself" in h.screen)
        assert served.asked == [str(file)]
        assert "loading model" not in h.screen


async def test_escape_ends_the_waiting_and_the_offers_are_back(house: Enter, file: Path) -> None:
    served = Served()
    async with house(Engine(begun=(GONE,)), size=(120, 30)) as h:
        await without_server(h, served)
        await h.press("m")
        await h.until(lambda: "Tiny-Q4_K_M" in h.screen)
        await h.press("enter")
        await h.until(lambda: "loading model" in h.screen)
        await h.press("escape")
        await h.until(lambda: "watch the demo" in h.screen)
        assert served.given_up
        assert len(h.opened) == 1
        assert "loading model" not in h.screen


async def test_a_model_that_cannot_be_served_is_said(house: Enter, file: Path) -> None:
    served = Served(trouble="The file is no GGUF.")
    served.go.set()
    async with house(Engine(begun=(GONE,)), size=(120, 30)) as h:
        await without_server(h, served)
        await h.press("m")
        await h.until(lambda: "Tiny-Q4_K_M" in h.screen)
        await h.press("enter")
        await h.until(lambda: "The file is no GGUF." in h.screen)
        await h.until(lambda: "watch the demo" in h.screen)


async def test_a_path_can_be_typed(house: Enter, file: Path) -> None:
    served = Served()
    served.go.set()
    file.unlink()
    async with house(Engine(begun=(GONE,)), size=(120, 30)) as h:
        await without_server(h, served)
        await h.press("m")
        await h.until(lambda: "No model file was found" in h.screen)
        assert "qcode models" in h.screen
        await h.press(*"/m/a.gguf")
        await h.until(lambda: "this one" in h.screen)
        await h.press("enter")
        await h.until(lambda: served.asked == ["/m/a.gguf"])


async def test_leaving_while_it_loads_does_not_wait_for_it(house: Enter, file: Path) -> None:
    served = Served()
    async with house(Engine(begun=(GONE,)), size=(120, 30)) as h:
        await without_server(h, served)
        await h.press("m")
        await h.until(lambda: "Tiny-Q4_K_M" in h.screen)
        await h.press("enter")
        await h.until(lambda: "loading model" in h.screen)
    await until(lambda: served.given_up)


async def test_where_nothing_can_be_served_it_is_not_offered(house: Enter) -> None:
    async with house(Engine(begun=(GONE,)), size=(120, 30)) as h:
        await h.until(lambda: "watch the demo" in h.screen)
        assert "serve a model file" not in h.screen


async def test_before_a_model_is_loaded_the_prompt_takes_words_and_they_go_out_then(
    house: Enter,
) -> None:
    served = Served()
    async with house(Engine(), ahead=served.ahead) as h:
        await h.until(lambda: "loading model" in h.screen)
        assert not h.opened
        await h.until(lambda: "what you send now waits" in h.screen)
        await h.type("hello")
        await h.press("enter")
        await h.until(lambda: "hello" in h.screen)
        served.go.set()
        await h.until(lambda: h.engines and h.engine.heard(Prompt) == [Prompt("hello")])
        await h.until(lambda: "A GPU is not used." in h.screen)


async def test_what_is_set_while_it_loads_does_not_keep_the_session_from_beginning(
    house: Enter,
) -> None:
    served = Served()
    async with house(Engine(), ahead=served.ahead) as h:
        await h.until(lambda: "loading model" in h.screen)
        await h.press("shift+tab")
        served.go.set()
        await h.begun()
        assert [type(one) for one in h.engine.inputs] == [SetMode, Begin]


async def test_words_that_wait_for_a_model_can_be_taken_back(house: Enter) -> None:
    served = Served()
    async with house(Engine(), ahead=served.ahead) as h:
        await h.until(lambda: "loading model" in h.screen)
        await h.type("hello")
        await h.press("enter")
        await h.until(lambda: h.app.talk.status.queued)
        await h.press("escape")
        await h.until(lambda: "No server answers yet" in h.screen)
        assert served.given_up
        await h.until(lambda: h.app.chat.onboarding.has_focus)
        await h.press("escape")
        await h.until(lambda: "No server answers yet" not in h.screen)
        await h.press("escape")
        await h.until(lambda: h.app.chat.prompt.text == "hello")
        assert not h.app.talk.status.queued


async def test_a_model_that_does_not_load_is_tried_again_with_what_was_said(house: Enter) -> None:
    served = Served(trouble="The file is no GGUF.")
    served.go.set()
    async with house(Engine(), ahead=served.ahead) as h:
        await h.until(lambda: "The file is no GGUF." in h.screen)
        await h.type("hello")
        await h.press("enter")
        await h.until(lambda: h.app.talk.status.queued)
        served.trouble = ""
        await h.until(lambda: h.app.chat.onboarding.has_focus)
        await h.press("r")
        await h.until(lambda: h.engines and h.engine.heard(Prompt) == [Prompt("hello")])


async def test_a_session_that_goes_on_is_seen_while_its_model_loads(house: Enter) -> None:
    served = Served()
    past = turn("what was asked", "and answered")
    lent = {"ahead": served.ahead, "peek": lambda _: tuple(past)}
    async with house(Engine(), past=past, wanted=Wanted("s9"), **lent) as h:
        await h.until(lambda: "loading model" in h.screen)
        await h.until(lambda: "and answered" in h.screen)
        assert not h.opened
        served.go.set()
        await h.until(lambda: h.opened == [Wanted("s9")])


async def test_the_newest_of_the_sessions_that_are_wanted_while_a_model_loads_is_opened(
    house: Enter,
) -> None:
    served = Served()
    first, second = Engine(), Engine()
    async with house(first, second, ahead=served.ahead, wanted=Wanted("s9")) as h:
        await h.until(lambda: "loading model" in h.screen)
        h.app.command("new")
        await h.pilot.pause(0.2)
        assert len(served.asked) == 1
        await h.type("hello")
        await h.press("enter")
        await h.until(lambda: h.app.talk.status.queued)
        served.go.set()
        await h.until(lambda: h.engines and h.engine.heard(Prompt) == [Prompt("hello")])
        await h.pilot.pause(0.2)
        assert h.opened == [Wanted()]
        assert not first.closed


async def test_escape_gives_up_all_that_waits_for_a_model(house: Enter) -> None:
    served = Served()
    async with house(Engine(), ahead=served.ahead) as h:
        await h.until(lambda: "loading model" in h.screen)
        h.app.command("new")
        await h.pilot.pause(0.2)
        await h.press("escape")
        await h.until(lambda: "No server answers yet" in h.screen)
        served.go.set()
        await h.pilot.pause(0.2)
        assert served.given_up == ["_GivenUpError"]
        assert not h.opened
        await h.until(lambda: h.app.chat.onboarding.has_focus)
        await h.press("r")
        await h.begun()
        assert h.opened == [Wanted()]


async def test_one_that_was_wanted_instead_and_cannot_be_opened_is_told(tmp_path: Path) -> None:
    served, engine, tries = Served(), Engine(begun=(STARTED,)), list[Wanted]()

    def open_(what: Wanted) -> Opened:
        tries.append(what)
        if len(tries) == 1:
            raise ConfigError("x.toml:3: broken.")
        return Opened(engine, (), "s1")

    app = QcodeApp(Home(tmp_path, open_, tmp_path / "state", ahead=served.ahead), Wanted("s9"))
    async with app.run_test(size=(100, 30)) as pilot:
        h = House(app, pilot, tries, [engine])
        await h.until(lambda: "loading model" in h.screen)
        app.command("new")
        await pilot.pause(0.2)
        served.go.set()
        await h.until(lambda: "x.toml:3: broken." in h.screen)
        await h.until(lambda: app.chat.onboarding.has_focus)
        await h.press("r")
        await h.until(lambda: engine.inputs)
        assert tries == [Wanted(), Wanted("s9")]
        await app.holder.close()


async def test_leaving_does_not_wait_for_what_a_session_stands_on(house: Enter) -> None:
    served = Served()
    async with house(Engine(), ahead=served.ahead) as h:
        await h.until(lambda: "loading model" in h.screen)
    await until(lambda: served.given_up)
