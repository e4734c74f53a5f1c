"""Objects -> JSON for stdout: the one place that writes it."""

from typing import Any

import msgspec

from qcode.protocol.text import escaped, well_formed


def encoded(told: Any) -> str:
    """JSON on one line, whatever a terminal or a file system has put into it."""
    try:
        return escaped(msgspec.json.encode(told).decode())
    except UnicodeEncodeError:  # a name that is no text, such as `--model $'\xff'`
        import json  # noqa: PLC0415 - seldom needed, and the first line waits for it

        text = json.dumps(msgspec.to_builtins(told), ensure_ascii=False)
        return escaped(well_formed(text))
