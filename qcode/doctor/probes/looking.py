"""A conversation with a picture in it: is what stands behind the picture kept, too?"""

from qcode.doctor.base import Subject
from qcode.doctor.probes.rereading import Reread, by_clock, by_count
from qcode.doctor.probes.sight import picture
from qcode.doctor.probes.talk import Talk, density, plain
from qcode.protocol.messages import Text, UserMessage

TOKENS = 1_000
_BLUE = (0, 0, 200)
_ANSWER_TOKENS = 8


async def looked(subject: Subject) -> Reread | None:
    """A question behind an answer to a picture; None = it was refused, or is not to be told."""
    size = round(TOKENS / await density(subject))
    talk = plain(f"{subject.salt} picture", "I will show you something.", size)
    shown = UserMessage((Text("What colour is this?"), picture(_BLUE)))
    talk = Talk(talk.system, (shown,))
    cold = await subject.ask(talk.request(subject, _ANSWER_TOKENS))
    if cold.error:
        return None
    later = talk.answered(cold).ask("And is it bright?")
    seen = await subject.ask(later.request(subject, _ANSWER_TOKENS))
    if seen.error:
        return None
    return by_count(seen, cold.prompt_tokens or 0) or by_clock(seen, cold)
