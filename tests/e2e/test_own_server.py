"""What `qcode serve` serves is found by every other qcode of the user, with its key."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from qcode.config.paths import make, paths
from qcode.serve import shared
from qcode.serve.card import Card, Place, place_of
from tests.e2e.rig import Cli
from tests.support.llama import make_model
from tests.support.served import PATIENCE_SECONDS, none_left, ready, task, until

if sys.platform == "win32":
    pytest.skip("no pseudo terminals there", allow_module_level=True)

from tests.support.terminal import Terminal

pytestmark = pytest.mark.llamacpp

WORDS = ("--tools", "", "--permission-mode", "plan", "--loops", "off")
"""The tiny model talks at random, and does nothing else."""


@pytest.fixture
def model(tmp_path: Path, home: Path) -> Iterator[Path]:
    """The tiny model; what serves it is ended, and leaves nothing."""
    file = paths().config_file
    file.parent.mkdir(parents=True)
    file.write_text('[serve]\nflags = ["--threads 1", "--threads-batch 1"]\n')
    with none_left(home):
        yield make_model(tmp_path, "3.5")


@contextmanager
def serving(model: Path) -> Iterator[tuple[Place, Card]]:
    """A server of the user's own; nobody uses it inside."""
    place = place_of(make(paths().state / "serve"), model)
    use = shared.join(place, lambda: task(place, model))
    card = ready(use)
    use.close()
    yield place, card


@pytest.fixture
def bare(cli: Cli) -> Cli:
    """No address is configured."""
    cli.url = ""
    cli.environ.pop("QCODE_BASE_URL", None)
    return cli


def test_a_run_without_an_address_takes_it_and_says_so(bare: Cli, model: Path) -> None:
    with serving(model) as (_, card):
        ran = bare.ask(*WORDS, "--output-format", "json")
        assert ran.code == 0, ran.err
        assert f"qcode serve's 3.5 at {card.base_url}" in ran.err
        assert ran.json["qcode"]["model"] == "3.5"
        assert card.key not in ran.out + ran.err


def test_a_run_with_its_address_has_its_key(bare: Cli, model: Path) -> None:
    with serving(model) as (_, card):
        ran = bare.ask(*WORDS, "--base-url", card.base_url)
        assert ran.code == 0, ran.err
        assert "qcode serve's" not in ran.err


def test_an_address_that_is_named_comes_before_it(bare: Cli, model: Path) -> None:
    with serving(model):
        ran = bare.ask(*WORDS, environ={"QCODE_BASE_URL": "http://127.0.0.1:9/v1"})
        assert ran.code == 75
        assert "qcode serve's" not in ran.err


def test_the_app_uses_it_so_that_it_stays(bare: Cli, model: Path) -> None:
    with (
        serving(model) as (place, _),
        Terminal(bare.line(*WORDS), cwd=bare.folder, env=bare.environ, size=(100, 30)) as terminal,
    ):
        terminal.wait_for("3.5 answers", PATIENCE_SECONDS)
        assert shared.users(place) == 1
        terminal.settle(1.0)
        terminal.type("\x03\x03")
        assert terminal.wait(PATIENCE_SECONDS) == 0
        until(lambda: shared.users(place) == 0)


def test_it_is_listed_with_its_facts(bare: Cli, model: Path) -> None:
    with serving(model) as (_, card):
        ran = bare.run("servers")
        assert ran.code == 0, ran.err
        assert f"at {card.base_url}" in ran.out
        assert "  served    by qcode serve as 3.5\n" in ran.out
        told: list[dict[str, Any]] = json.loads(bare.run("servers", "--json").out)["servers"]
        assert [one["served"] for one in told if one["base_url"] == card.base_url] == ["3.5"]
        assert bare.run("servers", "--base-url", card.base_url).code == 0


@pytest.mark.parametrize("flagged", [False, True])
def test_it_is_examined_and_measured(bare: Cli, model: Path, *, flagged: bool) -> None:
    with serving(model) as (_, card):
        flags = ("--base-url", card.base_url) if flagged else ()
        examined = bare.run("doctor", "--only", "context", "--json", *flags)
        assert examined.code in (0, 1), examined.err
        assert card.base_url in examined.out
        small = ("--sizes", "64", "--repeat", "1", "--generate", "4", "--json")
        measured = bare.run("bench", "server", *small, *flags)
        assert measured.code == 0, measured.err
        assert json.loads(measured.out)["base_url"] == card.base_url


@pytest.mark.parametrize("flagged", [False, True])
def test_tasks_are_made_for_it(bare: Cli, model: Path, tmp_path: Path, *, flagged: bool) -> None:
    with serving(model) as (_, card):
        repo = tmp_path / "repo"
        repo.mkdir()
        git = ("git", "-c", "user.name=a", "-c", "user.email=a@example.com", "-C", str(repo))
        for words in (("init", "-q"), ("commit", "-q", "--allow-empty", "-m", "first")):
            subprocess.run((*git, *words), check=True)
        flags = ("--base-url", card.base_url) if flagged else ()
        line = ("--repo", str(repo), "--verify", "true", "--sandbox", "off", *flags)
        ran = bare.run("bench", "tasks", *line, "--out", str(tmp_path / "out"))
        assert "No task could be made" in ran.err, "it was not reached, or has refused"


def test_it_is_measured_against_another(bare: Cli, model: Path) -> None:
    with serving(model) as (_, card):
        small = ("--sizes", "64", "--repeat", "1", "--generate", "4", "--json")
        at = ("--base-url", card.base_url, "--against", card.base_url)
        measured = bare.run("bench", "server", *small, *at)
        assert measured.code == 0, measured.err


def test_doctor_bench_and_servers_serve_a_file_themselves(bare: Cli, model: Path) -> None:
    served = ("--gguf", str(model))
    first = bare.run("servers", *served)
    assert first.code == 0, first.err
    assert "by qcode serve as 3.5" in first.out
    assert bare.run("doctor", "--only", "context", *served).code in (0, 1)
    small = ("--sizes", "64", "--repeat", "1", "--generate", "4")
    measured = bare.run("bench", "server", *small, *served)
    assert measured.code == 0, measured.err
    assert len(json.loads(bare.run("serve", "--status", "--json").out)) == 1
    both = bare.run("doctor", *served, "--base-url", "http://127.0.0.1:9/v1")
    assert both.code == 2
    assert bare.run("doctor", "--forget", *served).code == 2


def test_the_way_back_names_the_model_again(bare: Cli, model: Path) -> None:
    ran = bare.ask("--gguf", str(model), *WORDS, "--verify", "false", "--sandbox", "off")
    assert ran.code != 0
    assert f" --gguf {model} -p " in ran.err, ran.err


def test_the_app_leaves_the_way_back_with_the_model(bare: Cli, model: Path) -> None:
    ran = bare.run("--plain", "--gguf", str(model), *WORDS, stdin="hello\n")
    assert ran.code == 0, ran.err
    assert f" --gguf {model}\n" in ran.out, ran.out
