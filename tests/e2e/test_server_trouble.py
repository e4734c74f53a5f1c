"""No server, another one, one in trouble: what happened, where, what to do, and the code."""

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator

import pytest

from qcode.server.endpoint import PORTS
from tests.e2e.rig import DONE, Cli, meanwhile
from tests.support.script import Pace, Reply
from tests.support.scripted_server import ScriptedServer, StartScripted

Serve = Callable[..., ScriptedServer]


@contextlib.contextmanager
def saying(answer: bytes) -> Iterator[str]:
    """The base URL of something that gives every request the same bytes and hangs up."""
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def loop() -> None:
            with contextlib.suppress(OSError):  # closed: the test is over
                while True:
                    caller, _ = listening.accept()
                    with caller, contextlib.suppress(OSError):
                        caller.recv(65536)
                        caller.sendall(answer)

        thread = threading.Thread(target=loop, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}/v1"
        listening.shutdown(socket.SHUT_RDWR)
    thread.join(5)


def http(status: str, kind: str, body: str) -> bytes:
    """A whole answer."""
    head = f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n"
    return f"{head}Connection: close\r\n\r\n{body}".encode()


def free_port() -> int:
    """Nobody listens there."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return int(listening.getsockname()[1])


def test_no_server_names_the_address_and_how_to_start_one(cli: Cli) -> None:
    cli.url = f"http://127.0.0.1:{free_port()}/v1"
    ran = cli.ask("--output-format", "json")
    assert ran.code == 75
    assert cli.url in ran.err
    assert "connection refused" in ran.err
    assert "llama-server" in ran.err
    assert ran.json["is_error"] is True
    assert ran.json["qcode"]["exit_code"] == 75
    assert cli.url in ran.json["errors"][0]


def somebody_listens() -> bool:
    """At one of the usual ports of this machine; a test has no business there."""
    for port in PORTS:
        with socket.socket() as caller:
            if caller.connect_ex(("127.0.0.1", port)) == 0:
                return True
    return False


def test_without_an_address_all_that_were_tried_are_named(cli: Cli) -> None:
    if somebody_listens():
        pytest.skip("a server of this machine would answer")
    ran = cli.ask()
    assert ran.code == 75
    for port in PORTS:
        assert f"http://127.0.0.1:{port}/v1" in ran.err


def test_a_server_that_hangs_up_is_unavailable(cli: Cli) -> None:
    with saying(b"") as cli.url:
        ran = cli.ask()
    assert ran.code == 75
    assert "the server closed the connection" in ran.err


@pytest.mark.parametrize("status", ["200 OK", "404 Not Found"])
def test_a_web_site_is_no_server(cli: Cli, status: str) -> None:
    with saying(http(status, "text/html", "<html><body>It works!</body></html>")) as cli.url:
        ran = cli.ask()
    assert ran.code not in (0, 75)
    assert cli.url in ran.err
    assert "base_url" in ran.err


def test_a_path_that_leads_nowhere_asks_for_the_right_base_url(cli: Cli, serve: Serve) -> None:
    cli.url = f"{serve().origin}/api/v9"
    ran = cli.ask()
    assert ran.code not in (0, 75)
    assert "base_url" in ran.err


def test_a_base_url_without_its_v1_is_taken(cli: Cli, serve: Serve) -> None:
    cli.url = serve(DONE).origin + "/"
    assert cli.ask().code == 0


def test_a_base_url_that_is_none_is_a_wrong_flag(cli: Cli) -> None:
    cli.url = "localhost 8080"
    ran = cli.ask()
    assert ran.code == 2
    assert "http://127.0.0.1:8080/v1" in ran.err


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("application/json", '{"error": {"message": "Invalid API Key"}}'),
        ("application/json", '{"detail": "Unauthorized"}'),
        ("text/html", "<h1>401 Authorization Required</h1>"),
    ],
)
def test_a_key_that_is_refused_when_looking_is_41(cli: Cli, kind: str, body: str) -> None:
    with saying(http("401 Unauthorized", kind, body)) as cli.url:
        ran = cli.ask()
    assert ran.code == 41
    assert "QCODE_API_KEY" in ran.err


def test_a_key_that_is_refused_later_is_41(cli: Cli, serve: Serve) -> None:
    serve(Reply(status=401, body={"error": {"message": "bad key"}}))
    ran = cli.ask()
    assert ran.code == 41
    assert "QCODE_API_KEY" in ran.err


def test_a_wrong_model_name_lists_those_there_are(cli: Cli, scripted: StartScripted) -> None:
    cli.url = scripted().base_url
    ran = cli.ask("--model", "qwen-huge", "--output-format", "json")
    assert ran.code == 42
    assert "'qwen-huge'" in ran.err
    assert "scripted-model" in ran.err
    assert ran.json["qcode"]["exit_code"] == 42


def test_a_prompt_too_long_for_the_context_says_both_lengths(cli: Cli, serve: Serve) -> None:
    error = {"type": "exceed_context_size_error", "n_prompt_tokens": 5000, "n_ctx": 4096}
    serve(Reply(status=400, body={"error": {"code": 400, "message": "too long", **error}}))
    ran = cli.ask()
    assert ran.code == 1
    assert "5,000" in ran.err
    assert "4,096" in ran.err
    assert "larger context" in ran.err


def test_a_model_that_loads_is_waited_for_and_told_once(cli: Cli, serve: Serve) -> None:
    server = serve(DONE)
    server.loading = True

    def ready() -> None:
        server.wait_for(lambda it: len(it.others) > 2)
        server.loading = False

    with meanwhile(ready):
        ran = cli.ask()
    assert ran.code == 0
    assert ran.err.count("loads its model") == 1


def test_a_slow_prompt_is_no_time_out(cli: Cli, serve: Serve) -> None:
    serve(Reply(text="Slow but here.", pace=Pace(first_delta_seconds=5.5)))
    ran = cli.ask()
    assert ran.code == 0
    assert ran.out == "Slow but here.\n"


def test_an_answer_that_breaks_off_is_asked_for_again(cli: Cli, serve: Serve) -> None:
    server = serve(Reply(text="half of", end="reset"), Reply(text="The whole answer."))
    ran = cli.ask()
    assert ran.code == 0
    assert ran.out == "The whole answer.\n"
    assert ran.err.count("retry 1") == 1
    assert server.requests[0].body == server.requests[1].body


def test_empty_answers_are_never_success(cli: Cli, serve: Serve) -> None:
    serve(*[Reply()] * 4)
    ran = cli.ask("--output-format", "json")
    assert ran.code == 1
    assert ran.json["result"] == ""
    assert "without words or calls" in ran.json["errors"][0]
    assert ran.err.count(": asked again") == 3  # the fourth try was the last
