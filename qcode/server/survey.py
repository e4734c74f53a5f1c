"""What answers, for people: at one address, or on the known ports. No model is loaded for it."""

from collections.abc import Sequence

from qcode.protocol.errors import ServerError
from qcode.server import detect
from qcode.server.ask import Asker, NoAnswer
from qcode.server.detect import Seen
from qcode.server.door import make_http
from qcode.server.endpoint import PORTS, Patience, normalise
from qcode.server.failures import Loading


async def survey(
    base_url: str = "", api_key: str = "", model: str = "", ports: Sequence[int] = PORTS
) -> tuple[Seen, ...]:
    """What is at `base_url`, or at each of the ports; the key goes to a named address alone.

    `model` = the one whose facts are wanted; empty = the one that qcode would take. Raises
    ConfigError for a wrong address.
    """
    patience = Patience()
    tried = (normalise(base_url),) if base_url else detect.addresses(ports)
    http = make_http(tried[0], patience.connect_seconds)
    try:
        if base_url:
            asker = Asker(http, api_key, patience.connect_seconds)
            return (await _named(asker, tried[0], model),)
        return await detect.survey(Asker(http, "", patience.probe_seconds), tried, model)
    finally:
        await http.aclose()


async def _named(asker: Asker, base_url: str, model: str) -> Seen:
    (seen,) = await detect.survey(asker, (base_url,), model)
    if seen.found is not None:
        return seen
    try:  # what was named is meant: why it is none is worth a sentence
        return Seen(base_url, await detect.find(asker, base_url, model))
    except NoAnswer as nothing:
        return Seen(base_url, None, str(nothing))
    except (Loading, ServerError) as told:
        return Seen(base_url, told)
