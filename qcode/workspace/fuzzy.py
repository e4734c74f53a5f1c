"""Which paths somebody means by a few letters. Pure.

A hundred thousand paths are gone through while the person types. So those that lack a letter go
first, by one number each; then the sieve is one regular expression over many paths in one string,
and only what passes it is rated letter by letter. No expression backtracks over what a hostile
name could make long: repeats are possessive or atomic.
"""

import re
from array import array
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Literal

import msgspec

PAGE_PATHS = 500
"""At most so many in one string: it is searched in well under a millisecond."""
ENOUGH = 64
"""When better kinds of likeness gave so many, the weaker ones are not looked for."""
TASTE_PAGES, TASTE_RATED = 16, 256
"""What the first answer is of."""
SLICE_RATED = 1_000
"""After so many there is an answer, then after twice as many, and so on."""
MOST_RATED = 16_000
"""A letter or two match nearly everything."""
_WORD_ENDS = "/_-. "
_SIGNS = {one: 1 << at for at, one in enumerate("abcdefghijklmnopqrstuvwxyz0123456789_-./ ")}
_OTHER_SIGN = 1 << len(_SIGNS)
_NO_INITIAL = re.compile(r"(?<=[^\n/_\-. ])[^\n/_\-. A-Z]+|[/_\-. ]")


class Page(msgspec.Struct, frozen=True):
    """Paths beside each other; those of folders end with a slash."""

    paths: tuple[str, ...]
    lowered: str
    """Each behind a line end and a slash, and a line end behind the last."""
    initials: str
    """First letters of the words of each, behind a line end: `src/my_test.py` is `smtp`."""
    signs: "array[int]"
    """Of each the letters that are in it, a bit for one."""


class Found(msgspec.Struct, frozen=True):
    """A path that may be meant."""

    path: str
    marks: tuple[int, ...] = ()
    """Where in it the letters are."""
    rating: float = 0.0
    """The higher the better, among answers to one question."""


class _Kind(msgspec.Struct, frozen=True):
    """One way to be like the letters."""

    matches: re.Pattern[str]
    of: Literal["paths", "initials"] = "paths"

    def passing(self, one: Page) -> Iterator[str]:
        """The paths of a page that are like them; one may come more than once."""
        text = one.lowered if self.of == "paths" else one.initials
        number, counted = -1, 0
        for hit in self.matches.finditer(text):
            number += text.count("\n", counted, hit.start() + 1)
            counted = hit.start() + 1
            yield one.paths[number]


def page(paths: Sequence[str]) -> Page:
    """Paths without line ends in them."""
    rows = "".join(f"\n/{path}" for path in paths)
    low = rows.lower() + "\n"
    return Page(tuple(paths), low, _NO_INITIAL.sub("", rows).lower(), _signs_of(low))


def _signs_of(lowered: str) -> "array[int]":
    """Paths that follow each other share their folder, which is looked at once."""
    signs, before, of_folder = array("Q"), "", 0
    for row in lowered[1:-1].split("\n"):
        folder, _, name = row.rpartition("/")
        if folder != before:
            before, of_folder = folder, _signs(folder)
        signs.append(of_folder | _signs(name) | _SIGNS["/"])
    return signs


def _signs(text: str) -> int:
    found = 0
    for one in set(text):
        found |= _SIGNS.get(one, _OTHER_SIGN)
    return found


class Narrowing:
    """Who types on asks for less: what lacked a letter then, lacks it now."""

    def __init__(self) -> None:
        self._last: tuple[str, Sequence[Page], Sequence[Page]] = ("", (), ())
        """Letters, all pages, and what of them had the letters. In one piece, as several threads
        may ask."""

    def start(self, letters: str, pages: Sequence[Page]) -> Sequence[Page]:
        """Pages with all paths that may have the letters; as few as are known."""
        before, all_pages, left = self._last
        knows = before and all_pages is pages and letters.startswith(before)
        return left if knows else pages

    def narrow(
        self, letters: str, pages: Sequence[Page], pause: Callable[[], None]
    ) -> Sequence[Page]:
        """Without the paths that lack a letter."""
        wanted, left = _signs(letters), list[Page]()
        for one in self.start(letters, pages):
            if (some := _with(wanted, one)).paths:
                left.append(some)
            pause()
        self._last = letters, pages, left
        return left


def _with(wanted: int, one: Page) -> Page:
    """Where most paths have the signs, the page stays as it is."""
    hits = [at for at, signs in enumerate(one.signs) if signs & wanted == wanted]
    if len(hits) > len(one.paths) // 2:
        return one
    paths = tuple(one.paths[at] for at in hits)
    initials = one.initials.split("\n") if hits else []
    return Page(
        paths,
        "".join(f"\n/{path}" for path in paths).lower() + "\n",
        "".join(f"\n{initials[at + 1]}" for at in hits),
        array("Q", [one.signs[at] for at in hits]),
    )


