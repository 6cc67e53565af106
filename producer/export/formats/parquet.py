"""Parquet with the images inside, as `datasets` stores its Image feature: any reader opens it, and `datasets` shows the images."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, ClassVar

from producer.export.errors import UnknownExportFormat
from producer.export.formats.protocol import TableFiles
from producer.export.record import COLUMNS, IMAGES, ColumnKind

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from db.results.export_manifest import ExportShard
    from producer.export.pictures import ExportedImage, ExportedPair

#: A row group ends after so many rows or bytes of images: what is held at once, and what a reader fetches for one row.
GROUP_ROWS, GROUP_BYTES = 100, 32 << 20

_STRING = {"dtype": "string", "_type": "Value"}
#: Kind of a column to the feature that `datasets` reads it as.
FEATURES: dict[ColumnKind, dict[str, Any]] = {
    ColumnKind.TEXT: _STRING,
    ColumnKind.JSON: _STRING,
    ColumnKind.INTEGER: {"dtype": "int64", "_type": "Value"},
    ColumnKind.TEXTS: {"feature": _STRING, "_type": "List"},
}


class ParquetFormat:
    """`train-00000-of-00012.parquet` and so on."""

    table: ClassVar[TableFiles] = TableFiles(includes="*.parquet", media_type="application/x-parquet", extract="column", holds_images=True)
    usage: ClassVar[str] = 'datasets.load_dataset("parquet", data_dir="DEST")'

    def shard_name(self, side: str, index: int, count: int) -> str:
        """As the hub numbers them."""
        return f"{side}-{index:05d}-of-{count:05d}.parquet"

    def write(self, path: Path, pairs: Iterable[ExportedPair]) -> None:
        """One file, row group by row group."""
        arrow, parquet = _arrow()
        schema = _schema(arrow)
        with parquet.ParquetWriter(path, schema, compression="snappy", use_dictionary=False) as writer:
            for rows in _groups(pairs):
                writer.write_table(arrow.Table.from_pylist(rows, schema=schema), row_group_size=len(rows))

    def finish(self, folder: Path, shards: Sequence[ExportShard]) -> None:
        """Nothing stands beside the files."""


def _groups(pairs: Iterable[ExportedPair]) -> Iterable[list[dict[str, Any]]]:
    rows: list[dict[str, Any]] = []
    size = 0
    for pair in pairs:
        images = {name: getattr(pair, name) for name in IMAGES}
        rows.append({name: _image(pair.stem, name, image) for name, image in images.items()} | pair.record)
        size += sum(len(image.data) for image in images.values())
        if len(rows) >= GROUP_ROWS or size >= GROUP_BYTES:
            yield rows
            rows, size = [], 0
    if rows:
        yield rows


def _image(stem: str, name: str, image: ExportedImage) -> dict[str, Any]:
    return {"bytes": image.data, "path": f"{stem}.{name}{image.suffix}"}


def _schema(arrow: Any) -> Any:
    string = arrow.string()
    types = {ColumnKind.INTEGER: arrow.int64(), ColumnKind.TEXTS: arrow.list_(string)}
    image = arrow.struct([("bytes", arrow.binary()), ("path", string)])
    fields = [(name, image) for name in IMAGES] + [(column.name, types.get(column.kind, string)) for column in COLUMNS]
    features = {name: {"_type": "Image"} for name in IMAGES} | {column.name: FEATURES[column.kind] for column in COLUMNS}
    return arrow.schema(fields, metadata={"huggingface": json.dumps({"info": {"features": features}})})


def _arrow() -> tuple[Any, Any]:
    try:
        import pyarrow as pa
        from pyarrow import parquet
    except ImportError:
        raise UnknownExportFormat("the formats parquet and hf need pyarrow: pip install 'paragone[data]'") from None
    return pa, parquet
