"""`qcode models pull` as it is typed, against a hub on this machine."""

import hashlib
import importlib.util
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random

import pytest

from qcode.headless.exits import ExitCode
from qcode.serve.pull import SPARE_BYTES
from tests.serve.hub import COMMIT, Hub

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("huggingface_hub") is None,
    reason="huggingface_hub is not installed: pip install 'qcode[local]'",
)

REPO = "owner/Model-GGUF"
MODEL = Random(1).randbytes(32_000_000)
LOST = 11_000_000
"""At most, of a transfer that breaks: the library writes pieces of 10 MiB."""
FILES = {
    "README.md": b"# A model\n",
    "Model-Q4_K_M.gguf": MODEL,
    "Model-Q8_0-00001-of-00002.gguf": MODEL[:70_000],
    "Model-Q8_0-00002-of-00002.gguf": MODEL[70_000:140_000],
    "mmproj-F16.gguf": MODEL[:5_000],
}
SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Ran:
    code: int
    out: str
    err: str


class Puller:
    """Runs the command with one hub and one cache."""

    def __init__(self, hub: Hub, home: Path) -> None:
        self.hub, self.home = hub, home
        self.environ = {**os.environ, "HF_ENDPOINT": hub.endpoint, "HF_HOME": str(home)}

    def line(self, *argv: str) -> list[str]:
        return [sys.executable, "-m", "qcode", "models", "pull", *argv]

    def run(self, *argv: str, **environ: str) -> Ran:
        done = subprocess.run(
            self.line(*argv),
            env={**self.environ, **environ},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=SECONDS,
            text=True,
            check=False,
        )
        assert "Traceback" not in done.stderr, done.stderr
        return Ran(done.returncode, done.stdout, done.stderr)

    @property
    def parts(self) -> list[Path]:
        """What is half here."""
        return [*self.home.rglob("*.incomplete")]


@pytest.fixture
def hub() -> Iterator[Hub]:
    repos = {
        REPO: FILES,
        "owner/Bare": {"README.md": b"x"},
        "owner/Closed": FILES,
        "unsloth/Qwen3.5-27B-GGUF": {"Qwen3.5-27B-UD-Q4_K_XL.gguf": MODEL[:9_000]},
    }
    it = Hub(repos).start()
    it.gated = frozenset({"owner/Closed"})
    yield it
    it.close()


@pytest.fixture
def puller(hub: Hub, tmp_path: Path) -> Puller:
    return Puller(hub, tmp_path / "hf")


def test_a_model_comes_whole_and_lies_where_other_programs_look(puller: Puller) -> None:
    ran = puller.run(f"hf:{REPO}:Q4_K_M")
    assert ran.code == ExitCode.OK, ran.err
    path = Path(ran.out.strip())
    assert path.read_bytes() == MODEL
    name = f"models--owner--Model-GGUF/snapshots/{COMMIT}/Model-Q4_K_M.gguf"
    assert path == puller.home / "hub" / name
    assert puller.hub.sent == {"Model-Q4_K_M.gguf": len(MODEL)}
    assert "qcode serve hf:owner/Model-GGUF:Q4_K_M" in ran.err


def test_the_host_is_named_before_it_is_asked(puller: Puller, hub: Hub) -> None:
    ran = puller.run(f"{REPO}:Q4_K_M")
    host = hub.endpoint.removeprefix("http://")
    first, *_ = ran.err.splitlines()
    assert first == f"qcode: connecting to {host}, as you asked: which files has {REPO}?"
    assert f"connecting to {host}, as you asked: Model-Q4_K_M.gguf (32.0 MB)" in ran.err
    assert "32.0 MB of 32.0 MB" in ran.err


def test_what_is_here_already_is_not_fetched_again(puller: Puller, hub: Hub) -> None:
    puller.run(f"{REPO}:Q4_K_M")
    hub.sent.clear()
    ran = puller.run(f"{REPO}:Q4_K_M")
    assert (ran.code, hub.sent) == (ExitCode.OK, {})
    assert "on this disk already" in ran.err
    assert Path(ran.out.strip()).read_bytes() == MODEL


