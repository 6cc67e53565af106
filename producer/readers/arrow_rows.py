"""What a shard of Arrow or parquet holds: which column has the images, which cells are text, and what the numbers of labels mean."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from producer.readers.cells import CellRepair, cell_text, clean_cell
from producer.readers.columns import column_names, fold_name
from producer.readers.errors import CatalogueUnreadable

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    import pyarrow as pa

#: Usual names of columns with encoded images.
_IMAGE_NAMES = ("image", "img", "picture", "painting", "jpg", "jpeg", "png", "webp", "image_bytes", "bytes", "image_data")


def require_pyarrow() -> None:
    """Raise `CatalogueUnreadable` that says what to install if pyarrow is not there."""
    try:
        import pyarrow as pa  # noqa: F401
    except ImportError:
        raise CatalogueUnreadable("parquet and datasets folders are read with pyarrow: pip install 'paragone[data]'") from None


@dataclass(frozen=True, kw_only=True)
class ShardLayout:
    """The columns of one shard."""

    #: Column with encoded images; None if the shard only names files.
    image: str | None
    #: Whether that column is `struct<bytes, path>` as `datasets` writes it.
    is_struct: bool
    #: Columns that are read as cells, as written, with their names as compared.
    cells: Mapping[str, str]
    #: Names of labels by column, as compared.
    labels: Mapping[str, tuple[str, ...]]
    #: Columns of whole numbers which nothing names.
    unnamed: frozenset[str]

    @property
    def image_leaf(self) -> str:
        """The column that holds nothing but the images' bytes."""
        return f"{self.image}.bytes" if self.is_struct else str(self.image)


def shard_layout(path: Path, schema: pa.Schema, features: Mapping[str, Any], columns: Mapping[str, str]) -> ShardLayout:
    """Which columns of a shard are what.

    Args:
        path: the shard, for errors.
        schema: its Arrow schema; the metadata of `datasets` in it takes precedence over `features`.
        features: features of `datasets` from a file beside the shards.
        columns: the operator's mapping; its path may name the column with the images.
    """
    import pyarrow as pa

    features = _features(schema) or features
    written = [str(name) for name in schema.names]
    folded = dict(zip(written, column_names(path, written), strict=True))
    image = _image_column(schema, folded, features, columns.get("path"))
    labels = {folded[name]: named for name in written if (named := _label_names(features.get(name)))}
    cells = {name: folded[name] for name in written if name != image and not _holds_bytes(schema.field(name).type)}
    unnamed = {folded[name] for name in cells if pa.types.is_integer(schema.field(name).type) and folded[name] not in labels}
    is_struct = image is not None and pa.types.is_struct(schema.field(image).type)
    return ShardLayout(image=image, is_struct=is_struct, cells=cells, labels=labels, unnamed=frozenset(unnamed))


def read_cells_of(batch: pa.RecordBatch, layout: ShardLayout, repairs: Counter[str]) -> Iterator[tuple[dict[str, str], str]]:
    """The cells of each row by column name, and the path stored with its image."""
    lists = {name: batch.column(written).to_pylist() for written, name in layout.cells.items()}
    stored = _stored(batch, layout)
    for position in range(batch.num_rows):
        cells = {name: _cell(values[position], layout.labels.get(name), repairs) for name, values in lists.items()}
        yield cells, clean_cell(stored[position], repairs) if stored else ""


def bytes_of(batch: pa.RecordBatch, layout: ShardLayout) -> pa.Array:
    """The encoded images of a batch that has the column `image`; null where there is none."""
    column = batch.column(batch.schema.names.index(layout.image))
    return column.flatten()[column.type.get_field_index("bytes")] if layout.is_struct else column


def features_beside(folder: Path) -> dict[str, Any]:
    """Features of `datasets` that a file in the folder tells: dataset_info.json, dataset_infos.json, or a hub repository's README.md."""
    for name in ("dataset_info.json", "dataset_infos.json"):
        content = _json_object(folder / name)
        if "features" in content:
            return dict(content["features"] or {})
        for info in content.values():
            if isinstance(info, dict) and isinstance(info.get("features"), dict):
                return dict(info["features"])
    return _features_of_readme(folder / "README.md")


