"""Which rows a search means: the letters of each word in their order, whole words before parts."""

from functools import lru_cache

Places = tuple[int, ...]
"""Where the letters stand in the text."""


@lru_cache(4096)
def fuzzy(query: str, text: str) -> tuple[int, Places] | None:
    """How well `text` fits, more is better, and the letters that do; None = not at all.

    Each word of `query` must be there: as it stands, else its letters one after another.
    """
    low = small(text)
    total, places = 0, set[int]()
    for word in small(query).split():
        found = _word(word, low)
        if found is None:
            return None
        total += found[0]
        places.update(found[1])
    return total, tuple(sorted(places))


def small(text: str) -> str:
    """In small letters, sign for sign: where one would become two it stays, so places hold."""
    low = text.lower()
    if len(low) == len(text):
        return low
    return "".join(sign.lower() if len(sign.lower()) == 1 else sign for sign in text)


def _word(word: str, low: str) -> tuple[int, Places] | None:
    starts = [at for at in range(len(low)) if low.startswith(word, at)]
    if starts:
        best = max(starts, key=lambda at: (_is_start(low, at), -at))
        score = 100 + (60 if _is_start(low, best) else 0) - min(best, 40)
        return score, tuple(range(best, best + len(word)))
    return _letters(word, low)


def _letters(word: str, low: str) -> tuple[int, Places] | None:
    """The letters in their order, each at the next start of a word if there is one."""
    places: list[int] = []
    at = 0
    for letter in word:
        found = _next(letter, low, at)
        if found < 0:
            return None
        places.append(found)
        at = found + 1
    gaps = places[-1] - places[0] + 1 - len(places)
    return 40 + 5 * sum(_is_start(low, place) for place in places) - min(gaps, 39), tuple(places)


def _next(letter: str, low: str, at: int) -> int:
    first = low.find(letter, at)
    if first < 0 or first == at or _is_start(low, first):
        return first
    later = next((n for n in range(first, len(low)) if low[n] == letter and _is_start(low, n)), -1)
    return first if later < 0 else later


def _is_start(text: str, at: int) -> bool:
    return at == 0 or not text[at - 1].isalnum()
