"""`qcode bench tasks` as it is typed: a scripted model that mends, one that does nothing, one that
edits the tests; and the repository of the person, who has work in it."""

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from qcode.config.paths import paths
from qcode.serve import shared
from tests.benching.repos import COMMAND, GROSS, SHOP, print_of, shop
from tests.e2e.rig import LLAMA, Cli, Ran
from tests.support.llama import make_model
from tests.support.script import Body, Call, Received, Reply, Usage
from tests.support.scripted_server import StartScripted
from tests.support.served import none_left

RIGHT = SHOP + GROSS
DONE = Reply(text="Done.", usage=Usage(900, 10, 800))


@pytest.fixture
def repo(tmp_path: Path) -> Iterator[Path]:
    """A repository with work that is not committed; whatever is done, it stays as it is."""
    made = shop(tmp_path / "shop")
    (made / "shop.py").write_text("half done")
    (made / "notes.txt").write_text("mine")
    before = print_of(made)
    yield made
    assert print_of(made) == before


def rewriting(body: Body, path: str, content: str) -> Reply:
    """A model that reads a file, writes it anew, and is done."""
    answered = sum(message["role"] == "tool" for message in body["messages"])
    calls = (Call("read", {"path": path}), Call("write", {"path": path, "content": content}))
    if answered == len(calls):
        return DONE
    return Reply(calls=(calls[answered],), usage=Usage(800, 90, 0))


def is_answered(body: Body) -> bool:
    return any(message["role"] == "tool" for message in body["messages"])


def mends(body: Body) -> Reply:
    """A model that knows how it should be."""
    return rewriting(body, "shop.py", RIGHT)


def idles(body: Body) -> Reply:
    return DONE


def cheats(body: Body) -> Reply:
    """A model that has the tests say what it likes."""
    return rewriting(body, "tests/test_shop.py", "import unittest\n")


def quits(body: Body) -> Reply:
    """A model whose code ends whoever runs it, as if all were well."""
    return rewriting(body, "shop.py", "import os\n\nos._exit(0)\n")


def thinks(body: Body) -> Reply:
    """A model that mends only where it may think long."""
    return mends(body) if body["thinking_budget_tokens"] > 5000 else idles(body)


class Slowing:
    """A model that mends, and says nothing any more after so many attempts: a bench that goes on
    meanwhile would be done before the test has looked."""

    def __init__(self, attempts: int) -> None:
        self._left = attempts

    def __call__(self, body: Body) -> Reply:
        """One answer."""
        if not is_answered(body):
            self._left -= 1
        return Reply(text="never", end="hang") if self._left < 0 else mends(body)


def begun(requests: Sequence[Received]) -> list[Received]:
    """The first request of each attempt."""
    return [it for it in requests if not is_answered(it.body)]


Bench = Callable[..., Ran]


@pytest.fixture
def bench(cli: Cli, repo: Path, tmp_path: Path, scripted: StartScripted) -> Bench:
    """Runs it against a model, with the results in `tmp_path/out`."""

    def run(model: Callable[[Body], Reply], *argv: str) -> Ran:
        cli.url = scripted(about=LLAMA, otherwise=model).base_url
        return cli.run("bench", "tasks", *argv)

    return run


def new(repo: Path, out: Path, *argv: str) -> tuple[str, ...]:
    own = ("--repo", str(repo), "--verify", COMMAND, "--out", str(out), "--sandbox", "off")
    return (*own, "--count", "2", *argv)


def attempts(out: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (out / "attempts.jsonl").read_text().splitlines()]


