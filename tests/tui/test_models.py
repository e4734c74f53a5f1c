"""The list of models, as the app asks the server for it."""

from dataclasses import replace
from pathlib import Path

import pytest

from qcode.cli.args import parse
from qcode.cli.held import held
from qcode.cli.settings import flags
from qcode.config.load import load, sources
from tests.support.scripted_server import StartScripted
from tests.tui.conftest import Enter


async def test_models_are_asked_for_with_the_key_of_the_engine(
    house: Enter, scripted: StartScripted
) -> None:
    server = scripted()
    async with house() as h:
        await h.begun()
        url = server.base_url
        h.app.held = replace(h.app.held, base_url=url, key_for={url: "sesame"}.__getitem__)
        h.app.command("model")
        await h.until(lambda: "scripted-model" in h.screen)
        assert {one.headers["authorization"] for one in server.others} == {"Bearer sesame"}


def test_the_key_of_the_first_server_goes_to_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("QCODE_HOME", str(tmp_path / "home"))
    said = parse(["--base-url", "http://127.0.0.1:1/v1"])
    lists = held(load(sources(flags(said))), (), "sesame")
    assert lists.key_for("http://127.0.0.1:1/v1") == "sesame"
    assert lists.key_for("http://127.0.0.1:2/v1") == ""
    assert "sesame" not in repr(lists)
