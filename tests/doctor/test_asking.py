"""How the probes of behaviour ask, and when an answer is a fault."""

import struct
import zlib
from base64 import b64decode
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from qcode.doctor.base import Finding, Result, Subject
from qcode.doctor.probes.asking import (
    Judge,
    fails,
    first_shown,
    has,
    question,
    settled,
    thinking_room,
    thoughtful,
    word,
    works,
)
from qcode.doctor.probes.sampling import CutoffsProbe
from qcode.doctor.probes.sight import picture
from qcode.server.base import Request, ServerFacts
from qcode.server.sounding import Sounding
from tests.doctor.test_probes_behaviour import mind_of, subject_of
from tests.support.mind import NONSENSE, Mind
from tests.support.played import PlayedServer
from tests.support.script import Reply

FAULT = Finding(id="a.fault", weight="note", title="It is.", cost="Much.", change="Do.")
SEEN = {"good": works("p", "good"), "bad": fails("p", FAULT)}


def bare(salt: str) -> Subject:
    """Of a server that nobody asks."""
    facts = ServerFacts("generic", "", "http://127.0.0.1:1/v1", "m", ("m",), None, "plain", "", "")
    nobody: Any = None
    return Subject(nobody, facts, nobody, salt)


Settle = Callable[[str, Subject, Sequence[Request], Judge], Awaitable[Result]]


def judge(seen: Sounding) -> Result | str:
    return SEEN.get(seen.text) or "it says nothing"


async def judged(*answers: str, how: Settle = settled) -> Result:
    """What is made of answers that come one after another."""
    with PlayedServer("generic", Mind("generic", presence="absent")) as server:
        server.add(*(Reply(text=answer) for answer in answers))
        async with subject_of(server) as subject:
            asks = [question(subject, str(at)) for at in range(2)]
            return await how("p", subject, asks, judge)


async def test_what_works_is_asked_once() -> None:
    assert (await judged("good")).verdict == "works"


async def test_a_fault_is_one_that_is_seen_twice() -> None:
    assert (await judged("bad", "bad")).findings == (FAULT,)


async def test_a_slip_is_no_finding() -> None:
    for answers in (("bad", "good"), ("bad", NONSENSE), (NONSENSE, "bad")):
        result = await judged(*answers)
        assert (result.verdict, result.findings) == ("unclear", ()), answers


async def test_what_works_at_the_second_try_works() -> None:
    assert (await judged(NONSENSE, "good")).verdict == "works"


async def test_what_no_slip_can_look_like_is_told_at_once() -> None:
    assert (await judged("bad", how=first_shown)).findings == (FAULT,)


async def test_a_server_that_takes_no_great_heat_is_asked_with_less() -> None:
    """And is not remembered as one that takes no temperature."""
    with PlayedServer("llamacpp", mind_of("llamacpp", "heat_refused")) as server:
        async with subject_of(server) as subject:
            result = await CutoffsProbe().run(subject)
            facts = await subject.server.known()
        heats = [request.body.get("temperature") for request in server.requests]
    assert result.verdict == "works"
    assert facts is not None
    assert not facts.refused
    assert heats == [0.0, 5.0, 2.0, 2.0, 2.0]


@given(st.text(min_size=1), st.integers(0, 99))
def test_words_are_the_same_for_a_salt_and_have_no_meaning(salt: str, number: int) -> None:
    subject = bare(salt)
    made = word(subject, number)
    assert made == word(bare(salt), number)
    assert has(f"Der: {made.upper()}!", made)
    assert len(made) >= 8


def test_each_number_has_a_word_of_its_own() -> None:
    subject = bare("salt")
    assert len({word(subject, number) for number in range(60)}) == 60


def test_room_for_thinking_follows_the_rate_within_bounds() -> None:
    rooms = []
    for rate in (None, 1.0, 50.0, 5_000.0):
        subject = bare("salt")
        subject.rates.generated_per_second = rate
        rooms.append(thinking_room(subject))
        asked = thoughtful(subject, "Why?")
        assert asked.max_tokens is not None
        assert asked.max_tokens > rooms[-1]
    assert rooms == [480, 400, 600, 1_500]


def test_the_picture_is_one_that_any_reader_takes() -> None:
    data = b64decode(picture((1, 2, 3)).data)
    assert data.startswith(b"\x89PNG\r\n\x1a\n")
    at, pixels, size = 8, b"", (0, 0)
    while at < len(data):
        (length,) = struct.unpack(">I", data[at : at + 4])
        name, body = data[at + 4 : at + 8], data[at + 8 : at + 8 + length]
        (check,) = struct.unpack(">I", data[at + 8 + length : at + 12 + length])
        assert check == zlib.crc32(name + body)
        if name == b"IHDR":
            size = struct.unpack(">II", body[:8])
        pixels += zlib.decompress(body) if name == b"IDAT" else b""
        at += 12 + length
    width, height = size
    assert pixels == (b"\0" + b"\1\2\3" * width) * height
