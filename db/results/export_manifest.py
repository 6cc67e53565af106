"""The file in an export that says what it holds: which rows of which campaign, in which pieces, with their hashes.

By it an interrupted export is resumed, and a training reads what was exported.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, ValidationError

from db.errors import PersistenceError

if TYPE_CHECKING:
    from pathlib import Path

#: Its name in the export's folder.
MANIFEST = "paragone-export.json"


class BadExport(PersistenceError):
    """The folder holds no export that can be used."""


class _Facts(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


@dataclass(frozen=True, kw_only=True)
class LeftOutPair:
    """A row that is not in the export, because one of its images is not there or is not the one that it should be."""

    #: Key of the artwork.
    artwork: str
    #: Level of the repaint.
    level: str
    #: Which repaint of that level it is.
    ordinal: int
    #: Which image, and what is wrong with it.
    reason: str


class ExportShard(_Facts):
    """One finished piece: a file, or a folder of images with its table."""

    #: Its path in the export.
    name: str
    split: str
    rows: int
    bytes: int
    #: SHA-256 of the file; of a folder over the names and hashes of its files.
    sha256: str
    left_out: tuple[LeftOutPair, ...] = ()


class ExportSource(_Facts):
    """What was asked for: an export is resumed only if this is the same."""

    format: str
    campaign: str
    #: SHA-256 over all rows as they were when the export began.
    snapshot: str
    rows: int
    #: "none", "catalogue" or percents such as "80/10/10".
    split: str
    split_seed: int
    #: "as-is" or "prepared".
    originals: str
    rows_per_shard: int
    styles: tuple[str, ...] = ()
    levels: tuple[str, ...] = ()
    limit: int | None = None
    #: A further condition, as it was written.
    where: str = ""


class ExportManifest(_Facts):
    """The manifest of one export, finished or not."""

    #: Of this layout.
    version: int = 1
    source: ExportSource
    config_hash: str
    #: The campaign's configuration, without places on a disk or in a network.
    config: dict[str, Any]
    complete: bool = False
    #: Split to rows, planned ones.
    splits: dict[str, int]
    shards: tuple[ExportShard, ...] = ()

    @property
    def left_out(self) -> list[LeftOutPair]:
        """The rows that are not in it."""
        return [pair for shard in self.shards for pair in shard.left_out]

    @property
    def rows(self) -> int:
        """The rows that are in it."""
        return sum(shard.rows for shard in self.shards)


def read_manifest(folder: Path) -> ExportManifest | None:
    """The manifest of the export in a folder; None if there is none; raises `BadExport` if it cannot be used."""
    path = folder / MANIFEST
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise BadExport(f"{path} cannot be read: {getattr(error, 'strerror', None) or 'it is no UTF-8 text'}") from None
    try:
        return ExportManifest.model_validate_json(text)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "the file"
        raise BadExport(f"{path} is no manifest of an export: {where}: {first['msg']}") from None
