"""Images inside parquet shards, read a few rows at a time when they are asked for, in bounded memory.

The bound is `HELD_BYTES` and one page of each open shard: parquet is decoded by pages. Writers that put a whole table into one row group
put up to 1,024 rows into a page.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import OrderedDict
from dataclasses import dataclass, field
from itertools import accumulate
from threading import Lock
from typing import TYPE_CHECKING, Any

from producer.readers.arrow_rows import bytes_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from producer.readers.arrow_rows import ShardLayout

#: Bytes of decoded images that are kept, beside those of the batch being read.
HELD_BYTES = 64 * 2**20
#: Rows that are decoded at once.
BATCH_ROWS = 16
#: Shards that are open at once: threads that are a few images apart may stand on both sides of a shard's end.
OPEN_SHARDS = 2


@dataclass(kw_only=True)
class _Cursor:
    """A place in one shard from which images are read on."""

    starts: list[int]
    parquet: Any
    layout: ShardLayout
    #: The row that comes next, and the batches from it on.
    next_row: int = 0
    batches: Iterator[Any] = field(default_factory=lambda: iter(()))

    @classmethod
    def open(cls, shard: Path, layout: ShardLayout) -> _Cursor:
        import pyarrow.parquet as pq

        parquet = pq.ParquetFile(shard, buffer_size=2**20, pre_buffer=False)
        sizes = (parquet.metadata.row_group(group).num_rows for group in range(parquet.metadata.num_row_groups))
        return cls(starts=[0, *accumulate(sizes)], parquet=parquet, layout=layout, next_row=-1)

    def seek(self, row: int) -> None:
        """Go to the start of the row's group, unless the row lies ahead in the group that is being read."""
        group = bisect_right(self.starts, row) - 1
        if not self.starts[group] <= self.next_row <= row:
            self.next_row = self.starts[group]
            groups = list(range(group, len(self.starts) - 1))
            columns = [self.layout.image_leaf]
            self.batches = self.parquet.iter_batches(batch_size=BATCH_ROWS, row_groups=groups, columns=columns, use_threads=False)

    def read_batch(self) -> list[tuple[int, bytes | None]]:
        """The next rows with their images; raises `StopIteration` behind the last."""
        images = list(enumerate(bytes_of(next(self.batches), self.layout).to_pylist(), start=self.next_row))
        self.next_row += len(images)
        return images


class ParquetImages:
    """The images of a catalogue's shards; reading in the order of rows decodes each page once."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._cursors: OrderedDict[Path, _Cursor] = OrderedDict()
        self._held: OrderedDict[tuple[Path, int], bytes | None] = OrderedDict()
        self._held_bytes = 0

    def read(self, shard: Path, layout: ShardLayout, row: int) -> bytes:
        """The image of one row; raises `OSError`."""
        import pyarrow as pa

        with self._lock:
            try:
                data = self._read(shard, layout, row)
            except (pa.ArrowException, StopIteration) as error:
                self._cursors.pop(shard, None)
                raise OSError(f"its shard {shard.name} cannot be read: {' '.join(str(error).split()) or 'rows are missing'}") from None
        if not data:
            raise OSError(f"its cell in {shard.name} is empty")
        return data

    def _read(self, shard: Path, layout: ShardLayout, row: int) -> bytes | None:
        if (shard, row) in self._held:
            return self._held[shard, row]
        cursor = self._cursors.get(shard)
        if cursor is None:
            cursor = self._cursors[shard] = _Cursor.open(shard, layout)
        self._cursors.move_to_end(shard)
        while len(self._cursors) > OPEN_SHARDS:
            self._cursors.popitem(last=False)
        cursor.seek(row)
        while cursor.next_row <= row:
            self._make_room()
            for number, data in cursor.read_batch():
                if (shard, number) not in self._held:
                    self._held[shard, number] = data
                    self._held_bytes += len(data or b"")
        return self._held[shard, row]

    def _make_room(self) -> None:
        while self._held_bytes > HELD_BYTES:
            _, data = self._held.popitem(last=False)
            self._held_bytes -= len(data or b"")


@dataclass(frozen=True, slots=True)
class ParquetImage:
    """One cell of a parquet shard."""

    images: ParquetImages
    shard: Path
    layout: ShardLayout
    row: int

    def read(self) -> bytes:
        """The encoded image; raises `OSError`."""
        return self.images.read(self.shard, self.layout, self.row)


def rows_without_bytes(parquet: Any, layout: ShardLayout) -> set[int]:
    """Rows whose image is not embedded; where the statistics tell, no image is read."""
    missing: set[int] = set()
    start = 0
    for group in range(parquet.metadata.num_row_groups):
        facts = parquet.metadata.row_group(group)
        nulls = _counted_nulls(facts, layout.image_leaf)
        if nulls == facts.num_rows:
            missing.update(range(start, start + facts.num_rows))
        elif nulls != 0:
            row = start
            for batch in parquet.iter_batches(batch_size=BATCH_ROWS, row_groups=[group], columns=[layout.image_leaf], use_threads=False):
                missing.update(row + position for position, null in enumerate(bytes_of(batch, layout).is_null().to_pylist()) if null)
                row += batch.num_rows
        start += facts.num_rows
    return missing


def _counted_nulls(group: Any, column: str) -> int | None:
    for position in range(group.num_columns):
        chunk = group.column(position)
        if chunk.path_in_schema == column:
            statistics = chunk.statistics
            return statistics.null_count if statistics is not None and statistics.has_null_count else None
    return None