def _features(schema: pa.Schema) -> dict[str, Any]:
    written = (schema.metadata or {}).get(b"huggingface")
    try:
        content = json.loads(written) if written else {}
        return dict(content["info"]["features"])
    except (ValueError, KeyError, TypeError, RecursionError):
        return {}


def _json_object(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return content if isinstance(content, dict) else {}


def _features_of_readme(path: Path) -> dict[str, Any]:
    """`dataset_info` in the front matter; empty where there is none, or nothing to read YAML with."""
    try:
        import yaml
    except ImportError:
        return {}
    try:
        _, front, _ = path.read_text(encoding="utf-8").split("---\n", 2)
        info = yaml.safe_load(front)["dataset_info"]
        features = (info[0] if isinstance(info, list) else info)["features"]
        return {str(feature["name"]): _readme_feature(feature["dtype"]) for feature in features if "dtype" in feature}
    except (OSError, ValueError, KeyError, TypeError, IndexError, yaml.YAMLError):
        return {}


def _readme_feature(dtype: object) -> dict[str, Any]:
    if isinstance(dtype, dict) and isinstance(dtype.get("class_label"), dict):
        names = dtype["class_label"].get("names", {})
        listed = [str(names[key]) for key in sorted(names, key=int)] if isinstance(names, dict) else [str(name) for name in names]
        return {"_type": "ClassLabel", "names": listed}
    return {"_type": "Image"} if dtype == "image" else {}


def _label_names(feature: object) -> tuple[str, ...]:
    """The names of a `ClassLabel`, or of a list of them."""
    if isinstance(feature, list):
        feature = feature[0] if feature else None
    if not isinstance(feature, dict):
        return ()
    if feature.get("_type") == "ClassLabel":
        return tuple(str(name) for name in feature.get("names") or ())
    return _label_names(feature.get("feature"))


def _image_column(schema: pa.Schema, folded: Mapping[str, str], features: Mapping[str, Any], wanted: str | None) -> str | None:
    holding: dict[str, str] = {name: folded[name] for name in folded if _holds_bytes(schema.field(name).type)}
    if wanted and fold_name(wanted) in holding.values():
        return next(name for name, compared in holding.items() if compared == fold_name(wanted))
    for name in holding:
        feature = features.get(name)
        if isinstance(feature, dict) and feature.get("_type") == "Image":
            return name
    for usual in _IMAGE_NAMES:
        for name, compared in holding.items():
            if compared == usual:
                return name
    return next(iter(holding)) if len(holding) == 1 else None


def _holds_bytes(kind: pa.DataType) -> bool:
    import pyarrow as pa

    if pa.types.is_struct(kind):
        position = kind.get_field_index("bytes")
        return position >= 0 and _is_binary(kind.field(position).type)
    return _is_binary(kind)


def _is_binary(kind: pa.DataType) -> bool:
    import pyarrow as pa

    return bool(pa.types.is_binary(kind) or pa.types.is_large_binary(kind) or pa.types.is_fixed_size_binary(kind))


def _stored(batch: pa.RecordBatch, layout: ShardLayout) -> list[str]:
    if layout.image is None or not layout.is_struct or layout.image not in batch.schema.names:
        return []
    column = batch.column(layout.image)
    position = column.type.get_field_index("path")
    return [] if position < 0 else [cell_text(path) for path in column.flatten()[position].to_pylist()]


def _cell(value: object, labels: tuple[str, ...] | None, repairs: Counter[str]) -> str:
    if labels:
        value = [_label(one, labels, repairs) for one in value] if isinstance(value, list) else _label(value, labels, repairs)
    return clean_cell(cell_text(value), repairs)


def _label(value: object, labels: tuple[str, ...], repairs: Counter[str]) -> object:
    """A label's name; None for -1, which `datasets` writes where the label is unknown."""
    if not isinstance(value, int):
        return value
    if 0 <= value < len(labels):
        return labels[value]
    repairs[CellRepair.LABEL] += value != -1
    return None
