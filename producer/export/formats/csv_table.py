"""One CSV with a row a pair, and folders of image files to which it points."""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING, ClassVar

from producer.export.formats.image_folder import write_images
from producer.export.formats.protocol import TableFiles
from producer.export.record import COLUMNS, flat_record
from producer.export.shard_files import write_whole

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from db.results.export_manifest import ExportShard
    from producer.export.pictures import ExportedPair

#: The whole table, at the top; each folder of images has its own part of it beside them.
TABLE = "pairs.csv"
_COLUMNS = ("original_image", "repaint_image", *(column.name for column in COLUMNS))


class CsvFormat:
    """`pairs.csv` and `images/train-00000/` and so on; lists are JSON, paths are relative to the table they stand in."""

    table: ClassVar[TableFiles] = TableFiles(includes=TABLE, media_type="text/csv", extract="column")
    usage: ClassVar[str] = 'pandas.read_csv("DEST/pairs.csv")'

    def shard_name(self, side: str, index: int, count: int) -> str:  # noqa: ARG002  # a folder is listed, not counted
        """A folder of its own for each piece: no folder gets too long to list."""
        return f"images/{side}-{index:05d}/"

    def write(self, path: Path, pairs: Iterable[ExportedPair]) -> None:
        """One folder."""
        path.mkdir()
        with (path / TABLE).open("w", encoding="utf-8", newline="") as file:
            table = csv.writer(file, lineterminator="\n")
            table.writerow(_COLUMNS)
            for pair in pairs:
                original, repaint = write_images(path, pair)
                table.writerow([original, repaint, *flat_record(pair.record).values()])

    def finish(self, folder: Path, shards: Sequence[ExportShard]) -> None:
        """The parts of the table as one, with the paths of the images seen from the top."""
        write_whole(folder / TABLE, lambda path: _join(path, folder, shards))


def _join(path: Path, folder: Path, shards: Sequence[ExportShard]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(_COLUMNS)
        for shard in shards:
            with (folder / shard.name / TABLE).open(encoding="utf-8", newline="") as part:
                rows = csv.reader(part)
                next(rows)
                table.writerows([shard.name + original, shard.name + repaint, *facts] for original, repaint, *facts in rows)
