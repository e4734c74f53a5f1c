"""What deny rules hide from reading, no search shows either."""

from pathlib import Path

import pytest

from qcode.engine.hidden import closed, hidden
from qcode.permission.patterns import Ground
from qcode.permission.rules import parse_rules
from qcode.protocol.access import Answer
from tests.engine.rig import YOLO, configured, rig, started
from tests.support.llama_words import About
from tests.support.script import Call, Reply
from tests.support.scripted_server import StartScripted

GROUND = Ground("/home/me/shop", "/home/me")


@pytest.mark.parametrize(
    ("rule", "patterns"),
    [
        ("Read(secret/**)", ("secret/**",)),
        ("Read(.env)", (".env",)),
        ("Read(./notes/*.md)", ("/notes/*.md",)),
        ("Read(//home/me/shop/keys/)", ("/keys/",)),
        ("Read(//home/*/shop/keys)", ("/keys",)),
        ("Read(~/**/.env)", ("**/.env",)),
        ("Read(~/other/**)", ()),
        ("Read(~/sho)", ()),
        ("Read(~/shop)", ("*",)),
        ("Read(~)", ("*",)),
        ("Read(/build/**)", ("/build/**",)),
        ("Edit(src/**)", ()),
        ("Bash(cat:*)", ()),
        ("Read", ()),
    ],
)
def test_a_rule_becomes_a_pattern_from_the_root(rule: str, patterns: tuple[str, ...]) -> None:
    assert hidden(parse_rules([rule], "deny", "user config", GROUND), GROUND.root) == patterns


@pytest.mark.parametrize("answer", ["allow", "ask"])
def test_only_deny_rules_hide_names(answer: Answer) -> None:
    rules = parse_rules(["Read(secret/**)"], answer, "user config", GROUND)
    assert hidden(rules, GROUND.root) == ()


async def test_a_grep_over_the_folder_above_shows_nothing_of_it(
    tmp_path: Path, scripted: StartScripted
) -> None:
    for name in ("secret/key.txt", "open/note.txt"):
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).write_text("token=1\n")
    calls = (Call("grep", {"pattern": "token"}), Call("glob", {"pattern": "**/*.txt"}))
    server = scripted(Reply(calls=calls), Reply(text="Done."), about=About(kind="llamacpp"))
    rules = parse_rules(["Read(secret/**)"], "deny", "user config", Ground.of(tmp_path))
    config = configured(server.base_url, permission=YOLO)
    async with rig(config, started(tmp_path, rules=rules)) as one:
        await one.turn("search")
    first, second = server.requests
    results = [m["content"] for m in second.messages if m["role"] == "tool"]
    assert len(results) == 2
    for result in results:
        assert "open/note.txt" in result
        assert "secret" not in result
    assert "key.txt" not in str(first.messages)  # nor does the sketch of the workspace


# From the file system's root


@pytest.mark.parametrize(
    ("rule", "patterns"),
    [
        ("Read(secret/**)", ("/home/me/shop/secret/**",)),
        ("Read(.env)", ("/home/me/shop/**/.env",)),
        ("Read(keys/)", ("/home/me/shop/**/keys/",)),
        ("Read(~/other/**)", ("/home/me/other/**",)),
        ("Read(//srv/**/x)", ("/srv/**/x",)),
        ("Read(/build/**)", ("/home/me/shop/build/**", "/build/**")),
        ("Edit(src/**)", ()),
        ("Read", ()),
    ],
)
@pytest.mark.parametrize("answer", ["deny", "ask"])
def test_a_rule_becomes_a_pattern_from_everywhere(
    rule: str, patterns: tuple[str, ...], answer: Answer
) -> None:
    assert closed(parse_rules([rule], answer, "user config", GROUND)) == patterns


def test_what_is_allowed_is_left_out_of_nothing() -> None:
    assert closed(parse_rules(["Read(secret/**)"], "allow", "user config", GROUND)) == ()


async def searched(tmp_path: Path, scripted: StartScripted, rule: str, answer: Answer) -> list[str]:
    """The results of searches of the folder, of an added one, and of what the rule is about."""
    work, added = tmp_path / "work", tmp_path / "added"
    for folder in (work / "secret", work / "open", added / "secret", added / "open"):
        folder.mkdir(parents=True)
        (folder / "note.txt").write_text(f"token={folder.parent.name}-{folder.name}\n")
    calls = (
        Call("grep", {"pattern": "token"}),
        Call("grep", {"pattern": "token", "path": str(added)}),
        Call("glob", {"pattern": "**/*.txt", "path": str(added)}),
        Call("grep", {"pattern": "token", "path": str(added / "secret")}),
    )
    server = scripted(Reply(calls=calls), Reply(text="Done."), about=About(kind="llamacpp"))
    rules = parse_rules([rule.format(tmp_path)], answer, "user config", Ground.of(work))
    config = configured(server.base_url, permission=YOLO)
    async with rig(config, started(work, rules=rules, add_dirs=(added,))) as one:
        await one.turn("search")
    return [str(m["content"]) for m in server.requests[1].messages if m["role"] == "tool"]


@pytest.mark.parametrize("answer", ["deny", "ask"])
async def test_a_folder_that_was_added_hides_what_rules_are_about(
    tmp_path: Path, scripted: StartScripted, answer: Answer
) -> None:
    """Nobody can be asked here, so what asks is denied."""
    here, there, names, within = await searched(
        tmp_path, scripted, "Read(/{}/**/secret/**)", answer
    )
    assert "token=work-open" in here
    assert "token=added-open" in there
    assert "open/note.txt" in names
    for text in (here, there, names, within):
        assert "-secret" not in text
        assert "secret/note.txt" not in text
    assert "enied" in within


async def test_a_search_that_starts_in_it_and_is_allowed_shows_it(
    tmp_path: Path, scripted: StartScripted
) -> None:
    *_, within = await searched(tmp_path, scripted, "Edit(/{}/**)", "ask")
    assert "token=added-secret" in within
