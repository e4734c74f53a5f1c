"""The page of a bench: one HTML file that needs nothing else. No script, no address to fetch from;
each word of a model, a commit or a person is escaped.
"""

from collections.abc import Iterator, Sequence
from html import escape

from qcode.bench import drawing
from qcode.bench.summary import Summary
from qcode.bench.task import Attempt, Task
from qcode.bench.task_tables import heading, percents, seconds, verdicts
from qcode.protocol.text import legible

_STYLE = """\
:root{color-scheme:light dark;--ink:#1c1e21;--dim:#5c6269;--paper:#fcfcfa;--rule:#d8d8d2;
--mark:#1f5fa8;--soft:#9db8d6;--again:#b4690e;--wrote:#3d7a4e;--good:#2e6b3f;--bad:#a33127}
@media (prefers-color-scheme:dark){:root{--ink:#e4e4df;--dim:#9a9fa5;--paper:#191b1e;
--rule:#3a3d42;--mark:#7fb0ea;--soft:#587ba3;--again:#d8954a;--wrote:#76b287;--good:#84c596;
--bad:#e58a80}}
body{margin:2rem auto;max-width:52rem;padding:0 1rem;background:var(--paper);color:var(--ink);
font:16px/1.5 system-ui,sans-serif}
h1{font-size:1.5rem;margin:0 0 .25rem}h2{font-size:1.1rem;margin:2rem 0 .5rem}
p,li{margin:.25rem 0}.dim{color:var(--dim)}code{font-size:.9em;overflow-wrap:anywhere}
.wide{overflow-x:auto}table{border-collapse:collapse;font-variant-numeric:tabular-nums}
th,td{padding:.3rem .7rem;border-bottom:1px solid var(--rule);text-align:right}
th:first-child,td:first-child,td.left,th.left{text-align:left}
svg{max-width:100%;height:auto;font:13px system-ui,sans-serif}
svg text{fill:var(--ink)}.tick{text-anchor:middle;fill:var(--dim)!important}
.grid{stroke:var(--rule)}.whisker{stroke:var(--mark);stroke-width:2;fill:none}
.mark{fill:var(--mark)}.dot{fill:var(--soft);fill-opacity:.75}
.new{fill:var(--soft)}.again{fill:var(--again)}.wrote{fill:var(--wrote)}
.yes{color:var(--good);font-weight:600}.no{color:var(--bad)}
.key{display:inline-block;width:.8em;height:.8em;margin:0 .3em 0 1em}
"""


def page(found: Summary, attempts: Sequence[Attempt]) -> str:
    """The whole file."""
    title, judge = heading(found)
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"/>'
        '<meta name="viewport" content="width=device-width, initial-scale=1"/>'
        '<meta http-equiv="Content-Security-Policy" '
        "content=\"default-src 'none'; style-src 'unsafe-inline'\"/>"
        f"<title>{_safe(title)}</title><style>{_STYLE}</style></head><body>\n"
        f"<h1>{_safe(title)}</h1>\n"
        f'<p class="dim">{_safe(judge)} · {_safe(found.plan.date)} · '
        f"qcode {_safe(found.plan.qcode)}</p>\n"
        f"{''.join(_sections(found, attempts))}</body></html>\n"
    )


def _sections(found: Summary, attempts: Sequence[Attempt]) -> Iterator[str]:
    if not found.is_whole:
        yield "<p><strong>Not everything was tried.</strong></p>\n"
    yield f"<h2>Solved</h2>\n{_figure(drawing.solved(found.rows))}"
    yield '<p class="dim">The mark is the share, the line where it lies with 95 % (Wilson).</p>\n'
    yield "".join(_pairs(found))
    yield f"<h2>Seconds</h2>\n{_figure(drawing.times(found, _seconds(found, attempts)))}"
    yield '<p class="dim">A dot is an attempt; the mark is the median, the line its 95 %.</p>\n'
    yield f"<h2>Tokens</h2>\n{_figure(drawing.tokens(found.rows))}{_KEY}"
    yield f"<h2>Settings</h2>\n{_table(_SETTINGS_HEAD, _settings(found))}"
    yield f"<h2>Tasks</h2>\n{_table(_tasks_head(found), _tasks(found))}"


