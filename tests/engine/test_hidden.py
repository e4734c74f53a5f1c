"""What deny rules hide from reading, no search shows either."""

from pathlib import Path

import pytest

from qcode.engine.hidden import hidden
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
def test_only_deny_rules_hide(answer: Answer) -> None:
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
