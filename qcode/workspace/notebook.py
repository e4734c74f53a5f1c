"""A Jupyter notebook as text: its JSON with the outputs cut."""

import json
from typing import Any

_KEPT_CHARACTERS = 400


def cut_notebook(text: str) -> str | None:
    """JSON laid out as Jupyter writes it, so that source lines read as in the file.

    None = this is no notebook.
    """
    try:
        notebook = json.loads(text)
    except (ValueError, RecursionError):
        return None
    cells = notebook.get("cells") if isinstance(notebook, dict) else None
    if not isinstance(cells, list):
        return None
    for cell in cells:
        if isinstance(cell, dict) and "outputs" in cell:
            cell["outputs"] = _cut(cell["outputs"])
        if isinstance(cell, dict) and "attachments" in cell:
            cell["attachments"] = _cut(cell["attachments"])
    return json.dumps(notebook, indent=1, ensure_ascii=False)


def _cut(value: Any) -> Any:
    """The same shape with long texts cut; a list of lines counts as one text."""
    if isinstance(value, list) and value and all(isinstance(item, str) for item in value):
        return _cut("".join(value))
    if isinstance(value, str):
        return value if len(value) <= _KEPT_CHARACTERS else _shortened(value)
    if isinstance(value, list):
        return [_cut(item) for item in value]
    if isinstance(value, dict):
        return {key: _cut(item) for key, item in value.items()}
    return value


def _shortened(text: str) -> str:
    return f"{text[:_KEPT_CHARACTERS]}… ({len(text):,} characters, cut)"