_KEY = (
    '<p class="dim"><svg class="key" viewBox="0 0 9 9"><rect class="new" width="9" height="9"/>'
    '</svg>read <svg class="key" viewBox="0 0 9 9"><rect class="again" width="9" height="9"/>'
    '</svg>read again <svg class="key" viewBox="0 0 9 9"><rect class="wrote" width="9" '
    'height="9"/></svg>written, from left to right</p>\n'
)


def _figure(svg: str) -> str:
    return f'<div class="wide">{svg}</div>\n'


def _seconds(found: Summary, attempts: Sequence[Attempt]) -> list[list[float]]:
    return [[it.seconds for it in attempts if it.setting == row.name] for row in found.rows]


def _pairs(found: Summary) -> Iterator[str]:
    if not found.pairs:
        return
    items = "".join(f"<li>{_safe(it)}</li>" for it in verdicts(found))
    yield f"<h2>Compared</h2>\n<ul>{items}</ul>\n{_table(_PAIRS_HEAD, _pair_rows(found))}"
    yield '<p class="dim">Tasks that one of the two solved and the other did not, and of '
    yield "those that both solved, in which one was faster. p: exact sign test over tasks (with "
    yield "one attempt each: McNemar), corrected for the number of pairs by Holm's method.</p>\n"


_PAIRS_HEAD = ("first", "second", "solved alone", "p", "faster", "p")


def _pair_rows(found: Summary) -> Iterator[list[str]]:
    for pair in found.pairs:
        yield [
            _cell(pair.first),
            _cell(pair.second, "left"),
            _cell(f"{pair.first_better} : {pair.second_better}"),
            _cell(f"{pair.chance:.2g}"),
            _cell(f"{pair.faster} : {pair.slower}"),
            _cell(f"{pair.faster_chance:.2g}"),
        ]


_SETTINGS_HEAD = (
    *("", "model", "solved", "95 %", "seconds", "read", "read again", "written"),
    "tests put back",
)


def _settings(found: Summary) -> Iterator[list[str]]:
    for row in found.rows:
        tokens = (row.read_tokens, row.reread_tokens, row.generated_tokens)
        yield [
            _cell(row.name),
            _cell(row.model, "left"),
            _cell(f"{row.solved}/{row.tried}"),
            _cell(percents(row.share)),
            _cell(seconds(row.seconds)),
            *(_cell(f"{it:,.0f}") for it in tokens),
            _cell(str(row.restored)),
        ]


def _tasks_head(found: Summary) -> tuple[str, ...]:
    return ("", "what was done", *(row.name for row in found.rows))


def _tasks(found: Summary) -> Iterator[list[str]]:
    for task in found.plan.tasks:
        results = (_result(found, task, row.name) for row in found.rows)
        yield [_cell(task.id), _cell(task.title, "left"), *results]


def _result(found: Summary, task: Task, setting: str) -> str:
    solved, tried = found.cells[task.id, setting]
    if not tried:
        return _cell("–")
    words = ("solved" if solved else "no") if tried == 1 else f"{solved} of {tried}"
    return _cell(words, "yes" if solved == tried else "no" if not solved else "")


def _cell(text: str, kind: str = "") -> str:
    return f'<td class="{kind}">{_safe(text)}</td>' if kind else f"<td>{_safe(text)}</td>"


def _table(head: Sequence[str], rows: Iterator[list[str]]) -> str:
    titles = "".join(f"<th>{_safe(it)}</th>" for it in head)
    body = "".join(f"<tr>{''.join(cells)}</tr>\n" for cells in rows)
    return (
        f'<div class="wide"><table><thead><tr>{titles}</tr></thead>'
        f"<tbody>\n{body}</tbody></table></div>\n"
    )


def _safe(text: str) -> str:
    """For between tags and within quotes; signs that steer a terminal or a reader are shown."""
    return escape(legible(text))
