"""Rules of policy: one line each, in Claude's syntax or with our own names.

`decide` is pure: it looks at no file and no clock. Deny beats ask beats allow, wherever the rules
come from and however they are ordered; so one more deny rule never allows more.
"""

import difflib
import re
from collections.abc import Iterator, Mapping, Sequence

import msgspec

from qcode.permission.patterns import (
    CommandPattern,
    Ground,
    HostPattern,
    PathPattern,
    host_labels,
    named,
)
from qcode.permission.shell import Line, Simple, split
from qcode.permission.words import Unclear, Word, lex, names
from qcode.protocol.access import Access, AccessKind, Answer, Verdict
from qcode.protocol.errors import ConfigError

STRICTNESS: Mapping[Answer, int] = {"allow": 0, "ask": 1, "deny": 2}

TOOLS: Mapping[str, AccessKind] = {
    "Bash": "shell",
    "shell": "shell",
    "Edit": "edit",
    "MultiEdit": "edit",
    "NotebookEdit": "edit",
    "Write": "edit",
    "edit": "edit",
    "write": "edit",
    "Glob": "read",
    "Grep": "read",
    "LS": "read",
    "Read": "read",
    "glob": "read",
    "grep": "read",
    "read": "read",
    "WebFetch": "network",
    "fetch": "network",
}
"""Names that rules may use -> what they touch."""

IDLE = names(
    "Agent AskUserQuestion BashOutput EnterPlanMode ExitPlanMode KillBash KillShell NotebookRead "
    "Skill SlashCommand Task TodoWrite ToolSearch WebSearch ask todo"
)
"""Names of tools that touch nothing, or that qcode does not have: taken without complaint, since
scripts made for others list them. A rule about them matches nothing."""

_FORM = re.compile(r"([A-Za-z_][\w-]*)(?:\((.*)\))?", re.DOTALL)

Pattern = PathPattern | CommandPattern | HostPattern


class Rule(msgspec.Struct, frozen=True):
    """One line of policy."""

    answer: Answer
    text: str
    """As written: `Bash(git status:*)`."""
    source: str
    """Where it stands: `user config`, `flag --allowed-tools`, `this session`."""
    kind: AccessKind | None
    """None = it is about a tool that touches nothing."""
    pattern: Pattern | None = None
    """None = every access of the kind."""

    def __str__(self) -> str:
        return f"{self.answer} {self.text}"

    def touches(self, access: Access) -> bool:
        """Does it speak of `access`, read widely? For deny and ask rules."""
        if self.kind != access.kind:
            return False
        if isinstance(self.pattern, CommandPattern):
            return self.pattern.touches(split(access.target))
        return self.pattern is None or self.pattern.touches(access)

    def covers(self, access: Access) -> bool:
        """Does it allow all of `access` by itself, read strictly? For allow rules."""
        if self.kind != access.kind:
            return False
        if isinstance(self.pattern, CommandPattern):
            return self.pattern.quotes(split(access.target))
        if self.pattern is None:
            return access.kind in ("shell", "network") or access.place == "workspace"
        return self.pattern.covers(access)


def decide(access: Access, rules: Sequence[Rule], default: Answer) -> Verdict:
    """The strictest matching rule wins, whatever its source or place; no match: `default`."""
    what = {"shell": "command", "network": "host"}.get(access.kind, access.kind)
    return ruled(access, rules) or Verdict(default, f"no rule names this {what}")


def ruled(access: Access, rules: Sequence[Rule]) -> Verdict | None:
    """What the rules say of `access`; None = nothing."""
    strict = [rule for rule in rules if rule.answer != "allow" and rule.touches(access)]
    if strict:
        rule = max(strict, key=lambda hit: STRICTNESS[hit.answer])
        return Verdict(rule.answer, f"{rule.source}: {rule}")
    if whole := quoted(access, rules):
        return Verdict("allow", f"{whole.source}: {whole}")
    allowing = [rule for rule in rules if rule.answer == "allow"]
    if access.kind != "shell" or not any(rule.kind == "shell" for rule in allowing):
        return None
    grants = [granting(command, allowing) for command in split(access.target).commands]
    if split(access.target).unclear or not all(grants):
        return None
    because = dict.fromkeys(f"{rule.source}: {rule}" for rule in grants if rule)
    return Verdict("allow", "; ".join(because))


def quoted(access: Access, rules: Sequence[Rule]) -> Rule | None:
    """The allow rule that covers all of it by itself: of a command line, sign for sign."""
    return next((rule for rule in rules if rule.answer == "allow" and rule.covers(access)), None)


def granting(command: Simple, rules: Sequence[Rule]) -> Rule | None:
    """The allow rule that covers one simple command; every command of a line needs one."""
    return next(
        (
            rule
            for rule in rules
            if rule.answer == "allow"
            and isinstance(rule.pattern, CommandPattern)
            and rule.pattern.covers(command)
        ),
        None,
    )


