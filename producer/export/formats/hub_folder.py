"""A folder as the Hugging Face hub keeps a data set: parquet files under `data/`, and the card that names them."""

from __future__ import annotations

from typing import ClassVar

from producer.export.formats.parquet import ParquetFormat
from producer.export.formats.protocol import TableFiles


class HubFolderFormat(ParquetFormat):
    """`data/train-00000-of-00012.parquet` and so on."""

    table: ClassVar[TableFiles] = TableFiles(
        includes="data/*.parquet", media_type="application/x-parquet", extract="column", holds_images=True
    )
    usage: ClassVar[str] = 'datasets.load_dataset("DEST")'

    def shard_name(self, side: str, index: int, count: int) -> str:
        """As the hub lays them out."""
        return f"data/{super().shard_name(side, index, count)}"
