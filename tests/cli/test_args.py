"""The flags of the main command."""

from pathlib import Path

import pytest

from qcode.cli import foreign
from qcode.cli.args import parse, parser
from qcode.cli.dispatch import dispatch
from qcode.cli.parser import duration
from qcode.permission.rules import split_rules
from qcode.protocol.errors import InputError, UsageError


def test_a_prompt_stands_behind_the_flag_or_alone() -> None:
    assert parse(["-p", "fix it"]).prompt == "fix it"
    assert parse(["fix it", "-p"]).print
    assert parse(["-p", "--output-format", "json", "fix it"]).prompt == "fix it"
    assert parse(["-p", "-"]).prompt == "-"
    assert parse([]).prompt is None


def test_spellings_of_other_agents_are_taken() -> None:
    assert parse(["-p", "x", "--max-session-turns", "3"]).max_turns == 3
    assert parse(["-p", "x", "--approval-mode", "plan"]).permission_mode == "plan"
    assert parse(["-p", "x", "--yolo"]).permission_mode == "yolo"
    for flag in ("--think", "--thinking", "--effort", "--max-thinking-tokens"):
        assert parse(["-p", "x", flag, "high"]).thinking == "high"
        assert parse(["-p", "x", flag, "4000"]).thinking == "4000"


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        (["--thinking", "adaptive"], "medium"),
        (["--thinking", "adaptive", "--effort", "xhigh"], "max"),
        (["--thinking", "disabled", "--effort", "high"], "off"),
        (["--effort", "high", "--max-thinking-tokens", "4000"], "4000"),
        (["--max-thinking-tokens", "0"], "0"),
        (["--max-thinking-tokens=0"], "0"),
    ],
)
def test_whether_to_think_goes_before_how_much(said: list[str], meant: str) -> None:
    assert parse(["-p", "x", *said]).thinking == meant


def test_who_is_asked_may_be_said_in_either_word() -> None:
    assert parse(["-p", "x", "--permission-prompts", "host"]).prompt_tool == "stdio"
    assert parse(["-p", "x", "--permission-prompts=none"]).prompt_tool is None
    assert parse(["-p", "x", "--permission-prompt-tool", "stdio"]).prompt_tool == "stdio"


@pytest.mark.parametrize("flag", foreign.REFUSED)
def test_what_would_not_be_done_is_refused_with_what_to_do(flag: str) -> None:
    with pytest.raises(UsageError, match=f"{flag}: not here: "):
        parse(["-p", "x", f"{flag}=1"])


@pytest.mark.parametrize(("text", "seconds"), [("90", 90), ("90s", 90), ("1.5m", 90), ("2h", 7200)])
def test_times_have_units(text: str, seconds: float) -> None:
    assert duration(text) == seconds


def test_only_the_sampling_that_was_said_is_there() -> None:
    argv = ["-p", "x", "--temperature", "0", "--top-k", "20", "--presence-penalty", "-1.5"]
    assert parse(argv).sampling == {"temperature": 0, "top_k": 20, "presence_penalty": -1.5}
    assert parse(["-p", "x"]).sampling == {}


def test_pictures_may_be_several() -> None:
    found = parse(["-p", "look", "-i", "a.png", "--image", "b.jpg"])
    assert found.images == (Path("a.png"), Path("b.jpg"))
    assert found.prompt == "look"


def test_a_run_may_be_unattended_and_without_the_loop_breaker() -> None:
    found = parse(["-p", "x", "--unattended", "--loops", "off"])
    assert (found.unattended, found.loops) == (True, "off")
    assert (parse(["-p", "x"]).unattended, parse(["-p", "x"]).loops) == (False, None)


def test_a_run_may_be_offline() -> None:
    assert (parse(["-p", "x", "--offline"]).offline, parse(["-p", "x"]).offline) == (True, False)


@pytest.mark.parametrize(
    "argv",
    [
        ["--temperature", "nan"],
        ["--temperature", "6"],
        ["--top-p", "x"],
        ["--top-k", "1.5"],
        ["--loops", "maybe"],
        ["--max-turns", "0"],
        ["--max-turns", "x"],
        ["--max-wall-time", "soon"],
        ["--max-wall-time", "0"],
        ["--output-format", "xml"],
        ["--permission", "plan"],  # no abbreviations: a new flag must not change an old script
        ["a", "b"],
    ],
)
def test_wrong_flags_are_a_sentence(argv: list[str]) -> None:
    with pytest.raises(UsageError, match="qcode --help"):
        parse(argv)


