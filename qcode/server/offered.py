"""The tools of a request, as calls that leaked into the text are matched with them."""

from collections.abc import Mapping, Sequence
from typing import Any

from qcode.protocol.names import ALIASES, bare, folded, tool_name

Schema = Mapping[str, Any]


class Offered:
    """Looks up names the way models write them: in other letters, with a prefix."""

    def __init__(self, tools: Sequence[Mapping[str, Any]]) -> None:
        functions = [tool.get("function") or {} for tool in tools]
        self._by_name = {
            folded(each["name"]): each for each in functions if isinstance(each.get("name"), str)
        }

    def __bool__(self) -> bool:
        return bool(self._by_name)

    def has(self, written: str) -> bool:
        """Whether `written` means a tool of the request, by another agent's name perhaps."""
        return tool_name(written, self._by_name) is not None

    def has_begin(self, written: str) -> bool:
        """Whether one begins so."""
        begin = folded(bare(written))
        meant = (alias for alias, name in ALIASES.items() if name in self._by_name)
        return any(name.startswith(begin) for name in (*self._by_name, *meant))

    def fields(self, written: str) -> Mapping[str, Schema] | None:
        """The schema of each field of a tool; None = no tool is called so. By another agent's
        name it may have other fields as well: the engine knows them."""
        function = self._by_name.get(folded(bare(written)))
        if function is None:
            return None
        found = (function.get("parameters") or {}).get("properties")
        properties = found if isinstance(found, dict) else {}
        return {name: each if isinstance(each, dict) else {} for name, each in properties.items()}
