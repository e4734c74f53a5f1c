"""The tools of a request, as calls that leaked into the text are matched with them."""

from collections.abc import Mapping, Sequence
from typing import Any

from qcode.protocol.names import bare, folded

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
        """Whether `written` names a tool of the request."""
        return folded(bare(written)) in self._by_name

    def has_begin(self, written: str) -> bool:
        """Whether a tool's name begins so."""
        begin = folded(bare(written))
        return any(name.startswith(begin) for name in self._by_name)

    def fields(self, written: str) -> Mapping[str, Schema] | None:
        """The schema of each field of a tool; None = there is no such tool."""
        function = self._by_name.get(folded(bare(written)))
        if function is None:
            return None
        found = (function.get("parameters") or {}).get("properties")
        properties = found if isinstance(found, dict) else {}
        return {name: each if isinstance(each, dict) else {} for name, each in properties.items()}
