"""Programs that run a command in an environment of their own: `uv run`, `npx`, `docker exec`, …

Unlike a wrapper such as `timeout` they decide what the command's name means, so the command alone
needs no rule: one that names it behind the runner covers both, as `Bash(uv run pytest:*)` does.
One that ends before the name, such as `Bash(uv:*)`, does not say what would run. Deny rules look
inside.
"""

from collections.abc import Mapping

import msgspec

from qcode.permission.wrappers import Argv, Wrapper, options

_PLAIN = Wrapper()
_UV = Wrapper(
    r"-[mqsv]|--(?:active|all-extras|all-groups|dev|exact|frozen|isolated|locked|module|no-cache"
    r"|no-config|no-dev|no-env-file|no-project|no-sync|offline|only-dev|quiet|refresh|script"
    r"|verbose)|--(?:extra|from|group|package|python|with)=\S+",
    ("-p", "--extra", "--from", "--group", "--only-group", "--package", "--python", "--with"),
)
_NPX = Wrapper(
    r"-[yq]|--(?:yes|no|no-install|quiet|silent|bun)|--(?:package|workspace)=\S+",
    ("-p", "-w", "--package", "--workspace"),
)
_EXEC = Wrapper(
    r"-[itdT]+|--(?:interactive|tty|detach|no-tty|privileged)|--(?:env|user|workdir|index)=\S+",
    ("-e", "-u", "-w", "--env", "--user", "--workdir", "--index"),
    operands=1,
)
_RUN = Wrapper(
    r"-[itdP]+|--(?:rm|init|interactive|tty|detach|read-only|no-deps|build|quiet)"
    r"|--(?:env|mount|name|network|platform|publish|pull|user|volume|workdir)=\S+",
    (
        *("-e", "-p", "-u", "-v", "-w", "--env", "--mount", "--name", "--network", "--platform"),
        *("--publish", "--pull", "--user", "--volume", "--workdir"),
    ),
    operands=1,
)
_CONDA = Wrapper(
    "--(?:no-capture-output|live-stream)|--(?:name|prefix)=.+", ("-n", "-p", "--name", "--prefix")
)

RUNNERS: Mapping[str, Wrapper] = {
    "bundle exec": _PLAIN,
    "bunx": _NPX,
    "conda run": _CONDA,
    "direnv exec": Wrapper(operands=1),
    "docker compose exec": _EXEC,
    "docker compose run": _RUN,
    "docker container exec": _EXEC,
    "docker container run": _RUN,
    "docker exec": _EXEC,
    "docker run": _RUN,
    "docker-compose exec": _EXEC,
    "docker-compose run": _RUN,
    "hatch run": _PLAIN,
    "kubectl exec": Wrapper("-[itq]+|--(?:stdin|tty)", ("-n", "-c", "--namespace"), operands=1),
    "mamba run": _CONDA,
    "mise exec": _PLAIN,
    "nerdctl exec": _EXEC,
    "nerdctl run": _RUN,
    "npx": _NPX,
    "pdm run": Wrapper("-s|--site-packages"),
    "pipenv run": _PLAIN,
    "pipx run": Wrapper("--(?:no-cache|pypackages)|--spec=.+", ("--spec",)),
    "pixi run": Wrapper("--(?:frozen|locked)|--environment=.+", ("-e", "--environment")),
    "pnpm dlx": _NPX,
    "pnpm exec": _PLAIN,
    "podman exec": _EXEC,
    "podman run": _RUN,
    "poetry run": _PLAIN,
    "pnpx": _NPX,
    "rye run": _PLAIN,
    "uv run": _UV,
    "uv tool run": _UV,
    "uvx": _UV,
    "yarn dlx": _NPX,
    "yarn exec": _PLAIN,
}

_LONGEST = max(len(runner.split()) for runner in RUNNERS)
_SUBCOMMANDS = {
    program: {runner.split()[1] for runner in RUNNERS if runner.startswith(f"{program} ")}
    for program in {runner.split()[0] for runner in RUNNERS}
}


class Inside(msgspec.Struct, frozen=True):
    """Where the command of a runner begins."""

    at: int
    """Index of its first word."""
    reasons: tuple[str, ...] = ()
    """Why that is not sure, as clauses."""


def inside(argv: Argv) -> Inside | None:
    """What the runner `argv` runs; None = it is no runner, or is given no command."""
    texts = [argv[0].text.rsplit("/", 1)[-1], *(word.text for word in argv[1:])]
    for size in range(min(_LONGEST, len(texts)), 0, -1):
        if runner := RUNNERS.get(" ".join(texts[:size])):
            return _behind(argv, size, runner)
    if len(texts) > 1 and texts[1].startswith("-") and _SUBCOMMANDS.get(texts[0], set()) & {*texts}:
        return Inside(len(argv), (f"an option of {texts[0]} stands before what it is to do",))
    return None


def _behind(argv: Argv, size: int, runner: Wrapper) -> Inside | None:
    at, reasons = options(argv[size - 1 :], runner)
    at += size - 1 + runner.operands
    if at < len(argv) and argv[at].text == "--":
        at += 1
    elif not reasons and at < len(argv) and argv[at].text.startswith("-"):
        reasons = (f"the option {argv[at].text} of {argv[0].text} is not known here",)
    return Inside(at, reasons) if at < len(argv) or reasons else None
