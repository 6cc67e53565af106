"""Tar shards for `webdataset`: of each pair the original, the repaint, its facts as JSON, and the prompt as text."""

from __future__ import annotations

import json
import tarfile
from io import BytesIO
from typing import TYPE_CHECKING, ClassVar

from producer.export.formats.protocol import TableFiles
from producer.export.record import flat_record

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from db.results.export_manifest import ExportShard
    from producer.export.pictures import ExportedPair


class WebDatasetFormat:
    """`train-00000.tar` and so on; members `00000000.original.jpg`, `.repaint.jpg`, `.json`, `.txt`."""

    table: ClassVar[TableFiles] = TableFiles(includes="*.tar", media_type="application/x-tar", extract="jsonPath")
    usage: ClassVar[str] = 'webdataset.WebDataset("DEST/train-00000.tar").decode("pil")'

    def shard_name(self, side: str, index: int, count: int) -> str:  # noqa: ARG002  # braces such as {00000..00011} name them all
        """As `webdataset` numbers them."""
        return f"{side}-{index:05d}.tar"

    def write(self, path: Path, pairs: Iterable[ExportedPair]) -> None:
        """One tar in the POSIX format of 1988, which every reader knows; times and owners are zero."""
        with tarfile.open(path, "w", format=tarfile.USTAR_FORMAT) as tar:
            for pair in pairs:
                _add(tar, f"{pair.stem}.original{pair.original.suffix}", pair.original.data)
                _add(tar, f"{pair.stem}.repaint{pair.repaint.suffix}", pair.repaint.data)
                _add(tar, f"{pair.stem}.json", json.dumps(flat_record(pair.record), ensure_ascii=False).encode())
                _add(tar, f"{pair.stem}.txt", pair.record["prompt"].encode())
                tar.members.clear()  # type: ignore[attr-defined]  # tarfile would keep each for a listing that nobody asks for

    def finish(self, folder: Path, shards: Sequence[ExportShard]) -> None:
        """Nothing stands beside the shards."""


def _add(tar: tarfile.TarFile, name: str, data: bytes) -> None:
    member = tarfile.TarInfo(name)
    member.size = len(data)
    member.mode = 0o644
    tar.addfile(member, BytesIO(data))
