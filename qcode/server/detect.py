"""Which server is this, and what can its model do. Asks only what loads no model.

A server is told by the bodies of its answers, never by a status: LM Studio answers unknown paths
with 200. Two questions settle most, at once (`/props`, `/v1/models`), two more the rest. `/` is
not asked: llama.cpp sends its whole web page. Nor is `/health`: SGLang generates a token for it.
"""

import asyncio
from collections.abc import Sequence

import msgspec
from msgspec.structs import replace

from qcode.protocol.errors import ServerError
from qcode.server import failures, models
from qcode.server.adapters import (
    generic,
    llama_swap,
    llamacpp,
    lmstudio,
    mlx,
    ollama,
    sglang,
    vllm,
)
from qcode.server.adapters.sighting import Sighting
from qcode.server.ask import Asker, NoAnswer, NotListening, Reply
from qcode.server.base import ServerFacts
from qcode.server.endpoint import hosted_kind, root
from qcode.server.liveness import is_loading

OWNERS = {
    "llama-swap": "llama-swap",
    "sglang": "sglang",
    "vllm": "vllm",
    "omlx": "omlx",
    "organization_owner": "lmstudio",
    "me": "llama-cpp-python",
    "system": "nim",  # 1.x; 2.0 leaves vLLM's name
}
"""`owned_by` in a list of models -> the kind of server that says so."""


class Seen(msgspec.Struct, frozen=True):
    """What is at an address."""

    base_url: str
    found: ServerFacts | failures.Loading | ServerError | None
    """None = no server of models."""
    because: str = "no server of models"
    """Why there is none, as a clause."""
    kind: str = ""
    """Key of `QUIRKS`, also where `found` is an error; empty = it did not come so far."""


def addresses(ports: Sequence[int]) -> tuple[str, ...]:
    """Base URLs on this machine."""
    return tuple(f"http://127.0.0.1:{port}/v1" for port in ports)


async def find(asker: Asker, base_url: str, name: str) -> ServerFacts:
    """The facts of the server at a known address.

    Raises NoAnswer, Loading, CredentialsRefused and UnknownModel.
    """
    sight = await _sight(asker, base_url, name)
    listed = sight.listed
    if listed.status in (401, 403):  # the address was named: this is the server that is meant
        raise failures.from_status(base_url, listed.status, failures.read_body(listed.body))
    kind = await _kind(sight)
    if not name and not sight.listing.is_list and kind == "generic":
        raise failures.no_listing(base_url, listed.status)
    return await _describe(sight, kind)


async def search(asker: Asker, tried: Sequence[str], name: str) -> ServerFacts:
    """The facts of the best of the addresses at which a server of models answers.

    Best: it has the model that is named, then its model is loaded, then its kind is known, then the
    order of the addresses. Raises
    Loading when one is about to be ready and no other is, the first server's CredentialsRefused or
    UnknownModel when none has more to say, and ServerGone.
    """
    seen = await survey(asker, tried, name)
    if facts := [one.found for one in seen if isinstance(one.found, ServerFacts)]:
        return choose(facts)
    failed = [one.found for one in seen if isinstance(one.found, Exception)]
    failed.sort(key=lambda error: not isinstance(error, failures.Loading))
    raise failed[0] if failed else failures.gone(tried, "connection refused")


async def survey(asker: Asker, tried: Sequence[str], name: str = "") -> tuple[Seen, ...]:
    """What is at each of the addresses; all are asked at once."""
    return tuple(await asyncio.gather(*(_look(asker, base_url, name) for base_url in tried)))


def choose(facts: Sequence[ServerFacts]) -> ServerFacts:
    """The best of several, with the reason added to `picked_why`."""
    ranked = sorted(facts, key=_rank)  # stable: the order of the addresses
    best = ranked[0]
    if len(ranked) == 1:
        return best
    second = ranked[1]
    others = ", ".join(f"{one.kind} at {one.base_url}" for one in ranked[1:])
    because = "it comes first among the known ports"
    if _rank(best)[0] != _rank(second)[0]:
        because = "it has that model"
    elif _rank(best)[1] != _rank(second)[1]:
        because = "its model is loaded" if best.loaded else "they have none loaded"
    elif _rank(best)[2] != _rank(second)[2]:
        because = "its kind is known"
    return replace(best, picked_why=f"{best.picked_why}; taken before {others}: {because}")


