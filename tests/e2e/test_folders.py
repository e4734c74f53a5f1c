"""`qcode -p` anywhere: with git, without, empty; what the model is told of the place."""

import subprocess
from collections.abc import Callable

from tests.e2e.rig import DONE, Cli
from tests.support.scripted_server import ScriptedServer

Serve = Callable[..., ScriptedServer]


def opening(server: ScriptedServer) -> str:
    """The first user message."""
    return str(server.requests[0].messages[1]["content"])


def test_an_empty_folder(cli: Cli, serve: Serve) -> None:
    server = serve(DONE)
    assert cli.ask().code == 0
    assert "No git repository." in opening(server)
    assert "The folder is empty." in opening(server)
    assert list(cli.folder.iterdir()) == []


def test_a_folder_without_git(cli: Cli, serve: Serve) -> None:
    (cli.folder / "src").mkdir()
    (cli.folder / "src" / "a.py").write_text("x = 1\n")
    (cli.folder / "AGENTS.md").write_text("Run make test.")
    server = serve(DONE)
    assert cli.ask().code == 0
    assert "No git repository." in opening(server)
    assert "a.py" in opening(server)
    assert "Run make test." in opening(server)


def test_a_folder_with_git(cli: Cli, serve: Serve) -> None:
    subprocess.run(["git", "init", "-q", "-b", "work"], cwd=cli.folder, check=True)
    (cli.folder / "new.py").write_text("x = 1\n")
    server = serve(DONE)
    assert cli.ask().code == 0
    assert "Git branch: work" in opening(server)
    assert "new.py" in opening(server)


def test_a_folder_with_an_odd_name(cli: Cli, serve: Serve) -> None:
    odd = cli.folder / "größe 'x' $HOME\nline"
    odd.mkdir()
    cli.folder = odd
    serve(DONE, DONE)
    assert cli.ask().code == 0
    assert cli.ask("--continue").code == 0
