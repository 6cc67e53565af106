"""Cells that contain a list as Python prints it: `['Cubism', 'Fauvism']`."""

from __future__ import annotations

import ast
import re
from functools import lru_cache

_SEPARATORS = re.compile(r"[;|]")


@lru_cache(maxsize=4096)
def split_names(cell: str) -> tuple[str, ...]:
    """The names in a cell: a stringified list (also JSON, even if truncated), names between `;` or `|`, or one name."""
    text = cell.strip()
    if text.startswith(("[", "(")):
        return tuple(name for value in _list_items(text) if (name := value.strip()))
    return tuple(name for part in _SEPARATORS.split(text) if (name := part.strip()))


def _list_items(text: str) -> list[str]:
    try:
        values = ast.literal_eval(text)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return [part.strip(" '\"") for part in text.strip("[]()").split(",")]
    if isinstance(values, str | int | float):
        values = [values]
    return [str(value) for value in values if value is not None]
