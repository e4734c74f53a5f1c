"""Texts as models write them that look like loops and are none.

Each is fed as reasoning, as text, in a block of code and as arguments. What repeats sign for sign
is as long here as it gets in earnest.
"""

import base64
import json
import zlib
from collections.abc import Mapping

LICENCE = """\
# Copyright 2026 The Authors.
#
# Licensed under the Apache License, Version 2.0 (the "License"); you may not use this file except
# in compliance with the License. You may obtain a copy of the License in the file LICENSE.
"""
NAMES = ("user", "order", "invoice", "address", "payment", "refund", "cart", "item", "stock", "tax")
_NUMBERED = tuple(f"{name}{n}" for n in range(8) for name in NAMES)


def _edits_told() -> str:
    same = (
        "It has the same import, so I replace it the same way: `import os` by `from os import x`."
    )
    files = (f"pkg/part_{n}.py" for n in range(40))
    return "".join(f"Now {file}. {same} Done with {file}.\n" for file in files)


def _edits() -> str:
    said = (
        "Now `src/{0}/models.py`: I replace the import of `old_{0}` by `new_{0}` and leave the "
        "rest as it is.\n\n```python\nfrom app.{0} import new_{0}\n\nlog = get_logger(__name__)\n"
        "```\n\nThat file is done. The tests of `{0}` still pass.\n\n"
    )
    return "".join(said.format(f"{name}_{n}") for n in range(4) for name in NAMES)


def _numbers() -> str:
    rows = (f"{n:4d}  {n * n:8d}  {n**3:10d}  {n / 7:10.4f}  0.0000  0.0000" for n in range(200))
    return "   n       n^2         n^3         n/7\n" + "\n".join(rows)


def _matrix() -> str:
    return "[\n" + "\n".join("  [" + ", ".join(["0"] * 16) + "]," for _ in range(16)) + "\n]\n"


def _art() -> str:
    wall = ("|___|___|___|___|___|___|___|\n|_|___|___|___|___|___|___|_|\n") * 12
    return f"The wall:\n\n{wall}\n     /\\\n    /  \\\n   /____\\\n   |    |\n   |_[]_|\n"


def _rulers() -> str:
    parts = ("Results", "Timing", "Memory", "Errors", "Notes", "Next steps")
    return "".join(f"{'-' * 100}\n{part}\n{'=' * 100}\n\nNothing new here.\n\n" for part in parts)


def _table() -> str:
    head = "| server | tools | vision | budget | cache |\n|---|---|---|---|---|\n"
    return head + "".join(
        f"| {name}-{n} | yes | no | yes | yes |\n" for n in range(9) for name in NAMES
    )


def _hex() -> str:
    zeros = " ".join(["00"] * 16)
    return "\n".join(f"{n * 16:08x}  {zeros}  |................|" for n in range(150))


def _csv() -> str:
    return "id,name,paid,sent,back\n" + "".join(f"{n},{NAMES[n % 10]},0,0,0\n" for n in range(300))


def _same_csv() -> str:
    return "a,b,c,d\n" + "0,0,0,0\n" * 250


def _json() -> str:
    rows = [{"id": n, "name": NAMES[n % 10], "active": True, "tags": []} for n in range(120)]
    return json.dumps(rows, indent=2)


def _nulls() -> str:
    return json.dumps({"mask": [None] * 200, "flags": [True, False] * 100, "zeros": [0] * 300})


def _tests() -> str:
    lines = [
        f"tests/server/test_{name}.py " + "." * 60 + f" [{n * 9:3d}%]"
        for n, name in enumerate(NAMES)
    ]
    quiet = "." * 700
    return "\n".join(lines) + f"\n\n{quiet}\n----------\nRan 700 tests in 3.2s\n\nOK\n"


def _go_tests() -> str:
    return "".join(
        f"=== RUN   TestOrder/{n}\n--- PASS: TestOrder/{n} (0.00s)\n" for n in range(150)
    )


def _minified() -> str:
    calls = "".join(f'e.on("{name}",function(t){{return t.{name}}}),' for name in _NUMBERED)
    return "!function(){var e=this;" + calls + "}();" * 3


def _licences() -> str:
    body = '\n"""Part {0}."""\n\n\ndef {0}() -> int:\n    return {1}\n\n\n'
    return "".join(LICENCE + body.format(name, n) for n, name in enumerate(NAMES * 2))


