"""Names of tools and fields as models spell them: what makes two spellings the same name."""

import re
from collections.abc import Collection

_PREFIX = re.compile(r"(?:(?:functions?|tools?|default_api)[.:/]+)*", re.IGNORECASE)
"""What models put before a tool's name, from other agents' formats."""


def folded(name: str) -> str:
    """`oldString`, `old-string` and `old_string` are the same."""
    return "".join(sign for sign in name.casefold() if sign not in "_- ")


def bare(name: str) -> str:
    """A tool's name without blanks and prefixes around it."""
    return _PREFIX.sub("", name.strip(), count=1)


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
    "fetch": "web_fetch fetch_url fetch_webpage read_url open_url url_fetch get_url browse",
    "ask": "ask_user ask_user_question ask_followup_question question",
}
ALIASES = {folded(alias): name for name, aliases in _TOOLS.items() for alias in aliases.split()}
"""What other agents call a tool, folded -> our name for it."""


def tool_name(name: str, known: Collection[str]) -> str | None:
    """The known tool that `name` means, or None."""
    if name in known:
        return name
    key = folded(bare(name))
    found = {folded(each): each for each in known}.get(key) or ALIASES.get(key)
    return found if found in known else None