def test_a_model_in_parts_comes_with_all_of_them_and_its_eyes(puller: Puller) -> None:
    ran = puller.run(f"{REPO}:Q8_0", "--mmproj", "yes", "--json")
    rows = json.loads(ran.out)["files"]
    assert [row["name"] for row in rows] == [
        name for name in FILES if "Q8" in name or "mmproj" in name
    ]
    for row in rows:
        assert Path(row["path"]).read_bytes() == FILES[row["name"]]


def test_nobody_to_ask_about_the_eyes_is_told_how_to_get_them(puller: Puller, hub: Hub) -> None:
    ran = puller.run(f"{REPO}:Q8_0")
    assert "--mmproj yes" in ran.err
    assert "mmproj-F16.gguf" not in hub.sent
    assert "--mmproj" not in puller.run(f"{REPO}:Q8_0", "--mmproj", "no").err


def test_a_connection_that_breaks_goes_on_where_it_was(puller: Puller, hub: Hub) -> None:
    hub.cut_after, hub.cuts = 25_000_000, 1
    ran = puller.run(f"{REPO}:Q4_K_M")
    assert ran.code == ExitCode.OK, ran.err
    assert Path(ran.out.strip()).read_bytes() == MODEL
    assert len(MODEL) <= hub.sent["Model-Q4_K_M.gguf"] <= len(MODEL) + LOST
    ranges = [asked for method, _, asked in hub.asked if method == "GET" and asked]
    assert len(ranges) == 1


