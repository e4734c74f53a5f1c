"""What a person said in a message, without what qcode put around it.

The engine opens the first message with facts about the workspace and marks data from a pipe; in a
title, a search or an export a person looks for their own words.
"""

import re

from qcode.protocol.messages import UserMessage

_AHEAD = re.compile(
    r"\A(?:<workspace>\n.*?\n</workspace>\s*)?(?:<instructions>\n.*?\n</instructions>\s*)?", re.S
)
_PIPED = re.compile(r"\s*<stdin>\n.*\n</stdin>\s*\Z", re.S)


def spoken(message: UserMessage) -> str:
    """The person's words; of a message that is nothing but data, its text as it is."""
    text = message.text.strip()
    own = _PIPED.sub("", _AHEAD.sub("", text, count=1)).strip()
    return own or text
