"""Profiles and models: what a name or a pattern stands for, and who may choose it."""

from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qcode.config.files import ProjectFile
from qcode.config.load import Loaded, Sources, load, shown
from qcode.config.model import Config, ModelValues, keys, spelled, value_of
from qcode.config.profiles import fits, tuned, values_for, with_profile
from qcode.protocol.errors import ConfigError

USER = """\
[server]
base_url = "http://127.0.0.1:8080/v1"
model = "everyday"
api_key_env = "LOCAL_KEY"
context_tokens = 32768

[profiles.deep]
base_url = "https://api.example.com/v1"
model = "big"
thinking = "high"
mode = "plan"

[profiles.quick]
thinking = "off"

[models.qwen]
temperature = 0.2
top_k = 5

[models."Qwen3.6*"]
temperature = 0.3
"""


def loaded(
    folder: Path,
    user: str = USER,
    project: str = "",
    environ: Mapping[str, str] | None = None,
    **flags: str,
) -> Loaded:
    """The settings with these files, the project's trusted; `flags` by the last part of their key
    of `server`."""
    user_file = folder / "user.toml"
    user_file.write_text(user)
    theirs = ProjectFile(folder / "project.toml", project.encode(), "")
    given = {f"server.{name}": (f"--{name}", value) for name, value in flags.items()}
    return load(Sources(user_file, theirs, environ or {}, given))


def refused(folder: Path, user: str) -> str:
    """What is said of a user file that cannot be used, without its folder."""
    with pytest.raises(ConfigError) as caught:
        loaded(folder, user)
    return str(caught.value).replace(f"{folder}/", "")


def test_a_profile_is_taken_before_a_model_of_that_name(tmp_path: Path) -> None:
    found = loaded(tmp_path, model="deep")
    assert found.profile == "deep"
    assert found.config.server.base_url == "https://api.example.com/v1"
    assert found.config.server.model == "big"
    assert found.config.agent.thinking == "high"
    assert found.config.permission.mode == "plan"
    assert loaded(tmp_path, model="other").config.server.model == "other"


def test_another_server_takes_nothing_of_the_first_ones(tmp_path: Path) -> None:
    server = loaded(tmp_path, model="deep").config.server
    assert server.api_key_env == ""
    assert server.context_tokens == 0


def test_a_profile_may_look_for_a_local_server_and_takes_no_key_there(tmp_path: Path) -> None:
    user = USER.replace("[profiles.deep]", '[profiles.here]\nbase_url = ""\n\n[profiles.deep]')
    server = loaded(tmp_path, user, model="here").config.server
    assert (server.base_url, server.model, server.api_key_env) == ("", "", "")


def test_how_history_is_sent_belongs_to_the_server(tmp_path: Path) -> None:
    user = USER.replace("[server]", '[server]\nhistory = "fold"')
    assert loaded(tmp_path, user, model="deep").config.server.history == "auto"
    assert loaded(tmp_path, user, model="quick").config.server.history == "fold"


def test_a_profile_without_a_server_keeps_server_and_model(tmp_path: Path) -> None:
    found = loaded(tmp_path, model="quick")
    assert found.config.server == loaded(tmp_path).config.server
    assert found.config.agent.thinking == "off"


def test_each_value_of_a_profile_says_so(tmp_path: Path) -> None:
    said = {key: str(origin) for key, _, origin in shown(loaded(tmp_path, model="deep"))}
    assert said["server.base_url"] == "profile deep"
    assert said["server.api_key_env"] == "profile deep"
    assert said["agent.thinking"] == "profile deep"
    assert said["profiles.deep.base_url"] == f"user {tmp_path}/user.toml:8"
    assert said["models.Qwen3.6*.temperature"] == f"user {tmp_path}/user.toml:21"


def test_a_profile_beats_the_environment_and_other_flags_beat_it(tmp_path: Path) -> None:
    environ = {"QCODE_BASE_URL": "http://127.0.0.1:1/v1", "QCODE_THINKING": "low"}
    found = loaded(tmp_path, environ=environ, model="deep")
    assert found.config.server.base_url == "https://api.example.com/v1"
    assert found.config.agent.thinking == "high"
    found = loaded(tmp_path, model="deep", base_url="http://127.0.0.1:2/v1")
    assert found.config.server.base_url == "http://127.0.0.1:2/v1"
    assert found.config.server.model == "big"


def test_the_users_file_may_name_the_usual_profile(tmp_path: Path) -> None:
    user = USER.replace('model = "everyday"', 'model = "quick"')
    found = loaded(tmp_path, user)
    assert (found.profile, found.config.server.model) == ("quick", "")
    assert found.config.server.base_url == "http://127.0.0.1:8080/v1"
    assert loaded(tmp_path, user, environ={"QCODE_THINKING": "low"}).config.agent.thinking == "low"
    deep = loaded(tmp_path, user, model="deep")
    assert (deep.profile, deep.config.agent.thinking) == ("deep", "high")


