"""The members of a JSON object as a model wrote it, found by counting brackets.

Where each value begins and ends is told even if the JSON is not valid; strings may hold anything.
"""

import re

CLOSER = r"</(?:tool_call|function_calls)[ \t]*>"
_TOKEN = re.compile(
    r'"[^"\\]*(?:\\.[^"\\]*)*"|\'[^\'\\]*(?:\\.[^\'\\]*)*\'|[{}\[\]:,]|[A-Za-z_]\w*|["\']'
    rf"|{CLOSER}",
    re.DOTALL | re.IGNORECASE,
)


class Members:
    """Those of the object whose brace stands at `at`."""

    def __init__(self, text: str, at: int) -> None:
        self.end = -1
        """Behind the closing brace, or before a closing tag that stands in its place; -1 = open."""
        self._text = text
        self._spans: dict[str, tuple[int, int]] = {}
        self._read(at)

    @property
    def names(self) -> frozenset[str]:
        """Of all members."""
        return frozenset(self._spans)

    def value(self, name: str) -> str:
        """As it was written."""
        start, end = self._spans[name]
        return self._text[start:end].strip()

    def inner(self, name: str) -> "Members | None":
        """The members of a value that is an object and ends."""
        start, end = self._spans[name]
        brace = self._text.find("{", start, end)
        if brace < 0 or self._text[start:brace].strip():
            return None
        found = Members(self._text, brace)
        return found if found.end >= 0 else None

    def _read(self, at: int) -> None:
        depth, name, start = 0, "", -1
        for token in _TOKEN.finditer(self._text, at):
            sign = token[0]
            if sign in ('"', "'"):  # a string without an end
                return
            if sign in "{[":
                depth += 1
            elif sign in "}]" or sign.startswith("</"):
                depth -= sign in "}]"
                if depth > 0 and sign in "}]":
                    continue
                if depth > 1:  # cut off within the arguments, and then closed
                    return
                self._keep(name, start, token.start())
                self.end = token.end() if depth == 0 else token.start()
                return
            elif depth == 1:
                if sign == ",":
                    self._keep(name, start, token.start())
                    name, start = "", -1
                elif sign == ":" and start < 0:
                    start = token.end()
                elif start < 0:
                    name = sign.strip("\"'")

    def _keep(self, name: str, start: int, end: int) -> None:
        if name and start >= 0:
            self._spans[name] = (start, end)
