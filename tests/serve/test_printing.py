"""What is printed for those who run their own server: it means what was planned, however quoted."""

import configparser
import importlib
import plistlib
import re
import shlex
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from qcode.protocol.errors import InputError
from qcode.serve.base import Flag, Plan, Wants
from qcode.serve.command import Address, flag_words, short_name, words
from qcode.serve.plan import plan
from qcode.serve.printing import FORMS, printed
from tests.serve.models import CUDA, EXPERTS, gpu, machine

PLAN = plan(machine(gpu(24)), EXPERTS, replace(CUDA, build=9000), Wants())
ODD = replace(
    PLAN,
    model=replace(EXPERTS, path=Path('/a b/it\'s $HOME 100% `x` "y" \\z;#!.gguf')),
    engine=replace(CUDA, path="/opt/my tools/llama-server"),
)
AT = Address("127.0.0.1", 8123, "/home/me/a key")

NAMES = st.text(st.characters(exclude_categories=("C", "Z")) | st.just(" "), min_size=1).map(
    lambda name: f"/models/{name.replace('/', '')}x.gguf"
)


def in_a_shell(text: str, program: str, tmp_path: Path) -> list[str]:
    """The words that a real shell hands to the program."""
    script = tmp_path / "said"
    script.write_text('#!/bin/sh\nprintf "%s\\0" "$@"\n', encoding="utf-8")
    script.chmod(0o755)
    done = subprocess.run(
        ["/bin/sh", "-c", text.replace(program, str(script), 1)],
        check=True,
        capture_output=True,
        cwd=tmp_path,
    )
    return done.stdout.decode().split("\0")[:-1]


def yaml(text: str) -> Any:
    """As a library reads it that knows YAML."""
    return importlib.import_module("yaml").safe_load(text)  # comes with `gguf`; it has no types


def systemd_words(line: str) -> list[str]:
    """systemd.service(5): words, quotes, escapes, and the two signs that are written double."""
    pieces = re.findall(r'"((?:[^"\\]|\\.)*)"|(\S+)', line)
    plain = (quoted or bare for quoted, bare in pieces)
    return [re.sub(r"\\(.)", r"\1", word).replace("$$", "$").replace("%%", "%") for word in plain]


@pytest.mark.parametrize("found", [PLAN, ODD])
def test_a_shell_hands_on_what_was_planned(found: Plan, tmp_path: Path) -> None:
    text = printed("llama-server", found, AT)
    program = shlex.quote(found.engine.path)
    assert in_a_shell(text, program, tmp_path) == list(words(found, AT)[1:])
    assert "--api-key-file" in text
    assert "Every program of this machine can use it" not in text
    assert "Every program of this machine can use it" in printed("llama-server", found)


def test_every_flag_is_printed_with_its_reason() -> None:
    text = printed("llama-server", PLAN)
    talk = " ".join(line.removeprefix("# ") for line in text.splitlines() if line[:1] == "#")
    for flag in PLAN.flags:
        assert flag.name in talk
        assert flag.why in talk
        assert flag.source in talk


@given(name=NAMES)
@settings(max_examples=60, deadline=None)
def test_no_name_of_a_file_breaks_a_form(name: str) -> None:
    found = replace(PLAN, model=replace(EXPERTS, path=Path(name)))
    wanted = list(words(found, AT))
    command = printed("llama-server", found, AT).replace("\\\n", "")
    assert shlex.split(command, comments=True) == wanted
    unit = configparser.RawConfigParser(strict=True)
    unit.read_string(printed("systemd", found, AT))
    assert systemd_words(unit["Service"]["ExecStart"]) == wanted
    assert plistlib.loads(printed("launchd", found, AT).encode())["ProgramArguments"] == wanted
    boxed = yaml(printed("compose", found, AT))["services"]["llama"]["command"]
    assert boxed[1].replace("$$", "$") == name
    (swapped,) = yaml(printed("llama-swap", found, AT))["models"].values()
    assert shlex.split(swapped["cmd"])[:3] == [CUDA.path, "--model", name]


def test_a_unit_starts_again_and_is_one_that_systemd_takes(tmp_path: Path) -> None:
    text = printed("systemd", ODD, AT)
    assert "Restart=on-failure" in text
    assert "WantedBy=default.target" in text
    if verify := shutil.which("systemd-analyze"):
        runs = replace(ODD, engine=replace(CUDA, path="/bin/true"))
        unit = tmp_path / "model.service"
        unit.write_text(printed("systemd", runs, AT), encoding="utf-8")
        done = subprocess.run(
            [verify, "--user", "verify", str(unit)], capture_output=True, text=True, check=False
        )
        assert str(unit) not in done.stderr, done.stderr


