"""Where keys lie once variables have moved them away from their usual places in the home folder."""

import stat
from collections.abc import Iterator, Mapping
from pathlib import Path

from qcode.sandbox.names import SECRETS

BASES = {
    "XDG_CONFIG_HOME": ".config/",
    "XDG_DATA_HOME": ".local/share/",
    "XDG_CACHE_HOME": ".cache/",
    "HF_HOME": ".cache/huggingface/",
    "CARGO_HOME": ".cargo/",
    "GRADLE_USER_HOME": ".gradle/",
    "COMPOSER_HOME": ".composer/",
}
"""What each stands for in the home folder."""

WHOLE = (
    *("GNUPGHOME", "KUBECONFIG", "AWS_SHARED_CREDENTIALS_FILE", "AWS_CONFIG_FILE"),
    *("AZURE_CONFIG_DIR", "CLOUDSDK_CONFIG", "GOOGLE_APPLICATION_CREDENTIALS", "DOCKER_CONFIG"),
    *("GH_CONFIG_DIR", "GLAB_CONFIG_DIR", "NETRC", "PGPASSFILE", "NPM_CONFIG_USERCONFIG"),
    *("npm_config_userconfig", "HF_TOKEN_PATH", "PASSWORD_STORE_DIR", "RCLONE_CONFIG"),
    *("SOPS_AGE_KEY_FILE", "ANSIBLE_VAULT_PASSWORD_FILE", "BOTO_CONFIG", "HISTFILE"),
    *("CODEX_HOME", "CLAUDE_CONFIG_DIR"),
)
"""Files and folders, several with colons between, that are keys or conversations as a whole."""

LEAST_PARTS = 3
"""Of a path, with the root: `/etc` or `/data` is never hidden because somebody named it."""


def moved(
    environment: Mapping[str, str], folders: tuple[Path, ...], home: Path
) -> tuple[Path, ...]:
    """All of them, existing or not; none in one of the folders that are worked in, nor around one
    of them or around the home folder: what a person works on can be read."""
    found = dict.fromkeys(_named(environment))
    return tuple(path for path in found if _is_apart(path, folders, home))


def _named(environment: Mapping[str, str]) -> Iterator[Path]:
    for name, usual in BASES.items():
        if base := environment.get(name):
            yield from (Path(base, it[len(usual) :]) for it in SECRETS if it.startswith(usual))
    for name in WHOLE:
        yield from map(Path, filter(None, environment.get(name, "").split(":")))


def _is_apart(path: Path, folders: tuple[Path, ...], home: Path) -> bool:
    if not path.is_absolute() or len(path.parts) < LEAST_PARTS or ".." in path.parts:
        return False
    real = path.resolve()
    if _is_device(real):  # `HISTFILE=/dev/null`
        return False
    is_around = any(it.is_relative_to(real) for it in (*folders, home))
    return not is_around and not any(real.is_relative_to(it) for it in folders)


def _is_device(path: Path) -> bool:
    """Or a pipe or socket; False where nobody can tell."""
    try:
        mode = path.stat().st_mode
    except OSError:
        return False
    return not (stat.S_ISREG(mode) or stat.S_ISDIR(mode))
