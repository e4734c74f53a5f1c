"""Questions of the model to the person, and the answers."""

import asyncio
from itertools import count

import msgspec

from qcode.engine.say import Say
from qcode.protocol.events import QuestionAsked


class Questions(msgspec.Struct):
    """The tool `ask` waits here for a `QuestionReply`."""

    say: Say
    _open: dict[str, asyncio.Future[str]] = msgspec.field(default_factory=dict)
    _numbers: "count[int]" = msgspec.field(default_factory=lambda: count(1))

    async def ask(self, question: str, choices: tuple[str, ...]) -> str:
        """Put the question and wait for the answer."""
        request_id = f"question-{next(self._numbers)}"
        future: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._open[request_id] = future
        try:
            self.say(QuestionAsked(request_id, question, choices))
            return await future
        finally:
            del self._open[request_id]

    def reply(self, request_id: str, answer: str) -> bool:
        """Hand in an answer; False = nobody waits for it."""
        future = self._open.get(request_id)
        if future is None or future.done():
            return False
        future.set_result(answer)
        return True
