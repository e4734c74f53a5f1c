"""The signs by which leaked calls and stray marks are known in a line of text. Pure.

What `qwenxml` and `hermes` then read in full; here it is only told where looking is worth while.
"""

import re

OPENER = re.compile(
    r"<(?:tool_call|function_calls)[ \t]*>|<(?:function|invoke)[ \t]*(?:=|[ \t]name[ \t]*=)"
)
JSON = re.compile(r"\{\s*(?:[\"']name[\"']\s*:|\Z)")
JSON_BEGIN = re.compile(
    r"\{[ \t]*(?:[\"'](?:n(?:a(?:m(?:e(?:[\"'](?:[ \t]*(?::.*)?)?)?)?)?)?)?)?", re.DOTALL
)
_WORD = re.compile(r"</?[a-z_]*")
_TAGS = (
    *("<tool_call", "<function_calls", "<function", "<invoke", "<think"),
    *("</tool_call", "</function_calls", "</function", "</function_invocation", "</invoke"),
    "</think",
)
CLOSERS = re.compile(
    r"[ \t]*(?:</(?:tool_call|function_calls|function|function_invocation|invoke)[ \t]*>"
    r"|<\|(?:im_end|endoftext)\|>)"
)
HALF_TAG = re.compile(r"\s*</?[a-z_]*\Z")
_ONLY_TAGS = re.compile(r"(?:\s|</?(?:tool_call|function_calls|function|invoke)[ \t]*>)*")
LONE_CLOSE = re.compile(r"\A</think>|</think>(?=[ \t\r]*\n?\Z)")
OPEN_BLOCK = re.compile(r"<think>[ \t\r]*\n?\Z")
MALFORMED = re.compile(
    r"(?:<tool_call>\s*)?<function\s*=\s*[\"']?(?P<name>[\w.:-]+)[\"']?\s*>"
    r".*</(?:function|tool_call)>\s*",
    re.DOTALL,
)
QUOTES = "`'\"“”\u2018\u2019«»([{<|/\\"
_LISTED = re.compile(r"\s*(?:[-*+>|#@]|\d+[.)])")
_SENTENCE_END = re.compile(r"[.:!?…。\uff1a\uff01)]\s*\Z")
_EXAMPLE = re.compile(
    r"\b(?:(?:an|for) examples?|examples? (?:of|is)|e\.g|for instance|such as|looks? like"
    r"|like (?:this|so)|as follows|the format (?:is|looks)|syntax|notation|markup"
    r"|(?:is|are) written|would (?:write|look|be)|instead of|wrote)\b",
    re.IGNORECASE,
)
_CLOSED = ("</function>", "</tool_call>", "</invoke>", "</function_calls>")
_PLACEHOLDER = re.compile(
    r"[A-Z_]+|(?:function|tool|your|example)_(?:function_)?name|(?:example|your)_\w+|name|\W.*"
)
_NAME = re.compile(
    r"<(?:function|invoke)\s*(?:=|name\s*=)\s*[\"']?([\w.:-]+)[\"'\s>]"
    r"|[\"']name[\"']\s*:\s*[\"']([\w.:-]+)[\"']"
)
_ENDS = re.compile(r"</(?:function|tool_call|invoke)|\}")


def may_open(line: str, at: int) -> bool:
    """Whether a tag opens a call: at the line's start; or behind a sentence on it, but not quoted,
    listed or indented."""
    before = line[:at]
    if not before:
        return True
    if before[-1] in QUOTES or not before.strip():
        return False
    if _LISTED.match(before) or _EXAMPLE.search(before):
        return False
    return bool(_SENTENCE_END.search(before) or line.endswith((">\n", ">\r\n")))


def is_example(words: str) -> bool:
    """Whether they announce an example."""
    return bool(_EXAMPLE.search(words))


def is_placeholder(name: str) -> bool:
    """Whether it stands for a name, as in explanations of the format."""
    return bool(_PLACEHOLDER.fullmatch(name))


def name_in(text: str) -> str:
    """The name of the call that `text` begins, as far as it shows; empty = it does not."""
    match = _NAME.search(text)
    return (match[1] or match[2]) if match else ""


def may_end(line: str) -> bool:
    """Whether a call may be told apart at this line."""
    return not line.strip() or bool(_ENDS.search(line))


def held_from(tail: str, *, is_line_start: bool) -> int:
    """Where in the end of a line the part begins that may be more than prose."""
    if is_line_start and tail.startswith("{") and JSON_BEGIN.fullmatch(tail):
        return 0
    at = tail.find("<")
    while at >= 0:
        is_quoted = at > 0 and tail[at - 1] in QUOTES
        if not is_quoted and may_begin(tail[at:]):
            return at
        at = tail.find("<", at + 1)
    return len(tail)


def may_begin(tail: str) -> bool:
    """Whether `tail` may still become a mark or the opening of a call."""
    match = _WORD.match(tail)
    word = match[0] if match else ""
    rest = tail[len(word) :]
    if not rest:
        return any(tag.startswith(word) for tag in _TAGS)
    if word not in _TAGS or rest[0] not in "> \t=":
        return False
    behind = rest.partition(">")[2].lstrip(" \t\r")
    if word in ("<tool_call", "<function_calls"):
        return not behind or behind[0] in "<{"
    return word != "<think" or not behind


def is_half_closer(rest: str) -> bool:
    """Whether it is the beginning of a closing tag, and blanks."""
    return any(closer.startswith(rest.rstrip()) for closer in _CLOSED)


def is_only_tags(text: str) -> bool:
    """Whether `text` is what a server's parser left of calls: tags and blanks."""
    return bool(_ONLY_TAGS.fullmatch(text))