def _struct() -> str:
    fields = "".join(f"    uint32_t reserved{n};\n    uint8_t  pad{n}[4];\n" for n in range(100))
    return "struct header {\n" + fields + "};\n"


def _table_in_c() -> str:
    row = "    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,\n"
    return "static const uint8_t table[256] = {\n" + row * 32 + "};\n"


def _blank() -> str:
    return "\n\n\n".join(f"Part {name}{' ' * 60}" + "\n" * 40 for name in NAMES)


def _base64() -> str:
    picture = base64.b64encode(bytes(700) + zlib.compress(repr(NAMES * 9).encode())).decode()
    return f"data:image/png;base64,{picture}"


def _list() -> str:
    return "".join(
        f"{n}. Check that the file of step {n} is there and not empty.\n" for n in range(150)
    )


def _todo() -> str:
    return "".join(
        f"- [ ] move `{name}_{n}` to the new folder\n" for n in range(9) for name in NAMES
    )


def _poem() -> str:
    refrain = (
        "And the river, the river runs down to the sea,\nand nobody asks what the river may be.\n\n"
    )
    verses = (
        f"The {one} of the morning had gone to the mill,\n"
        f"where {two} and {one} were waiting still;\n"
        for one, two in zip(NAMES, reversed(NAMES), strict=True)
    )
    return "".join(verse + refrain for verse in verses)


def _song() -> str:
    return "".join(
        f"{n} bottles of beer on the wall, {n} bottles of beer.\n"
        f"Take one down, pass it around, {n - 1} bottles of beer on the wall.\n\n"
        for n in range(99, 0, -1)
    )


def _poll() -> str:
    return "".join(
        f"The build is at {n} %. It still compiles `{NAMES[n % 10]}.c`. I look again.\n"
        for n in range(100)
    )


def _html() -> str:
    row = "<tr>" + "<td>0</td>" * 12 + "</tr>\n"
    return "<table>\n" + row * 10 + "</table>\n"


def _doctest() -> str:
    asked = ">>> for ({0}, {0}()) in b: pass\nTraceback (most recent call last):\n"
    return "".join(
        asked.format(name) + "SyntaxError: cannot assign to a call\n\n" for name in _NUMBERED
    )


def _sql() -> str:
    row = "INSERT INTO orders (name, paid, sent) VALUES ('{}', FALSE, FALSE);\n"
    return "".join(row.format(f"{name}{n}") for n in range(12) for name in NAMES)


def _diff() -> str:
    hunk = "--- a/{0}.py\n+++ b/{0}.py\n@@ -1,2 +1,2 @@\n-import old\n+import new\n log = get()\n"
    return "".join(hunk.format(f"{name}_{n}") for n in range(5) for name in NAMES)


def _doubts() -> str:
    return "".join(
        f"Wait, let me check `{name}` again. It returns {n}, so the caller in line {n} is right. "
        f"But what of the empty case? Then the loop of `{name}` never runs, and that is fine.\n\n"
        for n, name in enumerate(NAMES * 3)
    )


def _chinese() -> str:
    return "".join(
        f"第{n}步:检查文件{name}是否存在。如果不存在,就创建它。\n"
        for n in range(12)
        for name in NAMES
    )


def _yaml() -> str:
    part = "  - name: {}\n    image: base\n    restart: always\n    ports: []\n    env: {{}}\n"
    return "services:\n" + "".join(part.format(f"{name}-{n}") for n in range(6) for name in NAMES)


HONEST: Mapping[str, str] = {
    "forty similar edits": _edits(),
    "forty edits told": _edits_told(),
    "table of numbers": _numbers(),
    "matrix of zeros": _matrix(),
    "ascii art": _art(),
    "rulers": _rulers(),
    "markdown table": _table(),
    "hex dump": _hex(),
    "csv": _csv(),
    "csv of zeros": _same_csv(),
    "json list": _json(),
    "json of nulls": _nulls(),
    "test log with dots": _tests(),
    "go test log": _go_tests(),
    "minified code": _minified(),
    "licence headers": _licences(),
    "struct fields": _struct(),
    "table in C": _table_in_c(),
    "blank lines": _blank(),
    "base64": _base64(),
    "numbered list": _list(),
    "todo list": _todo(),
    "poem with refrain": _poem(),
    "counting song": _song(),
    "polling a build": _poll(),
    "html table": _html(),
    "doctest": _doctest(),
    "sql inserts": _sql(),
    "diff": _diff(),
    "many doubts": _doubts(),
    "chinese steps": _chinese(),
    "yaml": _yaml(),
}
