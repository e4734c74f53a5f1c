"""What stands in the place of old messages: the task and the plan as they are, and a summary.

The task, the plan and the files come from the log, word for word, and never from a model. Pure.
"""

from collections.abc import Iterator, Sequence

import msgspec

from qcode.protocol.messages import (
    AssistantMessage,
    Image,
    Message,
    Text,
    ToolMessage,
    UserMessage,
    user,
)
from qcode.protocol.text import one_line
from qcode.session.conversation import Conversation
from qcode.session.prompts import facts_ahead, spoken

WORDS_PER_TOKEN = 0.4
"""Of a summary: names and paths take more tokens than prose."""
RESULT_CHARACTERS = 2_000
"""Of a result that the server has not read yet and that stays anyway: its beginning will do."""
SAID = 20
"""Of what the person said between the first and the last words, so many are kept..."""
SAID_CHARACTERS = 400
"""...and so much of each."""
FILES = 40

MARK = {"open": "[ ]", "doing": "[~]", "done": "[x]"}
"""As the tool `todo` writes them."""

_ASK = """\
The conversation has become long. What was said and read up to here will be taken out and replaced \
by a summary, which you write now, for yourself, in at most {words} words. Answer with the summary \
alone and call no tool.

What you do not write down is lost. Say, with paths, names, line numbers and exact commands:
- what was found out, and where it stands in the code;
- what was decided, and why;
- what was changed, and what was not changed yet;
- what was tried and failed, and the message it failed with;
- how to build, run and test, and what the last run showed;
- what is to be done next, step by step.

The task, the plan and the names of the files are kept anyway: leave them out."""

_AGAIN = "\n\nYour last try held no words. Write the summary as plain words; no tool can be called."

_BODY = """\
<summary>
Your work on this has outgrown the context: all up to here was taken out, and this stands for it. \
The files are as you left them; read again what you need to see.

{sections}
</summary>"""


class Draft(msgspec.Struct, frozen=True):
    """A compaction in the making."""

    talk: Conversation
    kept: int
    """Messages at the end that stay."""
    most_characters: int
    """Of the first prompt, and of the last; a longer one loses its end."""

    def message(self, words: str) -> UserMessage:
        """What the kept messages stand behind; `words` are the model's."""
        sections = "\n\n".join(section for section in (*self._sections(), words.strip()) if section)
        first = self.talk.said[0] if self.talk.said else None
        head = _task(first, self.most_characters) if first else ""
        text = "\n\n".join(part for part in (head, _BODY.format(sections=sections)) if part)
        images = [part for part in first.parts if isinstance(part, Image)] if first else []
        return UserMessage((Text(text), *images), "summary")

    def _sections(self) -> Iterator[str]:
        yield self._said()
        if self.talk.plan:
            rows = [f"{MARK[item.state]} {item.text}" for item in self.talk.plan]
            yield "\n".join(["The plan (todo) as it stands:", *rows])
        yield _files("Files that you changed", self.talk.edited)
        yield _files("Files that you read, the last ones last", self.talk.looked_at)

    def _said(self) -> str:
        """What the person said after the task and does not say again behind the summary."""
        kept = self.talk.messages[len(self.talk.messages) - self.kept :]
        said = [message for message in self.talk.said[1:] if message not in kept]
        rows = [f"- {one_line(spoken(m), SAID_CHARACTERS)}" for m in said[:-1]][-SAID:]
        latest = _cut(said[-1].text.strip(), self.most_characters) if said else ""
        last = [f"And last, word for word:\n{latest}"] if latest else []
        return "\n".join(["The user said since:", *rows, *last]) if said else ""


def question(tokens: int, focus: str, attempt: int) -> UserMessage:
    """The request for a summary of that length."""
    asked = _ASK.format(words=round(tokens * WORDS_PER_TOKEN, -1))
    asked += f"\n\nAbove all keep what concerns this: {focus}" if focus else ""
    asked += _AGAIN if attempt > 1 else ""
    return user(asked, "summary")


def known(messages: Sequence[Message]) -> Iterator[Message]:
    """What the server has read: all up to the last answer. The results of its calls are new to it,
    but they belong to it; the last words are not asked about, they stay."""
    answers = [at for at, one in enumerate(messages) if isinstance(one, AssistantMessage)]
    end = answers[-1] + 1 if answers else 0
    yield from messages[:end]
    for message in messages[end:]:
        if isinstance(message, ToolMessage):
            yield _begun(message)


def _begun(result: ToolMessage) -> ToolMessage:
    if len(result.text) <= RESULT_CHARACTERS:
        return result
    text = f"{result.text[:RESULT_CHARACTERS]}\n(It goes on.)"
    return ToolMessage(result.call_id, result.name, text, result.status)


def without_model(messages: Sequence[Message]) -> str:
    """A summary of what stands in the messages, where no model gives one."""
    words = [one_line(m.text, 300) for m in messages if isinstance(m, AssistantMessage) and m.text]
    calls = [
        f"- {call.name} {one_line(call.arguments, 160)}"
        for m in messages
        if isinstance(m, AssistantMessage)
        for call in m.calls
    ]
    parts = ["You said last:", *(f"- {line}" for line in words[-5:])] if words else []
    parts += ["Your last calls:", *calls[-10:]] if calls else []
    return "\n".join(parts)


def _task(first: UserMessage, most: int) -> str:
    """The first prompt with the facts that open it, word for word if it is not far too long."""
    if len(first.text) <= most:
        return first.text
    return _cut(facts_ahead(first) + spoken(first), most)


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[:most]}\n(The rest of this was taken out.)"


def _files(title: str, paths: dict[str, None]) -> str:
    listed = list(paths)[-FILES:]
    more = f" (and {len(paths) - FILES} more)" if len(paths) > FILES else ""
    return f"{title}: {', '.join(listed)}{more}" if listed else ""
