"""A conversation as one HTML file: nothing is fetched, nothing runs.

The words of models and tools are hostile here: every one is escaped, none is read as Markdown or
HTML, and the policy in the head forbids scripts, pictures and links to elsewhere even so.
"""

from html import escape

from qcode.protocol.messages import (
    AssistantMessage,
    Message,
    ToolCall,
    ToolMessage,
    UserMessage,
)
from qcode.protocol.text import one_line, plain, well_formed
from qcode.session.conversation import Conversation
from qcode.session.prompts import spoken
from qcode.session.telling import SPEAKER, end, facts, images, result

_STYLE = """
:root { color-scheme: light dark; --muted: #6b707b; --line: #8884; --card: #8881; }
body { font: 16px/1.55 system-ui, sans-serif; max-width: 52rem; margin: 2rem auto; }
body { padding: 0 1rem; }
h1 { font-size: 1.5rem; } h2 { font-size: 1rem; margin: 2rem 0 .3rem; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .1rem 1rem; color: var(--muted); }
dt, dd { margin: 0; } .words, pre { white-space: pre-wrap; overflow-wrap: anywhere; }
pre { font: 13px/1.5 ui-monospace, monospace; margin: .4rem 0; }
details { border: 1px solid var(--line); border-radius: 6px; }
details { margin: .5rem 0; padding: .2rem .7rem; }
summary { cursor: pointer; color: var(--muted); } .you .words { font-weight: 600; }
.note { color: var(--muted); } .bad summary { color: #b3202c; }
"""

_POLICY = "default-src 'none'; style-src 'unsafe-inline'"


def as_html(conversation: Conversation) -> str:
    """A whole document, UTF-8."""
    title = _text(one_line(conversation.title) or "Session")
    body = "\n".join(
        [f"<h1>{title}</h1>", _about(conversation), *map(_section, conversation.messages)]
    )
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n'
        '<meta name="viewport" content="width=device-width">\n'
        f"<title>{title}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n{body}\n</body>\n</html>\n"
    )


def _text(text: str) -> str:
    """Escaped, also for attributes, and without control sequences."""
    return escape(plain(well_formed(text)))


def _about(conversation: Conversation) -> str:
    rows = facts(conversation).items()
    pairs = [f"<dt>{name}</dt><dd>{_text(value)}</dd>" for name, value in rows]
    return f"<dl>{''.join(pairs)}</dl>"


def _section(message: Message) -> str:
    match message:
        case UserMessage():
            return _user(message)
        case AssistantMessage():
            return _assistant(message)
        case ToolMessage():
            return _result(message)


def _user(message: UserMessage) -> str:
    words = _words(spoken(message)) if message.text else ""
    words += _note(images(message))
    return f'<section class="you"><h2>{SPEAKER[message.origin]}</h2>{words}</section>'


def _assistant(message: AssistantMessage) -> str:
    inside = _folded("Reasoning", message.reasoning) if message.reasoning else ""
    inside += _words(message.text) if message.text else ""
    inside += "".join(map(_call, message.calls))
    return f"<section><h2>Model</h2>{inside}{_note(end(message))}</section>"


def _call(call: ToolCall) -> str:
    return _folded(f"Call of {one_line(call.name)}", call.arguments)


def _result(message: ToolMessage) -> str:
    return _folded(result(message), message.text, "good" if message.status == "ok" else "bad")


def _note(text: str) -> str:
    return f'<p class="note">{text}</p>' if text else ""


def _words(text: str) -> str:
    return f'<div class="words">{_text(text)}</div>'


def _folded(title: str, text: str, kind: str = "good") -> str:
    inside = f"<summary>{_text(title)}</summary><pre>{_text(text)}</pre>"
    return f'<details class="{kind}">{inside}</details>'
