"""`qcode serve`: what it prints and refuses; what it starts: `tests/e2e/test_gguf.py`."""

import json
import sys
from pathlib import Path

import pytest
from msgspec import structs

from qcode.cli import serve
from qcode.cli.planning import own_flags
from qcode.cli.serve_tables import report, table, told
from qcode.cli.serving import Progress, asked
from qcode.config.files import ProjectFile
from qcode.config.load import load, sources
from qcode.config.model import Config, Serve
from qcode.config.paths import paths
from qcode.protocol.errors import ConfigError, InputError, UsageError
from qcode.serve.base import Wants
from qcode.serve.card import Card, Place
from qcode.serve.printing import FORMS
from tests.support.llama import make_model

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="there it runs inside WSL")

Captured = pytest.CaptureFixture[str]

CARD = Card(
    pid=10,
    engine_pid=11,
    port=4711,
    key="5ecre7" * 8,
    model="/models/tiny.gguf",
    alias="tiny",
    backend="llama-server",
    state="ready",
    since=0.0,
    context_tokens=8192,
    build=11549,
    flags=(("--ctx-size", "8192"), ("--jinja", "")),
    reasons=("asked for",),
)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny model, under the name of a great one: other servers know that."""
    folder = tmp_path_factory.mktemp("models")
    return make_model(folder, "3.5").rename(folder / "Qwen3.6-35B-A3B-Q4_K_M.gguf")


@pytest.fixture(autouse=True)
def _at_home(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder and a home without settings."""
    monkeypatch.chdir(home)


