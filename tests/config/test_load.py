"""Settings: which layer wins, where a value came from, and what a project may not set."""

import os
import time
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qcode.config.files import HARMLESS, MOST_NOTICES, PROPOSED, ProjectFile
from qcode.config.lines import LARGEST, places
from qcode.config.load import ENVIRONMENT, Loaded, Sources, load, shown
from qcode.config.model import Config, keys, value_of
from qcode.protocol.errors import ConfigError

USER = """\
# my settings
[server]
base_url = "http://127.0.0.1:8080/v1"
model = "user"

[agent]
thinking = 4000
exclude = [
  "dist/",
  "*.lock",
]
verify = "make test"
"""


def loaded(
    folder: Path,
    user: str = "",
    project: str = "",
    environ: Mapping[str, str] | None = None,
    flags: Mapping[str, tuple[str, object]] | None = None,
) -> Loaded:
    """The settings with these files in `folder`, whose project is trusted."""
    user_file = folder / "user.toml"
    user_file.write_text(user)
    theirs = of_project(folder, project.encode())
    return load(Sources(user_file, theirs, environ or {}, flags or {}))


def of_project(folder: Path, data: bytes, why_not: str = "") -> ProjectFile:
    """The project's file; it is trusted, unless it is said why not."""
    return ProjectFile(folder / "project.toml", data, why_not)


def refused(folder: Path, user: str) -> str:
    """What is said of a user file that cannot be used, without its folder."""
    with pytest.raises(ConfigError) as caught:
        loaded(folder, user)
    return str(caught.value).replace(f"{folder}/", "")


def test_without_any_source_all_is_default(tmp_path: Path) -> None:
    found = load(Sources(tmp_path / "none"))
    assert found.config == Config()
    assert {origin.kind for origin in found.origins.values()} == {"default"}
    assert set(found.origins) == set(keys())


def test_each_layer_lies_over_the_one_before(tmp_path: Path) -> None:
    project = '[agent]\nthinking = "low"\n'
    environ = {"QCODE_THINKING": "high"}
    flags = {"agent.thinking": ("--think", "off")}
    assert loaded(tmp_path).config.agent.thinking == "medium"
    assert loaded(tmp_path, USER).config.agent.thinking == 4000
    assert loaded(tmp_path, USER, project).config.agent.thinking == "low"
    assert loaded(tmp_path, USER, project, environ).config.agent.thinking == "high"
    assert loaded(tmp_path, USER, project, environ, flags).config.agent.thinking == "off"


def test_each_value_knows_where_it_came_from(tmp_path: Path) -> None:
    found = loaded(
        tmp_path,
        USER,
        'agent.sampling = "general"\n',
        {"QCODE_MAX_STEPS": "7"},
        {"server.model": ("--model", "flagged")},
    )
    said = {key: str(origin) for key, _, origin in shown(found) if origin.kind != "default"}
    assert said == {
        "server.base_url": f"user {tmp_path}/user.toml:3",
        "server.model": "flag --model",
        "agent.max_steps": "environment QCODE_MAX_STEPS",
        "agent.thinking": f"user {tmp_path}/user.toml:7",
        "agent.sampling": f"project {tmp_path}/project.toml:1",
        "agent.exclude": f"user {tmp_path}/user.toml:8",
        "agent.verify": f"user {tmp_path}/user.toml:12",
    }
    assert found.config.agent.max_steps == 7


def test_our_own_variable_beats_the_common_one(tmp_path: Path) -> None:
    environ = {"OPENAI_MODEL": "theirs", "QCODE_MODEL": "ours", "OPENAI_BASE_URL": "http://h/v1"}
    server = loaded(tmp_path, environ=environ).config.server
    assert (server.model, server.base_url) == ("ours", "http://h/v1")


@pytest.mark.parametrize("key", sorted(set(keys()) - HARMLESS - {PROPOSED}))
def test_a_project_may_not_set_what_could_harm(tmp_path: Path, key: str) -> None:
    value = value_of(Config(), key)
    text = "[]" if value == () else repr(value).replace("'", '"')
    found = loaded(tmp_path, USER, f"# a comment\n{key} = {text}\n")
    assert found.config == loaded(tmp_path, USER).config
    assert found.origins[key].kind != "project"
    [notice] = found.notices
    assert notice.startswith(f"{tmp_path}/project.toml:2: a project may not set {key}")


def test_a_project_only_proposes_a_verify_command(tmp_path: Path) -> None:
    found = loaded(tmp_path, "", '[agent]\nverify = "rm -rf /"\n')
    assert found.config.agent.verify == ""
    assert found.proposed_verify is not None
    assert found.proposed_verify.value == "rm -rf /"
    assert str(found.proposed_verify.origin) == f"project {tmp_path}/project.toml:2"