def search(
    query: str,
    pages: Sequence[Page],
    pause: Callable[[], None],
    narrowing: Narrowing | None = None,
) -> Iterator[list[Found]]:
    """Ever better answers, each a list of its own in no order; the last one stands.

    The first is of the first pages alone, so that there is something to see at once. `pause` is
    called twice a millisecond or so. Nothing is found by no letters. `narrowing` is kept from one
    question to the next.
    """
    narrowing = narrowing or Narrowing()
    letters = query.lower().removeprefix("./")
    if not letters:
        return
    kinds, found = tuple(_kinds(letters)), dict[str, Found]()
    taste = narrowing.start(letters, pages)[:TASTE_PAGES]
    for _ in _search(kinds, letters, taste, TASTE_RATED, found, pause):
        pass
    if found:
        yield list(found.values())
    if len(pages) <= TASTE_PAGES and len(found) < TASTE_RATED:
        return
    left = narrowing.narrow(letters, pages, pause)
    for _ in _search(kinds, letters, left, MOST_RATED, found, pause):
        yield list(found.values())


def _search(
    kinds: Sequence["_Kind"],
    letters: str,
    pages: Sequence[Page],
    most: int,
    found: dict[str, Found],
    pause: Callable[[], None],
) -> Iterator[None]:
    """Adds to `found` what is not in it; yields when there is more worth to be seen."""
    seen: set[str] = set()
    fitting, told = 0, SLICE_RATED
    for kind in kinds:
        for path in _passing(kind, pages, pause):
            if path in seen:
                continue
            if len(seen) == most:
                break
            seen.add(path)
            rated = found.get(path) or rate(letters, path)
            if rated.marks:  # else it was a slash of the page that fitted, none of the path
                found[path] = rated
                fitting += 1
            if fitting == told:
                told *= 2
                yield
        if fitting:
            yield
        if fitting >= ENOUGH or len(seen) == most:
            return


def _passing(kind: _Kind, pages: Iterable[Page], pause: Callable[[], None]) -> Iterator[str]:
    for one in pages:
        for path in dict.fromkeys(kind.passing(one)):
            yield path
            pause()
        pause()


def _kinds(letters: str) -> Iterator[_Kind]:
    """The kinds of likeness, the best first."""
    whole = re.escape(letters)
    rest_of_name = r"[^/\n]*+/?(?=\n)"
    yield _Kind(re.compile(f"/{whole}{rest_of_name}"))
    if len(letters) > 1:
        yield _Kind(re.compile(r"\n" + _in_order(letters, "")), "initials")
    yield _Kind(re.compile(whole + rest_of_name))
    yield _Kind(re.compile(whole))
    if len(letters) > 1:
        yield _Kind(re.compile("/" + _in_order(letters, "/") + rest_of_name))
        yield _Kind(re.compile(r"\n/" + _in_order(letters, "")))


def _in_order(letters: str, never: str) -> str:
    """The letters with anything between them but line ends, and `never`."""
    return "".join(f"[^{re.escape(one)}{never}\\n]*+{re.escape(one)}" for one in letters)


def is_subsequence(letters: str, text: str) -> bool:
    """Whether the letters come in `text` in their order."""
    rest = iter(text)
    return all(one in rest for one in letters)


def rate(letters: str, path: str) -> Found:
    """How well the letters, all small, fit a path that has them in their order."""
    low = path.lower()
    low = low if len(low) == len(path) else path  # a letter that is two when small
    name = low.rstrip("/").rfind("/") + 1
    marks = _marks(letters, low, name)
    if not marks:
        return Found(path)
    rating = sum(_worth(path, at, before) for at, before in zip(marks, (-2, *marks), strict=False))
    if marks[0] >= name:
        rating += 20.0
        rating += 15.0 if low[name:].rstrip("/").partition(".")[0] == letters else 0.0
    gaps = marks[-1] - marks[0] + 1 - len(marks)
    rating -= 0.5 * gaps + 0.05 * len(path)
    return Found(path, marks, rating)


def _worth(path: str, at: int, before: int) -> float:
    """Of one letter: behind the one before it, at the start of a word, or anywhere."""
    if at == before + 1:
        return 8.0
    starts = at == 0 or path[at - 1] in _WORD_ENDS
    return 6.0 if starts or (path[at].isupper() and path[at - 1].islower()) else 1.0


def _marks(letters: str, low: str, name: int) -> tuple[int, ...]:
    """Where the letters are: as one piece if they can be, at starts of words, from the name on."""
    for start in (name, 0):
        if (at := _piece(letters, low, start)) >= 0:
            return tuple(range(at, at + len(letters)))
    for start in (name, 0):
        if marks := _initials(letters, low, start) or _scattered(letters, low, start):
            return marks
    return ()


def _piece(letters: str, low: str, start: int) -> int:
    """The start of a word is better than the middle."""
    first = at = low.find(letters, start)
    while at > 0 and low[at - 1] not in _WORD_ENDS:
        at = low.find(letters, at + 1)
    return at if at >= 0 else first


def _initials(letters: str, low: str, start: int) -> tuple[int, ...]:
    marks: list[int] = []
    for at in range(start, len(low)):
        if low[at] == letters[len(marks)] and (at == 0 or low[at - 1] in _WORD_ENDS):
            marks.append(at)
            if len(marks) == len(letters):
                return tuple(marks)
    return ()


def _scattered(letters: str, low: str, start: int) -> tuple[int, ...]:
    """Forwards to see that they are there, then backwards from their end: that is the tightest."""
    at = start - 1
    for one in letters:
        at = low.find(one, at + 1)
        if at < 0:
            return ()
    marks = [at := at + 1]
    marks.clear()
    for one in reversed(letters):
        at = low.rfind(one, start, at)
        marks.append(at)
    return tuple(reversed(marks))
