"""Small bugs for languages whose syntax is not parsed here: operators with blanks around them,
outside of comments and quotes as far as a line alone tells."""

import re

from qcode.bench.task import Swap

_WORDS = {
    "<": "<=",
    "<=": "<",
    ">": ">=",
    ">=": ">",
    "==": "!=",
    "!=": "==",
    "===": "!==",
    "!==": "===",
    "&&": "||",
    "||": "&&",
    "+ 1": "- 1",
    "- 1": "+ 1",
    "+": "-",
    "-": "+",
    "return true": "return false",
    "return false": "return true",
}
_ANY = re.compile(
    r"(?<=[ (])("
    + "|".join(re.escape(word) for word in sorted(_WORDS, key=len, reverse=True))
    + r")(?=[ ;,)\n]|$)"
)
_NO_CODE = re.compile(r"\s*(//|/\*|\*|#|import\b|use\b|package\b|template\b|where\b|@)")


_CONDITION = re.compile(r"\bif (?P<all>\((?P<inner>.+)\)|(?P<bare>[^({\s].*)) \{\s*$")
"""The last thing of its line, as in most styles; with brackets as in C, or without as in Go."""
_NO_CONDITION = re.compile(r"\blet\b|;|:=|\) .*\(")
"""What cannot be negated as a whole, and brackets that may not belong to each other."""


def other(path: str, source: bytes) -> list[Swap]:
    """All that could be put in, in the order of the file; none where it is no UTF-8."""
    try:
        text = source.decode("utf-8")
    except UnicodeDecodeError:
        return []
    found: list[Swap] = []
    at = 0
    is_remark = False
    for line in text.splitlines(keepends=True):
        is_remark = is_remark or "/*" in line
        if not is_remark and not _NO_CODE.match(line):
            found += _of_line(path, line, at)
        is_remark = is_remark and "*/" not in line
        at += len(line.encode())
    return found


def _of_line(path: str, line: str, at: int) -> list[Swap]:
    code = line.split("//")[0]
    return _negated(path, code, at) + [
        Swap(path, at + len(code[: hit.start()].encode()), hit[1], new, f"{hit[1]} became {new}")
        for hit in _ANY.finditer(code)
        if not _is_quoted(code[: hit.start()]) and (new := _WORDS[hit[1]])
    ]


def _negated(path: str, code: str, at: int) -> list[Swap]:
    hit = _CONDITION.search(code)
    if hit is None or _is_quoted(code[: hit.start()]) or _NO_CONDITION.search(hit["all"]):
        return []
    new = f"(!({hit['inner']}))" if hit["inner"] else f"!({hit['bare']})"
    start = at + len(code[: hit.start("all")].encode())
    return [Swap(path, start, hit["all"], new, "a condition was negated")]


def _is_quoted(before: str) -> bool:
    return any(before.count(quote) % 2 for quote in "\"'`")