@pytest.mark.parametrize(
    ("ending", "code"),
    [(signal.SIGKILL, -signal.SIGKILL), (signal.SIGINT, ExitCode.INTERRUPTED)],
    ids=["killed", "Ctrl+C"],
)
def test_a_pull_that_was_ended_goes_on_where_it_was(
    puller: Puller, hub: Hub, ending: signal.Signals, code: int
) -> None:
    """The library itself would begin anew."""
    hub.cut_after, hub.cuts = 16_000_000, 99
    process = subprocess.Popen(
        puller.line(f"{REPO}:Q4_K_M"),
        env=puller.environ,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    waited = time.monotonic() + SECONDS
    while not (puller.parts and puller.parts[0].stat().st_size > 1_000_000):
        assert time.monotonic() < waited
        time.sleep(0.02)  # a file of another process can only be looked at
    process.send_signal(ending)
    assert process.wait(SECONDS) == code
    there = puller.parts[0].stat().st_size
    hub.cuts = 0
    hub.sent.clear()
    ran = puller.run(f"{REPO}:Q4_K_M")
    assert ran.code == ExitCode.OK, ran.err
    assert Path(ran.out.strip()).read_bytes() == MODEL
    assert hub.sent["Model-Q4_K_M.gguf"] == len(MODEL) - there
    assert "of it here already" in ran.err
    assert puller.parts == []


def test_another_checksum_is_refused_and_nothing_of_it_stays(puller: Puller, hub: Hub) -> None:
    hub.spoiled = True
    ran = puller.run(f"{REPO}:Q4_K_M")
    assert ran.code == ExitCode.FAILED, ran.err
    assert "another checksum" in ran.err
    assert ran.out == ""
    assert puller.parts == []
    wrong = hashlib.sha256(hub.bytes_for("Model-Q4_K_M.gguf")).hexdigest()
    for path in puller.home.rglob("*"):
        assert not path.is_file() or hashlib.sha256(path.read_bytes()).hexdigest() != wrong


@pytest.mark.parametrize(
    ("model", "words"),
    [
        (f"{REPO}:Q2_K", "has no Q2_K. There is Q4_K_M (32.0 MB), Q8_0 (140.0 kB)."),
        (REPO, "has several quantisations: Q4_K_M (32.0 MB), Q8_0 (140.0 kB). Say which"),
        ("owner/Bare:Q4_K_M", "has no GGUF file"),
        ("owner/Nobody:Q4_K_M", "has no owner/Nobody, or shows it only to those"),
        ("nonsense", "names no model of the hub"),
    ],
)
def test_what_there_is_not_is_a_sentence(puller: Puller, model: str, words: str) -> None:
    ran = puller.run(model)
    assert ran.code == ExitCode.INPUT, ran.err
    assert words in ran.err.replace("\n  ", " ")
    assert puller.hub.sent == {}


@pytest.mark.parametrize(("day", "is_told"), [("2026-02-01", "told"), ("2026-06-01", "not told")])
def test_a_file_that_is_known_to_be_bad_is_named(
    puller: Puller, hub: Hub, day: str, is_told: str
) -> None:
    hub.changed = f"{day}T10:00:00.000Z"
    ran = puller.run("unsloth/Qwen3.5-27B-GGUF:UD-Q4_K_XL")
    assert ran.code == ExitCode.OK, ran.err
    words = ran.err.replace("\n  ", " ")
    assert (f"is of {day}. Known to be bad: Qwen3.5" in words) is (is_told == "told")


def test_who_must_consent_first_is_told_where(puller: Puller, hub: Hub) -> None:
    ran = puller.run("owner/Closed:Q4_K_M")
    assert f"{hub.endpoint}/owner/Closed" in ran.err.replace("\n  ", " ")
    assert "HF_TOKEN" in ran.err
    allowed = puller.run("owner/Closed:Q8_0", HF_TOKEN="hf_secret")
    assert allowed.code == ExitCode.OK, allowed.err
    assert "hf_secret" not in allowed.err + allowed.out
    assert set(hub.tokens) == {"Bearer hf_secret"}


@pytest.mark.parametrize(
    ("name", "words"),
    [("HF_HUB_OFFLINE", "HF_HUB_OFFLINE is set"), ("QCODE_OFFLINE", "qcode is offline")],
)
def test_offline_nothing_is_asked(puller: Puller, hub: Hub, name: str, words: str) -> None:
    ran = puller.run(f"{REPO}:Q4_K_M", **{name: "on"})
    assert ran.code == ExitCode.CONFIG, ran.err
    assert words in ran.err
    assert hub.asked == []


def test_a_hub_that_is_not_there_is_a_sentence(puller: Puller, hub: Hub) -> None:
    hub.close()
    ran = puller.run(f"{REPO}:Q4_K_M")
    assert ran.code == ExitCode.UNAVAILABLE, ran.err
    assert "cannot be reached" in ran.err
    assert "Nothing has come" in ran.err


@pytest.mark.parametrize(
    "name", ["../../../../out-Q4_K_M.gguf", "a/../../out-Q4_K_M.gguf", "/out-Q4_K_M.gguf"]
)
def test_a_name_that_leads_out_of_the_cache_is_refused(tmp_path: Path, name: str) -> None:
    hub = Hub({"owner/Evil": {name: MODEL[:5_000]}}).start()
    ran = Puller(hub, tmp_path / "hf").run("owner/Evil:Q4_K_M")
    hub.close()
    assert ran.code == ExitCode.FAILED, ran.err
    assert "nothing was fetched" in ran.err
    assert not [*tmp_path.rglob("*out*")]
    assert not hub.sent


OUT = {"sha256": "../../../../../out", "size": 1, "pointerSize": 1}


@pytest.mark.parametrize("said", [{"lfs": OUT}, {"size": -5}, {"size": "all"}])
def test_a_checksum_or_a_size_that_is_none_is_refused(
    puller: Puller, hub: Hub, said: dict[str, object]
) -> None:
    hub.said = said
    ran = puller.run(f"{REPO}:Q4_K_M")
    assert ran.code == ExitCode.FAILED, ran.err
    assert "nothing was fetched" in ran.err
    assert not hub.sent


# The hosts that a hub sends one to


@pytest.fixture
def storage() -> Iterator[Callable[[str], Hub]]:
    """Starts where a hub keeps its files."""
    made: list[Hub] = []

    def start(address: str) -> Hub:
        made.append(Hub({REPO: FILES}).start(address))
        return made[-1]

    yield start
    for one in made:
        one.close()


def audited(puller: Puller) -> list[tuple[str, str]]:
    done = subprocess.run(
        [sys.executable, "-m", "qcode", "audit", "--pulls", "--json"],
        env=puller.environ,
        capture_output=True,
        check=True,
        timeout=SECONDS,
    )
    return [(row["what"], row["outcome"]) for row in json.loads(done.stdout)["rows"]]


def test_where_the_bytes_come_from_is_said_before_they_do_and_audited(
    puller: Puller, hub: Hub, storage: Callable[[str], Hub]
) -> None:
    other = storage("127.0.0.1")
    hub.onward = other.endpoint
    ran = puller.run(f"{REPO}:Q4_K_M", HF_TOKEN="hf_secret")
    assert ran.code == ExitCode.OK, ran.err
    assert Path(ran.out.strip()).read_bytes() == MODEL
    assert (hub.sent, other.sent) == ({}, {"Model-Q4_K_M.gguf": len(MODEL)})
    host, far = (one.endpoint.removeprefix("http://") for one in (hub, other))
    words = ran.err.replace("\n  ", " ")
    said = words.index(f"connecting to {far}, where {host} sends one for {REPO}")
    assert said < words.index("Model-Q4_K_M.gguf: ")
    assert audited(puller) == [(host, "allow"), (far, "allow")]
    assert set(other.tokens) == {""}, "the person's token is the hub's alone"


def test_a_hub_that_serves_its_files_itself_is_the_only_host(puller: Puller, hub: Hub) -> None:
    ran = puller.run(f"{REPO}:Q4_K_M")
    assert "sends one" not in ran.err
    assert audited(puller) == [(hub.endpoint.removeprefix("http://"), "allow")]


@pytest.mark.skipif(sys.platform != "linux", reason="127.0.0.2 is an address on Linux alone")
def test_a_hub_sends_nobody_to_another_address_of_this_machine(
    puller: Puller, hub: Hub, storage: Callable[[str], Hub]
) -> None:
    other = storage("127.0.0.2")
    hub.onward = other.endpoint
    ran = puller.run(f"{REPO}:Q4_K_M")
    assert ran.code == ExitCode.INPUT, ran.err
    words = ran.err.replace("\n  ", " ")
    assert "nothing is fetched from there: 127.0.0.2 is an address of this machine" in words
    assert other.asked == []
    assert audited(puller)[-1] == (other.endpoint.removeprefix("http://"), "deny")


@pytest.mark.parametrize(
    "to",
    [
        *("http://10.0.0.1", "http://192.168.1.1:8080", "http://169.254.169.254/latest"),
        *("http://[::1]:1", "http://[fe80::1]", "http://[::ffff:127.0.0.1]", "http://2130706433"),
        *("http://0x7f.1", "http://100.64.0.1"),
    ],
)
def test_nor_into_the_persons_network(puller: Puller, hub: Hub, to: str) -> None:
    hub.onward = to
    ran = puller.run(f"{REPO}:Q4_K_M")
    assert ran.code == ExitCode.INPUT, ran.err
    assert "nothing is fetched from there" in ran.err.replace("\n  ", " ")
    assert ran.out == ""
    assert audited(puller)[-1][1] == "deny"


@pytest.mark.skipif(sys.platform != "linux", reason="127.0.0.2 is an address on Linux alone")
def test_nor_by_a_second_redirection(
    puller: Puller, hub: Hub, storage: Callable[[str], Hub]
) -> None:
    between, last = storage("127.0.0.1"), storage("127.0.0.2")
    hub.onward, between.onward = between.endpoint, last.endpoint
    ran = puller.run(f"{REPO}:Q4_K_M")
    assert ran.code == ExitCode.INPUT, ran.err
    assert between.asked
    assert last.asked == []
    assert [outcome for _, outcome in audited(puller)] == ["allow", "allow", "deny"]


@pytest.mark.skipif(sys.platform != "linux", reason="127.0.0.2 is an address on Linux alone")
def test_no_other_transfer_than_the_one_that_is_looked_at_is_used(
    puller: Puller, hub: Hub, storage: Callable[[str], Hub]
) -> None:
    """`hf_xet` connects by itself, to wherever the hub says, where nobody sees it."""
    other = storage("127.0.0.2")
    hub.cas = other.endpoint
    ran = puller.run(f"{REPO}:Q8_0", "--mmproj", "no", HF_HUB_DISABLE_XET="0")
    assert other.asked == []
    assert [outcome for _, outcome in audited(puller)] == ["allow"]
    assert ran.code == ExitCode.FAILED, ran.err
    assert "has changed on" in ran.err
    assert ran.out == ""


# A disk without room


def test_what_is_larger_than_the_disk_is_refused_before_a_byte_comes(
    puller: Puller, hub: Hub, tmp_path: Path
) -> None:
    hub.said = {"size": shutil.disk_usage(tmp_path).total + 1}
    ran = puller.run(f"{REPO}:Q4_K_M")
    assert ran.code == ExitCode.INPUT, ran.err
    words = ran.err.replace("\n  ", " ")
    assert f"{tmp_path} has " in words
    assert "are to come. Free some space, or set HF_HOME to a folder on another disk." in words
    assert (hub.sent, puller.parts) == ({}, [])


def test_a_disk_is_not_filled_to_its_last_byte(puller: Puller, hub: Hub, tmp_path: Path) -> None:
    hub.said = {"size": shutil.disk_usage(tmp_path).free - SPARE_BYTES // 2}
    ran = puller.run(f"{REPO}:Q4_K_M")
    assert (ran.code, hub.sent) == (ExitCode.INPUT, {}), ran.err
    assert "are to come" in ran.err.replace("\n  ", " ")


def on_a_disk_of(size: str, puller: Puller, *argv: str) -> Ran:
    """Run it in namespaces of its own, where the cache lies on a small disk; skips where nobody but
    root may have such."""
    puller.home.mkdir(exist_ok=True)
    mounts = f'mount -t tmpfs -o size={size} none "$0" && exec "$@"'
    line = ["unshare", "-Urm", "sh", "-c", mounts, str(puller.home)]
    try:
        subprocess.run([*line, "true"], check=True, capture_output=True, timeout=SECONDS)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("no namespaces of one's own here, so no small disk")
    done = subprocess.run(
        [*line, *puller.line(*argv)],
        env=puller.environ,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=SECONDS,
        text=True,
        check=False,
    )
    assert "Traceback" not in done.stderr, done.stderr
    return Ran(done.returncode, done.stdout, done.stderr)


def test_a_small_disk_is_looked_at_itself(puller: Puller, hub: Hub) -> None:
    ran = on_a_disk_of("100m", puller, f"{REPO}:Q4_K_M")
    assert ran.code == ExitCode.INPUT, ran.err
    words = ran.err.replace("\n  ", " ")
    assert f"{puller.home} has 104.9 MB free, and 32.0 MB are to come" in words
    assert hub.sent == {}
    assert on_a_disk_of("700m", puller, f"{REPO}:Q4_K_M").code == ExitCode.OK


@pytest.mark.parametrize("endpoint", ["foo", "hub.example.com", "ftp://hub.example.com", "http://"])
def test_an_endpoint_that_is_no_address_is_named(puller: Puller, endpoint: str) -> None:
    ran = puller.run(f"{REPO}:Q4_K_M", HF_ENDPOINT=endpoint)
    assert ran.code == ExitCode.CONFIG, ran.err
    assert f"HF_ENDPOINT is '{endpoint.rstrip('/')}" in ran.err
    assert "connecting to" not in ran.err


def test_a_name_that_nobody_resolves_is_told_as_no_internet(puller: Puller) -> None:
    name = ".".join(("a" * 60,) * 5)  # too long for any name server: none is asked
    ran = puller.run(f"{REPO}:Q4_K_M", HF_ENDPOINT=f"http://{name}.invalid")
    assert ran.code == ExitCode.UNAVAILABLE, ran.err
    assert "there seems to be no internet here" in ran.err.replace("\n  ", " ")
    assert "Errno" not in ran.err
