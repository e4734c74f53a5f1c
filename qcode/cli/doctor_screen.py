"""What an examination came to, for a terminal of 80 columns."""

from collections.abc import Iterator, Mapping, Sequence

from qcode.cli import doctor_compared
from qcode.doctor.base import Finding, Probe, Result
from qcode.doctor.kept import learned
from qcode.doctor.report import About, Report
from qcode.headless.talk import wrapped
from qcode.protocol.text import legible, one_line

WIDTH = 80


def screen(report: Report) -> str:
    """All of it; ends with a newline."""
    parts = [_heading(report), _checks(report), _own(report), _findings(report), _end(report)]
    return "\n".join(part for part in parts if part)


def from_now_on(report: Report) -> str:
    """What runs do otherwise, where the report was kept; empty = nothing."""
    if not (said := list(learned(report.learned))):
        return ""
    words = f"from now on qcode {'; '.join(said)} (qcode doctor --forget undoes that)"
    return wrapped(words, WIDTH, "  ") + "\n"


def listed(probes: Sequence[Probe], deep: Sequence[Probe]) -> str:
    """The checks that there are, a line each."""
    width = max(len(each.name) for each in (*probes, *deep))
    rows = [f"{each.name:<{width}}  {each.label}\n" for each in probes]
    return "".join([*rows, *(f"{each.name:<{width}}  {each.label} (--deep)\n" for each in deep)])


def compared(before: Report, after: Report) -> str:
    """What two examinations measured, side by side: that of the file first; then what the later
    one found."""
    parts = (doctor_compared.table(before, after), _findings(after), _end(after))
    return "\n".join(part for part in parts if part)


def _heading(report: Report) -> str:
    if (seen := report.server) is None:
        return f"{one_line(report.not_examined, 60) or 'no server'}: nothing of it was checked\n"
    version = f" {one_line(seen.version, 40)}" if seen.version else ""
    rows = [f"{seen.name}{version} at {seen.base_url}\n", _row("model", one_line(seen.model, 200))]
    return "".join([*rows, _row("context", _context(seen)), _row("history", _history(seen))])


def _context(seen: About) -> str:
    loaded = f"{seen.context_tokens:,} tokens" if seen.context_tokens else "not told"
    made = f"; made for {seen.trained_tokens:,}" if seen.trained_tokens else ""
    return f"{loaded}{made}{f'; {seen.slots} at once' if seen.slots else ''}"


def _history(seen: About) -> str:
    return f"{seen.strategy}: {legible(seen.strategy_why)}"


def _row(name: str, text: str) -> str:
    return wrapped(f"  {name:<9} {text}", WIDTH, " " * 12) + "\n"


def _checks(report: Report) -> str:
    rows = _verdicts(report.checks)
    if report.absent:
        whys = dict.fromkeys(report.absent.values())
        words = "; ".join(f"{', '.join(_of(report.absent, why))}: {why}" for why in whys)
        rows.append(wrapped(f"not asked: {legible(words)}", WIDTH, "  ") + "\n")
    return "".join(rows)


def _of(absent: Mapping[str, str], reason: str) -> list[str]:
    return [name for name, why in absent.items() if why == reason]


def _verdicts(results: Sequence[Result]) -> list[str]:
    width = max((len(result.probe) for result in results), default=0)
    indent = " " * (len("unclear") + width + 4)
    return [
        wrapped(f"{one.verdict:<8} {one.probe:<{width}}  {legible(one.said)}", WIDTH, indent) + "\n"
        for one in results
    ]


def _own(report: Report) -> str:
    return "qcode's own side\n" + "".join(_verdicts(report.own)) if report.own else ""


def _findings(report: Report) -> str:
    if not report.findings:
        return "nothing is wrong with what was checked\n" if report.checks else ""
    return "\n".join(_finding(at, each) for at, each in enumerate(report.findings, 1))


def _finding(number: int, finding: Finding) -> str:
    head = wrapped(f"{number}. {finding.weight}: {legible(finding.title)}", WIDTH, "   ") + "\n"
    return head + "".join(_lines(finding))


def _lines(finding: Finding) -> Iterator[str]:
    for name, words in (
        ("costs", finding.cost),
        ("change", finding.change),
        ("known", finding.known),
    ):
        if words:
            yield wrapped(f"   {name:<7} {legible(words)}", WIDTH, " " * 11) + "\n"


def _end(report: Report) -> str:
    rows = []
    if report.left_out and report.interrupted:
        said = f"interrupted before: {', '.join(left.probe for left in report.left_out)}."
        rows.append(wrapped(said, WIDTH, "  ") + "\n")
    elif report.left_out:
        names = ", ".join(f"{left.probe} ({left.seconds:.0f} s)" for left in report.left_out)
        said = f"left out: {names}. qcode doctor --seconds {report.seconds_needed} asks all."
        rows.append(wrapped(said, WIDTH, "  ") + "\n")
    if report.server:
        until = "interrupted after" if report.interrupted else "took"
        many = "1 check" if len(report.checks) == 1 else f"{len(report.checks)} checks"
        rows.append(f"{many}, {until} {report.seconds:.0f} s\n")
    return "".join(rows)
