"""The variables that a command sees: an allow list, so that no credential is inherited.

Whatever the list does not name stays out: keys and tokens, sockets of agents, and the variables
that make programs load foreign code (`LD_*`, `GIT_*`, `PYTHON*`, `NODE_OPTIONS`, `BASH_ENV`).
"""

from collections.abc import Collection, Mapping

KEPT = frozenset(
    {
        *("PATH", "HOME", "USER", "LOGNAME", "SHELL", "LANG", "LANGUAGE", "TZ"),
        *("TMPDIR", "TMP", "TEMP", "HOSTNAME"),
        *("VIRTUAL_ENV", "CONDA_PREFIX", "CONDA_DEFAULT_ENV", "PYENV_ROOT", "UV_CACHE_DIR"),
        *("NVM_DIR", "NODE_ENV", "PNPM_HOME", "VOLTA_HOME", "BUN_INSTALL", "DENO_DIR"),
        *("GOPATH", "GOROOT", "GOCACHE", "GOMODCACHE", "CARGO_HOME", "RUSTUP_HOME"),
        *("JAVA_HOME", "GRADLE_USER_HOME", "M2_HOME", "DOTNET_ROOT", "GEM_HOME", "RBENV_ROOT"),
        *("HOMEBREW_PREFIX", "SDKROOT", "DEVELOPER_DIR", "CUDA_HOME", "CUDA_VISIBLE_DEVICES"),
        *("SSL_CERT_FILE", "SSL_CERT_DIR", "NODE_EXTRA_CA_CERTS", "REQUESTS_CA_BUNDLE"),
    }
)
KEPT_PREFIXES = ("LC_", "XDG_")

PROXIES = frozenset({"http_proxy", "https_proxy", "all_proxy", "no_proxy"})
"""In either case; kept only when no user name or password stands in the address."""

QUIET = {
    "TERM": "dumb",
    "NO_COLOR": "1",
    "CLICOLOR": "0",
    "PAGER": "cat",
    "MANPAGER": "cat",
    "GIT_PAGER": "cat",
    "GH_PAGER": "cat",
    "AWS_PAGER": "",
    "EDITOR": "true",
    "VISUAL": "true",
    "GIT_EDITOR": "true",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_ASKPASS": "true",
    "GH_PROMPT_DISABLED": "1",
    "DEBIAN_FRONTEND": "noninteractive",
    "PIP_NO_INPUT": "1",
    "PIP_DISABLE_PIP_VERSION_CHECK": "1",
    "PYTHONUNBUFFERED": "1",
    "NPM_CONFIG_PROGRESS": "false",
    "NPM_CONFIG_FUND": "false",
    "NPM_CONFIG_UPDATE_NOTIFIER": "false",
    "COMPOSER_NO_INTERACTION": "1",
    "HOMEBREW_NO_AUTO_UPDATE": "1",
}
"""No pager, no prompt, no colour, no update check. `CI` is left out on purpose: it makes yarn and
pnpm refuse to install after package.json was edited, and some builds treat warnings as errors."""


_GIT = {"core.fsmonitor": "false", "log.showSignature": "false", "core.pager": "cat"}
"""Settings of git over those of a repository, whose own may name programs to be run for a harmless
question. Hooks stay: `git commit` should run them, and without optional locks what only reads runs
none, but for `git diff`, which may refresh the index all the same (`permission.repository`).
Filters, text converters and `diff.external` cannot be switched off from here."""

GIT = {
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_CONFIG_COUNT": str(len(_GIT)),
    **{f"GIT_CONFIG_KEY_{at}": key for at, key in enumerate(_GIT)},
    **{f"GIT_CONFIG_VALUE_{at}": value for at, value in enumerate(_GIT.values())},
}
"""Never inherited, and the same for every command."""


def child_environment(
    inherited: Mapping[str, str], added: Mapping[str, str], passed: Collection[str] = ()
) -> dict[str, str]:
    """The variables of a command; `passed` names more that the user wants inherited."""
    kept = {
        name: value for name, value in inherited.items() if _is_kept(name, value) or name in passed
    }
    return {**QUIET, **GIT, **kept, **added}


def _is_kept(name: str, value: str) -> bool:
    if name.lower() in PROXIES:
        return "@" not in value
    return name in KEPT or name.startswith(KEPT_PREFIXES)
