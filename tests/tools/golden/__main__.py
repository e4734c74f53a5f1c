"""Write the schemas of the built-in tools anew: `python -m tests.tools.golden`."""

from pathlib import Path

import msgspec

from qcode.tools.builtin import BUILTIN
from qcode.tools.schema import spec

Path(__file__).with_name("tools.jsonl").write_bytes(
    b"".join(msgspec.json.encode(spec(tool)) + b"\n" for tool in BUILTIN)
)
