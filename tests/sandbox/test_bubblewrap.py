"""What bubblewrap is told, and that it holds, where it is installed."""

import asyncio
import os
import shlex
import shutil
import subprocess
from collections.abc import AsyncIterator
from contextlib import suppress
from functools import partial
from itertools import pairwise
from pathlib import Path
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qcode.sandbox.base import Command
from qcode.sandbox.bubblewrap import (
    END,
    FOUNDING,
    LATER,
    LONGEST_WORDS,
    WORDS,
    Bubblewrap,
    program,
)
from qcode.sandbox.bwrap_arguments import arguments, ended, options
from qcode.sandbox.choose import choose
from qcode.sandbox.fence import Inside
from qcode.sandbox.fenced import LONGEST_BYTES, FencedRunner
from qcode.sandbox.ground import Ground
from qcode.sandbox.place import Place
from qcode.sandbox.trial import trial
from tests.sandbox.fences import outside_tmp
from tests.sandbox.processes import until

PROGRAM = shutil.which("bwrap") or ""
installed = pytest.mark.skipif(not PROGRAM, reason="bubblewrap is not installed here")


def as_word(data: bytes) -> str:
    """Any bytes but NUL, as a line from a terminal may have them."""
    return os.fsdecode(data.replace(b"\0", b""))


INSIDE = Inside(("/bin/sh", "-c", "true"), Path("/w"), {"A": "b c"})


def test_where_and_with_which_variables_a_command_runs() -> None:
    told = arguments((), INSIDE)
    assert told[told.index("--chdir") + 1] == "/w"
    assert told[told.index("--setenv") + 1 :][:2] == ("A", "b c")
    assert {"--unshare-pid", "--unshare-user", "--new-session"} <= set(told)
    assert {"--clearenv", "--die-with-parent"} <= set(told)


def test_places_come_in_their_order_over_a_root_that_is_read_only(tmp_path: Path) -> None:
    secret, folder = tmp_path / "secret", tmp_path / "keys"
    secret.touch()
    folder.mkdir()
    places = (
        Place("tmp", "/tmp", "/private"),
        Place("hollow", "/run"),
        Place("write", "/w"),
        Place("pin", "/w/.git"),
        Place("read", "/w/.git/hooks"),
        Place("hide", str(secret)),
        Place("hide", str(folder)),
    )
    told = arguments(places, INSIDE)
    text = " ".join(told)
    order = (
        "--ro-bind / /",
        "--bind /private /tmp --tmpfs /run",
        "--bind /w /w --bind /w/.git /w/.git --ro-bind /w/.git/hooks /w/.git/hooks",
        f"--ro-bind /dev/null {secret}",
        f"--tmpfs {folder} --remount-ro {folder}",
        "--remount-ro /run --clearenv",
    )
    found = [text.index(part) for part in order]
    assert all(first < second for first, second in pairwise(found))


@pytest.mark.parametrize(
    ("known", "words"),
    [
        ((), "--ro-bind /w/.git /w/.git"),
        (("--perms",), "--perms 0555 --tmpfs /w/.git"),
        (("--perms", "--size"), "--perms 0555 --size 1 --tmpfs /w/.git"),
    ],
)
def test_a_name_that_does_not_exist_is_covered_as_this_version_can(
    known: tuple[str, ...], words: str
) -> None:
    places = (Place("write", "/w"), Place("stand", "/w/.git"), Place("hollow", "/run"))
    text = " ".join(arguments(places, INSIDE, known))
    assert f"--remount-ro /run {words} --clearenv" in text
    assert text.index("--bind /w /w") < text.index(words)


def test_a_version_is_asked_for_its_options_and_a_setuid_one_has_none_for_size(
    tmp_path: Path,
) -> None:
    found = []
    for name, rights in (("new", 0o755), ("setuid", 0o4755)):
        it = tmp_path / name
        it.write_text("#!/bin/sh\necho '  --perms OCTAL  set'; echo '  --size BYTES  of --tmpfs'\n")
        it.chmod(rights)
        found.append(sorted(options(str(it))))
    assert found == [["--perms", "--size", "--tmpfs"], ["--perms", "--tmpfs"]]
    assert not options(str(tmp_path / "gone"))


