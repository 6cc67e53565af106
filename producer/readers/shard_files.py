"""The shards of a folder, in order, and which part of the data set each belongs to."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

#: Shards of the Hugging Face hub: `train-00000-of-00072-<hash>.parquet`, `test.parquet`, `validation_0.tar`.
_SPLIT = re.compile(r"^(train|training|test|testing|validation|valid|val|dev|eval)(?=[-._]|$)", re.IGNORECASE)
_SPELLINGS = {"training": "train", "testing": "test", "valid": "validation", "val": "validation", "dev": "validation", "eval": "test"}


def find_shards(folder: Path, suffix: str, patterns: Sequence[str]) -> list[Path]:
    """Files with the suffix under the first of the patterns that finds any, sorted; hidden ones are left out."""
    for pattern in patterns:
        found = sorted(path for path in folder.glob(f"{pattern}{suffix}") if path.is_file() and not _is_hidden(path, folder))
        if found:
            return found
    return []


def split_name(shard: Path, folder: Path) -> str:
    """The split that a shard's name begins with, or the folder it lies in is called; empty if neither says one."""
    parts = (shard.name, *(part for part in reversed(shard.relative_to(folder).parts[:-1])))
    for part in parts:
        if found := _SPLIT.match(part):
            name = found[1].casefold()
            return _SPELLINGS.get(name, name)
    return ""


def _is_hidden(path: Path, folder: Path) -> bool:
    return any(part.startswith(".") for part in path.relative_to(folder).parts)
