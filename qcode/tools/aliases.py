"""Names that models bring along from other agents' tools, and ours for them: data and look-up.

Names are compared folded: lower case, without `_`, `-` and blanks. A declared name comes first.
"""

from collections.abc import Collection

from qcode.protocol.names import bare, folded

_TOOLS = {
    "read": "read_file view_file open_file view cat",
    "write": "write_file create_file write_to_file file_write create",
    "edit": "edit_file str_replace str_replace_editor str_replace_based_edit_tool replace "
    "replace_in_file search_replace apply_edit",
    "glob": "list_files find_files list_directory list_dir ls find",
    "grep": "search search_files search_file_content grep_search rg",
    "shell": "bash run_shell_command execute_command run_command run_terminal_cmd "
    "run_terminal_command terminal exec",
    "todo": "todo_write todos update_plan update_todo_list",
    "ask": "ask_user ask_user_question ask_followup_question question",
}
TOOLS = {folded(alias): name for name, aliases in _TOOLS.items() for alias in aliases.split()}

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

IDLE = frozenset({"description", "explanation", "-n"})
"""Fields that change nothing here (talk about the call, line numbers): they are dropped."""


def tool_name(name: str, known: Collection[str]) -> str | None:
    """The known tool that `name` means, or None."""
    if name in known:
        return name
    key = folded(bare(name))
    found = {folded(each): each for each in known}.get(key) or TOOLS.get(key)
    return found if found in known else None


def field_name(name: str, declared: Collection[str], present: Collection[str]) -> str | None:
    """The declared field that an undeclared `name` stands for, if the call lacks that field."""
    key = folded(name)
    same = {folded(each): each for each in declared}.get(key)
    candidates = (same,) if same else FIELDS.get(key, ())
    return next((it for it in candidates if it in declared and it not in present), None)
