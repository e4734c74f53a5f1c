"""`--settings`: what of a settings file of Claude Code holds, and what is told of the rest."""

import json
from pathlib import Path
from typing import Any

import pytest

from qcode.cli import foreign
from qcode.cli.args import parse
from qcode.cli.foreign_settings import MOST_NAMES, rules
from qcode.cli.options import Options
from qcode.cli.settings import flags
from qcode.config.load import Sources, load
from qcode.permission.patterns import Ground
from qcode.protocol.errors import InputError, UsageError


def said(settings: Any, *argv: str) -> Options:
    return parse(["-p", "x", "--settings", json.dumps(settings), *argv])


def test_they_say_what_flags_say(tmp_path: Path) -> None:
    permissions = {"defaultMode": "acceptEdits", "additionalDirectories": [str(tmp_path)]}
    found = said({"$schema": "x", "permissions": permissions, "model": "tiny"})
    assert (found.permission_mode, found.add_dirs, found.model) == (
        *("acceptEdits", (tmp_path,)),
        "tiny",
    )
    assert found.foreign == ()


def test_a_flag_goes_before_them() -> None:
    settings = {"permissions": {"defaultMode": "acceptEdits"}, "model": "tiny"}
    found = said(settings, "--permission-mode", "plan", "--model", "large")
    assert (found.permission_mode, found.model) == ("plan", "large")
    assert said(settings, "--yolo").permission_mode == "yolo"


def test_later_ones_go_before_earlier_ones_and_rules_add_up() -> None:
    one = {"permissions": {"deny": ["Edit"]}, "model": "a", "env": {"TZ": "UTC", "LANG": "C"}}
    two = {"permissions": {"deny": ["Bash"]}, "model": "b", "env": {"TZ": "Asia/Tokyo"}}
    found = said(one, "--settings", json.dumps(two))
    assert (found.theirs.deny, found.model) == (("Edit", "Bash"), "b")
    assert found.theirs.environ == {"TZ": "Asia/Tokyo", "LANG": "C"}


def test_their_rules_are_rules_each_with_its_place() -> None:
    permissions = {
        "allow": ["Bash(npm run test:*)", "WebSearch", "mcp__a__b"],
        "ask": ["Bash(git push, x)"],
        "deny": ["Read(//etc/**)"],
    }
    found = rules(said({"permissions": permissions}).theirs, Ground.of(Path.cwd()))
    assert [(rule.answer, rule.text) for rule in found] == [
        *(("allow", text) for text in permissions["allow"]),
        ("ask", "Bash(git push, x)"),
        ("deny", "Read(//etc/**)"),
    ]
    assert found[-1].source == "--settings, permissions.deny"


def test_a_rule_that_is_not_understood_ends_the_run() -> None:
    theirs = said({"permissions": {"deny": ["Bash(a * b)"]}}).theirs
    with pytest.raises(InputError, match=r"--settings, permissions\.deny: .* not understood"):
        rules(theirs, Ground.of(Path.cwd()))


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        ({"permissions": []}, "permissions is no object"),
        ({"permissions": {"allow": "Bash"}}, "permissions.allow is no list of rules"),
        ({"permissions": {"ask": [7]}}, "permissions.ask is no list of rules"),
        ({"permissions": {"additionalDirectories": 7}}, "is no list of folders"),
        ({"permissions": {"additionalDirectories": ["nowhere"]}}, "there is no such folder"),
        ({"permissions": {"defaultMode": "wild"}}, "defaultMode: 'wild' is not a permission mode"),
        ({"permissions": {"defaultMode": 7}}, "defaultMode is no text"),
        ({"model": {"name": "x"}}, "model is no text"),
        ({"env": {"TZ": 7}}, "env.TZ is no text"),
        ({"env": {"TZ": "a\0b"}}, "env.TZ is no text"),
        ({"env": {"TZ": "\ud800"}}, "env.TZ is no text"),
        ({"env": ["TZ"]}, "env is no object"),
        ({"sandbox": True}, "sandbox is no object"),
    ],
)
def test_what_has_another_form_ends_the_run(wrong: Any, why: str) -> None:
    with pytest.raises(InputError, match=f"--settings: .*{why}"):
        said(wrong)


