"""Faults of mechanics: a real llama.cpp, started with one of them each."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from qcode.doctor.base import Probe
from qcode.doctor.probes.mechanics import MECHANICS
from tests.doctor.planted import Case, Start
from tests.doctor.reading import Reading
from tests.support.gguf import write_model
from tests.support.llama import LlamaServer, Options, make_model
from tests.support.llama_words import About
from tests.support.render import Style, source
from tests.support.scripted_server import Otherwise, ScriptedServer

PROBES: Sequence[Probe] = tuple(probe for probe in MECHANICS if probe.name != "rates")
"""Without the one that takes long on a processor; it has a test of its own."""

FORGETFUL = source("3.5").replace("{%- if kept -%}", "{%- if false -%}")
"""A template that prints no reasoning of the past, not even of the running turn."""
TOOLLESS = source("3.5").replace("{%- if tools -%}", "{%- if false -%}")


def llama(style: Style = "3.5", **options: object) -> Start:
    """llama.cpp with one model; `options` as of `Options`."""

    @contextmanager
    def start(folder: Path) -> Iterator[str]:
        made = replace(Options(str(make_model(folder, style))), **options)  # type: ignore[arg-type]  # names and values are the caller's
        with LlamaServer(made, folder / "llama.log") as server:
            yield server.base_url

    return start


@contextmanager
def bare(folder: Path) -> Iterator[str]:
    """Its model's file has no chat template."""
    path = folder / "bare.gguf"
    write_model(path, "")
    with LlamaServer(Options(str(path)), folder / "llama.log") as server:
        yield server.base_url


def scripted(about: About, engine: Otherwise) -> Start:
    """A server whose real one no test can start."""

    @contextmanager
    def start(folder: Path) -> Iterator[str]:
        with ScriptedServer(about=about, otherwise=engine) as server:
            yield server.base_url

    return start


OLLAMA = About(kind="ollama", context_tokens=65_536)


def _case(name: str, start: Start, *expected: str) -> Case:
    return Case(name, start, PROBES, frozenset(expected))


CASES = (
    _case("healthy: llama.cpp, Qwen 3.5", llama()),
    _case("healthy: llama.cpp, Qwen 3.6", llama("3.6")),
    _case("healthy: four slots that share", llama(n_parallel=4, kv_unified=True)),
    _case("no checkpoints", llama(n_ctx_checkpoints=0), "reuse.checkpoints"),
    _case("no prompt cache", llama(cache_prompt=False), "reuse.default"),
    _case(
        "no checkpoints and no prompt cache",
        llama(n_ctx_checkpoints=0, cache_prompt=False),
        "reuse.checkpoints",
        "reuse.default",
    ),
    _case("context of 8,192", llama(n_ctx=8_192), "context.small"),
    _case("two slots that divide 65,536", llama(n_parallel=2), "slots.divided"),
    _case("no template in the file", bare, "template.missing"),
    _case("ChatML in place of the file's own", llama(chat_template="chatml"), "template.replaced"),
    _case("template without tools", llama(chat_template=TOOLLESS), "template.tools"),
    _case("template without reasoning", llama(chat_template=FORGETFUL), "template.reasoning"),
    _case(
        "two at once: no checkpoints, 8,192",
        llama(n_ctx=8_192, n_ctx_checkpoints=0),
        "reuse.checkpoints",
        "context.small",
    ),
    _case("healthy: Ollama, scripted", scripted(OLLAMA, Reading())),
    _case(
        "Ollama that cuts at 4,096 and tells 65,536",
        scripted(OLLAMA, Reading(limit_tokens=4_096)),
        "truncation.silent",
    ),
    _case(
        "Ollama with a context of 4,096",
        scripted(replace(OLLAMA, context_tokens=4_096), Reading(limit_tokens=4_096)),
        "context.small",
    ),
    _case(
        "some server that keeps nothing",
        scripted(About(context_tokens=65_536), Reading("nothing")),
        "reuse.off",
    ),
    _case(
        "some server whose template changes old turns",
        scripted(About(context_tokens=65_536), Reading("only old turns")),
        "reuse.history",
    ),
)
