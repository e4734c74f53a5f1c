"""Words that were given to the engine and that no turn has taken up yet."""

import msgspec

from qcode.protocol.messages import UserMessage


class _Said(msgspec.Struct, frozen=True):
    message_id: str
    text: str


class Waiting(msgspec.Struct):
    """The run goes on while there are any: each leaves by an event of the engine."""

    _said: list[_Said] = msgspec.field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self._said)

    def add(self, message_id: str, text: str) -> None:
        """A prompt, or words for the running turn."""
        self._said.append(_Said(message_id, text))

    def taken(self, message: UserMessage) -> str:
        """They began a turn, were added to one, or came back; returns the host's id for them. A
        prompt may have got facts ahead of it, and words that came too late go before others."""
        for at, one in enumerate(self._said):
            if message.text.endswith(one.text):
                return self._said.pop(at).message_id
        return self.dropped()

    def dropped(self) -> str:
        """The oldest: its turn ended before it began."""
        return self._said.pop(0).message_id if self._said else ""