def test_a_mistyped_flag_names_the_one_that_was_meant() -> None:
    with pytest.raises(UsageError, match=r"Did you mean --max-turns\?"):
        parse(["-p", "x", "--max-turn=3"])


@pytest.mark.parametrize(
    ("argv", "sentence"),
    [
        (["sesions", "list"], "There is no subcommand 'sesions'. Did you mean sessions?"),
        (["permision"], "Did you mean permissions?"),
        (["sessions", "lst"], "Did you mean list? qcode sessions --help"),
        (["auth", "delete"], "ACTION: 'delete' is none of set, list, remove. qcode auth --help"),
        (["paths", "--jso"], "Did you mean --json?"),  # no abbreviations there either
        (["config", "show", "--jsn"], "Did you mean --json? qcode config show --help"),
        (["servers", "list"], "qcode servers --help"),
        (["--sandbox", "of"], "--sandbox: 'of' is none of auto, required, off. Did you mean off?"),
    ],
)
def test_a_mistyped_subcommand_or_choice_names_the_one_that_was_meant(
    argv: list[str], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert dispatch(argv) == 2
    out, err = capsys.readouterr()
    assert not out
    assert sentence in " ".join(err.split())
    assert "usage:" not in err


@pytest.mark.parametrize(
    ("argv", "sentence"),
    [
        (["auth"], "Say which: qcode auth set | list | remove. qcode auth --help"),
        (["completion"], "Say which: qcode completion bash | zsh | fish."),
        (["sessions", "delete"], "SESSION is missing: qcode sessions delete SESSION."),
        (["-p", "x", "-o"], "--output-last-message: a value must follow it."),
        (["-p", "x", "--max-turns", "0"], "--max-turns: '0' is not a whole number from 1 on."),
    ],
)
def test_what_is_missing_or_wrong_is_named_as_the_flags_are(
    argv: list[str], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert dispatch(argv) == 2
    assert capsys.readouterr().err.startswith(f"qcode: {sentence}")


def test_a_prompt_without_quotes_is_recognised() -> None:
    with pytest.raises(UsageError, match="in quotes"):
        parse(["-p", "fix", "the", "test"])


@pytest.mark.parametrize("words", [["ff00-key"], ["--key=ff00-key"], ["--key", "ff00-key"]])
def test_a_key_on_the_command_line_is_not_repeated(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert dispatch(["auth", "set", "https://api.example.com/v1", *words]) == 2
    out, err = capsys.readouterr()
    assert "ff00" not in out + err
    assert "in quotes" not in err
    assert "qcode auth set --help" in err


def test_values_that_no_server_takes_are_wrong_flags_and_zero_turns_top_k_off() -> None:
    with pytest.raises(UsageError, match="above 0"):
        parse(["--top-p", "0"])
    assert parse(["--top-k", "0"]).sampling == {"top_k": 0}


@pytest.mark.parametrize(
    "text",
    ["- Be terse.\n- Cite lines.", "---\ntitle: x\n---", "-Always answer", "-c is broken", "-", ""],
)
def test_a_text_that_begins_with_a_dash_is_a_value(text: str) -> None:
    found = parse(["-p", "x", "--append-system-prompt", text, "--max-turns", "3"])
    assert (found.append_system_prompt, found.max_turns) == (text, 3)
    assert parse(["-p", f"--append-system-prompt={text}"]).append_system_prompt == text


@pytest.mark.parametrize(
    "argv",
    [["--model", "--max-turns", "3"], ["--model", "-c"], ["--model", "--no-such=x"], ["--model"]],
)
def test_a_flag_is_no_value_of_another(argv: list[str]) -> None:
    with pytest.raises(UsageError, match="--model: a value must follow it"):
        parse(["-p", "x", *argv])


def test_behind_two_dashes_nothing_is_a_flag() -> None:
    assert parse(["-p", "--", "--model"]).prompt == "--model"
    with pytest.raises(UsageError):
        parse(["-p", "--model", "--", "x"])


def test_texts_for_the_model_may_be_files(tmp_path: Path) -> None:
    file = tmp_path / "words.md"
    file.write_text("\ufeffBe terse.\n")
    assert parse(["-p", f"--append-system-prompt-file={file}"]).append_system_prompt == (
        "Be terse.\n"
    )
    found = parse(["-p", "--system-prompt", "", "--system-prompt-file", str(file)])
    assert found.system_prompt == "Be terse.\n"


@pytest.mark.parametrize("flag", ["--system-prompt", "--append-system-prompt"])
def test_a_text_stands_in_one_place(flag: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=f"{flag} and {flag}-file exclude each other"):
        parse(["-p", flag, "x", f"{flag}-file", str(tmp_path)])
    for wrong in (tmp_path, tmp_path / "nowhere"):
        with pytest.raises(InputError, match=f"{flag}-file .* cannot be read"):
            parse(["-p", f"{flag}-file", str(wrong)])


@pytest.mark.parametrize(
    ("argv", "rules", "prompt"),
    [
        (["--allowedTools", "Bash(git log *)", "Bash(git diff *)", "Read"], 3, None),
        (["--allowed-tools", "Read", "Edit", "fix it"], 2, "fix it"),
        (["--allowedTools", "Read", "mcp__a__b", "Review", "--quiet"], 2, "Review"),
        (["--allowedTools", "Read", "--", "Edit"], 1, "Edit"),
        (["--allowedTools=Read", "Edit"], 1, "Edit"),
        (["Edit", "--allowedTools", "Read", "--disallowedTools", "Bash"], 1, "Edit"),
        (["--allowedTools", "Bash", "Bash(f(x))", "Read(me) or (it)"], 2, "Read(me) or (it)"),
        (["--allowedTools", "Bash", "Read((me)"], 1, "Read((me)"),
        (["--allowedTools", "- x", "Read"], 2, "Read"),
    ],
)
def test_several_rules_may_stand_behind_one_flag(
    argv: list[str], rules: int, prompt: str | None
) -> None:
    found = parse(["-p", *argv])
    assert sum(len(split_rules(one)) for one in found.allowed_tools) == rules
    assert found.prompt == prompt


def test_several_tools_and_folders_may_stand_behind_one_flag(tmp_path: Path) -> None:
    here, there = tmp_path / "a", tmp_path / "b"
    here.mkdir()
    there.mkdir()
    found = parse(["-p", "--tools", "Read", "Grep", "--add-dir", str(here), str(there), "go"])
    assert (found.tools, found.add_dirs, found.prompt) == ("Read,Grep", (here, there), "go")
    assert parse(["-p", "--addDir", str(here), str(there), "go"]).add_dirs == (here, there)
    assert parse(["-p", "--add-dir", str(here), str(tmp_path / "c")]).prompt == str(tmp_path / "c")


@pytest.mark.parametrize("prompt", [f"/review {'x' * 300}", "~nobodyx words"])
def test_a_prompt_that_begins_as_a_folder_does_is_one(prompt: str, tmp_path: Path) -> None:
    assert parse(["-p", "--add-dir", str(tmp_path), prompt]).prompt == prompt


def test_flags_may_be_written_with_humps() -> None:
    found = parse(["-p", "x", "--maxTurns", "3", "--outputFormat=json", '--jsonSchema={"aB":1}'])
    assert (found.max_turns, found.output_format, found.schema) == (3, "json", '{"aB":1}')
    with pytest.raises(UsageError, match="There is no flag --maxTurn"):
        parse(["-p", "x", "--maxTurn", "3"])


@pytest.mark.parametrize("flag", [it for it in parser().flags() if it[2:].count("-")])
def test_every_long_flag_has_both_spellings(flag: str) -> None:
    head, *rest = flag.removeprefix("--").split("-")
    humped = f"--{head}{''.join(word.capitalize() for word in rest)}"
    known = humped in parser().flags()
    assert parser()._bound([humped, "--", humped]) == [humped if known else flag, "--", humped]
