"""Exports as parquet: the columns of facts first, images row group by row group when they are asked for."""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import TYPE_CHECKING, Any

from trainer.data.exports.reader import ExportedFacts, ImagePlace
from trainer.errors import BadExportFolder

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

_IMAGES = ("original", "repaint")
#: Row groups of images that are kept: those on which the readers of one batch are.
_KEPT = 3


class ParquetExport:
    """Reads the formats parquet and hf."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._groups: OrderedDict[tuple[str, int, str], Any] = OrderedDict()
        self._lock = threading.Lock()

    def pairs(self, shards: Sequence[str]) -> Iterator[ExportedFacts]:
        """The pairs of these files."""
        for shard in shards:
            with _open(self._folder / shard) as file:
                columns = [name for name in file.schema_arrow.names if name not in _IMAGES]
                for group in range(file.num_row_groups):
                    for row, record in enumerate(file.read_row_group(group, columns=columns).to_pylist()):
                        places = {name: ImagePlace(file=shard, start=group, size=row, column=name) for name in _IMAGES}
                        yield ExportedFacts(record=record, **places)

    def read(self, place: ImagePlace) -> bytes:
        """One image of a row group, which is kept for the next ones."""
        key = (place.file, place.start, place.column)
        with self._lock:
            if key not in self._groups:
                with _open(self._folder / place.file) as file:
                    self._groups[key] = file.read_row_group(place.start, columns=[place.column]).column(place.column)
                while len(self._groups) > _KEPT:
                    self._groups.popitem(last=False)
            self._groups.move_to_end(key)
            cell = self._groups[key][place.size]
        found: bytes = cell.as_py()["bytes"]
        return found


def _open(path: Path) -> Any:
    try:
        from pyarrow import ArrowInvalid
        from pyarrow import parquet as pq
    except ImportError:
        raise BadExportFolder("an export as parquet needs pyarrow: pip install 'paragone[data]'") from None
    try:
        return pq.ParquetFile(path)
    except (ArrowInvalid, OSError) as error:
        raise BadExportFolder(f"{path} cannot be read ({' '.join(str(error).split())}): run `paragone export` again") from None
