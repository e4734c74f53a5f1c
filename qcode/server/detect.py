"""Which server is this, and what can its model do. Asks only what loads no model.

A server is told by the bodies of its answers, never by a status: LM Studio answers unknown paths
with 200.
"""

import asyncio
from collections.abc import Sequence

from qcode.protocol.errors import ServerError
from qcode.server import failures, models
from qcode.server.adapters import generic, llamacpp
from qcode.server.ask import Asker, NoAnswer, NotListening, Reply
from qcode.server.base import ServerFacts
from qcode.server.endpoint import root
from qcode.server.liveness import is_loading


def addresses(ports: Sequence[int]) -> tuple[str, ...]:
    """Base URLs on this machine."""
    return tuple(f"http://127.0.0.1:{port}/v1" for port in ports)


async def find(asker: Asker, base_url: str, name: str) -> ServerFacts:
    """The facts of the server at a known address.

    Raises NoAnswer, Loading, CredentialsRefused and UnknownModel.
    """
    props, listed = await _both(asker, base_url)
    _check(base_url, props, listed)
    if listed.status in (401, 403):  # the address was named: this is the server that is meant
        raise failures.from_status(base_url, listed.status, failures.read_body(listed.body))
    listing = models.read(listed)
    if not name and not listing.is_list and not llamacpp.recognises(props, listing):
        raise failures.no_listing(base_url, listed.status)
    return await _describe(asker, base_url, name, (props, listed))


async def search(asker: Asker, tried: Sequence[str], name: str) -> ServerFacts:
    """The facts of the first of the addresses at which a server of models answers.

    All are asked at once. Raises Loading when one is about to be ready and no other is, the first
    server's CredentialsRefused or UnknownModel when none has more to say, and ServerGone.
    """
    found = await asyncio.gather(*(_look(asker, base_url, name) for base_url in tried))
    if facts := next((one for one in found if isinstance(one, ServerFacts)), None):
        return facts
    failed = [one for one in found if isinstance(one, Exception)]
    failed.sort(key=lambda error: not isinstance(error, failures.Loading))
    raise failed[0] if failed else failures.gone(tried, "connection refused")


async def _look(asker: Asker, base_url: str, name: str) -> ServerFacts | Exception | None:
    """What is at an address that may hold anything: None = no server of models."""
    try:
        props, listed = await _both(asker, base_url)
        _check(base_url, props, listed)
        listing = models.read(listed)
        if not listing.is_list and not llamacpp.recognises(props, listing):
            return None
        return await _describe(asker, base_url, name, (props, listed))
    except NoAnswer:
        return None
    except (failures.Loading, ServerError) as told:
        return told


async def _describe(
    asker: Asker, base_url: str, name: str, replies: tuple[Reply, Reply]
) -> ServerFacts:
    props, listing = replies[0], models.read(replies[1])
    if llamacpp.recognises(props, listing):
        return await llamacpp.describe(asker, base_url, name, props, listing)
    return generic.describe(base_url, name, listing)


def _check(base_url: str, props: Reply, listed: Reply) -> None:
    """Raise what a server that is not ready, or wants a key, says. Others are not meant."""
    if is_loading(props) or is_loading(listed):
        raise failures.Loading(f"{base_url} loads its model")
    if listed.status in (401, 403) and "error" in listed.fields:
        refusal = failures.read_body(listed.body)
        raise failures.from_status(base_url, listed.status, refusal)


async def _both(asker: Asker, base_url: str) -> tuple[Reply, Reply]:
    """`/props` and `/v1/models`; raises NoAnswer when neither is answered."""
    props, listed = await asyncio.gather(
        asker.get(f"{root(base_url)}/props"),
        asker.get(f"{base_url}/models"),
        return_exceptions=True,
    )
    if isinstance(props, Reply) or isinstance(listed, Reply):
        return _or_nothing(props), _or_nothing(listed)
    raise _nothing(props, listed)


def _or_nothing(answer: Reply | BaseException) -> Reply:
    if isinstance(answer, Reply):
        return answer
    if isinstance(answer, NoAnswer):
        return Reply(0)
    raise answer


def _nothing(*errors: BaseException) -> BaseException:
    unexpected = (error for error in errors if not isinstance(error, NoAnswer))
    refused = (error for error in errors if isinstance(error, NotListening))
    return next(unexpected, None) or next(refused, errors[0])
