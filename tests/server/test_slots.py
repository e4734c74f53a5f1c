"""Slots written down and given back: by a real llama.cpp, and what is noted of them."""

import importlib.util
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qcode.server.base import Request, Server, Warmed
from qcode.server.client import connect
from qcode.server.shelf import MOST_FILES, Shelf
from tests.support.llama import LlamaServer, Options, make_model
from tests.support.plain_http import get, post, tokenize

MARK = "here-0123"
LONG = "".join(f"{n}. A line of what was said.\n" for n in range(100))


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if not importlib.util.find_spec("xllamacpp"):
        pytest.skip("llama.cpp is not installed: pip install xllamacpp")
    return tmp_path_factory.mktemp("llama")


@pytest.fixture(scope="module")
def slots(models: Path) -> Path:
    folder = models / "slots"
    folder.mkdir()
    return folder


@pytest.fixture(scope="module")
def llama(models: Path, slots: Path) -> Iterator[LlamaServer]:
    """Two slots, and a folder for them."""
    options = Options(
        str(make_model(models, "3.6")), n_parallel=2, n_ctx=32_768, slot_save_path=str(slots)
    )
    with LlamaServer(options, models / "llama.log") as server:
        yield server


@pytest.fixture(scope="module")
def bare(models: Path) -> Iterator[LlamaServer]:
    """The same model, without a folder."""
    options = Options(str(make_model(models, "3.6")), n_ctx=32_768)
    with LlamaServer(options, models / "bare.log") as server:
        yield server


def asked(text: str) -> Request:
    return Request("m", [{"role": "user", "content": f"{text}{MARK}"}], ())


async def found(server: LlamaServer) -> Server:
    client = connect(server.base_url)
    await client.facts()
    return client


def erase(server: LlamaServer) -> None:
    for slot in get(server.origin, "/slots"):
        post(server.origin, f"/slots/{slot['id']}?action=erase", {})


@pytest.mark.llamacpp
async def test_what_was_written_down_is_not_read_again(llama: LlamaServer, slots: Path) -> None:
    client = await found(llama)
    first = await client.warm(asked(LONG), MARK)
    assert isinstance(first, Warmed)
    assert first.slot is not None
    assert (first.cached_tokens, first.prompt_tokens > 2_000) == (0, True)
    assert await client.keep_slot(first.slot, "one.bin") == first.prompt_tokens
    assert (slots / "one.bin").stat().st_size > 0
    erase(llama)
    assert await client.restore_slot("one.bin") == first.prompt_tokens
    again = await client.warm(asked(LONG), MARK)
    assert isinstance(again, Warmed)
    # all but the last tokens: one at least is always read
    assert again.cached_tokens >= first.prompt_tokens - 8
    await client.close()


@pytest.mark.llamacpp
async def test_a_slot_that_holds_something_else_is_left_while_another_is_empty(
    llama: LlamaServer,
) -> None:
    client = await found(llama)
    erase(llama)
    kept = await client.warm(asked(LONG), MARK)
    assert isinstance(kept, Warmed)
    assert kept.slot is not None
    assert await client.keep_slot(kept.slot, "two.bin")
    erase(llama)
    other = await client.warm(asked(LONG.upper()), MARK)
    assert isinstance(other, Warmed)
    assert await client.restore_slot("two.bin")
    still = await client.warm(asked(LONG.upper()), MARK)
    assert isinstance(still, Warmed)
    assert still.cached_tokens >= other.prompt_tokens - 8
    await client.close()


@pytest.mark.llamacpp
async def test_a_server_without_a_folder_or_a_file_says_no(
    bare: LlamaServer, llama: LlamaServer, slots: Path
) -> None:
    without, client = await found(bare), await found(llama)
    assert await without.keep_slot(0, "a.bin") == 0
    assert await without.restore_slot("a.bin") == 0
    assert await client.restore_slot("never-written.bin") == 0
    (slots / "broken.bin").write_bytes(b"no state at all" * 100)
    assert await client.restore_slot("broken.bin") == 0
    came = await client.warm(asked("still there"), MARK)
    assert isinstance(came, Warmed)
    await without.close()
    await client.close()


@pytest.mark.llamacpp
async def test_another_build_or_model_has_another_fingerprint(
    llama: LlamaServer, bare: LlamaServer, models: Path
) -> None:
    one, two = await found(llama), await found(bare)
    assert await one.fingerprint() == await two.fingerprint() != ""
    options = Options(str(make_model(models, "3.5")), n_ctx=4_096)
    with LlamaServer(options, models / "other.log") as server:
        other = await found(server)
        assert await other.fingerprint() not in ("", await one.fingerprint())
        await other.close()
    await one.close()
    await two.close()


@pytest.mark.llamacpp
async def test_the_reading_ends_in_front_of_the_mark(llama: LlamaServer) -> None:
    client = await found(llama)
    erase(llama)
    came = await client.warm(asked("Facts.\n\n"), MARK)
    rendered = post(llama.origin, "/apply-template", {"messages": asked("Facts.\n\n").messages})
    prefix = rendered["prompt"].partition(MARK)[0]
    assert isinstance(came, Warmed)
    assert came.prompt_tokens == len(tokenize(llama.origin, prefix))
    await client.close()


SESSIONS = st.sampled_from([f"session-{n}" for n in range(2 * MOST_FILES)])


@given(st.lists(SESSIONS, min_size=1, max_size=40))
def test_there_are_a_few_files_and_the_last_sessions_have_them(sessions: list[str]) -> None:
    import tempfile  # noqa: PLC0415  a folder for each example

    with tempfile.TemporaryDirectory() as folder:
        shelf = Shelf(Path(folder) / "slots.json")
        for session in sessions:
            shelf.put(session, "print", 1)
        last = list(dict.fromkeys(reversed(sessions)))[:MOST_FILES]
        found = {session: shelf.find(session, "print") for session in set(sessions)}
    names = {session: kept.name for session, kept in found.items() if kept}
    assert set(names) == set(last)
    assert len(set(names.values())) == len(names)


def test_what_does_not_fit_or_was_dropped_is_not_found(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path / "slots.json")
    kept = shelf.put("one", "print", 5)
    assert shelf.find("one", "another") is None
    assert shelf.find("two", "print") is None
    assert shelf.find("one", "print") == kept
    shelf.drop(kept)
    assert shelf.find("one", "print") is None


def test_a_note_that_cannot_be_read_or_written_is_none(tmp_path: Path) -> None:
    file = tmp_path / "slots.json"
    file.write_bytes(b"{")
    assert Shelf(file).find("one", "print") is None
    lost = Shelf(tmp_path / "nowhere" / "slots.json")
    lost.put("one", "print", 5)
    assert lost.find("one", "print") is None


def test_a_session_that_is_deleted_leaves_no_file_where_it_can_be_reached(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path / "slots.json")
    here, there, other = (shelf.put(name, "print", 5) for name in ("here", "there", "other"))
    for kept in (here, other):
        (tmp_path / kept.name).write_bytes(b"state")
    assert shelf.forget(["here", "there"], tmp_path) == (there.name,)
    assert not (tmp_path / here.name).exists()
    assert (tmp_path / other.name).exists()
    assert shelf.find("here", "print") is shelf.find("there", "print") is None
    assert shelf.find("other", "print") == other


def test_names_of_another_home_are_others(tmp_path: Path) -> None:
    """Two people may use one server."""
    names = {Shelf(tmp_path / f"{n}.json").put("one", "print", 5).name for n in range(3)}
    assert len(names) == 3