@installed
async def test_what_a_command_forces_into_a_stand_in_reaches_neither_disk_nor_the_next_one(
    inside: tuple[FencedRunner, Path],
) -> None:
    runner, workspace = inside
    line = "chmod u+w .vscode && echo x >.vscode/tasks.json; cat .vscode/tasks.json"
    first = await runner.run(Command(line, workspace, 30), lambda _: None)
    assert first.head == "x\n", "what it owns, it may write"
    line = (
        "chmod u+w .git; head -c 9000 /dev/zero >.git/a; wc -c <.git/a; ls .vscode; ls -d .vscode"
    )
    second = await runner.run(Command(line, workspace, 30), lambda _: None)
    assert "No space left" in second.head
    assert second.head.endswith("4096\n.vscode\n")
    assert not [it for it in workspace.rglob("*") if not it.is_dir()]
    await runner.close()
    assert not list(workspace.iterdir())


@given(st.lists(st.text(st.characters(exclude_characters="\0")) | st.binary().map(as_word)))
def test_words_that_come_in_a_variable_are_the_same_words(words: list[str]) -> None:
    prints = ("/usr/bin/env", "printf", "<%s>", *words)
    done = subprocess.run(
        (*LATER, "99"),
        env={WORDS: shlex.join(prints), END: "whole"},
        capture_output=True,
        check=True,
    )
    assert done.stdout == b"".join(b"<%s>" % os.fsencode(one) for one in words or [""])


@installed
def test_of_a_message_that_is_cut_nothing_is_run() -> None:
    with outside_tmp() as home:
        workspace = home / "project"
        workspace.mkdir()
        fence = Bubblewrap(Ground((workspace,), home), PROGRAM)
        line = "echo x >made; echo 'x'; echo $QCODE_WORDS$QCODE_END >seen"
        inside = Inside(("/bin/sh", "-c", line), workspace, {"PATH": os.defpath, END: "whole"})
        try:
            whole = fence.message(inside)
            behind_a_quote = whole.data.index(b"'\"'\"'x", whole.data.index(WORDS.encode())) + 1
            without_end = whole.data.rindex(b"--setenv\0" + END.encode())
            size = len(whole.data)
            cuts = {0, int(size * 0.3), int(size * 0.9), behind_a_quote, without_end}
            for end in (*cuts, *range(without_end + 1, size - 1), size):
                (workspace / "made").unlink(missing_ok=True)
                assert _is_made(fence, inside, end) == (end == size)
            assert (workspace / "seen").read_text() == "\n"
            for descriptor in whole.held:
                os.close(descriptor)
        finally:
            fence.close()


def _is_made(fence: Bubblewrap, inside: Inside, end: int) -> bool:
    """Whether a command ran that was told no more than this many bytes."""
    ahead, message = fence.ahead(), fence.message(inside)
    assert ahead is not None
    with subprocess.Popen(
        ahead.words,
        pass_fds=ahead.descriptors,
        env={},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ):
        for descriptor in ahead.descriptors:
            os.close(descriptor)
        os.write(ahead.told, message.data[:end])
        os.close(ahead.told)
    for descriptor in message.held:
        os.close(descriptor)
    return (inside.folder / "made").exists()


@installed
async def test_a_command_as_long_as_may_be_runs_as_the_first_and_as_the_next(
    inside: tuple[FencedRunner, Path],
) -> None:
    runner, workspace = inside
    for length in (100, LONGEST_WORDS - 1_000, LONGEST_BYTES - 100):
        output = await runner.run(
            Command("printf %s " + "'" * 2 + "x" * length + " | wc -c", workspace, 30),
            lambda _: None,
        )
        assert output.head.strip() == str(length)
        await asyncio.sleep(0.5)  # by then the next one waits


def test_what_holds_a_nul_does_not_become_two_arguments() -> None:
    assert ended(("--chdir", "/w")) == b"--chdir\0/w\0"
    with pytest.raises(ValueError, match="NUL"):
        ended(("--setenv", "A", "x\0--bind\0/\0/"))


def test_a_link_is_refused_because_it_could_not_be_covered(tmp_path: Path) -> None:
    link = tmp_path / ".claude"
    link.symlink_to(tmp_path)
    with pytest.raises(OSError, match="is a link"):
        arguments((Place("hide", str(link)),), INSIDE)


