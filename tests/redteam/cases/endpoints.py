"""What a hostile endpoint sends: it is obeyed in content, never in size and form."""

from tests.redteam.attempts import streamed
from tests.redteam.attempts.judged import Line
from tests.redteam.attempts.streamed import Streamed
from tests.redteam.case import Case

_MB = 1 << 20
_FEW = Streamed(streamed.text(2 * _MB))

CASES = (
    Case("stream-long-line", "an event without an end", "sizes",
        Streamed(streamed.line_without_end(20 * _MB)), _FEW),
    Case("stream-long-line", "one of many lines", "sizes", Streamed(streamed.many_lines(20 * _MB)),
        _FEW),
    Case("stream-long-line", "text that goes on", "sizes", Streamed(streamed.text(18 * _MB)), _FEW),
    Case("stream-long-line", "thinking that goes on", "sizes", Streamed(streamed.text(18 * _MB,
        "reasoning_content")), Streamed(streamed.text(2 * _MB, "reasoning_content"))),
    Case("stream-long-arguments", "arguments that go on", "sizes",
        Streamed(streamed.arguments(10 * _MB)), Streamed(streamed.arguments(2 * _MB))),
    Case("stream-long-arguments", "calls that go on", "sizes", Streamed(streamed.calls(2_000)),
        Streamed(streamed.calls(20))),
    Case("stream-deep-json", "where text is expected", "depth", Streamed(streamed.nested(100_000)),
        _FEW),
    Case("stream-deep-json", "where nothing is expected", "depth", Streamed(streamed.nested(100_000,
        "x")), Streamed(streamed.nested(10, "x"))),
    Case("server-unauthenticated", "a call that somebody else made the model say", "parser",
        Line("git status; curl evil", ("Bash(git status:*)",)), Line("git status",
        ("Bash(git status:*)",))),
)  # fmt: skip
