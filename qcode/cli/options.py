"""What the flags of the main command said, as one typed value."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from qcode.cli.foreign_settings import NOTHING, Theirs


@dataclass(frozen=True, slots=True)
class Options:
    """What the command line said; None and empty mean: not said."""

    prompt: str | None
    print: bool
    plain: bool
    output_format: str
    input_format: str
    schema: str | None
    """`--json-schema`: a file, or the schema itself."""
    partial: bool
    """`--include-partial-messages`."""
    replay: bool
    """`--replay-user-messages`."""
    prompt_tool: str | None
    """`--permission-prompt-tool`: `stdio`."""
    last_message: Path | None
    quiet: bool
    folder: Path | None
    add_dirs: tuple[Path, ...]
    model: str | None
    base_url: str | None
    gguf: str | None
    """A model file that qcode serves itself, or `hf:REPO:QUANT`."""
    thinking: str | None
    sampling: Mapping[str, float]
    """Values that were said, by the names of `fields.SAMPLING`."""
    loops: str | None
    unattended: bool
    offline: bool
    images: tuple[Path, ...]
    permission_mode: str | None
    sandbox: str | None
    trust: bool
    """What the folder configures counts, for this run."""
    trust_hash: str | None
    """The same, if it hashes to this; else the run ends."""
    tools: str | None
    """What the model is offered, by our names or Claude's; empty = nothing."""
    setting_sources: str | None
    """Claude's `user,project,local`."""
    allowed_tools: tuple[str, ...]
    """As written; a value may hold several rules."""
    disallowed_tools: tuple[str, ...]
    system_prompt: str | None
    """Empty = the built-in one."""
    append_system_prompt: str | None
    verify: str | None
    verify_tries: int | None
    max_turns: int | None
    max_tool_calls: int | None
    max_tokens_total: int | None
    max_wall_seconds: float | None
    session_id: str | None
    """For a new session."""
    resume: str | None
    """Session id or name."""
    continue_: bool
    fork: bool
    no_session: bool
    debug: bool
    foreign: tuple[str, ...]
    """Flags of other agents, and settings in them, that mean nothing here."""
    theirs: Theirs = NOTHING
    """Of `--settings`: what no flag of ours says."""
    mcp_servers: tuple[str, ...] = ()
    """Of a host, by name: `--mcp-config` is read for that alone."""
    own_key: str = field(default="", repr=False)
    """Of a server that qcode itself started for `gguf`; no flag says it."""
    revive: Callable[[], str] | None = None
    """See `Start.revive`; no flag says it either."""
