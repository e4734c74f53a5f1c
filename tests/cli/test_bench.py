"""`qcode bench`: its words, and the settings that its lists make."""

import argparse
import os
import subprocess
import sys
from pathlib import Path

import pytest

from qcode.bench.curve import Curve, save
from qcode.bench.task import Setting
from qcode.cli import bench
from qcode.cli.bench_settings import chosen, kinds
from qcode.cli.parser import parsed
from qcode.config.model import Config, Profile
from qcode.protocol.errors import UsageError


def settings(*argv: str, config: Config | None = None) -> tuple[Setting, ...]:
    return chosen(parsed("bench", bench.add, ["tasks", *argv]), config or Config())


def test_without_lists_there_is_one_setting_that_changes_nothing() -> None:
    assert settings() == (Setting("as configured"),)


def test_each_of_one_list_meets_each_of_the_others() -> None:
    found = settings("--models", "a, b", "--thinking", "low,4096")
    assert [it.name for it in found] == [
        "a · think low",
        "a · think 4096",
        "b · think low",
        "b · think 4096",
    ]
    assert found[1].flags == ("--model", "a", "--think", "4096")


def test_files_with_one_name_are_told_apart(tmp_path: Path) -> None:
    repos = [
        tmp_path / f"models--{owner}--m" / "snapshots" / "000"
        for owner in ("an-owner-with-a-long-name", "b")
    ]
    files = [tmp_path / f"m{number}" / f"{'x' * 70}.gguf" for number in range(2)]
    files += [repo / "same.gguf" for repo in repos]
    for file in files:
        file.parent.mkdir(parents=True)
        file.touch()
    found = settings(*(word for file in files for word in ("--gguf", str(file))))
    assert [it.gguf for it in found] == [str(file) for file in files]
    assert len({it.name for it in found}) == 4
    assert [it.name for it in found[2:]] == ["an-owner-with-a-long-name/m: same", "b/m: same"]


def test_a_file_and_a_link_to_it_are_not_compared(tmp_path: Path) -> None:
    file, link = tmp_path / "a.gguf", tmp_path / "b.gguf"
    file.touch()
    link.symlink_to(file)
    with pytest.raises(UsageError, match="names a file twice"):
        settings("--gguf", str(file), "--gguf", str(link))


def test_models_and_profiles_stand_beside_each_other() -> None:
    config = Config(profiles={"deep": Profile(model="big")})
    found = settings("--models", "a", "--profiles", "deep", config=config)
    assert [it.flags for it in found] == [("--model", "a"), ("--model", "deep")]


def test_sampling_values_become_flags_of_a_run() -> None:
    (one, other) = settings("--sampling", "temperature=0.6+top_p=0.9,presence-penalty=-1")
    assert one.flags == ("--temperature=0.6", "--top-p=0.9")
    assert other.flags == ("--presence-penalty=-1",)
    assert one.name == "temperature=0.6+top_p=0.9"


@pytest.mark.parametrize(
    "argv",
    [
        ("--sampling", "temperature"),
        ("--sampling", "seed=1"),
        ("--thinking", "-1"),
        ("--models", "a,a"),
        ("--profiles", "none"),
    ],
)
def test_a_wrong_word_is_a_sentence(argv: tuple[str, ...]) -> None:
    with pytest.raises(UsageError):
        settings(*argv)


def test_kinds_are_of_a_list() -> None:
    assert kinds("redo,bug") == ("bug", "redo")
    with pytest.raises(argparse.ArgumentTypeError):
        kinds("")


def test_lengths_may_be_said_in_1024s() -> None:
    found = parsed("bench", bench.add, ["server", "--sizes", "16k,512,512"])
    assert found.sizes == (512, 16_384)
    for wrong in ("", "0", "1m", "-5", "1,,2"):
        with pytest.raises(UsageError):
            parsed("bench", bench.add, ["server", "--sizes", wrong])


def test_no_tasks_are_made_for_a_server_that_is_not_there(tmp_path: Path) -> None:
    git = ["git", "-c", "user.name=t", "-c", "user.email=t@t", "-C", str(tmp_path)]
    for words in (["init", "-q"], ["commit", "-q", "--allow-empty", "-m", "first"]):
        subprocess.run([*git, *words], check=True)
    words = ["bench", "tasks", "--base-url", "http://127.0.0.1:9/v1", "--repo", str(tmp_path)]
    home = {**os.environ, "QCODE_HOME": str(tmp_path / "home")}
    ran = subprocess.run(
        [sys.executable, "-m", "qcode", *words],
        capture_output=True,
        text=True,
        env=home,
        check=False,
    )
    assert (ran.returncode, ran.stdout) == (75, "")
    assert "No server answers" in ran.stderr
    assert "test command" not in ran.stderr  # it was not even looked for


def test_a_file_has_to_be_named_and_three_are_too_many(tmp_path: Path) -> None:
    with pytest.raises(UsageError):
        bench.main(["server", "--compare"])
    curve = Curve(
        qcode="0",
        date="",
        kind="generic",
        server="s",
        base_url="http://h/v1",
        model="m",
        generated_tokens=1,
    )
    save(curve, tmp_path / "a.json")
    with pytest.raises(UsageError, match="one file or two"):
        bench.main(["server", "--compare", *[str(tmp_path / "a.json")] * 3])
