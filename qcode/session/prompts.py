"""What a person said in a message, without what qcode put around it.

The engine opens the first message with facts about the workspace, puts what the person ran
themselves ahead of their words, and marks data from a pipe; in a title, a search or an export a
person looks for their own words.
"""

import re

from qcode.protocol.messages import UserMessage

_AHEAD = re.compile(
    r"\A(?:<workspace>\n.*?\n</workspace>\s*)?(?:<instructions>\n.*?\n</instructions>\s*)?"
    r"(?:<shell>\n.*?\n</shell>\s*)*",
    re.S,
)


def facts_ahead(message: UserMessage) -> str:
    """What the engine has put ahead of the person's words, up to them; empty = nothing."""
    found = _AHEAD.match(message.text)
    return found[0] if found else ""


def spoken(message: UserMessage) -> str:
    """The person's words; of a message that is nothing but data, its text as it is."""
    text = message.text.strip()
    own = _AHEAD.sub("", text, count=1)
    if own.endswith("\n</stdin>"):
        own = own.partition("<stdin>\n")[0]
    return own.strip() or text
