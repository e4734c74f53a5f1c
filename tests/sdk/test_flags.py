"""Every flag that the real client may pass is one of ours, mapped, told, or refused with words."""

import re
from importlib.util import find_spec
from pathlib import Path

import pytest

from qcode.cli.args import parse, parser
from qcode.cli.foreign import ALONE, REFUSED, WITH_VALUE
from qcode.protocol.errors import UsageError

PACKAGE = find_spec("claude_agent_sdk")
if PACKAGE is None or PACKAGE.origin is None:
    pytest.skip(
        "not installed: pip install --no-binary claude-agent-sdk -e '.[sdk]'",
        allow_module_level=True,
    )
SOURCE = Path(PACKAGE.origin).parent / "_internal" / "transport" / "subprocess_cli.py"
BUILD = re.search(
    r"def _build_command.*?return cmd\n", SOURCE.read_text(encoding="utf-8"), re.DOTALL
)
assert BUILD, "the client builds its command elsewhere now"
FLAGS = sorted(set(re.findall(r'f?"(--[a-z][A-Za-z-]+)(?:"|=)', BUILD[0])))
VALUES = {
    "--input-format": "stream-json",
    "--output-format": "stream-json",
    "--permission-prompt-tool": "stdio",
    "--max-turns": "3",
    "--system-prompt-file": "/dev/null",
    "--settings": '{"hooks": {}}',
}


def test_the_source_has_the_flags_that_are_known() -> None:
    assert {"--resume", "--allowedTools", "--session-id", "--max-thinking-tokens"} <= set(FLAGS)
    assert len(FLAGS) > 30


@pytest.mark.parametrize("flag", FLAGS)
def test_each_flag_has_its_answer(flag: str) -> None:
    action = parser()._option_string_actions.get(flag)
    assert action is not None, f"{flag} would be exit 2 without a word about it"
    if flag in REFUSED:
        with pytest.raises(UsageError, match="not here: "):
            parse(["-p", f"{flag}=x"])
    elif action.nargs == 0:
        assert (flag in parse(["-p", flag]).foreign) == (flag in ALONE)
    else:
        value = VALUES.get(flag, "x")
        for argv in ([flag, value], [f"{flag}={value}"]):
            told = any(one.startswith(flag) for one in parse(["-p", *argv]).foreign)
            assert told == (flag in (*WITH_VALUE, "--settings"))
