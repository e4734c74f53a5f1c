"""The signs by which leaked calls and stray marks are known in a line of text. Pure.

What `qwenxml` and `hermes` then read in full; here it is only told where looking is worth while.
"""

import re

_WRAPPERS, _FUNCTIONS = "tool_call|function_calls", "function|invoke"
_CLOSED = f"{_WRAPPERS}|{_FUNCTIONS}|function_invocation"

OPENER = re.compile(
    rf"<(?:{_WRAPPERS})[ \t]*>|<(?:{_FUNCTIONS})[ \t]*(?:=|[ \t]name[ \t]*=)", re.IGNORECASE
)
CLOSERS = re.compile(rf"[ \t]*(?:</(?:{_CLOSED})[ \t]*>|<\|(?:im_end|endoftext)\|>)", re.IGNORECASE)
HALF_TAG = re.compile(r"\s*</?[a-z_]*\Z", re.IGNORECASE)
MALFORMED = re.compile(
    r"(?:<tool_call>\s*)?<function\s*=\s*[\"']?(?P<name>[\w.:-]+)[\"']?\s*>"
    r".*</(?:function|tool_call)>\s*",
    re.DOTALL | re.IGNORECASE,
)
"""A whole call whose body may be anything."""
_ONLY_TAGS = re.compile(rf"(?:\s|</?(?:{_WRAPPERS}|{_FUNCTIONS})[ \t]*>)*", re.IGNORECASE)
_ENDS = re.compile(rf"</(?:{_CLOSED})|\}}", re.IGNORECASE)
_NAME = re.compile(
    rf"<(?:{_FUNCTIONS})\s*(?:=|name\s*=)\s*[\"']?(?P<xml>[\w.:-]+)[\"'\s>]"
    r"|[\"']name[\"']\s*:\s*[\"'](?P<json>[\w.:-]+)[\"']",
    re.IGNORECASE,
)

JSON = re.compile(r"\{\s*(?:[\"']name[\"']\s*:|\Z)")
"""A call without any tag: only `name` may come first."""
_JSON_BEGIN = re.compile(
    r"\{[ \t]*(?:[\"'](?:n(?:a(?:m(?:e(?:[\"'](?:[ \t]*(?::.*)?)?)?)?)?)?)?)?", re.DOTALL
)

LONE_CLOSE = re.compile(r"\A</think>|</think>(?=[ \t\r]*\n?\Z)")
OPEN_BLOCK = re.compile(r"<think>[ \t\r]*\n?\Z")

_WORD = re.compile(r"</?[a-z_]*", re.IGNORECASE)
_MARKS = (
    *(f"<{name}" for name in f"{_WRAPPERS}|{_FUNCTIONS}|think".split("|")),
    *(f"</{name}" for name in f"{_CLOSED}|think".split("|")),
)

_LEADING_QUOTES = "`'\"“”\u2018\u2019«»([{<|/\\"
_LISTED = re.compile(r"\s*(?:[-*+>|#@]|\d+[.)])")
_SENTENCE_END = re.compile(r"[.:!?…。\uff1a\uff01)]\s*\Z")
_EXAMPLE = re.compile(
    r"\b(?:(?:an|for) examples?|examples? (?:of|is)|e\.g|for instance|such as|looks? like"
    r"|like (?:this|so)|as follows|the format (?:is|looks)|syntax|notation|markup"
    r"|(?:is|are) written|prints|printed|output of|emitted|leaked|would (?:write|look|be)"
    r"|instead of|wrote)\b",
    re.IGNORECASE,
)


def may_open(line: str, at: int) -> bool:
    """Whether a tag opens a call: at the line's start; or behind a sentence on it, but not quoted,
    listed or indented."""
    before = line[:at]
    if not before:
        return True
    if before[-1] in _LEADING_QUOTES or not before.strip():
        return False
    if _LISTED.match(before) or _EXAMPLE.search(before):
        return False
    return bool(_SENTENCE_END.search(before) or line.endswith((">\n", ">\r\n")))


def is_example(words: str) -> bool:
    """Whether they announce an example."""
    return bool(_EXAMPLE.search(words))


def name_in(text: str) -> str:
    """The name of the call that `text` begins, as far as it shows; empty = it does not."""
    match = _NAME.search(text)
    return (match["xml"] or match["json"]) if match else ""


def may_end(line: str) -> bool:
    """Whether a call may be told apart at this line."""
    return not line.strip() or bool(_ENDS.search(line))


def held_from(tail: str, *, is_line_start: bool) -> int:
    """Where in the end of a line the part begins that may be more than prose."""
    if is_line_start and tail.startswith("{") and _JSON_BEGIN.fullmatch(tail):
        return 0
    at = tail.find("<")
    while at >= 0:
        is_quoted = at > 0 and tail[at - 1] in _LEADING_QUOTES
        if not is_quoted and may_begin(tail[at:]):
            return at
        at = tail.find("<", at + 1)
    return len(tail)


def may_begin(tail: str) -> bool:
    """Whether `tail` may still become a mark or the opening of a call."""
    match = _WORD.match(tail)
    word = match[0].lower() if match else ""
    rest = tail[len(word) :]
    if not rest:
        return any(mark.startswith(word) for mark in _MARKS)
    if word not in _MARKS or rest[0] not in "> \t=":
        return False
    behind = rest.partition(">")[2].lstrip(" \t\r")
    if word in ("<tool_call", "<function_calls"):
        return not behind or behind[0] in "<{["
    return word != "<think" or not behind


def is_half_closer(rest: str) -> bool:
    """Whether it is the beginning of a closing tag, and blanks."""
    begin = rest.rstrip().lower()
    return any(f"</{name}>".startswith(begin) for name in _CLOSED.split("|"))


def is_only_tags(text: str) -> bool:
    """Whether `text` is what a server's parser left of calls: tags and blanks."""
    return bool(_ONLY_TAGS.fullmatch(text))
