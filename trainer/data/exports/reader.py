"""What a training needs of an export, whatever its format: the facts of each pair, and the bytes of an image by its place."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence


@dataclass(frozen=True, kw_only=True, slots=True)
class ImagePlace:
    """Where an image lies in an export."""

    #: Path of a file in the export.
    file: str
    #: Where it begins in the file, in bytes, and how many it has; in a parquet file the number of the row group, and of the row in it.
    start: int = 0
    size: int = 0
    #: Column of a parquet file.
    column: str = ""


@dataclass(frozen=True, kw_only=True)
class ExportedFacts:
    """One pair of an export."""

    #: The columns by name, as `paragone export` writes them; JSON columns as text.
    record: dict[str, Any]
    original: ImagePlace
    repaint: ImagePlace


def read_flat(record: Mapping[str, Any]) -> dict[str, Any]:
    """The facts of a format without a schema: there a text that is missing is empty, and a list is JSON as text."""
    whole = {name: None if value == "" else value for name, value in record.items()}
    return whole | {"styles": json.loads(record["styles"])}


class ExportReader(Protocol):
    """Reads one format."""

    def pairs(self, shards: Sequence[str]) -> Iterator[ExportedFacts]:
        """The pairs of these pieces, in order; images are not read."""
        ...

    def read(self, place: ImagePlace) -> bytes:
        """The bytes of one image; safe in several threads, fastest in the order of `pairs`; raises `OSError`."""
        ...
