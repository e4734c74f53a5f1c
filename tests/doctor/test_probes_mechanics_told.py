"""How a server was started: by its metrics, and by the command line of its process."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from msgspec.structs import replace

from qcode.doctor.base import Probe, Result
from qcode.doctor.probes import started
from qcode.doctor.probes.cache_type import CacheType
from qcode.doctor.probes.drafts import Drafts
from qcode.doctor.probes.processes import listening
from qcode.doctor.probes.reuse import Reuse
from tests.doctor.questioned import facts, ids, subject_of
from tests.doctor.reading import Reading
from tests.support.http1 import Json
from tests.support.llama_words import About
from tests.support.script import Received
from tests.support.scripted_server import ScriptedServer, StartScripted

CONFIG = (
    'vllm:cache_config_info{block_size="528",cache_dtype="%s",enable_prefix_caching="%s",'
    'engine="0"} 1.0\n'
)
COUNTS = """# TYPE vllm:spec_decode_num_draft_tokens counter
vllm:spec_decode_num_draft_tokens_total{engine="0"} 1000.0
vllm:spec_decode_num_draft_tokens_total{engine="1"} 1.0e+03
vllm:spec_decode_num_accepted_tokens_total{engine="0"} 300.0
vllm:spec_decode_num_accepted_tokens_total{engine="1"} 200.0
"""


class Metered(ScriptedServer):
    """vLLM's `/metrics`."""

    told = ""

    async def other(self, request: Received) -> tuple[int, Json]:
        return (200, self.told) if request.path == "/metrics" else await super().other(request)


@contextmanager
def metered(told: str, engine: Reading) -> Iterator[Metered]:
    with Metered(otherwise=engine) as server:
        server.told = told
        yield server


class TestVllm:
    async def run(self, probe: Probe, told: str, engine: Reading | None = None) -> Result:
        with metered(told, engine or Reading(tells_cached=False)) as server:
            async with subject_of(server) as subject:
                kind = replace(subject.facts, kind="vllm", version="0.33.0")
                return await probe.run(replace(subject, facts=kind))

    async def test_a_prefix_cache_that_is_off_is_told_by_itself(self) -> None:
        result = await self.run(Reuse(), CONFIG % ("auto", "False"))
        assert ids(result) == ["reuse.off"]
        assert "--enable-prefix-caching" in result.findings[0].change

    async def test_one_that_is_on_is_no_fault(self) -> None:
        assert not ids(await self.run(Reuse(), CONFIG % ("auto", "True"), Reading()))

    async def test_less_than_a_block_read_again_is_no_fault(self) -> None:
        """Its hybrid models keep whole blocks alone, of 2,048 tokens and more."""
        told = CONFIG.replace("528", "8192") % ("auto", "True")
        result = await self.run(Reuse(), told, Reading("nothing"))
        assert result.verdict == "unclear"
        assert not result.findings

    @pytest.mark.parametrize(
        ("dtype", "found"), [("auto", []), ("fp8", ["cache.disputed"]), ("int4", ["cache.coarse"])]
    )
    async def test_the_type_of_its_cache_is_a_label(self, dtype: str, found: list[str]) -> None:
        assert ids(await self.run(CacheType(), CONFIG % (dtype, "True"))) == found

    async def test_its_drafts_are_counted_over_all_engines(self) -> None:
        result = await self.run(Drafts(), COUNTS)
        assert result.measured["drafted_tokens"] == 2_000
        assert result.measured["accepted_tokens"] == 500
        assert ids(result) == ["drafts.rejected"]
        assert "num_speculative_tokens" in result.findings[0].change


LISTENER = """
import socket, sys
door = socket.create_server(("127.0.0.1", 0))
print(door.getsockname()[1], flush=True)
sys.stdin.read()
"""


@contextmanager
def listener(folder: Path, words: list[str], variables: dict[str, str]) -> Iterator[int]:
    """A process by the name of llama-server that listens, and does no more; its port."""
    program = folder / "llama-server"
    program.write_text(LISTENER)
    command = [sys.executable, str(program), *words]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=variables
    ) as process:
        assert process.stdout
        yield int(process.stdout.readline())
        process.communicate()


@pytest.mark.skipif(not Path("/proc/net/tcp").exists(), reason="only Linux tells who listens")
class TestStarted:
    @pytest.mark.parametrize(
        ("words", "variables", "found"),
        [
            (["-ctk", "q4_0", "-ctv", "q4_0"], {}, ["cache.coarse"]),
            (["--cache-type-k=q8_0"], {}, ["cache.disputed"]),
            (["-c", "65536"], {}, []),
            ([], {"LLAMA_ARG_CACHE_TYPE_V": "q4_0"}, ["cache.coarse"]),
        ],
        ids=["flags", "one flag", "none", "variable"],
    )
    async def test_the_type_of_the_cache_is_read_off_the_command_line(
        self,
        words: list[str],
        variables: dict[str, str],
        found: list[str],
        scripted: StartScripted,
        tmp_path: Path,
    ) -> None:
        with listener(tmp_path, words, variables) as port:
            async with subject_of(scripted(about=About(kind="llamacpp"))) as subject:
                at = facts(base_url=f"http://127.0.0.1:{port}/v1")
                result = await CacheType().run(replace(subject, facts=at))
        assert ids(result) == found

    async def test_another_program_before_the_server_tells_nothing(
        self, scripted: StartScripted
    ) -> None:
        async with subject_of(scripted(about=About(kind="llamacpp"))) as subject:
            result = await CacheType().run(subject)  # this process listens, no llama-server
        assert result.verdict == "unclear"

    def test_nobody_listens_and_nothing_is_told(self) -> None:
        assert listening(1) == ()

    def test_no_files_of_the_kernel_and_nothing_is_told(self, tmp_path: Path) -> None:
        assert listening(80, tmp_path) == ()


def test_of_a_flag_that_is_given_twice_the_last_holds() -> None:
    words = ("llama-server", "-ctk", "q4_0", "--cache-type-k=q8_0")
    assert started.value(words, "-ctk", "--cache-type-k") == "q8_0"
    assert started.value(words, "-ctv") is None
