"""Folders of image files with a `metadata.jsonl` in each, as `datasets` reads under the name `imagefolder`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, ClassVar

from producer.export.formats.protocol import TableFiles
from producer.export.record import flat_record

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from db.results.export_manifest import ExportShard
    from producer.export.pictures import ExportedPair


class ImageFolderFormat:
    """`train/00000/` and so on; the repaint is `file_name`, the image that the loader calls `image`, the original `original_file_name`."""

    table: ClassVar[TableFiles] = TableFiles(includes="*/*/metadata.jsonl", media_type="application/jsonlines", extract="jsonPath")
    usage: ClassVar[str] = 'datasets.load_dataset("imagefolder", data_dir="DEST")'

    def shard_name(self, side: str, index: int, count: int) -> str:  # noqa: ARG002  # a folder is listed, not counted
        """A folder of its own for each piece: no folder gets too long to list."""
        return f"{side}/{index:05d}/"

    def write(self, path: Path, pairs: Iterable[ExportedPair]) -> None:
        """One folder."""
        path.mkdir()
        with (path / "metadata.jsonl").open("w", encoding="utf-8", newline="\n") as table:
            for pair in pairs:
                original, repaint = write_images(path, pair)
                facts = {"file_name": repaint, "original_file_name": original, **flat_record(pair.record)}
                table.write(json.dumps(facts, ensure_ascii=False) + "\n")

    def finish(self, folder: Path, shards: Sequence[ExportShard]) -> None:
        """Nothing stands beside the folders."""


def write_images(folder: Path, pair: ExportedPair) -> tuple[str, str]:
    """Write a pair's files into a folder; the names of the original's and of the repaint's."""
    names = f"{pair.stem}.original{pair.original.suffix}", f"{pair.stem}.repaint{pair.repaint.suffix}"
    for name, image in zip(names, (pair.original, pair.repaint), strict=True):
        (folder / name).write_bytes(image.data)
    return names