def test_a_projects_excludes_come_on_top_of_the_users(tmp_path: Path) -> None:
    found = loaded(tmp_path, USER, '[agent]\nexclude = ["build/"]\n')
    assert found.config.agent.exclude == ("dist/", "*.lock", "build/")


@pytest.mark.parametrize(
    "project",
    ["[agent\n", "\xff", 'x = 3\n"a\\u001b[31m" = 1\n', "[x]\ny = 1\n", "a = " + "[" * 9000],
)
def test_a_broken_project_file_never_keeps_qcode_from_starting(
    tmp_path: Path, project: str
) -> None:
    found = load(Sources(tmp_path / "none", of_project(tmp_path, project.encode("latin-1"))))
    assert found.config == Config()
    assert found.notices
    assert all("\x1b" not in notice for notice in found.notices)


EVERYTHING = """\
[agent]
thinking = "low"
sampling = "general"
exclude = ["src/"]
verify = "make"
[server]
base_url = "http://evil/v1"
"""


@pytest.mark.parametrize("why_not", ["you have not trusted this folder", "it has changed"])
def test_nothing_of_a_project_counts_that_is_not_trusted(tmp_path: Path, why_not: str) -> None:
    theirs = of_project(tmp_path, EVERYTHING.encode(), why_not)
    found = load(Sources(tmp_path / "none", theirs))
    assert found.config == Config()
    assert {origin.kind for origin in found.origins.values()} == {"default"}
    assert found.proposed_verify is None
    assert {key: one.value for key, one in found.withheld.items()} == {
        "agent.thinking": "low",
        "agent.sampling": "general",
        "agent.exclude": ("src/",),
        "agent.verify": "make",
    }
    [notice] = found.notices
    assert notice.startswith(f"{tmp_path}/project.toml does not count, since {why_not}. ")
    assert "agent.exclude, agent.sampling, agent.thinking, agent.verify" in notice


def test_a_trusted_project_sets_no_more_than_is_harmless(tmp_path: Path) -> None:
    found = loaded(tmp_path, "", EVERYTHING)
    assert {key for key, one in found.origins.items() if one.kind == "project"} == HARMLESS
    assert not found.withheld


def test_what_is_harmless_says_nothing_of_servers_rules_fences_and_logs() -> None:
    """Who makes the list longer is to think of this."""
    assert {key.partition(".")[0] for key in HARMLESS | {PROPOSED}} == {"agent"}
    of_agents = {"offline", "unattended", "max_steps", "fallback", "escalate_to", "loops"}
    assert not {f"agent.{name}" for name in of_agents} & HARMLESS


def test_a_hostile_project_file_costs_little_time_and_few_lines(tmp_path: Path) -> None:
    value = "\n".join(["x = 1 ]"] * 20_000)
    text = f'a = """{value}"""\n' + "\n".join(f"k{number} = {number}" for number in range(5000))
    assert len(text) < LARGEST
    began = time.process_time()
    found = load(Sources(tmp_path / "none", of_project(tmp_path, text.encode())))
    assert time.process_time() - began < 5
    assert len(found.notices) == MOST_NOTICES + 1
    assert found.notices[-1].endswith(f"{5001 - MOST_NOTICES} more of its keys are left out.")


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ('[servr]\nmodel = "x"', "user.toml:1: there is no section 'servr'. Did you mean server?"),
        (
            '[server]\n\n# note\nmodle = "x"',
            "user.toml:4: there is no setting server.modle. Did you mean server.model?",
        ),
        (
            '[agent]\nmax_steps = "7"',
            "user.toml:2: agent.max_steps is '7'. Write a whole number from 1 to 100,000.",
        ),
        (
            '[server]\nbase_url = "http://x:99999/v1"',
            "user.toml:2: server.base_url is 'http://x:99999/v1'. Write a URL such as http://127.0.0.1:8080/v1.",
        ),
        (
            "[agent]\nmax_steps = 0",
            "user.toml:2: agent.max_steps is 0. Write a whole number from 1 to 100,000.",
        ),
        (
            '[server]\nconnect_seconds = "5"',
            "user.toml:2: server.connect_seconds is '5'. Write a number above 0 to 86,400.",
        ),
        (
            '[permission]\nallow = "Bash"',
            'user.toml:2: permission.allow is \'Bash\'. Write a list of texts, such as ["a", "b"].',
        ),
        (
            "[server]\nmodel = 3",
            "user.toml:2: server.model is 3. Write a line of text in quotes, not too long and "
            "without control characters.",
        ),
        (
            "[agent]\nunattended = true",
            "user.toml:2: agent.unattended is True. Write one of on, off.",
        ),
        (
            '[agent]\nsampling = "x"',
            "user.toml:2: agent.sampling is 'x'. Write one of auto, general, coding, reasoning.",
        ),
        (
            '[agent]\nthinking = "lots"',
            "user.toml:2: agent.thinking is 'lots'. "
            "Write off, low, medium, high, max, or a number of tokens.",
        ),
        (
            '[server]\nbase_url = "localhost"',
            "user.toml:2: server.base_url is 'localhost'. "
            "Write a URL such as http://127.0.0.1:8080/v1.",
        ),
        ("server = 1", "user.toml:1: 'server' is a section: write [server] above it."),
        (
            "[server]\nmodel =",
            "user.toml:2: not valid TOML: Invalid value. Mend the line or put `#` before it.",
        ),
        (
            'a = """\nb',
            "user.toml:2: not valid TOML: Unterminated string. Mend the line or put `#` before it.",
        ),
    ],
)
def test_a_mistake_is_named_with_its_line(tmp_path: Path, text: str, sentence: str) -> None:
    assert refused(tmp_path, text) == sentence