def test_nothing_runs_and_this_is_said(capsys: Captured) -> None:
    assert serve.main(["--status"]) == 0
    assert "No server of yours runs" in capsys.readouterr().out
    assert serve.main(["--status", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == []
    assert serve.main(["--stop"]) == 0
    assert capsys.readouterr().out == "No server of yours runs.\n"
    for word in ("--stop", "--status"):
        with pytest.raises(InputError, match="No server of yours runs for gone"):
            serve.main([word, "gone.gguf"])
    assert serve.main(["--stop", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == []


def test_a_model_is_needed() -> None:
    with pytest.raises(UsageError, match="MODEL is missing"):
        serve.main([])


def test_two_forms_exclude_each_other(model: Path) -> None:
    with pytest.raises(UsageError, match="--json another"):
        serve.main([str(model), "--print", "llama-server", "--json"])


def test_its_context_and_how_often_it_was_started_again_are_in_the_table(tmp_path: Path) -> None:
    place = Place(tmp_path, "a-b")
    text = table([(place, CARD)])
    assert "  context  8,192 tokens\n" in text
    assert "again" not in text
    assert "; started again once\n" in table([(place, structs.replace(CARD, restarts=1))])
    assert "; started again 2 times\n" in table([(place, structs.replace(CARD, restarts=2))])


def test_what_is_not_here_is_told_with_what_to_do() -> None:
    with pytest.raises(InputError, match="qcode models pull hf:a/b:Q4_K_M"):
        serve.main(["hf:a/b:Q4_K_M"])
    with pytest.raises(InputError, match="There is no file"):
        serve.main(["none.gguf"])


@pytest.mark.parametrize("form", FORMS)
def test_every_form_is_printed_and_nothing_is_started(
    form: str, model: Path, capsys: Captured
) -> None:
    assert serve.main([str(model), "--print", form]) == 0
    out = capsys.readouterr().out
    assert out.endswith("\n")
    assert len(out) > 20
    assert not (paths().state / "serve").exists()


def test_a_command_line_is_printed_also_where_no_server_is_installed(
    model: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    assert serve.main([str(model), "--print", "llama-server", "--context", "16384"]) == 0
    out = capsys.readouterr().out
    assert "llama-server" in out
    assert "16384" in out


TABLE = "unsloth/Qwen3.6-35B-A3B-GGUF"


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("model", [f"hf:{TABLE}:UD-Q4_K_XL", "hf:unsloth/Qwen3.6-27B-GGUF:Q4_K_M"])
def test_a_model_of_the_table_is_printed_without_its_file(
    form: str, model: str, capsys: Captured
) -> None:
    assert serve.main([model, "--print", form]) == 0
    out, err = capsys.readouterr()
    assert "is not on this machine, so this is planned by qcode's table" in err
    assert model.removeprefix("hf:") in out or form in ("vllm", "sglang", "mlx")


@pytest.mark.parametrize("form", ["vllm", "sglang", "mlx"])
@pytest.mark.parametrize("model", ["hf:Qwen/Qwen3.6-35B-A3B", f"hf:{TABLE}"])
def test_servers_that_run_no_gguf_need_none(form: str, model: str, capsys: Captured) -> None:
    assert serve.main([model, "--print", form]) == 0
    assert "Qwen3.6-35B-A3B" in capsys.readouterr().out


def test_a_file_that_the_table_has_not_is_told_with_those_that_it_has() -> None:
    for model in (f"hf:{TABLE}", f"hf:{TABLE}:Q1_0", "hf:Qwen/Qwen3.6-35B-A3B"):
        with pytest.raises(InputError, match=f"UD-Q4_K_XL.*Say which: hf:{TABLE}:QUANT"):
            serve.main([model, "--print", "llama-server"])
    with pytest.raises(InputError, match="is not on this machine"):
        serve.main(["hf:a/b:Q4_K_M", "--print", "llama-server"])


def test_what_is_printed_can_save_conversations(model: Path, capsys: Captured) -> None:
    assert serve.main([str(model), "--print", "llama-server"]) == 0
    out = capsys.readouterr().out
    assert f"--slot-save-path {paths().state / 'slots'}/" in out
    assert f"mkdir -p {paths().state / 'slots'}" in out


def test_the_key_is_named_and_never_printed(tmp_path: Path) -> None:
    place = Place(tmp_path, "a-b")
    for text in (told(place, CARD), table([(place, CARD)]), json.dumps(report(place, CARD))):
        assert CARD.key not in text
    assert str(place.key_file) in told(place, CARD)


def test_each_flag_is_told_with_its_reason(tmp_path: Path) -> None:
    assert report(Place(tmp_path, "a-b"), CARD)["flags"] == [
        {"name": "--ctx-size", "value": "8192", "why": "asked for"},
        {"name": "--jinja", "value": "", "why": ""},
    ]
    text = told(Place(tmp_path, "a-b"), CARD)
    assert "  --ctx-size 8192\n    asked for\n" in text
    assert "tiny at http://127.0.0.1:4711/v1 by llama-server b11549\n" in text


def test_wishes_make_another_server_and_the_usual_ones_none(model: Path) -> None:
    config = Config(serve=Serve(context_tokens=8192))
    usual = asked(str(model), config)
    assert not usual.has_wishes
    assert not asked(str(model), config, Wants(context_tokens=8192)).has_wishes
    other = asked(str(model), config, Wants(context_tokens=16384))
    assert other.has_wishes
    assert other.place != usual.place
    assert other.place.file_id == usual.place.file_id


def test_a_flag_that_the_engine_does_not_know_is_refused(
    model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "/nowhere")  # leaves the package
    config = Config(serve=Serve(flags=("--threads 1", "--nonsense")))
    with pytest.raises(ConfigError, match="has --nonsense, which xllamacpp does not know"):
        asked(str(model), config).use(lambda said: None)
    left = [file.name for file in (paths().state / "serve").iterdir()]
    assert left in ([], ["slots"])


def test_flags_are_taken_in_one_string_or_in_two() -> None:
    said = ("--batch-size", "256", "--threads 4", "--no-warmup", "--n-predict", "-1", "-ub=64")
    assert [(flag.name, flag.value) for flag in own_flags((*said, "--ubatch-size=64"))] == [
        ("--batch-size", "256"),
        ("--threads", "4"),
        ("--no-warmup", ""),
        ("--n-predict", "-1"),
        ("-ub=64", ""),
        ("--ubatch-size", "64"),
    ]
    for wrong in (("256",), ("--threads 4", "5")):
        with pytest.raises(ConfigError, match="where a flag of llama-server should stand"):
            own_flags(wrong)


def test_no_project_says_what_runs_here(home: Path, tmp_path: Path) -> None:
    data = b'[serve]\nbinary = "/evil"\nidle_minutes = 0\n'
    trusted = ProjectFile(tmp_path / "config.toml", data, why_not="")
    loaded = load(sources(project=trusted))
    assert loaded.config.serve == Serve()
    assert any("serve.binary" in notice for notice in loaded.notices)


def test_a_folder_that_cannot_be_written_is_told(
    model: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (home / "file").write_text("")
    monkeypatch.setenv("QCODE_HOME", str(home / "file" / "below"))
    with pytest.raises(ConfigError, match="cannot be made"):
        asked(str(model), Config()).use(lambda said: None)


def test_loading_is_said_now_and_then_and_not_at_once() -> None:
    said: list[str] = []
    progress = Progress(said.append)
    for tenth in range(1000):
        progress.told(CARD, tenth / 10)
    assert said == [f"loading tiny, {seconds} s" for seconds in (1, 10, 30, 60, 90)]
