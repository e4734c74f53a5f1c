"""Our tool and argument names <-> Claude's: what wrappers, rules and scripts were written for.

One table, both ways. The model sees ours; only what leaves for a wrapper, and what comes back from
it, passes here. Arguments that the table does not name go through as they are.
"""

import posixpath
from collections.abc import Mapping
from typing import Any

import msgspec

Arguments = dict[str, Any]

_MARKS = {"[ ]": "pending", "[~]": "in_progress", "[x]": "completed"}
_STATES = {state: mark for mark, state in _MARKS.items()}


class Row(msgspec.Struct, frozen=True):
    """One tool."""

    theirs: str
    arguments: Mapping[str, str] = msgspec.field(default_factory=dict)
    """Our name of an argument -> Claude's, where the value is the same."""


TABLE: Mapping[str, Row] = {
    "read": Row("Read", {"path": "file_path"}),
    "write": Row("Write", {"path": "file_path"}),
    "edit": Row("Edit", {"path": "file_path"}),
    "glob": Row("Glob"),
    "grep": Row("Grep", {"context": "-C"}),
    "shell": Row("Bash"),
    "todo": Row("TodoWrite"),
    "ask": Row("AskUserQuestion"),
    "fetch": Row("WebFetch"),
    "structured_output": Row("StructuredOutput"),
}
OURS = {row.theirs: ours for ours, row in TABLE.items()}
JOBS = {"read": "BashOutput", "list": "BashOutput", "stop": "KillShell"}
"""What Claude calls the shell tool when it looks after a job, by our `action`."""


def tool(ours: str) -> str:
    """Claude's name; a tool that the table does not have keeps its own."""
    return TABLE[ours].theirs if ours in TABLE else ours


def outward(name: str, arguments: Arguments, folder: str) -> tuple[str, Arguments]:
    """A call as Claude's: paths absolute, as its clients expect them."""
    if name == "shell" and (job := JOBS.get(str(arguments.get("action")))):
        return job, _job(arguments)
    found = _renamed(arguments, TABLE[name].arguments if name in TABLE else {})
    match name:
        case "read" | "write" | "edit" if isinstance(found.get("file_path"), str):
            found["file_path"] = posixpath.join(folder, found["file_path"])
    match name:
        case "read":
            _lines_out(found)
        case "edit" if found.pop("count", "one") == "all":
            found["replace_all"] = True
        case "grep":
            _grep_out(found)
        case "shell":
            _shell_out(found)
        case "todo" if isinstance(found.get("items"), str):
            found = {"todos": _todos(found["items"])}
        case "ask" if isinstance(found.get("question"), str):
            found = {"questions": [_question(found)]}
    return tool(name), found


def inward(theirs: str, arguments: Arguments, folder: str) -> tuple[str, Arguments]:
    """The way back of `outward`: a path below `folder` is relative again."""
    if theirs in ("BashOutput", "KillShell"):
        return "shell", _job_back(theirs, arguments)
    name = OURS.get(theirs, theirs)
    names = {their: our for our, their in TABLE[name].arguments.items()} if name in TABLE else {}
    found = _renamed(arguments, names)
    match name:
        case "read" | "write" | "edit" if isinstance(found.get("path"), str):
            found["path"] = _below(found["path"], folder)
    match name:
        case "read":
            _lines_in(found)
        case "edit" if found.pop("replace_all", False):
            found["count"] = "all"
        case "grep":
            _grep_in(found)
        case "shell":
            _shell_in(found)
        case "todo" if isinstance(found.get("todos"), list):
            found = {"items": "\n".join(map(_item, found["todos"]))}
        case "ask" if isinstance(found.get("questions"), list) and found["questions"]:
            found = _asked(found["questions"][0])
    return name, found


def _renamed(arguments: Arguments, names: Mapping[str, str]) -> Arguments:
    return {names.get(name, name): value for name, value in arguments.items()}


def _below(path: str, folder: str) -> str:
    return path.removeprefix(posixpath.join(folder, "")) or path


def _lines_out(found: Arguments) -> None:
    first, last = found.pop("first_line", None), found.pop("last_line", None)
    if isinstance(first, int):
        found["offset"] = first
    if isinstance(last, int) and last > 0:
        found["limit"] = last - (first if isinstance(first, int) else 1) + 1


def _lines_in(found: Arguments) -> None:
    first, limit = found.pop("offset", None), found.pop("limit", None)
    if isinstance(first, int):
        found["first_line"] = first
    if isinstance(limit, int):
        found["last_line"] = limit + (first if isinstance(first, int) else 1) - 1


def _grep_out(found: Arguments) -> None:
    if found.pop("case", "match") == "ignore":
        found["-i"] = True
    if (show := found.pop("show", None)) is not None:
        found["output_mode"] = "files_with_matches" if show == "files" else "content"


def _grep_in(found: Arguments) -> None:
    if found.pop("-i", False):
        found["case"] = "ignore"
    if (mode := found.pop("output_mode", None)) is not None:
        found["show"] = "lines" if mode == "content" else "files"


def _shell_out(found: Arguments) -> None:
    if found.pop("action", "run") == "start":
        found["run_in_background"] = True
    if isinstance(seconds := found.pop("timeout_seconds", None), int):
        found["timeout"] = seconds * 1000
    if not found.get("job"):
        found.pop("job", None)


def _shell_in(found: Arguments) -> None:
    found.pop("description", None)
    if found.pop("run_in_background", False):
        found["action"] = "start"
    if isinstance(milliseconds := found.pop("timeout", None), int | float):
        found["timeout_seconds"] = max(1, round(milliseconds / 1000))


def _job(arguments: Arguments) -> Arguments:
    key = "shell_id" if arguments.get("action") == "stop" else "bash_id"
    return {key: arguments.get("job", "")}


def _job_back(theirs: str, arguments: Arguments) -> Arguments:
    if theirs == "KillShell":
        return {"action": "stop", "job": arguments.get("shell_id", "")}
    job = arguments.get("bash_id", "")
    return {"action": "read", "job": job} if job else {"action": "list"}


def _todos(items: str) -> list[dict[str, str]]:
    rows = [row.strip() for row in items.splitlines() if row.strip()]
    return [
        {
            "content": row.removeprefix(row[:3]).strip() if row[:3] in _MARKS else row,
            "status": _MARKS.get(row[:3], "pending"),
            "activeForm": row[3:].strip() if row[:3] in _MARKS else row,
        }
        for row in rows
    ]


def _item(todo: Any) -> str:
    fields = todo if isinstance(todo, dict) else {"content": str(todo)}
    return f"{_STATES.get(str(fields.get('status')), '[ ]')} {fields.get('content', '')}"


def _question(found: Arguments) -> dict[str, Any]:
    choices = [row.strip() for row in str(found.get("choices") or "").splitlines() if row.strip()]
    options = [{"label": choice, "description": ""} for choice in choices]
    return {
        "question": found["question"],
        "header": "Question",
        "options": options,
        "multiSelect": False,
    }


def _asked(question: Any) -> Arguments:
    fields: Arguments = question if isinstance(question, dict) else {"question": str(question)}
    given = fields.get("options")
    options = [each for each in given if isinstance(each, dict)] if isinstance(given, list) else []
    labels = [str(each.get("label", "")) for each in options]
    return {"question": str(fields.get("question", "")), "choices": "\n".join(labels)}