def test_bytes_that_are_no_text_are_named_with_their_line(tmp_path: Path) -> None:
    (tmp_path / "user.toml").write_bytes(b"[server]\nmodel = '\xff'\n")
    with pytest.raises(ConfigError, match=r"user\.toml:2: the file is not UTF-8"):
        load(Sources(tmp_path / "user.toml"))


@pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() == 0,
    reason="root reads every file, and Windows has no such permission",
)
def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    file = tmp_path / "user.toml"
    file.write_text(USER)
    file.chmod(0)
    with pytest.raises(ConfigError, match="Permission denied"):
        load(Sources(file))


def test_a_directory_in_the_place_of_the_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="is not a file"):
        load(Sources(tmp_path))


def test_a_wrong_variable_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"^QCODE_MAX_STEPS: agent.max_steps is 'many'"):
        loaded(tmp_path, environ={"QCODE_MAX_STEPS": "many"})


def test_an_unknown_variable_of_ours_is_noticed(tmp_path: Path) -> None:
    found = loaded(tmp_path, environ={"QCODE_MODLE": "x", "PATH": "/bin", "QCODE_HOME": "/h"})
    assert found.notices == (
        "QCODE_MODLE is set, but qcode knows no such variable. Did you mean QCODE_MODEL?",
    )


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("QCODE_PERMISSION_MODE", "yolo"),
        ("QCODE_PERMISSION_MODE", "bypassPermissions"),
        ("QCODE_SANDBOX", "off"),
    ],
)
def test_consent_comes_from_no_variable(tmp_path: Path, name: str, value: str) -> None:
    with pytest.raises(ConfigError, match="your own consent"):
        loaded(tmp_path, environ={name: value})
    key = ENVIRONMENT[name]
    assert value_of(loaded(tmp_path, f'{key} = "{value}"').config, key) == value
    assert value_of(loaded(tmp_path, flags={key: ("--x", value)}).config, key) == value


def test_no_env_file_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".env").write_text("QCODE_MODEL=evil\nOPENAI_BASE_URL=http://evil/v1\n")
    monkeypatch.chdir(tmp_path)
    assert load(Sources(tmp_path / "none", None, os.environ)).config == Config()


NAMES = st.sampled_from(["a", "b", "server", "x-y", '"q.r"', "model"])
VALUES = st.sampled_from(
    [
        "1",
        '"a = 1"',
        "[\n 1,\n 2\n]",
        '"""\nmodel = 2\n[a]\n"""',
        "{ a = 1 }",
        "'''\n'''",
        "[{a=1}]",
    ]
)


@given(st.lists(st.tuples(NAMES, VALUES), unique_by=lambda row: row[0], max_size=5), st.data())
def test_the_line_of_a_key_is_where_its_statement_begins(
    rows: list[tuple[str, str]], data: st.DataObject
) -> None:
    text, wanted, table = "", {}, ""
    for name, value in rows:
        text += data.draw(st.sampled_from(["", "\n", "# a = 1\n", " \n\n"]))
        if data.draw(st.booleans()) and table != "t":
            table = "t"
            text += "[t] # table\n"
        wanted[f"{table}.{name}".lstrip(".").replace('"', "")] = text.count("\n") + 1
        text += f"{name} = {value}\n"
    found = places(text)
    assert {key: found.get(key) for key in wanted} == wanted


@pytest.mark.parametrize(
    ("word", "value"), [("1", "on"), ("TRUE", "on"), ("on", "on"), ("0", "off")]
)
def test_a_switch_in_the_environment_may_be_a_one(tmp_path: Path, word: str, value: str) -> None:
    assert loaded(tmp_path, environ={"QCODE_OFFLINE": word}).config.agent.offline == value


def test_a_project_cannot_bring_a_run_online_again(tmp_path: Path) -> None:
    found = loaded(tmp_path, '[agent]\noffline = "on"', '[agent]\noffline = "off"')
    assert found.config.agent.offline == "on"
    assert "agent.offline" in found.notices[0]