def test_a_project_brings_no_profile_and_chooses_none(tmp_path: Path) -> None:
    project = 'server.model = "deep"\n[profiles.evil]\nbase_url = "http://evil/v1"\n[models.q]\n'
    found = loaded(tmp_path, project=project)
    assert found.config == loaded(tmp_path).config
    assert len(found.notices) == 3
    assert all("a project may not set" in notice for notice in found.notices)


def test_the_environment_does_not_choose_a_profile_that_needs_consent(tmp_path: Path) -> None:
    user = '[profiles.free]\nmode = "yolo"\n'
    with pytest.raises(ConfigError, match="your own consent: choose it with --model free"):
        loaded(tmp_path, user, environ={"QCODE_MODEL": "free"})
    assert loaded(tmp_path, user, model="free").config.permission.mode == "yolo"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (
            '[profiles.deep]\nbase_ulr = "x"',
            "user.toml:2: there is no setting profiles.deep.base_ulr. "
            "Did you mean profiles.deep.base_url?",
        ),
        (
            '[models."qwen3.6"]\ntop_k = "x"',
            "user.toml:2: models.qwen3.6.top_k is 'x'. Write a whole number from 0 to 100,000.",
        ),
        (
            '[profiles]\nmodel = "x"',
            "user.toml:2: [profiles.model] is a table of its own. It may have base_url, model, "
            "api_key_env, context_tokens, thinking, sampling, mode, remote.",
        ),
        ("profiles = 1", "user.toml:1: 'profiles' is a section: write [profiles.NAME] above it."),
        (
            '[agent]\nfallback = "x"',
            "user user.toml:2: agent.fallback names the profile 'x', which is not there. "
            "Write [profiles.x] in your settings.",
        ),
        (
            "[agent]\nescalate_after = 2",
            "user user.toml:2: agent.escalate_after needs agent.escalate_to, the name of a "
            "profile.",
        ),
        (
            '[profiles.deep]\napi_key_env = "ff00-key"',
            "user.toml:2: profiles.deep.api_key_env is not shown here. Write the name of an "
            "environment variable, never the key itself.",
        ),
        ('[profiles."a b"]\nmodel = "x"', "user.toml:1: 'a b' is no name for [profiles.NAME]. "),
    ],
)
def test_a_mistake_is_named_with_its_line(tmp_path: Path, text: str, sentence: str) -> None:
    assert refused(tmp_path, text).startswith(sentence)


def test_qcode_itself_changes_server_and_thinking_but_never_the_mode(tmp_path: Path) -> None:
    config = loaded(tmp_path).config
    deep = with_profile(config, "deep")
    assert deep.server.base_url == "https://api.example.com/v1"
    assert deep.server.api_key_env == ""
    assert deep.agent.thinking == "high"
    assert deep.permission == config.permission
    assert deep.server.loading_seconds == config.server.loading_seconds


def test_of_the_patterns_that_fit_a_later_one_wins(tmp_path: Path) -> None:
    config = loaded(tmp_path).config
    assert values_for(config, "Qwen3.6-35B") == ModelValues(temperature=0.3, top_k=5)
    assert values_for(config, "my-QWEN2") == ModelValues(temperature=0.2, top_k=5)
    assert values_for(config, "llama") == ModelValues()


def test_what_was_said_for_this_run_beats_what_is_said_of_a_model(tmp_path: Path) -> None:
    user = '[models.qwen]\nthinking = "low"\nmax_tokens = 9000\n'
    config = loaded(tmp_path, user).config
    assert tuned(config, "qwen").agent.thinking == "low"
    assert tuned(config, "qwen", {"agent.thinking"}).agent.thinking == "medium"
    assert tuned(config, "qwen", {"agent.thinking"}).agent.max_tokens == 9000
    assert tuned(config, "llama") == config


def test_what_was_said_is_what_stands_in_the_profile_not_what_it_starts_afresh(
    tmp_path: Path,
) -> None:
    found = loaded(tmp_path, USER + "context_tokens = 4096\n", model="deep")
    assert found.origin("server.context_tokens").kind == "profile"
    assert found.said == {
        *("server.base_url", "server.model", "agent.thinking", "permission.mode"),
    }


@pytest.mark.parametrize(
    ("pattern", "model", "yes"),
    [
        ("qwen3.6", "unsloth/Qwen3.6-35B-A3B-GGUF:Q4", True),
        ("qwen*a3b", "Qwen3.6-35B-A3B", True),
        ("qwen*a3b", "x-Qwen3.6-35B-A3B", False),
        ("qwen3?6*", "qwen3x6-1", True),
        ("mistral", "qwen", False),
    ],
)
def test_patterns_are_parts_or_globs(pattern: str, model: str, yes: bool) -> None:  # noqa: FBT001 - a table
    assert fits(pattern, model) is yes


@given(st.text(st.sampled_from("aZ3.*-_é"), min_size=1, max_size=8))
def test_every_key_of_a_table_is_found_under_its_own_spelling(name: str) -> None:
    config = Config(models={name: ModelValues(top_k=3)})
    [key] = [key for key in keys(config) if key not in keys()]
    assert value_of(config, key) == 3
    assert spelled(key).startswith("models.")
    with pytest.raises(KeyError):
        value_of(config, f"models.{name}.temprature")