def test_a_program_without_a_path_is_looked_for() -> None:
    found = replace(PLAN, engine=replace(CUDA, backend="xllamacpp", path="2026.10"))
    assert "ExecStart=/usr/bin/env llama-server --model" in printed("systemd", found)
    started = plistlib.loads(printed("launchd", found).encode())
    assert started["ProgramArguments"][:2] == ["/usr/bin/env", "llama-server"]
    assert started["KeepAlive"] == {"SuccessfulExit": False}


def test_llama_swap_chooses_the_port_and_unloads_what_is_idle() -> None:
    read = yaml(printed("llama-swap", PLAN))
    assert read["sendLoadingState"] is False
    ((name, model),) = read["models"].items()
    assert name == "qwen3.6-35b-a3b-q4_k_m"
    assert model["cmd"].endswith(" --port ${PORT}")
    assert "--host" not in model["cmd"]
    assert model["capabilities"] == {
        "in": ["text"],
        "tools": True,
        "context": PLAN.context_tokens,
    }


@pytest.mark.parametrize(
    ("uses", "tag", "key"),
    [
        (("cuda",), "server-cuda", "deploy"),
        (("rocm",), "server-rocm", "devices"),
        (("vulkan",), "server-vulkan", "devices"),
        ((), "server", "restart"),
    ],
)
def test_a_box_sees_the_folder_of_the_model_and_the_gpu(
    uses: tuple[str, ...], tag: str, key: str
) -> None:
    folder = Flag("--slot-save-path", "/home/me/slots", "kept")
    threads = Flag("--threads", "8", "cores")
    engine = replace(CUDA, uses=uses, build=9000)
    found = replace(PLAN, engine=engine, flags=(*PLAN.flags, folder, threads))
    service = yaml(printed("compose", found, AT))["services"]["llama"]
    assert service["image"] == f"ghcr.io/ggml-org/llama.cpp:{tag}-b9000"
    assert service["ports"] == ["127.0.0.1:8123:8080"]
    assert service["volumes"] == [
        {"type": "bind", "source": "/models", "target": "/models", "read_only": True},
        {"type": "volume", "source": "slots", "target": "/slots/"},
    ]
    assert service["command"][-4:] == ["--slot-save-path", "/slots/", "--threads", "8"]
    assert key in service
    assert service["command"][:2] == ["--model", "/models/Qwen3.6-35B-A3B-Q4_K_M.gguf"]
    assert "/home/me/slots" not in service["command"]
    assert "/home/me/a key" not in service["command"]


def test_vllm_is_told_what_it_does_not_do_by_itself(tmp_path: Path) -> None:
    found = in_a_shell(printed("vllm", PLAN), "vllm serve", tmp_path)
    assert found[0] == "Qwen/Qwen3.6-35B-A3B-FP8"
    for said in (
        ("--enable-auto-tool-choice", "--tool-call-parser", "qwen3_coder"),
        ("--reasoning-parser", "qwen3"),
        ("--max-model-len", str(PLAN.context_tokens)),
        ("--default-chat-template-kwargs", '{"preserve_thinking":true}'),
        ("--enable-prefix-caching",),
        ("--port", "8000"),
    ):
        place = found.index(said[0])
        assert tuple(found[place : place + len(said)]) == said


def test_sglang_and_mlx_are_told_theirs(tmp_path: Path) -> None:
    found = in_a_shell(printed("sglang", PLAN), "sglang serve", tmp_path)
    assert found[:2] == ["--model-path", "Qwen/Qwen3.6-35B-A3B-FP8"]
    assert "--mamba-radix-cache-strategy" in found
    found = in_a_shell(printed("mlx", PLAN), "mlx_lm.server", tmp_path)
    assert found[:2] == ["--model", "mlx-community/Qwen3.6-35B-A3B-4bit"]
    assert found[found.index("--max-tokens") + 1] == "32768"


def test_ollama_gets_its_variables_and_the_same_file(tmp_path: Path) -> None:
    text = printed("ollama", ODD)
    serve, create = text.split("# in another terminal:\n")
    assert "OLLAMA_HOST=127.0.0.1:11434" in serve
    assert f"OLLAMA_CONTEXT_LENGTH={ODD.context_tokens}" in serve
    assert f"OLLAMA_KV_CACHE_TYPE={ODD.kv_type}" in serve
    assert in_a_shell(create, "ollama", tmp_path)[:1] == ["create"]
    modelfile = (tmp_path / "Modelfile").read_text(encoding="utf-8")
    assert modelfile.startswith(f"FROM {ODD.model.path}\n")
    assert "RENDERER qwen3.5\nPARSER qwen3.5\n" in modelfile