def _rank(facts: ServerFacts) -> tuple[bool, int, bool]:
    """Some take any name, and answer with the model that they have."""
    lacks = bool(facts.models) and not {facts.model, f"{facts.model}:latest"} & {*facts.models}
    in_memory = {True: 0, None: 1, False: 2}[facts.loaded]
    return lacks, in_memory, facts.kind == "generic"


async def _look(asker: Asker, base_url: str, name: str) -> Seen:
    """What is at an address that may hold anything."""
    kind = ""
    try:
        sight = await _sight(asker, base_url, name)
        kind = await _kind(sight)
        if not sight.listing.is_list and kind == "generic":
            return Seen(base_url, None)
        return Seen(base_url, await _describe(sight, kind), kind=kind)
    except NoAnswer as nothing:
        return Seen(base_url, None, str(nothing))
    except (failures.Loading, ServerError) as told:
        return Seen(base_url, told, kind=kind)


async def _kind(sight: Sighting) -> str:
    """Key of `QUIRKS`."""
    if hosted := hosted_kind(sight.base_url):
        return hosted
    props, listing = sight.props, sight.listing
    if llamacpp.recognises(props, listing):
        return "llamacpp"
    if told := next((kind for owner, kind in OWNERS.items() if owner in listing.owners), ""):
        return told
    if lmstudio.recognises(props, Reply(0)):
        return "lmstudio"
    if mlx.is_mlx_vlm(sight.listed):
        return "mlx-vlm"
    version, own = await asyncio.gather(sight.get("/api/version"), sight.get("/api/v1/models"))
    if ollama.recognises(version):
        return "ollama"
    if lmstudio.recognises(version, own):
        return "lmstudio"
    return _by_manner(sight)


def _by_manner(sight: Sighting) -> str:
    """Of servers without a name of their own: the form of their lists and refusals."""
    if not sight.listing.is_list:
        return "generic"
    if mlx.is_mlx_lm(sight.props, sight.listing):
        return "mlx_lm"
    if generic.is_transformers(sight.props, sight.listed, sight.listing):
        return "transformers"
    return "generic"


async def _describe(sight: Sighting, kind: str) -> ServerFacts:
    match kind:
        case "llamacpp":
            return await llamacpp.describe(sight)
        case "llama-swap":
            return await llama_swap.describe(sight)
        case "ollama":
            return await ollama.describe(sight)
        case "lmstudio":
            return await lmstudio.describe(sight)
        case "vllm" | "nim":
            return await vllm.describe(sight)
        case "sglang":
            return await sglang.describe(sight)
        case "mlx_lm":
            return mlx.describe_mlx_lm(sight)
        case "mlx-vlm":
            return await mlx.describe_mlx_vlm(sight)
        case "omlx":
            return await mlx.describe_omlx(sight)
        case "dashscope" | "openrouter":
            return generic.describe_hosted(sight, kind)
    return generic.describe(sight, kind)


async def _sight(asker: Asker, base_url: str, name: str) -> Sighting:
    """The first questions. Raises NoAnswer, Loading, and CredentialsRefused in a server's words."""
    props, listed = await _first(asker, base_url)
    if is_loading(props) or is_loading(listed):
        raise failures.Loading(f"{base_url} loads its model")
    if listed.status in (401, 403) and "error" in listed.fields:
        refusal = failures.read_body(listed.body)
        raise failures.from_status(base_url, listed.status, refusal)
    return Sighting(asker, base_url, name, props, listed, models.read(listed))


async def _first(asker: Asker, base_url: str) -> tuple[Reply, Reply]:
    """Of `/props` and `/models`; a hosted service is asked for the second alone."""
    if hosted_kind(base_url):
        return Reply(0), await asker.get(f"{base_url}/models")
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
