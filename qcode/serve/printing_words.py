"""What all printed forms have in common: commands that can be read, and reasons beside them."""

import shlex
import textwrap
from collections.abc import Iterator, Mapping, Sequence

from qcode.protocol.text import one_line
from qcode.serve.base import Plan

_COLUMNS = 78


def comment(text: str) -> str:
    """Lines that shells and the files of services pass over."""
    rows = textwrap.wrap(
        one_line(text, 2000), _COLUMNS - 2, break_long_words=False, break_on_hyphens=False
    )
    return "".join(f"# {row}\n" for row in rows)


def reasons(plan: Plan) -> Iterator[str]:
    """A comment for each flag, the same reason of several together."""
    told: dict[str, str] = {}
    for flag in plan.flags:
        told[flag.name] = f"{flag.why} [{flag.source}]" if flag.source else flag.why
    yield from why(told)


def why(told: Mapping[str, str]) -> Iterator[str]:
    """Flags and why they are there, as comments."""
    for text, names in together(told).items():
        yield comment(f"{' '.join(names)}: {one_line(text, 400)}")


def together(told: Mapping[str, str]) -> dict[str, list[str]]:
    """Reason -> flags."""
    found: dict[str, list[str]] = {}
    for name, text in told.items():
        found.setdefault(text, []).append(name)
    return found


def one_a_line(command: Sequence[str]) -> str:
    """One shell command; each flag with its value has a line, so that no terminal breaks one."""
    rows: list[str] = []
    for word in command:
        if word.startswith("--") or not rows:
            rows.append(shlex.quote(word))
        else:
            rows[-1] += f" {shlex.quote(word)}"
    return " \\\n  ".join(rows) + "\n"


def slot_folders(plan: Plan) -> tuple[str, ...]:
    """What must be there before llama-server starts: it makes no folder."""
    return tuple(flag.value for flag in plan.flags if flag.name == "--slot-save-path")
