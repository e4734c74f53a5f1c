"""Who uses the server is not robbed in silence: it is seen at work, and its slot is put back."""

import asyncio
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from qcode.doctor import slot
from qcode.doctor.meeting import Address, met
from tests.support.http1 import Json
from tests.support.llama_words import About
from tests.support.script import Pace, Received, Reply
from tests.support.scripted_server import ScriptedServer, StartScripted

LLAMA = About(kind="llamacpp", slots=2)


@dataclass
class Disk:
    """What a server of the tests saved."""

    actions: list[tuple[str, str]] = field(default_factory=list)


class Saving(ScriptedServer):
    """A llama.cpp with `--slot-save-path`; its second slot is empty."""

    disk: Disk

    async def other(self, request: Received) -> tuple[int, Json]:
        path, _, action = request.path.partition("?action=")
        if not path.startswith("/slots/"):
            return await super().other(request)
        name: Any = request.body["filename"]
        self.disk.actions.append((action, name))
        tokens = 900 if path == "/slots/0" else 0
        return 200, {"n_saved" if action == "save" else "n_restored": tokens}


async def test_slots_that_hold_something_are_saved_and_put_back_under_the_same_name() -> None:
    server = Saving(about=LLAMA)
    server.disk = Disk()
    server.start()
    try:
        async with met(Address(server.base_url)) as subject:
            saved = await slot.save(subject)
            assert saved.slots == (0,)
            assert await slot.restore(subject, saved)
    finally:
        server.close()
    names = [name for action, name in server.disk.actions if action == "restore"]
    assert names == [server.disk.actions[0][1]]


async def test_what_was_given_back_leaves_no_copy_of_the_conversation(tmp_path: Path) -> None:
    server = Saving(about=LLAMA)
    server.disk = Disk()
    server.start()
    ours = tmp_path / "qcode-doctor-0.bin"
    ours.write_bytes(b"a conversation")
    other = tmp_path / "qcode-0a1b2c3d-0.bin"
    other.write_bytes(b"of a session")
    try:
        async with met(Address(server.base_url)) as subject:
            saved = slot.Saved((0,))
            await slot.clear(subject, saved, tmp_path)
            assert not ours.exists()
            assert other.exists()
            assert server.disk.actions == []
            # in a folder of somebody else's an empty slot goes over it
            await slot.clear(subject, saved, tmp_path)
    finally:
        server.close()
    assert [action for action, _ in server.disk.actions] == ["erase", "save"]
    assert {name for _, name in server.disk.actions} == {"qcode-doctor-0.bin"}


async def test_a_server_that_saves_none_is_asked_and_believed(scripted: StartScripted) -> None:
    for about in (LLAMA, About()):
        async with met(Address(scripted(about=about).base_url)) as subject:
            assert (await slot.save(subject)).slots == ()


async def test_a_server_at_work_is_busy_and_one_at_rest_is_not(scripted: StartScripted) -> None:
    server = scripted(Reply(text="slow", pace=Pace(wait_seconds=5.0)), about=LLAMA)
    async with met(Address(server.base_url)) as subject:
        assert not await slot.is_busy(subject)
        post = asyncio.create_task(
            subject.asker.post(f"{server.base_url}/chat/completions", {"messages": []}, 30.0)
        )
        await asyncio.to_thread(server.wait_for, lambda seen: seen.running > 0)
        assert await slot.is_busy(subject)
        assert slot.tells_busy(subject)
        post.cancel()
        await asyncio.wait((post,))


async def test_a_kind_that_does_not_tell_is_not_taken_for_busy(scripted: StartScripted) -> None:
    async with met(Address(scripted().base_url)) as subject:
        assert not await slot.is_busy(subject)
        assert not slot.tells_busy(subject)


class Metrics(ScriptedServer):
    """A vLLM, as far as `/metrics` goes."""

    at_work = 2.0

    async def other(self, request: Received) -> tuple[int, Json]:
        if request.path == "/v1/models":
            return 200, {"object": "list", "data": [{"id": "m", "owned_by": "vllm"}]}
        if request.path == "/metrics":
            words = f'# HELP\nvllm:num_requests_running{{engine="0"}} {self.at_work}\n'
            return 200, words
        return 404, "Not Found"


async def test_a_vllm_at_work_is_seen_by_its_gauge() -> None:
    server = Metrics().start()
    try:
        async with met(Address(server.base_url)) as subject:
            assert subject.facts.kind == "vllm"
            assert await slot.is_busy(subject)
            server.at_work = 0.0
            assert not await slot.is_busy(subject)
    finally:
        server.close()
