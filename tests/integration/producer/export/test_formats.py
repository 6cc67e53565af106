"""Every format opened by the library that it is for, its rows held against the database."""

from __future__ import annotations

import csv
import hashlib
import json
import warnings
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from PIL import Image

from db.results.export_manifest import read_manifest
from db.results.export_rows import ExportSelection, rows_of, select_images
from db.tables import artworks
from producer.export.options import ExportOptions, ExportSplit, OriginalsAs
from producer.export.record import COLUMNS, ColumnKind, record_of
from producer.export.registry import format_names
from producer.export.run import ExportResult, export_campaign

if TYPE_CHECKING:
    from collections.abc import Iterator

    from db.results.export_rows import ExportRow
    from tests.builders.exportable import Exportable

SPLIT = ExportSplit.parse("50/25/25")


@pytest.fixture(autouse=True)
def _libraries_are_quiet(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hub"))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what these libraries say about themselves
        yield


def export(made: Exportable, folder: Path, name: str, **options: Any) -> ExportResult:
    return export_campaign(made.runtime, folder, ExportOptions(format=name, rows_per_shard=5, split=SPLIT, **options))


def expected(made: Exportable) -> dict[tuple[str, str], tuple[ExportRow, dict[str, Any]]]:
    database = made.runtime.database
    rows = rows_of(database, select_images(database, ExportSelection(campaign_id=made.harness.campaign.id)))
    return {
        (row.artwork_key, row.level): (row, record_of(row, campaign="trial", split="", original_file_hash=row.original_hash))
        for row in rows
    }


def unflattened(record: dict[str, Any]) -> dict[str, Any]:
    """A record of a format without a schema."""
    return {name: value if value != "" else None for name, value in record.items()} | {"styles": json.loads(record["styles"])}


def check(made: Exportable, found: list[tuple[dict[str, Any], str, bytes, bytes]]) -> None:
    """All rows are there, each with its facts, its side and its images; `found` holds (record, side, original, repaint)."""
    rows = expected(made)
    assert len(found) == len(rows) == 24
    for record, side, original, repaint in found:
        row, facts = rows.pop((record["artwork"], record["level"]))
        assert {**record, "split": ""} == facts
        assert record["split"] == side
        assert (hashlib.sha256(original).hexdigest(), hashlib.sha256(repaint).hexdigest()) == (row.original_hash, row.repaint_hash)
    sides = {record["group"]: side for record, side, *_ in found}
    assert [list(sides.values()).count(side) for side in ("train", "validation", "test")] == [6, 3, 3]


def load(tmp_path: Path, *arguments: Any, **options: Any) -> Any:
    import datasets

    return datasets.load_dataset(*arguments, cache_dir=str(tmp_path / "cache"), **options)


def undecoded(side: Any, *names: str) -> Any:
    import datasets

    for name in names:
        side = side.cast_column(name, datasets.Image(decode=False))
    return side


@pytest.mark.parametrize("name", ["parquet", "hf"])
def test_datasets_opens_parquet_with_its_images_and_splits(made: Exportable, tmp_path: Path, name: str) -> None:
    export(made, tmp_path / "out", name)

    opened = load(tmp_path, "parquet", data_dir=str(tmp_path / "out")) if name == "parquet" else load(tmp_path, str(tmp_path / "out"))

    assert opened["train"][0]["repaint"].size == (64, 48)
    assert opened["train"][0]["original"].size == (40, 30)
    rows = [(row, side) for side in opened for row in undecoded(opened[side], "original", "repaint")]
    check(made, [(row, side, row.pop("original")["bytes"], row.pop("repaint")["bytes"]) for row, side in rows])


def test_the_features_that_the_card_names_are_those_of_the_files(made: Exportable, tmp_path: Path) -> None:
    import datasets
    import yaml

    export(made, tmp_path / "out", "hf", license="cc0-1.0")
    front = yaml.safe_load((tmp_path / "out/README.md").read_text().split("---\n")[1])
    builder = datasets.load_dataset_builder(str(tmp_path / "out"), cache_dir=str(tmp_path / "cache"))

    assert front["license"] == "cc0-1.0"
    assert front["size_categories"] == ["n<1K"]
    assert {split["name"]: split["num_examples"] for split in front["dataset_info"]["splits"]} == {"train": 12, "validation": 6, "test": 6}
    from_files = load(tmp_path, "parquet", data_files=str(tmp_path / "out/data/train-*"))["train"].features
    assert datasets.Features._from_yaml_list(front["dataset_info"]["features"]) == from_files == builder.info.features


def test_pandas_reads_parquet_and_the_table(made: Exportable, tmp_path: Path) -> None:
    import pandas as pd

    export(made, tmp_path / "out", "parquet")
    export(made, tmp_path / "table", "csv")

    frame = pd.concat([pd.read_parquet(path) for path in sorted((tmp_path / "out").glob("*.parquet"))])
    assert len(frame) == 24
    assert {Image.open(BytesIO(cell["bytes"])).size for cell in frame["repaint"]} == {(64, 48)}
    table = pd.read_csv(tmp_path / "table/pairs.csv")
    assert sorted(table["prompt"]) == sorted(frame["prompt"])
    assert all((tmp_path / "table" / path).is_file() for path in [*table["original_image"], *table["repaint_image"]])


def test_the_table_holds_all_rows_with_paths_from_the_top(made: Exportable, tmp_path: Path) -> None:
    export(made, tmp_path / "out", "csv")

    kinds = {column.name: column.kind for column in COLUMNS}
    found = []
    with (tmp_path / "out/pairs.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            images = [(tmp_path / "out" / row.pop(name)).read_bytes() for name in ("original_image", "repaint_image")]
            record = unflattened(row) | {name: int(row[name]) for name, kind in kinds.items() if kind is ColumnKind.INTEGER}
            found.append((record, row["split"], *images))
    check(made, found)  # type: ignore[arg-type]


def test_webdataset_opens_the_shards(made: Exportable, tmp_path: Path) -> None:
    import webdataset

    made.change(artworks, artworks.c.id <= 6, subset=None, artist=None, styles=[])
    export(made, tmp_path / "out", "webdataset")

    found = []
    for path in sorted((tmp_path / "out").glob("*.tar")):
        for sample in webdataset.WebDataset(str(path), shardshuffle=False):
            images = {name.split(".")[0]: data for name, data in sample.items() if name.startswith(("original.", "repaint."))}
            record = unflattened(json.loads(sample["json"]))
            assert sample["txt"].decode() == record["prompt"]
            found.append((record, path.name.split("-")[0], images["original"], images["repaint"]))
    check(made, found)
    pictures = next(iter(webdataset.WebDataset(str(tmp_path / "out/train-00000.tar"), shardshuffle=False).decode("pil")))
    assert pictures["repaint.png"].size == (64, 48)


def test_datasets_opens_the_shards_of_prepared_originals(made: Exportable, tmp_path: Path) -> None:
    made.change(artworks, artworks.c.id <= 6, subset=None, artist=None, styles=[])
    export(made, tmp_path / "out", "webdataset", originals=OriginalsAs.PREPARED)

    opened = load(tmp_path, "webdataset", data_dir=str(tmp_path / "out"))

    assert {side: len(opened[side]) for side in opened} == {"train": 12, "validation": 6, "test": 6}
    assert opened["train"][0]["original.jpg"].size == (64, 48)


def test_datasets_opens_the_image_folder(made: Exportable, tmp_path: Path) -> None:
    # Some pieces have nothing but missing values in a column: a loader that guesses types must not find several.
    made.change(artworks, artworks.c.id <= 6, subset=None, artist=None, styles=[])
    export(made, tmp_path / "out", "imagefolder")

    opened = load(tmp_path, "imagefolder", data_dir=str(tmp_path / "out"))

    found = []
    for side in opened:
        for row in undecoded(opened[side], "original", "image"):
            images = [Path(row.pop(name)["path"]).read_bytes() for name in ("original", "image")]
            found.append((unflattened(row), side, *images))
    check(made, found)


@pytest.mark.parametrize("name", format_names())
def test_two_exports_of_the_same_rows_are_equal_byte_by_byte(made: Exportable, tmp_path: Path, name: str) -> None:
    for folder in ("one", "two"):
        export(made, tmp_path / folder, name)

    one, two = (
        {path.relative_to(tmp_path / f): path.read_bytes() for path in (tmp_path / f).rglob("*") if path.is_file()} for f in ("one", "two")
    )
    assert one == two
    assert not [path for path in one if path.name.startswith(".")]
    manifest = read_manifest(tmp_path / "one")
    assert manifest is not None
    assert (manifest.complete, manifest.rows, manifest.splits) == (True, 24, {"train": 12, "validation": 6, "test": 6})


def test_prepared_originals_are_upright_rgb_of_the_repaints_size(made: Exportable, tmp_path: Path) -> None:
    export(made, tmp_path / "out", "imagefolder", originals=OriginalsAs.PREPARED)

    files = sorted((tmp_path / "out").rglob("*.original.*"))
    assert len(files) == 24
    for path in files:
        with Image.open(path) as image:
            assert (image.format, image.mode, image.size) == ("JPEG", "RGB", (64, 48))
    record = json.loads(next((tmp_path / "out").rglob("metadata.jsonl")).read_text().splitlines()[0])
    original = next((tmp_path / "out").rglob(record["original_file_name"]))
    assert record["original_file_hash"] == hashlib.sha256(original.read_bytes()).hexdigest() != record["original_hash"]
