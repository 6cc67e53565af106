"""The folder that an export goes to: a new or empty one, or one that holds an export already. Nothing else is ever removed from it."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from db.results.export_manifest import MANIFEST, read_manifest
from producer.export.card import CARD
from producer.export.croissant import CROISSANT
from producer.export.errors import ExportRefused
from producer.export.formats.csv_table import TABLE
from producer.export.shard_files import UNFINISHED, remove, remove_unfinished

if TYPE_CHECKING:
    from pathlib import Path

    from db.results.export_manifest import ExportManifest, ExportSource

#: What an export has beside its pieces.
_BESIDE = (TABLE, CARD, CROISSANT, MANIFEST)


def open_destination(folder: Path) -> None:
    """Make the folder, and remove what an interrupted export was writing there.

    Raises:
        ExportRefused: it holds something that is no export, or cannot be made.
        BadExport: its manifest cannot be read.
    """
    if "://" in str(folder) or ":/" in str(folder):
        raise ExportRefused(f"{folder} is a URL: export into a local folder, and copy that")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        present = [path for path in folder.iterdir() if not path.name.startswith(UNFINISHED)]
    except OSError as error:
        raise ExportRefused(f"{folder} cannot be made or read: {error.strerror}: name another folder") from None
    if present and read_manifest(folder) is None:
        raise ExportRefused(f"{folder} is not empty and holds no export: name a new folder")
    remove_unfinished(folder)


def discard_export(folder: Path, known: ExportManifest, wanted: ExportSource, *, force: bool) -> None:
    """Remove the export that is there, if that was asked for; raises `ExportRefused` otherwise, saying how it differs."""
    if not force:
        raise ExportRefused(
            f"{folder} holds another export ({_differences(known.source, wanted)}): name a new folder, or replace it by --force"
        )
    for name in (*(shard.name for shard in known.shards), *_BESIDE):
        remove(folder / name)
    for parent in {(folder / shard.name).parent for shard in known.shards} - {folder}:
        with suppress(OSError):  # it holds something else
            parent.rmdir()


def _differences(known: ExportSource, wanted: ExportSource) -> str:
    before, after = known.model_dump(), wanted.model_dump()
    differing = {name: (before[name], after[name]) for name in before if before[name] != after[name]}
    if set(differing) <= {"snapshot", "rows"}:
        return f"the database has changed since: it had {known.rows:,} rows, now {wanted.rows:,} or others"
    asked = {name: values for name, values in differing.items() if name not in {"snapshot", "rows"}}
    return "; ".join(f"{name}: {_shown(old)}, now {_shown(new)}" for name, (old, new) in asked.items())


def _shown(value: object) -> str:
    return ", ".join(map(str, value)) or "all" if isinstance(value, tuple) else "none" if value in (None, "") else str(value)
