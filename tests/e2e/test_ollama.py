"""An Ollama with a small default context, and a run that says how much it needs."""

from collections.abc import Callable

from tests.e2e.rig import YOLO, Cli
from tests.support.llama_words import About
from tests.support.ollama_words import CHAT
from tests.support.script import Call, Reply
from tests.support.scripted_server import ScriptedServer

OLLAMA = About(kind="ollama", model="qwen3.6:27b", context_tokens=4_096)
WRITE = Reply("", "A file.", (Call("write", {"path": "a.txt", "content": "done\n"}),))


def test_a_run_asks_for_the_context_that_is_set(
    cli: Cli, serve: Callable[..., ScriptedServer]
) -> None:
    server = serve(WRITE, Reply("Written."), about=OLLAMA)
    ran = cli.ask(*YOLO, "--output-format", "json", environ={"QCODE_CONTEXT_TOKENS": "65536"})
    assert ran.code == 0, ran.err
    assert (cli.folder / "a.txt").read_text(encoding="utf-8") == "done\n"
    assert ran.json["qcode"]["context_tokens"] == 65_536
    assert [one.path for one in server.requests] == [CHAT, CHAT]
    assert {one.body["options"]["num_ctx"] for one in server.requests} == {65_536}


def test_a_run_that_asks_for_none_is_told_how(
    cli: Cli, serve: Callable[..., ScriptedServer]
) -> None:
    serve(Reply("Done."), about=OLLAMA)
    ran = cli.ask()
    assert ran.code == 0
    assert "QCODE_CONTEXT_TOKENS=65536" in " ".join(ran.err.split())
