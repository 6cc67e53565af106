"""Exports as folders of image files with a table in each: `pairs.csv` or `metadata.jsonl`."""

from __future__ import annotations

import csv
import json
from typing import TYPE_CHECKING, Any

from trainer.data.exports.reader import ExportedFacts, ImagePlace, read_flat
from trainer.errors import BadExportFolder

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

#: Columns that hold numbers: a CSV holds text alone.
_NUMBERS = {
    *("ordinal", "seed", "draft_tokens", "prompt_tokens"),
    *("original_width", "original_height", "repaint_width", "repaint_height"),
}
_CSV, _JSON_LINES = "pairs.csv", "metadata.jsonl"


class FolderExport:
    """Reads the formats csv and imagefolder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def pairs(self, shards: Sequence[str]) -> Iterator[ExportedFacts]:
        """The pairs of these folders."""
        for shard in shards:
            path = self._folder / shard
            table = path / (_CSV if (path / _CSV).is_file() else _JSON_LINES)
            records = _csv_records(table) if table.name == _CSV else _json_records(table)
            try:
                for original, repaint, record in records:
                    yield ExportedFacts(
                        record=record, original=ImagePlace(file=f"{shard}{original}"), repaint=ImagePlace(file=f"{shard}{repaint}")
                    )
            except (OSError, ValueError, KeyError, csv.Error) as error:
                raise BadExportFolder(f"{table} cannot be read ({error}): run `paragone export` again") from None

    def read(self, place: ImagePlace) -> bytes:
        """One file."""
        return (self._folder / place.file).read_bytes()


def _csv_records(table: Path) -> Iterator[tuple[str, str, dict[str, Any]]]:
    with table.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            images = row.pop("original_image"), row.pop("repaint_image")
            record = {name: int(cell) if name in _NUMBERS and cell else cell for name, cell in row.items()}
            yield *images, read_flat(record)


def _json_records(table: Path) -> Iterator[tuple[str, str, dict[str, Any]]]:
    with table.open(encoding="utf-8") as file:
        for line in file:
            record = json.loads(line)
            yield record.pop("original_file_name"), record.pop("file_name"), read_flat(record)
