"""llama-swap's remarks while a model loads, which it sends as if they were reasoning.

A line of five heavy strokes, `llama-swap loading model: NAME`, remarks, the strokes again, a blank
line (internal/router/loading.go at version 250). Shown as a state of the server, never stored.
"""

STROKES = "━━━━━"
_SIGN = f"{STROKES}llama-swap"
"""How the remarks begin, blanks aside: a model may think in strokes too."""


class LoadingText:
    """Takes the remarks out of the head of the reasoning."""

    def __init__(self) -> None:
        self._state = "start"  # then "remarks" and "after", if there are any; then "done"
        self._held = ""

    @property
    def is_done(self) -> bool:
        """What follows is reasoning."""
        return self._state == "done"

    def feed(self, text: str) -> tuple[str, str]:
        """(what the server says about loading, reasoning) that `text` completes."""
        if self._state == "done":
            return "", text
        self._held += text
        said = ""
        if self._state == "start":
            self._start()
        if self._state == "remarks":
            said = self._remarks()
        if self._state == "after" and self._held.strip():
            self._state = "done"
            self._held = self._held.lstrip()
        return said, self.finish() if self._state == "done" else ""

    def finish(self) -> str:
        """What was held back, if it is reasoning."""
        held, self._held = self._held, ""
        return held if self._state in ("start", "done") else ""

    def _start(self) -> None:
        text = self._held.lstrip()
        seen = "".join(text[: 2 * len(_SIGN)].split())
        if seen.startswith(_SIGN):
            self._state, self._held = "remarks", text[len(STROKES) :]
        elif not _SIGN.startswith(seen):
            self._state = "done"

    def _remarks(self) -> str:
        """The last whole remark; what was told is let go, so that the text stays short."""
        before, strokes, after = self._held.partition(STROKES)
        if strokes:
            self._state, self._held = "after", after
        else:
            before, _, self._held = before.rpartition("\n")
        return next((line.strip() for line in reversed(before.split("\n")) if line.strip()), "")