def test_a_file_that_does_not_say_its_origin_is_told_for_servers_that_need_it() -> None:
    nameless = replace(EXPERTS, origin="", path=Path("/m/mine.gguf"))
    for form in ("vllm", "sglang", "mlx"):
        with pytest.raises(InputError, match="does not say which model"):
            printed(form, replace(PLAN, model=nameless))
    named = replace(nameless, path=Path("/m/qwen3.6-35b-a3b-q4_k_m.gguf"))
    assert "Qwen/Qwen3.6-35B-A3B-FP8" in printed("vllm", replace(PLAN, model=named))


def test_a_form_that_is_none_is_told_with_those_that_are() -> None:
    with pytest.raises(InputError, match="There are: llama-server, vllm"):
        printed("nonsense", PLAN)


@pytest.mark.parametrize("form", FORMS)
def test_every_form_ends_with_a_line_and_names_the_context_or_the_model(form: str) -> None:
    text = printed(form, PLAN)
    assert text.endswith("\n")
    assert "Qwen3.6-35B-A3B" in text


def test_a_short_name_is_plain() -> None:
    assert short_name(ODD) == "it-s--home-100---x---y---z"
    assert flag_words((Flag("--a", "", "x"), Flag("--b", "1", "x"))) == ("--a", "--b", "1")


SAVING = replace(PLAN, flags=(*PLAN.flags, Flag("--slot-save-path", "/home/me/my slots/", "kept")))
FETCHED = replace(SAVING, model=replace(EXPERTS, hub="unsloth/Qwen3.6-35B-A3B-GGUF:UD-Q4_K_XL"))
RUNS_FILES = ("llama-server", "systemd", "launchd", "llama-swap", "compose")


@pytest.mark.parametrize("form", RUNS_FILES)
def test_every_form_tells_each_flag_of_llama_server_with_its_reason(form: str) -> None:
    text = " ".join(re.sub(r"(?m)^# ", "", printed(form, SAVING)).split())
    for flag in SAVING.flags:
        said = flag.why.replace("--", "-") if form == "launchd" else flag.why
        assert said in text


@pytest.mark.parametrize("form", ["vllm", "sglang", "mlx", "ollama"])
def test_other_servers_flags_have_reasons_beside_them(form: str) -> None:
    text = printed(form, PLAN)
    told = "".join(row for row in text.splitlines() if row.startswith("# "))
    names = re.findall(r"(?m)^  (--[a-z-]+)|^(OLLAMA_[A-Z_]+)=", text)
    plain = {"--host", "--port", "--model", "OLLAMA_HOST", "--model-path"}
    assert len(names) > 3
    assert not [it for pair in names for it in pair if it and it not in plain and it not in told]


@pytest.mark.parametrize("form", FORMS)
def test_no_terminal_of_eighty_columns_breaks_a_word(form: str) -> None:
    for row in printed(form, PLAN).splitlines():
        is_long = len(row) > 80
        assert not is_long or len(row.split()) < 6 or form not in ("llama-server", "vllm", "mlx")
        assert not is_long or not row.startswith("#")
    rows = printed("llama-server", PLAN).splitlines()
    assert "  --top-p 0.95 \\" in rows
    assert "  --min-p 0 \\" in rows


def test_conversations_are_saved_into_a_folder_that_is_made(tmp_path: Path) -> None:
    folder = tmp_path / "my slots"
    saving = replace(PLAN, flags=(Flag("--slot-save-path", f"{folder}/", "kept"),))
    text = printed("llama-server", saving)
    found = in_a_shell(text, shlex.quote(CUDA.path), tmp_path)
    assert found[-2:] == ["--slot-save-path", f"{folder}/"]
    assert folder.is_dir()
    assert 'ExecStartPre=/bin/mkdir -p "/home/me/my slots/"' in printed("systemd", SAVING)
    assert "mkdir -p" in printed("launchd", SAVING)
    assert "mkdir -p /home/me/my slots/" in printed("llama-swap", SAVING)


def test_an_agent_of_launchd_says_where_it_goes_and_is_read_all_the_same() -> None:
    text = printed("launchd", SAVING)
    file = "~/Library/LaunchAgents/local.qwen3.6-35b-a3b-q4_k_m.plist"
    assert f"Put it into {file}, then:" in text
    assert f"launchctl bootstrap gui/$(id -u) {file}" in text
    assert plistlib.loads(text.encode())["Label"] == "local.qwen3.6-35b-a3b-q4_k_m"


def test_a_file_that_is_not_here_is_fetched_by_who_serves_it() -> None:
    hub = FETCHED.model.hub
    for form in ("llama-server", "systemd", "llama-swap", "launchd", "compose"):
        text = printed(form, FETCHED)
        assert hub in text
        assert "--hf-repo" in text
        assert str(EXPERTS.path) not in text
    assert f"FROM hf.co/{hub}\n" in printed("ollama", FETCHED)
    box = yaml(printed("compose", FETCHED))
    assert box["services"]["llama"]["environment"] == {"LLAMA_CACHE": "/models"}
    assert set(box["volumes"]) == {"models", "slots"}
