"""Which model's file is to be served: those on this machine, or one that is typed."""

import asyncio
import os
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

from qcode.serve.here import here, places
from qcode.serve.remarks import gigabytes
from qcode.tui.picker.frame import Sheet
from qcode.tui.picker.rows import Row
from qcode.tui.screens.pickers import CHOOSE, About
from qcode.tui.widgets.header import short_folder

NONE = (
    "No model file was found in ~/models, the hub's cache and their like. Type a path, or "
    "`qcode models` in a shell says what fits here and fetches it."
)


def of_model_file(folders: tuple[Path, ...] | None = None) -> About[str]:
    """`folders`: where to look; None = where people keep them."""

    async def rows() -> AsyncIterator[Sequence[Row[str]]]:
        found = await asyncio.to_thread(here, places(os.environ) if folders is None else folders)
        yield [
            Row(
                str(one.path),
                one.name,
                f"{gigabytes(one.size_bytes)}   {short_folder(one.path.parent)}",
            )
            for one in found
        ]

    async def typed(words: str) -> Sequence[Row[str]]:
        named = words.strip()
        if named.startswith("hf:") or named.endswith(".gguf"):
            return [Row(named, named, "this one")]
        return ()

    sheet = Sheet(
        "model file",
        placeholder="found on this machine; or type a path, or hf:REPO:QUANT",
        empty=NONE,
        hints=CHOOSE,
    )
    return About(sheet, rows, deeper=typed)
