"""The elements of HTML as far as it matters how they are read: tables, and two questions."""

import re
from urllib.parse import urljoin


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


UNSEEN = _words(
    "script style noscript template svg math iframe object canvas audio video select datalist "
    "dialog head title"
)
VOID = _words("area base br col embed hr img input link meta param source track wbr")
LOOSE = _words("blockquote dl figure h1 h2 h3 h4 h5 h6 hr ol p pre table ul")
"""Blocks with an empty line around them, unless they stand in a list."""
FIRM = _words("h1 h2 h3 h4 h5 h6 li ol pre table tr ul")
"""Blocks that begin a line also within the cell of a table."""
BLOCKS = LOOSE | _words(
    "address article aside dd details div dt fieldset figcaption footer form header li main nav "
    "section summary tr"
)
DROPPED_EMPTY = _words("h1 h2 h3 h4 h5 h6 li blockquote")
ENDED_BY = {
    "li": _words("li"),
    "tr": _words("tr td th"),
    "td": _words("td th"),
    "th": _words("td th"),
    "dt": _words("dt dd"),
    "dd": _words("dt dd"),
    "body": _words("head"),
    "a": _words("a"),
}
"""Whose beginning ends an open one of which, where that is the innermost."""
_HIDING = re.compile(
    r"display\s*:\s*none|visibility\s*:\s*hidden|font-size\s*:\s*0(?![.\d]*[1-9])", re.IGNORECASE
)


def is_hidden(tag: str, said: dict[str, str]) -> bool:
    """Whether nobody who looks at the page would see it."""
    return (
        tag in UNSEEN
        or "hidden" in said
        or said.get("aria-hidden") == "true"
        or bool(_HIDING.search(said.get("style", "")))
    )


def joined(base: str, reference: str) -> str:
    """The address of the web that a reference means; empty = it is none."""
    try:
        found = urljoin(base, reference.strip())
    except ValueError:
        return ""
    return found if found.startswith(("http://", "https://")) else ""
