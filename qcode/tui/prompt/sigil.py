"""The sign ahead of the text: what becomes of it when it is sent."""

from textual.widgets import Static

SIGILS = {"words": " ❯ ", "shell": " $ ", "normal": " ▪ ", "visual": " v ", "lines": " V "}


class Sigil(Static):
    """Painted anew only when it changes."""

    DEFAULT_CSS = "Sigil { width: 3; height: 1; }"

    def __init__(self) -> None:
        super().__init__(SIGILS["words"])

    def tell(self, mode: str, text: str) -> None:
        """By the mode of vim's keys and what is written."""
        kind = "shell" if text.startswith("!") else "words"
        sign = SIGILS[mode if mode in SIGILS else kind]
        if self.content != sign:
            self.update(sign, layout=False)
