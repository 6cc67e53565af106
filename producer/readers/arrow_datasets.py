"""Folders of `datasets.Dataset.save_to_disk` and `DatasetDict.save_to_disk`: Arrow shards with a dataset_info.json."""

from __future__ import annotations

import json
from bisect import bisect_right
from collections import OrderedDict
from dataclasses import dataclass
from itertools import accumulate
from threading import Lock
from typing import TYPE_CHECKING, Any

from producer.readers.arrow_rows import bytes_of, features_beside, read_cells_of, require_pyarrow, shard_layout
from producer.readers.catalogue import RefusedPath
from producer.readers.columns import fold_name
from producer.readers.embedded import EmbeddedRow, ImageShard, ShardTable
from producer.readers.errors import CatalogueUnreadable
from producer.readers.parquet import unreadable_shard
from producer.readers.shard_files import find_shards, split_name

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from producer.readers.arrow_rows import ShardLayout
    from producer.readers.catalogue import ParsedCatalogue

SUFFIX = ".arrow"
#: Shards that are mapped into memory at once.
OPEN_SHARDS = 2
_FILE_FORMAT = b"ARROW1"


class ArrowDatasetReader:
    """A saved data set, or several splits of one."""

    name = "datasets folder"

    def accepts(self, path: Path) -> bool:
        """True for a folder with `dataset_dict.json`, or with `state.json` and `dataset_info.json`; an .arrow file by its name."""
        if path.is_dir():
            saved = (path / "state.json").is_file() and (path / "dataset_info.json").is_file()
            return saved or (path / "dataset_dict.json").is_file() or bool(find_shards(path, SUFFIX, ["*"]))
        return path.name.casefold().endswith(SUFFIX)

    def read(self, path: Path, columns: Mapping[str, str]) -> ParsedCatalogue:
        """All rows; paths that a row names start from the folder."""
        require_pyarrow()
        folder = path if path.is_dir() else path.parent
        table = ShardTable(path=path, folder=folder)
        images = ArrowImages()
        for location, split in _shards(path):
            try:
                shard = ImageShard.of(location, path, split)
                self._read_shard(shard, columns, table, images)
            except (CatalogueUnreadable, OSError) as error:
                if not path.is_dir():
                    raise
                reason = str(error) if isinstance(error, CatalogueUnreadable) else f"the shard is missing: {error.strerror}"
                table.refused.append(RefusedPath(path=str(location.relative_to(folder)), reason=reason))
        mapping = dict(columns)
        if fold_name(mapping.get("path", "")) in table.image_columns:
            del mapping["path"]
        return table.read_table(mapping)

    def _read_shard(self, shard: ImageShard, columns: Mapping[str, str], table: ShardTable, images: ArrowImages) -> None:
        import pyarrow as pa

        try:
            mapped = images.open(shard.location)
            layout = shard_layout(shard.location, mapped.schema, features_beside(shard.location.parent), columns)
            table.add_layout(layout)
            rows = list(_rows(mapped, shard, layout, images, table))
        except (pa.ArrowException, OSError) as error:
            raise unreadable_shard(shard.location, error) from None
        table.rows += rows


@dataclass(frozen=True, kw_only=True)
class _MappedShard:
    schema: Any
    batches: list[Any]
    #: First row of each batch, and the number of rows.
    starts: list[int]


class ArrowImages:
    """Images of Arrow shards, which are mapped into memory: the system reads what is asked for and drops it again."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._mapped: OrderedDict[Path, _MappedShard] = OrderedDict()

    def open(self, shard: Path) -> _MappedShard:
        """A shard's batches; raises `OSError` or an error of Arrow."""
        import pyarrow as pa

        with self._lock:
            if shard not in self._mapped:
                source = pa.memory_map(str(shard))
                is_file = source.read(len(_FILE_FORMAT)) == _FILE_FORMAT
                source.seek(0)
                if is_file:
                    reader = pa.ipc.open_file(source)
                    batches = [reader.get_batch(number) for number in range(reader.num_record_batches)]
                else:
                    reader = pa.ipc.open_stream(source)
                    batches = list(reader)
                starts = [0, *accumulate(batch.num_rows for batch in batches)]
                self._mapped[shard] = _MappedShard(schema=reader.schema, batches=batches, starts=starts)
            self._mapped.move_to_end(shard)
            while len(self._mapped) > OPEN_SHARDS:
                self._mapped.popitem(last=False)
            return self._mapped[shard]

    def read(self, shard: Path, layout: ShardLayout, row: int) -> bytes:
        """The image of one row; raises `OSError`."""
        import pyarrow as pa

        try:
            mapped = self.open(shard)
            number = bisect_right(mapped.starts, row) - 1
            data = bytes_of(mapped.batches[number], layout)[row - mapped.starts[number]].as_py()
        except (pa.ArrowException, IndexError) as error:
            raise OSError(f"its shard {shard.name} cannot be read: {' '.join(str(error).split())}") from None
        if not data:
            raise OSError(f"its cell in {shard.name} is empty")
        return bytes(data)


@dataclass(frozen=True, slots=True)
class ArrowImage:
    """One cell of an Arrow shard."""

    images: ArrowImages
    shard: Path
    layout: ShardLayout
    row: int

    def read(self) -> bytes:
        """The encoded image; raises `OSError`."""
        return self.images.read(self.shard, self.layout, self.row)


def _shards(path: Path) -> Iterator[tuple[Path, str]]:
    """Every shard with its split, in the order in which the data set was saved."""
    if not path.is_dir():
        yield path, ""
        return
    splits = [str(name) for name in _listed(path / "dataset_dict.json", "splits")]
    for folder, split in [(path / name, name) for name in splits if _is_inside(name)] or [(path, "")]:
        files = [str(entry.get("filename")) for entry in _listed(folder / "state.json", "_data_files") if isinstance(entry, dict)]
        locations = [folder / name for name in files if _is_inside(name)] or find_shards(folder, SUFFIX, ["*"])
        if not locations:
            raise CatalogueUnreadable(f"{folder} has no shards of the data set: copy the whole folder again")
        for location in locations:
            yield location, split or split_name(location, path)


def _is_inside(name: str) -> bool:
    """Whether the name is of something in the folder itself."""
    return not {"/", "\\"} & set(name) and name not in {"", ".", ".."}


def _listed(path: Path, name: str) -> list[Any]:
    """A list in a JSON file; empty if there is no such file."""
    if not path.exists():
        return []
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        found = content[name]
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        raise CatalogueUnreadable(f"{path} does not list {name}: save the data set again with save_to_disk") from None
    if not isinstance(found, list):
        raise CatalogueUnreadable(f"{path}: {name} is no list: save the data set again with save_to_disk")
    return found


def _rows(mapped: _MappedShard, shard: ImageShard, layout: ShardLayout, images: ArrowImages, table: ShardTable) -> Iterator[EmbeddedRow]:
    position = 0
    for batch in mapped.batches:
        missing = bytes_of(batch, layout).is_null().to_pylist() if layout.image else [True] * batch.num_rows
        for (record, stored), absent in zip(read_cells_of(batch, layout, table.repairs), missing, strict=True):
            content = None if absent else ArrowImage(images, shard.location, layout, position)
            yield EmbeddedRow(shard=shard, position=position, record=record, stored=stored, content=content)
            position += 1
