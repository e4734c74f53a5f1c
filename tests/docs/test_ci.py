"""docs/ci.md: the action's step and the GitLab job, run by a shell against a scripted server."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.script import Call, Reply
from tests.support.scripted_server import ScriptedServer, StartScripted

ROOT = Path(__file__).parents[2]
ACTION = ROOT / ".github" / "actions" / "qcode"
PAGE = (ROOT / "docs" / "ci.md").read_text(encoding="utf-8")
DONE = Reply(text="Nothing breaks.\nresult<<x\nreally")
WRITE = Reply(calls=(Call("write", {"path": "a.txt", "content": "x"}),))


class Job:
    """A folder with a commit, and what a runner sets."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "repository"
        self.folder.mkdir()
        self.output = folder / "output"
        programs = str(Path(sys.executable).parent)
        self.environ = {
            **os.environ,
            "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}",
            "QCODE_HOME": str(folder / "home"),
            "RUNNER_TEMP": str(folder),
            "GITHUB_OUTPUT": str(self.output),
            "GITHUB_ACTION_PATH": str(ACTION),
        }
        (self.folder / "b.txt").write_text("b\n")
        self.shell(
            "git init -q && git add -A && "
            "git -c user.name=a -c user.email=a@example.org commit -qm first"
        )

    def shell(self, script: str, **environ: str) -> subprocess.CompletedProcess[str]:
        """A line of bash."""
        return subprocess.run(
            ["bash", "-eo", "pipefail", "-c", script],
            cwd=self.folder,
            env=self.environ | environ,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def step(self, server: ScriptedServer, **inputs: str) -> subprocess.CompletedProcess[str]:
        """The action's step, as its file says it."""
        found = re.search(r"run: '(.*)'", (ACTION / "action.yml").read_text())
        assert found
        given = {"prompt": "review", "base_url": server.base_url, "max_turns": "9"} | inputs
        return self.shell(found[1], **{f"INPUT_{key.upper()}": it for key, it in given.items()})

    def outputs(self) -> dict[str, str]:
        """What the step set, read as a runner reads it."""
        found = re.findall(r"^(\w+)<<(\S+)\n(.*?)\n\2$", self.output.read_text(), re.M | re.S)
        return {name: value for name, _, value in found}


@pytest.fixture
def job(tmp_path: Path) -> Job:
    """See `Job`."""
    return Job(tmp_path)


def test_the_step_sets_its_outputs(job: Job, scripted: StartScripted) -> None:
    done = job.step(scripted(DONE))
    assert done.returncode == 0, done.stderr
    found = job.outputs()
    assert set(found) == {"result", "session_id", "structured_output", "execution_file"}
    assert found["result"] == DONE.text
    lines = Path(found["execution_file"]).read_text().splitlines()
    assert json.loads(lines[-1])["session_id"] == found["session_id"]
    assert done.stdout.startswith("Nothing breaks.")


def test_nothing_but_reading_is_allowed_unless_it_is_named(
    job: Job, scripted: StartScripted
) -> None:
    job.step(scripted(WRITE, DONE))
    assert not (job.folder / "a.txt").exists()
    job.step(scripted(WRITE, DONE), allowed_tools="Edit(a.txt)")
    assert (job.folder / "a.txt").exists()


def test_a_value_and_more_flags(job: Job, scripted: StartScripted) -> None:
    schema = {"type": "object", "properties": {"n": {"type": "integer"}}}
    value = Reply(calls=(Call("structured_output", {"n": 7}),))
    job.step(scripted(value), json_schema=json.dumps(schema), args="--quiet\n--loops=off\n")
    assert json.loads(job.outputs()["structured_output"]) == {"n": 7}


@pytest.mark.parametrize(
    "prompt", ["$(touch pwned)", "'; touch pwned; '", "--yolo", "`touch pwned`"]
)
def test_no_prompt_becomes_a_command_or_a_flag(
    job: Job, scripted: StartScripted, prompt: str
) -> None:
    server = scripted(DONE)
    assert job.step(server, prompt=prompt).returncode == 0
    assert not (job.folder / "pwned").exists()
    assert prompt in str(server.requests[0].messages[-1]["content"])


def test_the_step_fails_as_the_run_does(job: Job, scripted: StartScripted) -> None:
    done = job.step(scripted(WRITE, WRITE, WRITE), args="--loops=off")
    assert done.returncode == 58
    assert job.outputs()["execution_file"]
    assert job.step(scripted(), prompt="").returncode != 0


def test_the_gitlab_job_runs_as_it_is_shown(job: Job, scripted: StartScripted) -> None:
    script = re.search(r"  script:\n((?:    - .*\n)+)", PAGE)
    assert script
    lines = [line.removeprefix("    - ") for line in script[1].splitlines()]
    server = scripted(DONE)
    done = job.shell("\n".join(lines), QCODE_BASE_URL=server.base_url)
    assert done.returncode == 0, done.stderr
    assert (job.folder / "review.md").read_text().startswith("Nothing breaks.")
    assert "diff --git" in str(server.requests[0].messages[-1]["content"])


def test_the_page_names_every_input_and_output() -> None:
    action = (ACTION / "action.yml").read_text().partition("\nruns:")[0]
    for name in re.findall(r"^  (\w+):$", action, re.M):
        assert f"`{name}`" in PAGE, name
