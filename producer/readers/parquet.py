"""Parquet: a file, a folder of shards, or a clone of a Hugging Face hub repository, with images embedded or named."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from producer.readers.arrow_rows import features_beside, read_cells_of, require_pyarrow, shard_layout
from producer.readers.catalogue import RefusedPath
from producer.readers.columns import USUAL, fold_name
from producer.readers.embedded import EmbeddedRow, ImageShard, ShardTable
from producer.readers.errors import CatalogueUnreadable
from producer.readers.parquet_images import ParquetImage, ParquetImages, rows_without_bytes
from producer.readers.shard_files import find_shards, split_name
from producer.readers.signatures import HEAD_BYTES, foreign_format

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from producer.readers.arrow_rows import ShardLayout
    from producer.readers.catalogue import ParsedCatalogue

SUFFIX = ".parquet"
#: Where shards lie: in the folder, in a hub repository's `data`, or in one folder for each split or configuration.
_PATTERNS = ("*", "data/*", "data/*/*", "*/*", "*/*/*")


class ParquetReader:
    """Rows of parquet; images are read from the shards when they are imported."""

    name = "parquet"

    def accepts(self, path: Path) -> bool:
        """True for a parquet file, or a folder with shards that hold images or name them."""
        if path.is_dir():
            shards = find_shards(path, SUFFIX, _PATTERNS)
            return bool(shards) and _holds_images(shards[0])
        return path.name.casefold().endswith((SUFFIX, ".pq"))

    def read(self, path: Path, columns: Mapping[str, str]) -> ParsedCatalogue:
        """All rows; paths that a row names start from the catalogue's folder."""
        require_pyarrow()
        folder = path if path.is_dir() else path.parent
        shards = find_shards(path, SUFFIX, _PATTERNS) if path.is_dir() else [path]
        features = features_beside(folder)
        table = ShardTable(path=path, folder=folder)
        images = ParquetImages()
        mapping = dict(columns)
        for location in shards:
            try:
                self._read_shard(ImageShard.of(location, path, split_name(location, folder)), features, columns, table, images)
            except CatalogueUnreadable as error:
                if not path.is_dir():
                    raise
                table.refused.append(RefusedPath(path=str(location.relative_to(folder)), reason=str(error)))
        if fold_name(mapping.get("path", "")) in table.image_columns:
            del mapping["path"]
        return table.read_table(mapping)

    def _read_shard(
        self, shard: ImageShard, features: Mapping[str, Any], columns: Mapping[str, str], table: ShardTable, images: ParquetImages
    ) -> None:
        import pyarrow as pa

        try:
            parquet = open_parquet(shard.location)
            layout = shard_layout(shard.location, parquet.schema_arrow, features, columns)
            table.add_layout(layout)
            # A shard whose later part is broken adds nothing: its rows are complete or refused as one.
            rows = list(_rows(parquet, shard, layout, images, table.repairs))
        except (pa.ArrowException, OSError, ValueError, OverflowError, MemoryError) as error:
            raise unreadable_shard(shard.location, error) from None
        table.rows += rows


def open_parquet(path: Path) -> Any:
    """The opened file; raises `CatalogueUnreadable` that says what the file is instead."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        return pq.ParquetFile(path)
    except (pa.ArrowException, OSError, ValueError, OverflowError, MemoryError) as error:
        raise unreadable_shard(path, error) from None


def unreadable_shard(path: Path, error: Exception) -> CatalogueUnreadable:
    """The error for a shard that its library cannot read."""
    try:
        with path.open("rb") as file:
            head = file.read(HEAD_BYTES)
    except OSError as failed:
        return CatalogueUnreadable(f"{path} cannot be read ({failed.strerror}): check its permissions and the disk")
    if not head:
        return CatalogueUnreadable(f"{path} is empty: fetch it again")
    if not head.startswith((b"PAR1", b"ARROW1", b"\xff\xff\xff\xff")) and (foreign := foreign_format(head)) is not None:
        return CatalogueUnreadable(f"{path} {foreign}")
    return CatalogueUnreadable(f"{path} is broken or cut ({' '.join(str(error).split())[:200]}): fetch it again")


def _holds_images(shard: Path) -> bool:
    """Whether a shard's schema has images or paths; True where it cannot be read, so that the error is told."""
    try:
        require_pyarrow()
        parquet = open_parquet(shard)
        layout = shard_layout(shard, parquet.schema_arrow, {}, {})
    except CatalogueUnreadable:
        return True
    return layout.image is not None or not set(USUAL["path"]).isdisjoint(layout.cells.values())


def _rows(parquet: Any, shard: ImageShard, layout: ShardLayout, images: ParquetImages, repairs: Counter[str]) -> Iterator[EmbeddedRow]:
    missing = rows_without_bytes(parquet, layout) if layout.image else set(range(parquet.metadata.num_rows))
    for position, (record, stored) in enumerate(_cells(parquet, layout, repairs)):
        content = None if position in missing else ParquetImage(images, shard.location, layout, position)
        yield EmbeddedRow(shard=shard, position=position, record=record, stored=stored, content=content)


def _cells(parquet: Any, layout: ShardLayout, repairs: Counter[str]) -> Iterator[tuple[dict[str, str], str]]:
    columns = [*layout.cells, *([f"{layout.image}.path"] if layout.is_struct else [])]
    if not columns:  # nothing but images: there is no column to count rows by
        yield from (({}, "") for _ in range(parquet.metadata.num_rows))
        return
    for batch in parquet.iter_batches(columns=columns, use_threads=False):
        yield from read_cells_of(batch, layout, repairs)
