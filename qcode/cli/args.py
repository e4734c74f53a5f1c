"""The flags of the main command as one typed Options; argparse and nothing else.

Long names are those of Claude Code; spellings of other agents are taken as aliases.
"""

import argparse
from pathlib import Path

from qcode import __version__
from qcode.cli import args_lists, args_permission, args_text, foreign, foreign_settings
from qcode.cli.options import Options
from qcode.cli.parser import Parser, between, count, duration, positive, share

EPILOG = """\
subcommands:
  qcode sessions      list, show, search, export, delete sessions
  qcode review        changes hunk by hunk: keep, take back, stage, comment
  qcode servers       what answers, and what it can do
  qcode serve         serve a model file, for every qcode of yours
  qcode models        which models fit this machine, and which to take
  qcode doctor        what is wrong with the server, measured, and what to do
  qcode bench         how fast a server is, what a model gets done; compared
  qcode config        show every setting and where it came from
  qcode auth          keys of endpoints, in the keyring of your system
  qcode permissions   the modes, and what the rules say to a command
  qcode sandbox       try the fence around commands; run one inside it
  qcode audit         what a session connected to, ran, changed, was allowed
  qcode trust         what this folder would configure, and whether it may
  qcode paths         where configuration, sessions and logs are
  qcode bug           a report about qcode, for you to read and send
  qcode help          pages: doctor, environment, exit-codes, rules, sandbox,
                      scripting, servers
  qcode demo          watch it mend a bug
  qcode completion    code for your shell: bash, zsh or fish

exit codes: 0 done, 1 failed, 2 wrong flags, 41 key refused, 42 bad input,
44 no sandbox, 52 bad configuration, 53 step limit, 54 no value fits,
55 budget used up, 56 not trusted, 57 loop, 58 approval needed,
75 server unavailable (try again), 130 interrupted, 143 terminated

examples:
  qcode -p "fix the failing test" --permission-mode auto --sandbox off
  git diff | qcode -p "review this change"
  qcode -p "go on" --continue --output-format json
"""


SAMPLING = ("temperature", "top_p", "top_k", "min_p", "presence_penalty")


def parse(argv: list[str]) -> Options:
    """Read `argv` (without the program's name). Raises UsageError."""
    made = parser()
    found = made.parse_args(args_lists.spread(made.spelt(argv)))
    theirs = foreign_settings.read(found.foreign_settings or ())
    return Options(
        prompt=found.prompt,
        print=found.print,
        plain=found.plain,
        output_format=found.output_format,
        input_format=found.input_format,
        schema=found.json_schema,
        partial=found.include_partial_messages,
        replay=found.replay_user_messages,
        prompt_tool=foreign.prompt_tool(found),
        last_message=found.output_last_message,
        quiet=found.quiet,
        folder=found.cwd,
        add_dirs=(*found.add_dir, *theirs.add_dirs),
        model=found.model or theirs.model,
        base_url=found.base_url,
        gguf=found.gguf,
        thinking=foreign.thinking(found.think, found.effort),
        sampling={name: said for name in SAMPLING if (said := getattr(found, name)) is not None},
        loops=found.loops,
        unattended=found.unattended,
        offline=found.offline,
        images=tuple(found.image),
        permission_mode=theirs.mode_over("yolo" if found.yolo else found.permission_mode),
        sandbox=found.sandbox,
        trust=found.trust,
        trust_hash=found.trust_hash,
        tools=found.tools,
        setting_sources=found.setting_sources,
        allowed_tools=tuple(found.allowed_tools),
        disallowed_tools=tuple(found.disallowed_tools),
        system_prompt=args_text.system_prompt(found),
        append_system_prompt=args_text.appended(found),
        verify=found.verify,
        verify_tries=found.verify_tries,
        max_turns=found.max_turns,
        max_tool_calls=found.max_tool_calls,
        max_tokens_total=found.max_tokens_total,
        max_wall_seconds=found.max_wall_time,
        session_id=found.session_id,
        resume=found.resume,
        continue_=found.continue_,
        fork=found.fork_session,
        no_session=found.no_session,
        debug=found.debug,
        foreign=(*foreign.said(found), *theirs.unheeded),
        theirs=theirs,
        mcp_servers=foreign.servers(found),
    )


