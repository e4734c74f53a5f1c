"""Keys, and what qcode keeps of its own, before the tools that read and change files."""

from tests.redteam.attempts.closed import Key, Learned, Ran, Searched
from tests.redteam.case import Case

_NOTES = Key("../notes/a.txt")
_NOTED = Ran("cat ../notes/a.txt", ("Bash(cat:*)",))


def _key(what: str, path: str, twin: Key = _NOTES) -> Case:
    return Case("own-keys-by-rule", what, "closed", Key(path), twin)


def _searched(what: str, folder: str, wanted: str, by: str, twin: str) -> Case:
    return Case("own-keys-by-search", what, "closed", Searched(folder, wanted, by),
        Searched(folder, twin, by))  # fmt: skip


CASES = (
    _key("a key, by a rule for the whole home", "../.ssh/id"),
    _key("a token beside harmless settings", "~/.config/gh/hosts.yml",
        Key("~/.config/app/settings")),
    _key("a keyring", "~/.local/share/keyrings/login"),
    _key("a browser's passwords", "~/.mozilla/firefox/logins.json"),
    _key("names of keys, by listing their folder", "~/.aws", Key("~/notes")),
    Case("own-keys-by-rule", "a key is written, by a rule for the whole home", "closed",
        Key("~/.ssh/id", ("Edit(~/**)",), "edit"), Key("~/notes/a.txt", ("Edit(~/**)",), "edit")),
    Case("own-keys-by-link", "a link of the workspace leads to a key", "closed",
        Key("way/id", link="../.ssh"), Key("way/a.txt", link="../notes")),
    Case("own-keys-by-link", "and so does one of the kernel's", "closed",
        Key("/proc/self/root{home}/.ssh/id", ("Read(//**)",)),
        Key("/proc/self/root{home}/notes/a.txt", ("Read(//**)",))),
    Case("own-keys-by-wildcard", "a rule with a star for the name", "naming",
        Key("~/.ssh", ("Read(~/.s*)",)), Key("~/.ssh", ("Read(~/.ssh)",))),
    Case("own-keys-by-wildcard", "a rule for the folder around", "naming",
        Key("~/.config/gh", ("Read(~/.config)",)), Key("~/.config/gh", ("Read(~/.config/gh)",))),
    Case("own-keys-by-wildcard", "stars for all of it", "naming",
        Key("~/.aws", ("Read(//**)",)), Key("~/.aws/credentials", ("Read(~/.aws/**)",))),
    Case("own-keys-by-approval", "an approval of a key for the session", "closed",
        Learned("~/.ssh/id"), Learned("~/notes/a.txt")),
    _searched("lines of a key, by a search of the home", "..", ".ssh/id", "python", "notes/a.txt"),
    _searched("the same with ripgrep", "..", ".aws/credentials", "rg", "notes/a.txt"),
    _searched("of a folder in which one lies deeper", "~/.config", ".config/gh/hosts.yml",
        "python", ".config/app/settings"),
    _searched("names of sessions", "~", "own/data/sessions/s.jsonl", "glob", "own-notes/b.txt"),
    Case("own-keys-by-search", "names, by a pattern that begins with the folder", "closed",
        Searched("~", ".aws/credentials", "glob", ".aws/*"), Searched("~", "notes/a.txt", "glob",
        "notes/*")),
    Case("own-state-by-tools", "the key of a served model", "closed",
        Key("~/own/state/serve.json"), Key("~/own-notes/b.txt")),
    Case("own-state-by-tools", "conversations of other projects", "closed",
        Key("~/own/data/sessions/s.jsonl"), Key("~/own-notes/b.txt")),
    Case("own-state-by-tools", "settings are changed, which switch the fence off", "closed",
        Key("~/own/config/config.toml", ("Edit(~/**)",), "edit"),
        Key("~/own-notes/config.toml", ("Edit(~/**)",), "edit")),
    Case("own-state-by-tools", "the environment in which qcode was started", "closed",
        Key("/proc/self/environ", ("Read(//proc/**)",)), Key("/proc/version",
        ("Read(//proc/**)",))),
    Case("own-keys-by-command", "without a fence, by a rule for cat", "closed",
        Ran("cat ../.ssh/id", ("Bash(cat:*)",)), _NOTED),
    Case("own-keys-by-command", "behind a cd", "closed",
        Ran("cd ../.aws && cat credentials", ("Bash(cat:*)", "Bash(cd:*)")),
        Ran("cd ../notes && cat a.txt", ("Bash(cat:*)", "Bash(cd:*)"))),
    Case("own-keys-by-command", "by a star for its name", "closed",
        Ran("cat ../.config/g*/hosts.yml", ("Bash(cat:*)",)),
        Ran("cat ../.config/a*/settings", ("Bash(cat:*)",))),
    Case("own-keys-by-command", "a search of the home, by a rule about reading", "closed",
        Ran("rg secret ../.config", ("Read(~/**)",)), Ran("rg secret ../notes", ("Read(~/**)",
        "Read(~/notes)"))),
    Case("own-keys-by-command", "a copy of all settings", "closed",
        Ran("cp -r ../.config copied", ("Read(~/**)", "Read(~/.config)")),
        Ran("cp -r ../notes copied", ("Read(~/**)", "Read(~/notes)"))),
)  # fmt: skip
