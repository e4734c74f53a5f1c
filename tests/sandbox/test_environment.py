"""No credential and no loader variable reaches a command."""

import shutil
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qcode.sandbox.base import Command
from qcode.sandbox.environment import GIT, KEPT, KEPT_PREFIXES, PROXIES, QUIET, child_environment
from qcode.sandbox.plain import PlainRunner

FORBIDDEN = (
    *("OPENAI_API_KEY", "AWS_SECRET_ACCESS_KEY", "GITHUB_TOKEN", "HF_TOKEN", "NPM_TOKEN"),
    *("SSH_AUTH_SOCK", "DBUS_SESSION_BUS_ADDRESS", "KUBECONFIG", "QCODE_BASE_URL", "PGPASSWORD"),
    *("GIT_DIR", "GIT_SSH_COMMAND", "GIT_CONFIG_COUNT", "LD_PRELOAD", "LD_LIBRARY_PATH"),
    *("DYLD_INSERT_LIBRARIES", "PYTHONPATH", "PYTHONSTARTUP", "NODE_OPTIONS", "BASH_ENV", "ENV"),
    *("PROMPT_COMMAND", "BASH_FUNC_ls%%", "IFS", "SHELLOPTS", "PERL5OPT", "RUBYOPT"),
)


@pytest.mark.parametrize("name", FORBIDDEN)
def test_credentials_and_loader_variables_stay_out(name: str) -> None:
    assert child_environment({name: "secret"}, {}).get(name) != "secret"


@given(st.dictionaries(st.text(min_size=1), st.text()))
def test_only_listed_names_come_through(inherited: dict[str, str]) -> None:
    for name in child_environment(inherited, {}):
        listed = name in KEPT | set(QUIET) | set(GIT) or name.startswith(KEPT_PREFIXES)
        assert listed or name.lower() in PROXIES


def test_what_programs_need_is_kept() -> None:
    inherited = {"PATH": "/bin", "HOME": "/h", "LC_ALL": "C", "XDG_CACHE_HOME": "/c", "TZ": "UTC"}
    assert child_environment(inherited, {}).items() >= inherited.items()


def test_a_proxy_is_kept_unless_it_holds_a_password() -> None:
    inherited = {"https_proxy": "http://proxy:3128", "HTTP_PROXY": "http://me:pw@proxy:3128"}
    kept = child_environment(inherited, {})
    assert kept["https_proxy"] == "http://proxy:3128"
    assert "HTTP_PROXY" not in kept


def test_what_the_user_passes_or_sets_wins() -> None:
    kept = child_environment({"MY_TOKEN": "t", "PAGER": "less"}, {"PAGER": "more"}, ("MY_TOKEN",))
    assert kept["MY_TOKEN"] == "t"
    assert kept["PAGER"] == "more"
    assert child_environment({"PAGER": "less"}, {})["PAGER"] == "cat"


async def test_a_real_command_sees_no_key(
    runner: PlainRunner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret")
    monkeypatch.setenv("BASH_ENV", str(tmp_path / "evil"))
    (tmp_path / "evil").write_text("echo loaded")
    command = Command("env; git --version", tmp_path, 10, {"ADDED": "yes"})
    output = await runner.run(command, lambda text: None)
    assert "sk-secret" not in output.head
    assert "loaded" not in output.head
    assert "ADDED=yes" in output.head
    assert "GIT_TERMINAL_PROMPT=0" in output.head


@pytest.mark.skipif(not shutil.which("git"), reason="git is not installed here")
async def test_a_repository_runs_nothing_when_it_is_only_looked_at(
    runner: PlainRunner, tmp_path: Path
) -> None:
    evil, ran = tmp_path / "evil.sh", tmp_path / "ran"
    evil.write_text(f'#!/bin/sh\necho "$0 $*" >> {ran}\n')
    evil.chmod(0o755)
    make = (
        "git init -q .; git config user.email a@b; git config user.name a; echo 1 > a; git add a; "
        f"git commit -qm x; cp {evil} .git/hooks/post-index-change; echo 2 >> a; "
        f"for key in core.fsmonitor core.pager gpg.program; do git config $key {evil}; done; "
        "git config log.showSignature true"
    )
    look = "git status; git diff; git log -p; git show; git blame a; git branch; git stash list"
    folder = tmp_path / "repository"
    folder.mkdir()
    await runner.run(Command(make, folder, 20), lambda text: None)
    bare = "env -u GIT_CONFIG_COUNT -u GIT_OPTIONAL_LOCKS git status"
    await runner.run(Command(bare, folder, 20), lambda text: None)
    assert ran.exists()  # without our settings it does
    ran.unlink()
    output = await runner.run(Command(look, folder, 20), lambda text: None)
    assert "+2" in output.head
    assert "warning" not in output.head
    assert not ran.exists(), ran.read_text()


@pytest.mark.skipif(not shutil.which("git"), reason="git is not installed here")
async def test_a_commit_still_runs_the_hooks_of_the_project(
    runner: PlainRunner, tmp_path: Path
) -> None:
    line = (
        "git init -q .; git config user.email a@b; git config user.name a; "
        "printf '#!/bin/sh\\necho checked\\n' > .git/hooks/pre-commit; "
        "chmod +x .git/hooks/pre-commit; touch a; git add a; git commit -m x"
    )
    folder = tmp_path / "repository"
    folder.mkdir()
    output = await runner.run(Command(line, folder, 20), lambda text: None)
    assert "checked" in output.head
