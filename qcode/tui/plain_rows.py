"""Blocks as lines to be heard: words instead of ornament, one line for each event. Pure."""

from collections.abc import Iterator

from qcode.engine import telling
from qcode.protocol.display import OutputBlock, TodoBlock
from qcode.protocol.events import ApprovalRequested, QuestionAsked
from qcode.protocol.text import one_line
from qcode.tui.blocks import (
    AnswerBlock,
    Block,
    CallBlock,
    NoteBlock,
    PromptBlock,
    ReasoningBlock,
    ShellBlock,
    TurnBlock,
)
from qcode.tui.chat.matter import address, diffs, wanted_by
from qcode.tui.chat.waiting import is_network
from qcode.tui.drawing.visible import visible
from qcode.tui.lines import Line
from qcode.tui.phases import clock

Row = tuple[str, str]
"""A line, and the name of its style."""

MOST_CHARACTERS = 300
TAIL_ROWS = 5
"""Of the output of a command that failed."""
_STATES = {"error": "failed", "denied": "denied", "cancelled": "cancelled"}
_TODO = {"open": "to do", "doing": "doing", "done": "done"}
_KINDS = {"prompt": "you", "steer": "you", "queued": "you", "qcode": "qcode"}


def heard(one: Line) -> str:
    """A line of a page without what only draws."""
    said = (span.text for span in one.spans if not span.style.startswith("bar"))
    return "".join(said).rstrip()


def rows(block: Block) -> Iterator[Row]:
    """The block, once it is finished."""
    match block:
        case PromptBlock():
            yield f"{_KINDS[block.kind]}: {block.text}", "prompt"
        case ReasoningBlock():
            yield _thought(block), "dim"
        case AnswerBlock():
            yield block.text, "text"
        case CallBlock():
            yield from _call(block)
        case NoteBlock():
            said = (
                block.text if block.level in ("quiet", "info") else f"{block.level}: {block.text}"
            )
            yield said, {"quiet": "dim", "info": "text"}.get(block.level, block.level)
        case ShellBlock():
            yield from _shell(block)
        case TurnBlock():
            yield _turn(block), "dim" if block.reason == "end_turn" else "warning"


def _thought(block: ReasoningBlock) -> str:
    time = f" {clock(block.seconds)}," if block.seconds >= 1 else ""
    why = f", ended by: {block.why}" if block.why else ""
    return f"thought{time} {block.tokens:,} token{'' if block.tokens == 1 else 's'}{why}"


def _call(block: CallBlock) -> Iterator[Row]:
    head = one_line(f"{block.name} {block.summary}", MOST_CHARACTERS)
    if block.state in _STATES:
        yield f"{head}: {_STATES[block.state]}: {one_line(block.said, MOST_CHARACTERS)}", "warning"
    else:
        yield head + telling.told(block.blocks).replace(" · ", ", "), "accent"
    for note in block.notes:
        yield f"  {note}", "dim"
    for one in block.blocks:
        if isinstance(one, TodoBlock):
            for item in one.items:
                yield f"  {_TODO[item.state]}: {item.text}", "text"
        if isinstance(one, OutputBlock):
            yield from ((f"  {note}", "warning") for note in one.notes)


def _shell(block: ShellBlock) -> Iterator[Row]:
    code = "ended by a signal" if block.exit_code is None else f"exit {block.exit_code}"
    yield f"! {block.command}, {code}, {block.seconds:.1f} s", "accent"
    if output := block.output.rstrip():
        yield output, "text"


def _turn(block: TurnBlock) -> str:
    steps = f"{block.steps} step{'' if block.steps == 1 else 's'}"
    took = f"{steps}, {clock(block.seconds)}, {block.generated:,} tokens"
    if block.reason == "end_turn":
        return f"done: {took}"
    return f"{block.reason.replace('_', ' ')}: {block.detail}".rstrip(" :")


def approval(asked: ApprovalRequested, ahead: str) -> Iterator[Row]:
    """What would happen, and what may be answered. `ahead`: which of how many, or nothing."""
    changed = diffs(asked)
    what = "wants to change" if changed else "wants to run"
    where = f", in {asked.folder}" if asked.folder and not changed else ""
    if is_network(asked):
        yield f"{ahead}a command wants to reach {visible(address(asked))}", "warning"
        commands = wanted_by(asked)
        for one in commands:
            yield f"  {'one of' if len(commands) > 1 else 'asked by'}: {one}", "code"
    else:
        yield f"{ahead}{asked.call.name} {what}{where}:", "warning"
    for access in () if is_network(asked) else asked.accesses:
        place = f" ({access.place})" if access.place != "workspace" else ""
        if access.kind != "edit" or not changed:
            yield f"  {access.kind}: {visible(access.target)}{place}", "code"
    for block in changed:
        yield (
            f"  {visible(block.path)}, {block.added} added, {block.removed} removed:",
            "text",
        )
        for row in block.patch.splitlines():
            if not row.startswith(("---", "+++")):
                yield f"  {visible(row)}", {"+": "add", "-": "remove"}.get(row[:1], "dim")
    for one in asked.behind:  # a reply to all of them is one to these, too
        for row in f"behind it: {visible(one)}".split("\n"):
            yield f"  {row}", "code"
    if asked.where == "outside":
        yield "  it runs outside the sandbox, as your settings say", "warning"
    if asked.because:
        yield f"  because {asked.because}", "dim"
    if asked.rules:
        yield f"  session would allow: {', '.join(map(visible, asked.rules))}", "dim"


def choices(asked: ApprovalRequested) -> str:
    """The question at the end of an approval."""
    session = "[s]ession, " if asked.rules else ""
    batch = f"[b]atch of {len(asked.behind) + 1}, " if asked.behind else ""
    once = "[y]es, for this turn" if is_network(asked) else "[y]es once"
    outside = "[outside] once outside the sandbox, " if asked.where == "inside" else ""
    return f"allow? {once}, {batch}{session}{outside}[n]o, [w]ords: "


def question(asked: QuestionAsked) -> Iterator[Row]:
    """What the model asks; its words were told as a note."""
    for number, choice in enumerate(asked.choices, 1):
        yield f"  {number}: {choice}", "text"
