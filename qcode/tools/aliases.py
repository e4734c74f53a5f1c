"""Names of fields that models bring along from other agents' tools, and ours for them.

Those of the tools themselves are in `protocol.names`. Names are compared folded: lower case,
without `_`, `-` and blanks. A declared name comes first.
"""

from collections.abc import Collection

from qcode.protocol.names import folded

_FIELDS = {
    "path": "file_path file_name file absolute_path target_file directory dir folder",
    "old_string": "old_str old_text old_content search find",
    "new_string": "new_str new_text new_content replace replacement replace_with",
    "content": "file_text contents text body",
    "command": "cmd command_line script",
    "pattern": "query regex regexp search glob_pattern",
    "count": "replace_all",
    "timeout_seconds": "timeout",
    "action": "run_in_background",
    "job": "job_id shell_id bash_id",
    "items": "todos tasks plan",
    "choices": "options",
    "first_line": "offset start_line line_start start",
    "last_line": "end_line line_end end",
    "glob": "include file_pattern",
    "case": "-i ignore_case case_insensitive",
    "context": "-C",
    "url": "uri link href address",
    "show": "output_mode",
}
FIELDS = {
    folded(alias): tuple(field for field, aliases in _FIELDS.items() if alias in aliases.split())
    for alias in " ".join(_FIELDS.values()).split()
}
"""Alias -> the fields it may stand for."""

WORDS = {
    ("count", "true"): "all",
    ("count", "false"): "one",
    ("action", "true"): "start",
    ("action", "false"): "run",
    ("case", "true"): "ignore",
    ("case", "false"): "match",
    ("show", "content"): "lines",
    ("show", "files_with_matches"): "files",
}
"""What a boolean or a word of those tools is called in ours: (field, value) -> word."""

IDLE = frozenset({"description", "explanation", "-n", "prompt"})
"""Fields that change nothing here (talk about the call, line numbers, what to look for on a page):
they are dropped."""


def field_name(name: str, declared: Collection[str], present: Collection[str]) -> str | None:
    """The declared field that an undeclared `name` stands for, if the call lacks that field."""
    key = folded(name)
    same = {folded(each): each for each in declared}.get(key)
    candidates = (same,) if same else FIELDS.get(key, ())
    return next((it for it in candidates if it in declared and it not in present), None)
