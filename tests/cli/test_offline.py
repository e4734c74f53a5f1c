"""`--offline`: whoever asks, in whatever way, only the endpoints of the settings are connected to.

In processes of their own, since an audit hook stays to the end. What should be refused and is not
would go to an address that is reserved for documentation.
"""

import json
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator

import pytest

ENDPOINTS = 'Config(agent=Agent(offline="on"), server=Server(base_url={url!r}), profiles={others})'

SCRIPT = """
import asyncio, json, socket, sys, threading
from qcode.cli import offline
from qcode.config.model import Agent, Config, Profile, Server
offline.keep({config})
tried = []
def attempt(name, do):
    try:
        do()
        tried.append((name, "through"))
    except offline.Offline as error:
        tried.append((name, str(error)))
    except Exception as error:
        tried.append((name, type(error).__name__))
{body}
print(json.dumps(dict(tried)))
"""


def tried(body: str, url: str = "http://127.0.0.1:9/v1", others: str = "{}") -> dict[str, str]:
    """What became of each attempt: `through`, the refusal, or the name of another error."""
    config = ENDPOINTS.format(url=url, others=others)
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT.format(config=config, body=body)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, str] = json.loads(done.stdout)
    return found


@pytest.fixture
def listening() -> Iterator[int]:
    """Port of somebody who takes connections."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=_take, args=(server,), daemon=True)
        thread.start()
        yield server.getsockname()[1]
        server.shutdown(socket.SHUT_RDWR)


def _take(server: socket.socket) -> None:
    try:
        while True:
            server.accept()[0].close()
    except OSError:
        pass  # the test is over


WAYS = """
attempt("connect", lambda: socket.create_connection(("192.0.2.1", 443), 1))
attempt("connect_ex", lambda: socket.socket().connect_ex(("192.0.2.1", 443)))
attempt("v6", lambda: socket.socket(socket.AF_INET6).connect(("2001:db8::1", 443)))
attempt("mapped", lambda: socket.socket(socket.AF_INET6).connect(("::ffff:192.0.2.1", 443)))
attempt("datagram", lambda: socket.socket(type=socket.SOCK_DGRAM).connect(("192.0.2.1", 53)))
udp = socket.socket(type=socket.SOCK_DGRAM)
attempt("sendto", lambda: udp.sendto(b"x", ("192.0.2.1", 53)))
if hasattr(udp, "sendmsg"):
    attempt("sendmsg", lambda: udp.sendmsg([b"x"], [], 0, ("192.0.2.1", 53)))
attempt("look up", lambda: socket.getaddrinfo("example.invalid", 443))
attempt("look up bytes", lambda: socket.getaddrinfo(b"example.invalid", 443))
attempt("by name", lambda: socket.gethostbyname("example.invalid"))
attempt("by name ex", lambda: socket.gethostbyname_ex("example.invalid"))
attempt("by address", lambda: socket.gethostbyaddr("example.invalid"))
attempt("name of", lambda: socket.getnameinfo(("example.invalid", 80), 0))
attempt("other port here", lambda: socket.create_connection(("127.0.0.1", 22), 1))
def threaded():
    caught = []
    def work():
        try:
            socket.create_connection(("192.0.2.1", 443), 1)
        except OSError as error:
            caught.append(error)
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    raise caught[0]
attempt("thread", threaded)
async def on_loop():
    await asyncio.open_connection("192.0.2.1", 443)
attempt("loop", lambda: asyncio.run(on_loop()))
async def by_name():
    await asyncio.open_connection("example.invalid", 443)
attempt("loop by name", lambda: asyncio.run(by_name()))
"""


def test_every_way_out_is_refused_with_a_sentence() -> None:
    found = tried(WAYS)
    assert len(found) >= 16
    for name, became in found.items():
        assert became.startswith("qcode is offline and does not connect to "), (name, became)
        assert became.endswith(": only to 127.0.0.1:9"), (name, became)


def test_the_libraries_of_qcode_are_kept_back_too() -> None:
    body = """
import httpx2, urllib.request
from qcode.server.door import make_http
async def through(url):
    async with make_http(url, 1.0) as http:
        await http.get(url)
def get(url):
    try:
        asyncio.run(through(url))
    except httpx2.ConnectError as error:
        raise offline.Offline(str(error))
attempt("local door", lambda: get("http://192.168.77.77:8080/v1"))
attempt("public door", lambda: get("https://192.0.2.1/v1"))
import openai
def ask():
    try:
        openai.OpenAI(api_key="x", base_url="https://192.0.2.1/v1", max_retries=0).models.list()
    except openai.APIConnectionError as error:
        raise offline.Offline(str(error.__cause__))
attempt("openai", ask)
"""
    for name, became in tried(body).items():
        assert became.startswith("qcode is offline and does not connect to "), (name, became)


def test_endpoints_and_those_of_profiles_are_reached(listening: int) -> None:
    body = f"""
attempt("connect", lambda: socket.create_connection(("127.0.0.1", {listening}), 5))
attempt("by name", lambda: socket.create_connection(("localhost", {listening}), 5))
async def on_loop():
    await asyncio.open_connection("localhost", {listening})
attempt("loop", lambda: asyncio.run(on_loop()))
"""
    url = f"http://127.0.0.1:{listening}/v1"
    assert set(tried(body, url).values()) == {"through"}
    others = f"{{'deep': Profile(base_url='http://localhost:{listening}/v1')}}"
    assert set(tried(body, "", others).values()) == {"through"}


def test_an_endpoint_is_known_by_its_name(listening: int) -> None:
    """`localhost.` is no address; what it stands for is learned when it is looked up."""
    body = f"""
allowed = offline._Allowed()
allowed.add(["http://endpoint.test:{listening}/v1"])
attempt("its name", lambda: allowed.name("endpoint.test"))
attempt("another", lambda: allowed.name("other.test"))
allowed.found.add(("192.0.2.7", {listening}))
attempt("its address", lambda: allowed.address(socket.AF_INET, ("192.0.2.7", {listening})))
attempt("its other port", lambda: allowed.address(socket.AF_INET, ("192.0.2.7", 443)))
"""
    found = tried(body, f"http://endpoint.test:{listening}/v1")
    assert found["its name"] == found["its address"] == "through"
    assert "other.test" in found["another"]
    assert "192.0.2.7:443" in found["its other port"]


def test_known_ports_of_this_machine_are_looked_at() -> None:
    body = 'attempt("ollama", lambda: socket.create_connection(("127.0.0.1", 11434), 1))'
    assert tried(body, "")["ollama"] in ("through", "ConnectionRefusedError")


@pytest.mark.skipif(not hasattr(socket, "AF_UNIX"), reason="no sockets of that kind here")
def test_a_socket_of_this_machine_is_no_network() -> None:
    body = 'attempt("unix", lambda: socket.socket(socket.AF_UNIX).connect("no-such-socket"))'
    assert tried(body)["unix"] == "FileNotFoundError"


def test_online_nothing_is_watched() -> None:
    script = (
        "import sys\n"
        "from qcode.cli import offline\n"
        "from qcode.config.model import Config\n"
        "offline.keep(Config())\n"
        "assert offline._installed.acquire(blocking=False)\n"
    )
    subprocess.run([sys.executable, "-c", script], check=True, timeout=60)
