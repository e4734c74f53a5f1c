"""A scripted server, met for one probe; facts that are made up."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from msgspec.structs import replace

from qcode.doctor.base import Result, Subject
from qcode.doctor.meeting import Address, met
from qcode.server.base import ServerFacts
from tests.support.scripted_server import ScriptedServer


@asynccontextmanager
async def subject_of(server: ScriptedServer) -> AsyncIterator[Subject]:
    async with met(Address(server.base_url)) as subject:
        yield subject


def ids(result: Result) -> list[str]:
    return [finding.id for finding in result.findings]


def facts(**known: object) -> ServerFacts:
    plain = ServerFacts(
        "llamacpp",
        "b11549",
        "http://127.0.0.1:1/v1",
        "m",
        ("m",),
        65_536,
        "fold",
        "seen by rendering",
        "reasoning_content",
        trained_tokens=262_144,
    )
    return replace(plain, **known)
