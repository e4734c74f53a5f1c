"""What the doctor asks and what it finds, as values. Each probe is a file of `probes/`."""

import math
import time
from typing import Any, Literal, Protocol

import msgspec

from qcode.server.ask import Asker
from qcode.server.base import Request, Server, ServerFacts, Strategy
from qcode.server.sounding import Sounding, sound

Verdict = Literal["works", "fails", "unclear"]
"""unclear = the server does not tell, or the model did not do as it was asked: never a finding."""

Weight = Literal["broken", "slow", "note"]
"""What a finding means: work fails; time is lost; worth knowing, and no fault of the set-up."""

Measure = float | int | str | bool | None


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that is wrong, and what to do about it."""

    id: str
    """Of one fault for ever, for scripts: `reuse.checkpoints`."""
    weight: Weight
    title: str
    """One sentence: what is."""
    cost: str
    """What it costs, measured where it can be: `each question reads 11,900 tokens again, 4.6 s`."""
    change: str
    """The exact change, for this server and build: a flag, a variable, a command."""
    evidence: dict[str, Measure] = {}
    """What was seen, each with its unit in its name."""
    source: str = ""
    """Where it is known from: `measured`, `measured; llama.cpp b11549`, `Unsloth's notes`."""

    @property
    def known(self) -> str:
        """The same to be read behind the word `known`; empty = it is not told."""
        if self.source.startswith("measured"):
            return self.source.replace("measured", "by measuring", 1)
        return f"from {self.source}" if self.source else ""


class Learned(msgspec.Struct, frozen=True, kw_only=True):
    """What the agent does otherwise from now on. None and empty = nothing was learned."""

    strategy: Strategy | None = None
    """How history is sent: the one that was seen to be reused."""
    budget_holds: bool | None = None
    """Whether the server's own thinking budget was seen to hold; False = qcode keeps it itself."""
    switch_works: bool | None = None
    """Whether thinking goes off when it is switched off."""
    ignored: tuple[str, ...] = ()
    """Sampling values, by our names, that were seen to change nothing."""
    context_tokens: int | None = None
    """Where the server keeps less than it tells."""


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """What one probe came to."""

    probe: str
    verdict: Verdict
    said: str
    """One line for people: what was seen, with its figures."""
    findings: tuple[Finding, ...] = ()
    measured: dict[str, Measure] = {}
    learned: Learned = Learned()
    seconds: float = 0.0
    """How long it took; filled in by who runs it."""


class Rates(msgspec.Struct):
    """As measured so far, by which the rest is fitted to the time. None = not yet."""

    prompt_per_second: float | None = None
    generated_per_second: float | None = None

    def seconds(self, prompt_tokens: int, generated_tokens: int) -> float:
        """How long such a request takes, as far as one can know."""
        read = prompt_tokens / (self.prompt_per_second or 200.0)
        return read + generated_tokens / (self.generated_per_second or 10.0)


class Subject(msgspec.Struct):
    """The server under examination. Probes write to `rates` and `notes`, and to nothing else."""

    server: Server
    facts: ServerFacts
    asker: Asker
    """For questions beyond chat completions: `/props`, `/slots`, `/apply-template`."""
    salt: str
    """New for each run and to be near the start of every prompt: nothing is reused by accident."""
    asked_for: str = ""
    """The model by the name that was said; `facts.model` is the one that answers."""
    props: dict[str, Any] = msgspec.field(default_factory=dict)
    """llama.cpp's `/props`; {} elsewhere."""
    deep: bool = False
    """Probes of quality too, which take minutes."""
    ends: float = math.inf
    """When it must be over, by `time.monotonic`."""
    haste: float = 1.0
    """Share of the usual time that there is: who reads for seconds reads for less."""
    rates: Rates = msgspec.field(default_factory=Rates)
    notes: dict[str, Measure] = msgspec.field(default_factory=dict)
    """What one probe leaves for the next: `reuse.extends`."""

    @property
    def seconds_left(self) -> float:
        """For whatever may be left out."""
        return self.ends - time.monotonic()

    async def ask(self, request: Request) -> Sounding:
        """One request, as the agent would send it."""
        return await sound(self.server, request)


class Probe(Protocol):
    """One question to the set-up. Without state of its own: an instance may run twice."""

    name: str
    """Of one word or two, for ever: `reuse`, `tool call`."""
    label: str
    """What is said while it runs: `reading 8,000 tokens twice`."""

    def absent(self, subject: Subject) -> str:
        """Why it cannot be asked here, a clause: `the server does not render`. Empty = it can."""
        ...

    def estimate(self, subject: Subject) -> float:
        """Seconds that it will take at the rates known so far."""
        ...

    async def run(self, subject: Subject) -> Result:
        """Ask. Raises nothing for what a server does wrong."""
        ...