def parser() -> Parser:
    """The parser; `--help` prints what the README quotes."""
    made = Parser(
        prog="qcode",
        description="A terminal coding agent for models that run on your own machine.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    made.add_argument("prompt", nargs="?", help="what to do; - reads it from stdin")
    made.add_argument("-v", "--version", action="version", version=f"qcode {__version__}")
    _output(made.add_argument_group("output"))
    _model(made.add_argument_group("model"))
    _sampling(made.add_argument_group("sampling (else as the model's maker recommends)"))
    args_permission.add(made.add_argument_group("permission"))
    _limits(made.add_argument_group("limits and checks"))
    _session(made.add_argument_group("session and workspace"))
    foreign.add(made.add_argument_group())
    return made


Group = argparse._ArgumentGroup


def _output(group: Group) -> None:
    group.add_argument(
        "-p", "--print", action="store_true", help="one prompt, print the answer, exit"
    )
    group.add_argument(
        "--output-format",
        choices=("text", "json", "json-array", "stream-json"),
        default="text",
        help="json: one object on stdout; json-array: all of them; stream-json: a line each",
    )
    group.add_argument(
        "--input-format",
        choices=("text", "stream-json"),
        default="text",
        help="stream-json: a line of JSON on stdin for each message and answer",
    )
    group.add_argument(
        "--include-partial-messages", action="store_true", help="stream-json: with each delta"
    )
    group.add_argument(
        "--replay-user-messages", action="store_true", help="stream-json: with your own messages"
    )
    group.add_argument("--verbose", action="store_true", help=argparse.SUPPRESS)
    group.add_argument(
        "--json-schema",
        "--output-schema",
        metavar="FILE|JSON",
        help="the answer is one JSON value that fits it",
    )
    group.add_argument(
        "-o", "--output-last-message", type=Path, metavar="FILE", help="the answer also to FILE"
    )
    group.add_argument(
        "--plain", action="store_true", help="no full screen: a line an event, for screen readers"
    )
    group.add_argument("-q", "--quiet", action="store_true", help="no progress on stderr")
    group.add_argument("--debug", action="store_true", help="write a log file; says where")


def _model(group: Group) -> None:
    group.add_argument(
        "--model", "-m", metavar="NAME", help="a profile or a model; else the one that is loaded"
    )
    group.add_argument(
        "--base-url", "--openai-base-url", metavar="URL", help="such as http://127.0.0.1:8080/v1"
    )
    group.add_argument(
        "--gguf", metavar="MODEL", help="a model file to serve, or hf:REPO:QUANT: see qcode serve"
    )
    group.add_argument(
        "--think",
        "--thinking",
        "--max-thinking-tokens",
        metavar="LEVEL",
        help="off, low, medium, high, max, or a number of tokens",
    )
    group.add_argument("--effort", metavar="LEVEL", help="how much, where --think says no number")
    group.add_argument(
        "-i",
        "--image",
        action="append",
        default=[],
        type=Path,
        metavar="FILE",
        help="a picture for the prompt, as @FILE in it; may be given again",
    )
    args_text.add(group)


def _sampling(group: Group) -> None:
    group.add_argument("--temperature", type=between(0, 5), metavar="N", help="0 = greedy")
    group.add_argument("--top-p", type=share, metavar="N", help="0 to 1")
    group.add_argument("--top-k", type=count, metavar="N", help="a whole number")
    group.add_argument("--min-p", type=between(0, 1), metavar="N", help="0 to 1")
    group.add_argument("--presence-penalty", type=between(-2, 2), metavar="N", help="-2 to 2")


def _limits(group: Group) -> None:
    group.add_argument(
        "--max-turns",
        "--max-session-turns",
        type=positive,
        metavar="N",
        help="steps: a request, and the calls it asks for",
    )
    group.add_argument("--max-tool-calls", type=positive, metavar="N", help="calls in all")
    group.add_argument(
        "--max-tokens-total",
        type=positive,
        metavar="N",
        help="read and written; seen between steps",
    )
    group.add_argument(
        "--max-wall-time", type=duration, metavar="TIME", help="such as 90s, 15m, 2h"
    )
    group.add_argument(
        "--verify", metavar="CMD", help="runs after the last edit; failures go back to the model"
    )
    group.add_argument("--verify-tries", type=positive, metavar="N", help="runs of --verify")
    group.add_argument(
        "--loops", choices=("break", "off"), help="a model that repeats itself; off: let it"
    )
    group.add_argument(
        "--unattended", action="store_true", help="wait for a server that went away, and go on"
    )


def _session(group: Group) -> None:
    group.add_argument(
        "-c", "--continue", dest="continue_", action="store_true", help="the newest session here"
    )
    group.add_argument("--session-id", metavar="UUID", help="the id of the new session")
    group.add_argument("-r", "--resume", metavar="ID|NAME", help="see qcode sessions list")
    group.add_argument("--fork-session", action="store_true", help="go on in a copy")
    group.add_argument(
        "--no-session",
        "--ephemeral",
        "--no-session-persistence",
        action="store_true",
        help="keep no log of this run",
    )
    group.add_argument("-C", "--cwd", type=Path, metavar="DIR", help="the workspace")
    group.add_argument(
        "--add-dir",
        "--include-directories",
        action="append",
        default=[],
        type=Path,
        metavar="DIR",
        help="one more folder to work in",
    )