def uncovered(line: Line, rules: Sequence[Rule]) -> str:
    """Why the allow rules do not let `line` pass: a clause; empty = nothing can be said."""
    if not any(rule.answer == "allow" and rule.kind == "shell" for rule in rules):
        return ""
    if line.unclear:
        return f"no prefix rule allows a line when {line.unclear[0]}"
    missing = next((command for command in line.commands if not granting(command, rules)), None)
    return f"no rule allows `{missing}`" if missing else ""


def parse_rule(text: str, answer: Answer, source: str, ground: Ground) -> Rule:
    """The rule that `text` says. Raises ConfigError with a sentence."""
    text = text.strip()
    form = _FORM.fullmatch(text)
    if form is None:
        raise ConfigError(
            f"{source}: {text!r} is not a rule. Write a tool and what it may touch, such as "
            "Bash(git status:*), Read(docs/**) or Edit."
        )
    name, inside = form.groups()
    if name in IDLE or name.startswith("mcp__"):
        return Rule(answer, text, source, None)
    if name not in TOOLS:
        raise ConfigError(f"{source}: {text!r} names no tool of qcode. {_nearest(name)}")
    kind = TOOLS[name]
    if inside is None or inside.strip() in ("", "*"):
        return Rule(answer, text, source, kind)
    return Rule(answer, text, source, kind, _pattern(kind, inside, f"{source}: {text!r}", ground))


def parse_rules(
    texts: Sequence[str], answer: Answer, source: str, ground: Ground
) -> tuple[Rule, ...]:
    """`parse_rule` for each of `texts`."""
    return tuple(parse_rule(text, answer, source, ground) for text in texts)


def split_rules(text: str) -> tuple[str, ...]:
    """The rules in a flag's value: divided by commas or blanks outside brackets.

    >>> split_rules("Bash(git log:*, x),Edit Read")
    ('Bash(git log:*, x)', 'Edit', 'Read')
    """
    return tuple(_divided(text))


def _divided(text: str) -> Iterator[str]:
    depth, part = 0, ""
    for sign in text:
        depth += (sign == "(") - (sign == ")" and depth > 0)
        if depth == 0 and (sign == "," or sign.isspace()):
            if part:
                yield part
            part = ""
        else:
            part += sign
    if part:
        yield part


def _nearest(name: str) -> str:
    names = sorted(TOOLS)
    close = difflib.get_close_matches(name, names, 1, 0.6)
    return f"Did you mean {close[0]}?" if close else f"The names are {', '.join(names)}."


def _pattern(kind: AccessKind, inside: str, where: str, ground: Ground) -> Pattern:
    match kind:
        case "shell":
            return _command(inside, where)
        case "network":
            return _host(inside, where)
        case _:
            return _path(inside, where, ground)


def _command(inside: str, where: str) -> CommandPattern:
    """`git log:*` = by its first words; `line:…` = this line and no other; else both."""
    text = inside.strip()
    if text.startswith("line:"):
        return CommandPattern(text.removeprefix("line:").strip(), (), rest=False)
    for ending in (":*", " *"):
        if text.endswith(ending):
            prefix = text.removesuffix(ending).strip()
            return CommandPattern(text, _plain(prefix, where), rest=True)
    try:
        return CommandPattern(text, _plain(text, where), rest=False)
    except ConfigError:
        if "*" in text:
            raise
        return CommandPattern(text, (), rest=False)


def _plain(text: str, where: str) -> tuple[str, ...]:
    """`text` as the fixed words of one command."""
    try:
        tokens = lex(text)
    except Unclear as unclear:
        raise ConfigError(f"{where}: {unclear}. Write the plain words of one command.") from None
    words = [token.text for token in tokens if isinstance(token, Word) and token.kind == "fixed"]
    if not words or len(words) != len(tokens):
        raise ConfigError(
            f"{where}: a rule about commands is plain words, with `:*` at the end for any more: "
            "Bash(git status:*). A `*` elsewhere is not understood."
        )
    return tuple(words)


def _host(inside: str, where: str) -> HostPattern:
    name = inside.strip().removeprefix("domain:").strip()
    below = name.startswith("*.")
    labels = host_labels(name.removeprefix("*."))
    if labels is None:
        raise ConfigError(f"{where}: {name!r} is not a host. Write WebFetch(domain:example.com).")
    return HostPattern(labels, below)


def _path(inside: str, where: str, ground: Ground) -> PathPattern:
    """`~/x` = from home, `//x` = from the file system's root, else from the workspace."""
    text = inside.strip()
    if text.startswith("!") or "\n" in text or ".." in text.split("/"):
        raise ConfigError(f"{where}: a path rule has no leading `!`, no `..` and no line break.")
    if (len(text) - len(text.rstrip("\\"))) % 2:
        raise ConfigError(f"{where}: the backslash at its end has nothing behind it to stand for.")
    text = "\\" + text if text.startswith("#") else text
    base, line, wider = "", text[1:], ""
    if text == "~" or text.startswith("~/"):
        line = ground.home + text[1:]
    elif not text.startswith("//"):
        base, line = ground.root, text.removeprefix(".") if text.startswith("./") else text
        wider = text if text.startswith("/") else ""
    return PathPattern(base, line, ground.root, wider, named(base, line, ground.secrets))
