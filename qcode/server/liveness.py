"""Whether a silent server lives. A long prompt is silence too, so silence alone proves nothing."""

from qcode.server.ask import Asker, NoAnswer, NotListening, Reply
from qcode.server.base import ServerFacts
from qcode.server.endpoint import root
from qcode.server.quirks import QUIRKS

_TIMES = 2


async def why_dead(asker: Asker, facts: ServerFacts) -> str:
    """ "" when the server lives, else why it is taken for dead, as a clause.

    Nobody listening is death for any server. No answer, twice, is death only for one that answers
    beside its work (llama.cpp): others compute and serve in one thread.
    """
    path = QUIRKS[facts.kind].health_path
    url = root(facts.base_url) + path if path else f"{facts.base_url}/models"
    because = ""
    for _ in range(_TIMES):
        try:
            await asker.get(url)
        except NotListening as nobody:
            because = str(nobody)
        except NoAnswer as nothing:
            because = f"{path} gives {nothing}" if path else ""
        else:
            return ""
    return because


def is_loading(reply: Reply) -> bool:
    """llama.cpp's 503 while it loads; the same on every path."""
    error = reply.fields.get("error")
    words = error.get("message", "") if isinstance(error, dict) else error
    return reply.status == 503 and isinstance(words, str) and "loading" in words.lower()