def test_a_model_that_mends_solves_a_bug_and_a_commit(
    bench: Bench, repo: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    ran = bench(mends, *new(repo, out, "--json"))
    assert ran.code == 0, ran.err
    told = json.loads(ran.out)
    assert [it["id"] for it in told["plan"]["tasks"]] == ["bug-01", "redo-01"]
    (row,) = told["settings"]
    assert (row["solved"], row["tried"], row["restored"]) == (2, 2, 0)
    for attempt in attempts(out):
        assert (attempt["solved"], attempt["code"], attempt["tool_calls"]) == (True, 0, 2)
        assert attempt["changed"] == ["shop.py"]
        assert (attempt["cached_tokens"], attempt["generated_tokens"]) == (800, 190)
        assert attempt["read_tokens"] == 1700
    assert "<svg" in (out / "report.html").read_text()


def test_a_model_that_does_nothing_solves_nothing(bench: Bench, repo: Path, tmp_path: Path) -> None:
    ran = bench(idles, *new(repo, tmp_path / "out"))
    assert ran.code == 0
    assert "0/2" in ran.out
    assert all("FAIL" in it["tail"] or "ERROR" in it["tail"] for it in attempts(tmp_path / "out"))


def test_a_model_that_edits_the_tests_solves_nothing_and_is_told(
    bench: Bench, repo: Path, tmp_path: Path
) -> None:
    ran = bench(cheats, *new(repo, tmp_path / "out"))
    assert "0/2" in ran.out
    assert "changed tests in 2 attempts; they were put back" in ran.out
    assert {it["restored"][0] for it in attempts(tmp_path / "out")} == {"tests/test_shop.py"}


def test_code_that_ends_the_tests_early_solves_nothing(
    bench: Bench, repo: Path, tmp_path: Path
) -> None:
    ran = bench(quits, *new(repo, tmp_path / "out"))
    assert ran.code == 0, ran.err
    assert "0/2" in ran.out


def test_two_budgets_are_compared_over_the_same_tasks(
    bench: Bench, repo: Path, tmp_path: Path
) -> None:
    ran = bench(thinks, *new(repo, tmp_path / "out", "--thinking", "low,high"))
    assert re.search(r"(?m)^ 1 +0/2", ran.out), ran.out
    assert re.search(r"(?m)^ 2 +2/2", ran.out), ran.out
    assert "no difference in what they solve is proven" in ran.out, "two tasks prove nothing"


@pytest.mark.skipif("not __import__('shutil').which('unshare')", reason="a fence needs Linux")
def test_it_all_goes_on_inside_the_fence(bench: Bench, repo: Path, tmp_path: Path) -> None:
    # not that of an environment in /tmp, which a fence does not show
    runs = f"{os.path.realpath(sys.executable)} -m unittest discover -q -s tests -t ."
    argv = new(repo, tmp_path / "out", "--sandbox", "required", "--kinds", "redo", "--verify", runs)
    told: list[Body] = []

    def looks(body: Body) -> Reply:
        told.append(body)
        return mends(body)

    ran = bench(looks, *argv)
    if ran.code == 44:
        pytest.skip("no fence holds on this machine")
    assert ran.code == 0, ran.err
    assert "1/1" in ran.out
    assert "Commands run in a sandbox" in json.dumps(told[0]["messages"])


def test_the_answer_is_nowhere_in_the_copy(bench: Bench, repo: Path, tmp_path: Path) -> None:
    heard: list[str] = []

    def searches(body: Body) -> Reply:
        heard.extend(it["content"] for it in body["messages"] if it["role"] == "tool")
        if is_answered(body):
            return DONE
        line = "git log --all --oneline; git reflog; git stash list; grep -rn 'def gross' ."
        return Reply(calls=(Call("shell", {"command": line}),))

    bench(searches, *new(repo, tmp_path / "out", "--kinds", "redo"))
    assert heard
    assert "Begin" in heard[0]
    assert "def gross" not in heard[0]
    assert "gross price" not in heard[0]


def test_the_repository_itself_is_not_to_be_read(bench: Bench, repo: Path, tmp_path: Path) -> None:
    heard: list[str] = []

    def peeks(body: Body) -> Reply:
        heard.extend(it["content"] for it in body["messages"] if it["role"] == "tool")
        if is_answered(body):
            return DONE
        reads = Call("read", {"path": str(repo / "tests" / "test_shop.py")})
        return Reply(calls=(reads, Call("shell", {"command": f"cat {repo}/tests/test_shop.py"})))

    bench(peeks, *new(repo, tmp_path / "out", "--kinds", "redo"))
    assert len(heard) == 2
    assert not [it for it in heard if "test_discount" in it]


def test_an_interrupted_bench_goes_on(
    cli: Cli, repo: Path, tmp_path: Path, scripted: StartScripted, bench: Bench
) -> None:
    out = tmp_path / "out"
    server = scripted(about=LLAMA, otherwise=Slowing(2))
    cli.url = server.base_url
    process = subprocess.Popen(
        cli.line("bench", "tasks", *new(repo, out, "--repeat", "2")),
        cwd=cli.folder,
        env=cli.environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    server.wait_for(lambda seen: len(begun(seen.requests)) == 3, 60)
    process.send_signal(signal.SIGINT)
    told, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    assert "not everything was tried" in told
    assert f"qcode bench tasks --resume {out}" in err.splitlines()  # a line that can be pasted
    done = attempts(out)
    assert len(done) == 2
    ran = bench(mends, "--resume", str(out))
    assert ran.code == 0, ran.err
    assert attempts(out)[: len(done)] == done
    assert len(attempts(out)) == 4
    assert "4/4" in ran.out


@pytest.mark.llamacpp
def test_two_model_files_are_served_in_turn_and_compared(
    cli: Cli, home: Path, repo: Path, tmp_path: Path
) -> None:
    file = paths().config_file
    file.parent.mkdir(parents=True)
    file.write_text('[serve]\nflags = ["--threads 1", "--threads-batch 1"]\n')
    first, second = (make_model(tmp_path, style) for style in ("3.5", "3.6"))
    out = tmp_path / "out"
    argv = new(repo, out, "--gguf", str(first), "--gguf", str(second), "--kinds", "redo")
    line = cli.line("bench", "tasks", *argv, "--max-tool-calls", "2", "--budget", "30s")
    with none_left(home):
        process = subprocess.Popen(
            line, cwd=cli.folder, env=cli.environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        told, said = process.communicate(timeout=150)
        assert process.returncode == 0, said
        assert not list(shared.servers(paths().state / "serve")), "both made room"
    assert [(it["setting"], it["model"]) for it in attempts(out)] == [
        ("3.5", "3.5"),
        ("3.6", "3.6"),
    ]
    assert all(it["steps"] for it in attempts(out))
    assert b"3.5 is served" in said
    assert b"3.6 is served" in said
    assert b"0/1" in told


def test_a_bench_whose_terminal_closes_leaves_no_agent_and_no_copy(
    cli: Cli, repo: Path, tmp_path: Path, scripted: StartScripted
) -> None:
    copies = tmp_path / "copies"
    copies.mkdir()
    server = scripted(about=LLAMA, otherwise=lambda _: Reply(text="never", end="hang"))
    cli.url = server.base_url
    process = subprocess.Popen(
        cli.line("bench", "tasks", *new(repo, tmp_path / "out", "--kinds", "redo")),
        cwd=cli.folder,
        env={**cli.environ, "TMPDIR": str(copies)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    server.wait_for(lambda seen: bool(seen.requests))
    process.send_signal(signal.SIGHUP)
    process.communicate(timeout=60)
    assert process.returncode == 143
    assert not list(copies.glob("qcode-bench-*"))
    server.wait_for(lambda seen: seen.requests[0].closed_early is not None)


def test_a_server_that_is_away_stops_the_bench_and_counts_against_nobody(
    cli: Cli, repo: Path, tmp_path: Path, bench: Bench
) -> None:
    out = tmp_path / "out"
    cli.url = "http://127.0.0.1:9/v1"
    ran = cli.run("bench", "tasks", *new(repo, out, "--kinds", "redo"))
    assert (ran.code, ran.out) == (75, "")
    assert "No server answers" in ran.err
    assert not out.exists()  # no task was made for it
    assert bench(mends, *new(repo, out, "--kinds", "redo")).code == 0
    (out / "attempts.jsonl").unlink()
    cli.url = "http://127.0.0.1:9/v1"
    ran = cli.run("bench", "tasks", "--resume", str(out))
    assert (ran.code, ran.out) == (75, "")  # a table of nothing tells nothing
    assert not (out / "attempts.jsonl").exists()
    assert bench(mends, "--resume", str(out)).code == 0
    assert len(attempts(out)) == 1


def test_what_cannot_be_done_is_told_before_any_work(cli: Cli, repo: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    twin = tmp_path / "twin.gguf"
    twin.write_bytes(b"GGUF")
    wrong = {
        ("--profiles", "deep"): "There is no profile 'deep'",
        ("--thinking", "much"): "'much' is none of off, low",
        ("--thinking", "low,low"): "is named twice",
        ("--sampling", "heat=1"): "is no NAME=NUMBER",
        ("--gguf", str(twin), "--gguf", str(twin)): "names a file twice",
        ("--gguf", str(twin), "--models", "a"): "brings its own models",
        ("--kinds", "riddle"): "is not a list of bug and redo",
        ("--resume", str(out)): "--resume and --out exclude each other",
    }
    for argv, sentence in wrong.items():
        ran = cli.run("bench", "tasks", *new(repo, out, *argv))
        assert ran.code == 2, ran
        assert sentence in ran.err
    inside = cli.run("bench", "tasks", *new(repo, repo / "out"))
    assert inside.code == 42
    assert "lies in the repository" in inside.err
    nowhere = cli.run("bench", "tasks", "--repo", str(cli.folder))
    assert (nowhere.code, "is in no git repository" in nowhere.err) == (42, True)
    assert not out.exists()


@pytest.mark.parametrize("names", ["foo,bar", "scripted-model,bar", "bar"])
def test_a_model_that_the_server_has_not_is_told_before_any_work(
    bench: Bench, repo: Path, tmp_path: Path, names: str
) -> None:
    """llama.cpp answers to every name, so that one would be compared with itself."""
    ran = bench(mends, *new(repo, tmp_path / "out", "--models", names))
    assert (ran.code, ran.out) == (42, "")
    assert "It has: scripted-model." in ran.err
    assert not (tmp_path / "out").exists()


def test_a_model_is_known_by_its_name_and_by_its_file(
    bench: Bench, repo: Path, tmp_path: Path
) -> None:
    named = "/elsewhere/scripted-model.gguf"
    ran = bench(mends, *new(repo, tmp_path / "out", "--models", named, "--kinds", "redo"))
    assert ran.code == 0, ran.err


def test_the_server_bench_measures_no_model_that_is_not_there(
    cli: Cli, scripted: StartScripted
) -> None:
    cli.url = scripted(about=LLAMA, otherwise=idles).base_url
    ran = cli.run("bench", "server", "--model", "foo")
    assert (ran.code, ran.out) == (42, "")
    assert "has no model 'foo'" in ran.err


def test_what_it_does_and_how_long_is_told_beforehand(
    bench: Bench, repo: Path, tmp_path: Path
) -> None:
    ran = bench(mends, *new(repo, tmp_path / "out", "--kinds", "redo", "--budget", "2m"))
    assert ran.code == 0, ran.err
    before = ran.err.partition("1/1 ")[0]
    assert "2 files of work that is not committed stay out" in before
    assert "takes the place of the conversation that the server has in its cache" in before
    assert "1 attempt (1 task, 1 setting, 1 of each), with at most 2 min of work" in before
    assert "n < 6: fewer attempts hold no range with 95 %" in ran.out


def test_two_servers_are_measured_in_one_call_and_set_side_by_side(
    cli: Cli, scripted: StartScripted
) -> None:
    def answers(body: Body) -> Reply:
        return Reply(text="word " * 20, usage=Usage(500, 20, 0))

    first = scripted(about=LLAMA, otherwise=answers)
    second = scripted(about=replace(LLAMA, model="another", slots=2), otherwise=answers)
    cli.url = first.base_url
    small = ("bench", "server", "--sizes", "512", "--repeat", "1", "--generate", "16")
    ran = cli.run(*small, "--against", second.base_url)
    assert ran.code == 0, ran.err
    assert "A  llama.cpp" in ran.out
    assert "another" in ran.out
    assert "unlike: slots A 1, B 2" in ran.out
    assert len(first.requests) == len(second.requests) == 2
    ran = cli.run(*small, "--against", "http://127.0.0.1:9/v1")
    assert (ran.code, ran.out) == (75, "")
    assert len(first.requests) == 2, "nothing is measured for one that is not there"
    assert cli.run(*small, "--against", second.base_url, "--save", "x.json").code == 2


def test_a_name_of_the_settings_that_the_server_does_not_go_by_hinders_nothing(
    cli: Cli, scripted: StartScripted
) -> None:
    """It is what `qcode -p` warns of: llama.cpp's server answers all the same."""
    file = paths().config_file
    file.parent.mkdir(parents=True)
    file.write_text('[server]\nmodel = "my-qwen"\n')
    cli.url = scripted(about=LLAMA, otherwise=idles).base_url
    ran = cli.run("bench", "server", "--sizes", "512", "--repeat", "1")
    assert ran.code == 0, ran.err
