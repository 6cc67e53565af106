"""What an export format is: how pieces are called and written, and what stands beside them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from db.results.export_manifest import ExportShard
    from producer.export.pictures import ExportedPair


@dataclass(frozen=True, kw_only=True)
class TableFiles:
    """Where the columns of the rows stand, as Croissant names it."""

    #: A glob over the files that hold the rows.
    includes: str
    media_type: str
    #: "column" for tables, "jsonPath" for JSON.
    extract: str
    #: Whether the images stand in columns of the table; otherwise files beside it.
    holds_images: bool = False


class ExportFormat(Protocol):
    """One format. The same rows must give the same bytes: no times, no owners, no order but that of the rows."""

    table: ClassVar[TableFiles]
    #: How to open it, as a line of Python.
    usage: ClassVar[str]

    def shard_name(self, side: str, index: int, count: int) -> str:
        """The path of one of `count` pieces of a side; ends with a slash if it is a folder."""
        ...

    def write(self, path: Path, pairs: Iterable[ExportedPair]) -> None:
        """Write one piece, holding few pairs at once: it is not whole until this returns, and then given its name."""
        ...

    def finish(self, folder: Path, shards: Sequence[ExportShard]) -> None:
        """Write what stands beside the pieces, once all of them are there."""
        ...
