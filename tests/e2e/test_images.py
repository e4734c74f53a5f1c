"""Pictures from the command line: by flag, by name in the prompt, and where nobody sees them."""

import base64
from collections.abc import Callable

import pytest

from tests.e2e.rig import DONE, Cli
from tests.support.script import Reply
from tests.support.scripted_server import ScriptedServer, StartScripted

PNG = b"\x89PNG\r\n\x1a\n and more"
Serve = Callable[..., ScriptedServer]


@pytest.fixture
def plain(cli: Cli, scripted: StartScripted) -> Serve:
    """Starts a server that does not tell whether its model sees."""

    def start(*replies: Reply) -> ScriptedServer:
        server = scripted(*replies)
        cli.url = server.base_url
        return server

    return start


def pictures(server: ScriptedServer) -> list[bytes]:
    """Those of the only request's last message."""
    content = server.requests[0].messages[-1]["content"]
    urls = [part["image_url"]["url"] for part in content if part["type"] == "image_url"]
    return [base64.b64decode(url.partition(";base64,")[2]) for url in urls]


def test_flags_and_names_in_the_prompt_are_sent_each_once(cli: Cli, plain: Serve) -> None:
    server = plain(DONE)
    for name in ("a.png", "b c.PNG", "d.jpg"):
        (cli.folder / name).write_bytes(PNG + name.encode())
    prompt = 'What is in @"b c.PNG", @a.png and @a.png? Not in x@d.jpg or @none.png.'
    ran = cli.run("-p", prompt, "-i", "a.png", "--image", "d.jpg")
    assert (ran.code, ran.out) == (0, "Done.\n")
    assert pictures(server) == [PNG + b"a.png", PNG + b"d.jpg", PNG + b"b c.PNG"]
    assert server.requests[0].messages[-1]["content"][0]["text"].endswith(prompt)


def test_a_model_that_takes_none_is_sent_nothing(cli: Cli, serve: Serve) -> None:
    server = serve()
    (cli.folder / "a.png").write_bytes(PNG)
    ran = cli.ask("-i", "a.png", "--output-format", "json")
    assert ran.code == 42
    assert "takes no images" in ran.err
    assert "--mmproj FILE" in " ".join(ran.err.split())
    assert ran.json["is_error"] is True
    assert not server.requests


def test_a_file_that_is_no_picture_ends_before_anything_else(cli: Cli, plain: Serve) -> None:
    server = plain()
    (cli.folder / "a.png").write_text("no picture")
    for argv in (("-p", "look", "-i", "a.png"), ("-p", "look at @a.png"), ("-p", "x", "-i", "no")):
        ran = cli.run(*argv)
        assert ran.code == 42
        assert "PNG" in ran.err or "cannot be read" in ran.err
    assert not server.requests
    assert not server.others


def test_a_name_that_no_file_can_have_is_a_word(cli: Cli, plain: Serve) -> None:
    server = plain(DONE)
    assert cli.run("-p", f"look at @{'a' * 300}.png").code == 0
    assert len(server.requests) == 1


def test_a_session_goes_on_with_its_pictures(cli: Cli, plain: Serve) -> None:
    server = plain(DONE, Reply(text="Still there."))
    (cli.folder / "a.png").write_bytes(PNG)
    assert cli.ask("-i", "a.png").code == 0
    (cli.folder / "a.png").unlink()
    assert cli.ask("--continue").out == "Still there.\n"
    first, second = (request.messages for request in server.requests)
    assert second[1] == first[1]
    assert pictures(server) == [PNG]