def test_what_they_forbid_no_flag_allows() -> None:
    settings = {"permissions": {"disableBypassPermissionsMode": "disable"}}
    for flag in (["--yolo"], ["--permission-mode", "bypassPermissions"]):
        with pytest.raises(UsageError, match="forbids the mode"):
            said(settings, *flag)
    both = {"permissions": settings["permissions"] | {"defaultMode": "bypassPermissions"}}
    with pytest.raises(UsageError, match="forbids the mode"):
        said(both)
    assert said(settings, "--permission-mode", "auto").permission_mode == "auto"


def test_what_means_nothing_here_is_told_by_name() -> None:
    settings = {
        "hooks": {"PreToolUse": []},
        "permissions": {"allow": [], "disableAutoMode": "disable"},
        "env": {"TZ": "UTC", "LD_PRELOAD": "x.so", "QCODE_MODEL": "x", "LC_=": "x"},
        "sandbox": {"enabled": True, "excludedCommands": ["docker"]},
    }
    found = said(settings)
    assert found.foreign == (
        "--settings.hooks",
        "--settings.permissions.disableAutoMode",
        "--settings.env.LD_PRELOAD",
        "--settings.env.QCODE_MODEL",
        "--settings.env.LC_=",
        "--settings.sandbox.excludedCommands",
    )
    told = foreign.told(found.foreign)
    assert "--settings.env.LD_PRELOAD" in told
    assert "No hook is called" in told
    assert found.theirs.environ == {"TZ": "UTC"}
    assert found.theirs.sandbox == "auto"


def test_a_long_list_of_what_means_nothing_is_cut() -> None:
    found = said({f"key\x1b[2J{number}": 1 for number in range(50)}).foreign
    assert len(found) == MOST_NAMES + 1
    assert found[0] == "--settings.key0"
    assert found[-1] == f"{50 - MOST_NAMES} more of --settings"


@pytest.mark.parametrize(
    ("own", "argv", "holds"),
    [
        ("required", (), "required"),
        ("auto", (), "auto"),
        ("off", (), "auto"),
        ("off", ("--sandbox", "required"), "required"),
        ("required", ("--sandbox", "off"), "off"),
    ],
)
def test_a_wish_for_a_sandbox_weakens_none(
    own: str, argv: tuple[str, ...], holds: str, tmp_path: Path
) -> None:
    file = tmp_path / "config.toml"
    file.write_text(f'[permission]\nsandbox = "{own}"\n')
    options = said({"sandbox": {"enabled": True}}, *argv)
    loaded = load(Sources(file, flags=flags(options)))
    assert loaded.config.permission.sandbox == holds
    named = "--settings" if (own, argv) == ("off", ()) else argv[0] if argv else str(file)
    assert loaded.origin("permission.sandbox").name == named


@pytest.mark.parametrize("name", ["~nobodyx/s.json", "x" * 300])
def test_names_that_no_system_can_look_up_are_told_as_missing(name: str) -> None:
    with pytest.raises(InputError, match="neither JSON nor a file"):
        parse(["-p", "x", "--settings", name])
    with pytest.raises(InputError, match="there is no such folder"):
        said({"permissions": {"additionalDirectories": [name]}})
    assert parse(["-p", "x", "--mcp-config", name]).mcp_servers == ()


def test_a_wish_for_no_sandbox_takes_none_away() -> None:
    found = said({"sandbox": {"enabled": False}})
    assert found.sandbox is None
    assert found.foreign == ("--settings.sandbox.enabled",)


def test_a_file_may_begin_with_a_mark_of_its_encoding(tmp_path: Path) -> None:
    file = tmp_path / "settings.json"
    file.write_text('\ufeff{"model": "tiny"}', encoding="utf-8")
    assert parse(["-p", "x", "--settings", str(file)]).model == "tiny"
