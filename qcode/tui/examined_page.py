"""An examination as a page: while it goes on, and what it came to. Pure."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import msgspec

from qcode.protocol.errors import InputError
from qcode.protocol.text import legible
from qcode.tui.drawing.wrap import wrap
from qcode.tui.lines import BLANK, Line, Span

if TYPE_CHECKING:  # whoever examines brings it
    from qcode.doctor.base import Finding, Result
    from qcode.doctor.report import About, Report

_VERDICTS = {"works": ("✓", "ok"), "fails": ("✗", "error"), "unclear": ("·", "dim")}
_WEIGHTS = {"broken": "error", "slow": "warning", "note": "accent"}


class Going(msgspec.Struct, frozen=True):
    """What is known of one that goes on."""

    checks: str = ""
    """What is checked now; empty = nothing."""
    done: tuple[str, ...] = ()
    said: tuple[str, ...] = ()
    """Sentences."""
    seconds: float = 0.0
    is_ending: bool = False


def going_lines(going: Going, width: int) -> Sequence[Line]:
    """While it goes on."""
    lines = [row for text in going.said for row in _rows("", "dim", text, width)]
    lines += [BLANK] if lines else []
    lines += [row for text in going.done for row in _rows("✓", "ok", text, width, "dim")]
    if going.checks:
        lines += _rows("●", "accent", f"{going.checks}, {going.seconds:.0f} s", width)
        words = "it ends; what is known is kept" if going.is_ending else "esc ends it"
        lines += [BLANK, *_rows("", "dim", words, width)]
    return lines


def report_lines(report: "Report", width: int) -> Sequence[Line]:
    """What is wrong and the exact change first; then what was checked."""
    return [
        *_about(report, width),
        *_findings(report.findings, width),
        *_checks("checked", report.checks, width),
        *_checks("qcode's own side", report.own, width),
        *_end(report, width),
    ]


def is_anyway(words: str) -> bool:
    """What stands behind `/doctor`. Raises InputError."""
    if words.lstrip("-") not in ("", "anyway"):
        raise InputError("/doctor takes nothing but anyway: also while the server is at work.")
    return bool(words)


def summary(report: "Report") -> str:
    """A sentence or some, for the conversation."""
    until = "ended by you after" if report.interrupted else "in"
    head = f"Examined the server: {len(report.checks)} checks {until} {report.seconds:.0f} s"
    if not report.findings:
        return f"{head}. Nothing is wrong with what was checked."
    rows = [f"{each.weight}: {each.title} {each.change}".strip() for each in report.findings]
    return legible("\n".join([f"{head}.", *rows]))


def _about(report: "Report", width: int) -> Iterator[Line]:
    seen = report.server
    if seen is None:
        return
    version = f" {seen.version}" if seen.version else ""
    yield from _rows("", "strong", f"{seen.name}{version} at {seen.base_url}", width)
    yield from _rows("", "dim", f"{seen.model}, {_context(seen)}", width)
    yield BLANK


def _context(seen: "About") -> str:
    loaded = f"{seen.context_tokens:,} tokens" if seen.context_tokens else "context not told"
    made = f" of {seen.trained_tokens:,}" if seen.trained_tokens else ""
    return f"{loaded}{made}"


def _findings(findings: Sequence["Finding"], width: int) -> Iterator[Line]:
    if not findings:
        yield from _rows("✓", "ok", "nothing is wrong with what was checked", width)
        yield BLANK
    for each in findings:
        style = _WEIGHTS[each.weight]
        yield from _rows("●", style, f"{each.weight}: {each.title}", width, f"strong {style}")
        for name, text in (("costs", each.cost), ("change", each.change), ("known", each.known)):
            if text:
                yield from _rows("", "text", f"{name}: {text}", width)
        yield BLANK


def _checks(title: str, results: Sequence["Result"], width: int) -> Iterator[Line]:
    if not results:
        return
    yield from _rows("", "heading", title, width)
    for one in results:
        sign, style = _VERDICTS[one.verdict]
        yield from _rows(sign, style, f"{one.probe}: {one.said}", width, "text")
    yield BLANK


def _end(report: "Report", width: int) -> Iterator[Line]:
    asked = [f"{name}: {why}" for name, why in report.absent.items()]
    if asked:
        yield from _rows("", "dim", f"not asked: {'; '.join(asked)}", width)
    if report.left_out:
        names = ", ".join(left.probe for left in report.left_out)
        words = f"left out: {names}. qcode doctor --seconds {report.seconds_needed} asks all."
        yield from _rows("", "dim", words, width)
    until = "ended after" if report.interrupted else "took"
    words = f"{len(report.checks)} checks, {until} {report.seconds:.0f} s"
    yield from _rows("", "dim", words, width)
    yield from _rows("", "dim", "`qcode doctor --markdown` in a shell writes a report.", width)


def _rows(sign: str, style: str, text: str, width: int, words: str = "") -> list[Line]:
    """Wrapped, the sign in front of the first."""
    found: list[Line] = []
    for piece in legible(text).split("\n"):
        for row in wrap((Span(piece, words or style),), max(width - 5, 1)):
            mark = Span(f" {sign if sign and not found else ' '} ", style)
            found.append(Line((mark, *row.spans)))
    return found