def test_a_socket_that_was_given_up_meanwhile_is_left_out(tmp_path: Path) -> None:
    gone = str(tmp_path / "s")
    assert gone not in arguments((Place("hide", gone),), INSIDE)


def test_a_program_of_the_project_is_not_taken_for_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake = tmp_path / "bwrap"
    fake.write_text("#!/bin/sh\n")
    fake.chmod(0o755)
    monkeypatch.chdir(tmp_path)
    assert program({"PATH": ".:nowhere"}) is None
    assert program({"PATH": f".:{tmp_path}"}) == str(fake)


@installed
def test_every_promise_holds() -> None:
    with outside_tmp() as base:
        found = trial(lambda ground: Bubblewrap(ground, PROGRAM), base)
        assert found.why == ""
        assert dict(found.broken) == {}
        assert list(base.iterdir()) == []


@installed
def test_what_was_proven_before_is_taken_though_there_is_a_stronger_one() -> None:
    """Where only bubblewrap holds, the others are not tried again at each start."""
    with outside_tmp() as home:
        workspace = home / "project"
        workspace.mkdir()
        ground = Ground((workspace,), home)
        first = choose(ground, home)
        assert first.fence is not None
        kept = home / "fence.json"
        kept.write_text(kept.read_text().replace(first.fence.name, Bubblewrap.name))
        second = choose(ground, home)
        assert second.fence is not None
        assert second.fence.name == Bubblewrap.name


@pytest.fixture
async def inside() -> AsyncIterator[tuple[FencedRunner, Path]]:
    """A runner, and the workspace that it may write."""
    with outside_tmp() as home:
        workspace = home / "project"
        workspace.mkdir()
        ground = Ground((workspace,), home, processes=99)
        it = FencedRunner(Bubblewrap(ground, PROGRAM), home / "spill")
        yield it, workspace
        await it.close()


@installed
async def test_commands_run_with_their_limit_and_nothing_is_left(
    inside: tuple[FencedRunner, Path],
) -> None:
    async def descriptors() -> int:
        await asyncio.sleep(1)  # by then the next one waits
        return len(list(Path("/proc/self/fd").iterdir()))

    runner, workspace = inside
    await runner.run(Command("true", workspace, 30), lambda _: None)
    before = await descriptors()
    line = "echo x >a; cat a; ulimit -u; echo x >.mcp.json; echo x >../a; exit 3"
    output = await runner.run(Command(line, workspace, 30), lambda _: None)
    assert (output.exit_code, output.head[:5]) == (3, "x\n99\n")
    assert "Is a directory" in output.head
    assert "Read-only file system" in output.head
    assert await descriptors() == before
    await runner.close()
    assert [path.name for path in workspace.iterdir()] == ["a"]


def words_of_all() -> str:
    """What `ps` shows of every process on this machine."""
    found = []
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):  # it ended meanwhile
            found.append(entry.read_bytes().decode(errors="replace"))
    return "\n".join(found)


def is_written(path: Path) -> bool:
    return path.is_file() and bool(path.read_text())


@installed
@pytest.mark.parametrize("network", ["entered", "closed"])
async def test_no_value_of_a_variable_is_shown_to_others(network: str) -> None:
    """Of none that waits ahead, none that is started at once, and none without a network."""
    with outside_tmp() as home:
        workspace = home / "project"
        workspace.mkdir()
        weak = home / "bwrap"
        weak.write_text(f'#!/bin/sh\n[ "$1" = {FOUNDING[0]} ] && exit 1\nexec bwrap "$@"\n')
        weak.chmod(0o755)
        used = PROGRAM if network == "entered" else str(weak)
        runner = FencedRunner(Bubblewrap(Ground((workspace,), home), used), home / "spill")
        try:
            for round_ in range(3):
                value = f"secret-{uuid4().hex}"
                line = f"echo $MINE >it-{round_}; sleep 600; true"
                await runner.start(Command(line, workspace, 600, {"MINE": value}))
                printed = workspace / f"it-{round_}"
                assert await until(partial(is_written, printed), 10)
                assert printed.read_text().strip() == value
                shown = words_of_all()
                assert f"it-{round_}" in shown
                assert value not in shown
                await asyncio.sleep(0.5)  # by then the next one waits
        finally:
            await runner.close()
