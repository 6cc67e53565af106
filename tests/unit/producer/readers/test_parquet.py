from __future__ import annotations

import io
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from datasets import ClassLabel, Dataset, Features, Value
from datasets import Image as ImageFeature

from producer.readers import CatalogueUnreadable, parquet_images, read_catalogue
from producer.readers.cells import CellRepair

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

#: The columns of huggan/wikiart.
WIKIART = Features(
    {
        "image": ImageFeature(),
        "artist": ClassLabel(names=["Unknown Artist", "claude-monet", "vincent-van-gogh"]),
        "genre": ClassLabel(names=["landscape", "portrait"]),
        "style": ClassLabel(names=["Cubism", "Impressionism"]),
    }
)
IMAGE = pa.struct([("bytes", pa.binary()), ("path", pa.string())])


def wikiart(images: list[bytes], paths: list[str | None] | None = None) -> Dataset:
    rows = {
        "image": [{"bytes": data, "path": path} for data, path in zip(images, paths or [None] * len(images), strict=True)],
        "artist": [number % 3 for number in range(len(images))],
        "genre": [number % 2 for number in range(len(images))],
        "style": [number % 2 if number != 2 else -1 for number in range(len(images))],
    }
    return Dataset.from_dict(rows, features=WIKIART)


def table(**columns: Any) -> pa.Table:
    return pa.table(columns)


def contents(path: Path, **options: Any) -> list[bytes]:
    return [file.content.read() for file in read_catalogue(path, **options).files if file.content is not None]


def test_a_file_of_datasets_is_read_with_its_labels_names_and_its_images(tmp_path: Path, png: Callable[[int], bytes]) -> None:
    wikiart([png(number) for number in range(3)]).to_parquet(tmp_path / "wikiart.parquet")
    catalogue = read_catalogue(tmp_path / "wikiart.parquet")
    assert [(row.artist, row.styles, row.extra) for row in catalogue.rows] == [
        ("Unknown Artist", "Cubism", {"genre": "landscape"}),
        ("claude-monet", "Impressionism", {"genre": "portrait"}),
        ("vincent-van-gogh", "", {"genre": "landscape"}),
    ]
    assert [row.path for row in catalogue.rows] == [file.path for file in catalogue.files] == [f"wikiart/{number}" for number in range(3)]
    assert [file.content.read() for file in catalogue.files if file.content] == [png(number) for number in range(3)]
    assert catalogue.reader == "parquet"
    assert catalogue.on_disk
    assert not catalogue.names_identify


def test_a_clone_of_a_hub_repository_is_read_shard_by_shard_with_its_splits(tmp_path: Path, png: Callable[[int], bytes]) -> None:
    data = wikiart([png(number) for number in range(6)])
    (tmp_path / "art/data").mkdir(parents=True)
    (tmp_path / "art/README.md").write_text("# Art\n")
    (tmp_path / "art/preview.png").write_bytes(png(9))
    for number, (split, start) in enumerate([("test", 4), ("train", 0), ("train", 2)]):
        data.select(range(start, start + 2)).to_parquet(tmp_path / f"art/data/{split}-0000{number}-of-00003.parquet")
    catalogue = read_catalogue(tmp_path / "art")
    assert [row.subset for row in catalogue.rows] == ["test"] * 2 + ["train"] * 4
    assert catalogue.rows[0].path == "art/data/test-00000-of-00003/0"
    assert contents(tmp_path / "art") == [png(number) for number in (4, 5, 0, 1, 2, 3)]
    shard = tmp_path / "art/data/test-00000-of-00003.parquet"
    assert (catalogue.files[0].byte_size, catalogue.files[0].modified_ns) == (shard.stat().st_size, shard.stat().st_mtime_ns)


def test_stored_paths_are_kept_where_all_rows_have_one_and_no_two_the_same(tmp_path: Path, png: Callable[[int], bytes]) -> None:
    images = [png(number) for number in range(3)]
    paths: list[str | None] = ["Cubism/unknown-artist_a.png", "claude-monet_b.png", "/home/me/vincent-van-gogh_c.png"]
    wikiart(images, paths).to_parquet(tmp_path / "own.parquet")
    catalogue = read_catalogue(tmp_path / "own.parquet")
    assert [row.path for row in catalogue.rows] == ["Cubism/unknown-artist_a.png", "claude-monet_b.png", "vincent-van-gogh_c.png"]
    assert catalogue.names_identify
    wikiart(images, ["0.png", "1.png", "0.png"]).to_parquet(tmp_path / "same.parquet")
    assert [row.path for row in read_catalogue(tmp_path / "same.parquet").rows] == ["same/0", "same/1", "same/2"]


def test_a_frame_of_pandas_with_bytes_or_with_paths_is_read(pictures: Path, png: Callable[[int], bytes]) -> None:
    frame = pd.DataFrame(
        {"picture": [png(0), png(1)], "creator": ["Ann", "Bo"], "styles": [["Cubism", "Fauvism"], ["Rococo"]], "year": [1901, 1902]}
    )
    frame.to_parquet(pictures / "bytes.parquet")
    catalogue = read_catalogue(pictures / "bytes.parquet")
    assert [(row.artist, row.styles, row.extra) for row in catalogue.rows] == [
        ("Ann", '["Cubism", "Fauvism"]', {"year": "1901"}),
        ("Bo", '["Rococo"]', {"year": "1902"}),
    ]
    assert contents(pictures / "bytes.parquet") == [png(0), png(1)]
    pd.DataFrame({"file_name": ["img/one.png", "img/two.png"], "artist": ["Ann", None]}).to_parquet(pictures / "paths.parquet")
    catalogue = read_catalogue(pictures / "paths.parquet")
    assert [(row.path, row.artist) for row in catalogue.rows] == [("img/one.png", "Ann"), ("img/two.png", "")]
    assert [file.location for file in catalogue.files] == [pictures / "img/one.png", pictures / "img/two.png"]


def test_rows_that_only_name_a_file_and_rows_without_an_image_stand_beside_embedded_ones(
    pictures: Path, png: Callable[[int], bytes]
) -> None:
    images = [{"bytes": png(7), "path": "seven.png"}, {"bytes": None, "path": "img/one.png"}, None, {"bytes": None, "path": None}]
    pq.write_table(table(image=pa.array(images, IMAGE), artist=list("ABCD")), pictures / "mixed.parquet")
    catalogue = read_catalogue(pictures / "mixed.parquet")
    assert [(row.number, row.path) for row in catalogue.rows] == [(1, "seven.png"), (2, "img/one.png")]
    assert [(refused.row, refused.reason) for refused in catalogue.refused] == [
        (row, "the row holds no image and names none") for row in (3, 4)
    ]
    assert [file.path for file in catalogue.files] == ["seven.png", "img/one.png", "img/two.png"]


@pytest.mark.parametrize("rows_per_group", [1, 7, 1000])
def test_images_are_read_in_any_order_with_few_of_them_held(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rows_per_group: int) -> None:
    monkeypatch.setattr(parquet_images, "HELD_BYTES", 5_000)
    for shard in range(3):
        images = [{"bytes": bytes([shard, row]) * 500, "path": None} for row in range(40)]
        pq.write_table(table(image=pa.array(images, IMAGE)), tmp_path / f"{shard}.parquet", row_group_size=rows_per_group)
    files = read_catalogue(tmp_path).files
    order = [*range(120), *range(119, -1, -7), 3, 83, 4, 84, 5]
    with ThreadPoolExecutor(4) as pool:
        read = list(pool.map(lambda number: files[number].content.read(), order))  # type: ignore[union-attr]
    assert read == [bytes([number // 40, number % 40]) * 500 for number in order]
    images_of = files[0].content.images  # type: ignore[union-attr]
    assert images_of._held_bytes < 5_000 + 16 * 1000 + 1
    assert len(images_of._cursors) <= parquet_images.OPEN_SHARDS


def test_reading_a_catalogue_reads_no_image(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, png: Callable[[int], bytes]) -> None:
    pq.write_table(table(image=pa.array([{"bytes": png(1), "path": None}] * 9, IMAGE), artist=["Ann"] * 9), tmp_path / "a.parquet")
    asked: list[list[str]] = []
    iter_batches = pq.ParquetFile.iter_batches

    def watched(self: pq.ParquetFile, **options: Any) -> Any:
        asked.append(options["columns"])
        return iter_batches(self, **options)

    monkeypatch.setattr(pq.ParquetFile, "iter_batches", watched)
    read_catalogue(tmp_path / "a.parquet")
    assert asked == [["artist", "image.path"]]


def test_numbers_of_labels_that_nothing_names_are_no_artists(tmp_path: Path, png: Callable[[int], bytes]) -> None:
    pq.write_table(table(image=[png(0), png(1)], artist=[22, 4], style=["Cubism", "Rococo"]), tmp_path / "bare.parquet")
    with pytest.raises(CatalogueUnreadable, match=r"column artist holds numbers.*--column artist="):
        read_catalogue(tmp_path / "bare.parquet")
    assert [row.artist for row in read_catalogue(tmp_path / "bare.parquet", columns={"artist": ""}).rows] == ["", ""]
    (tmp_path / "README.md").write_text(
        "---\ndataset_info:\n  features:\n  - name: image\n    dtype: image\n"
        "  - name: artist\n    dtype:\n      class_label:\n        names:\n"
        + "".join(f"          '{number}': artist-{number}\n" for number in range(22))
        + "---\n# Art\n"
    )
    catalogue = read_catalogue(tmp_path / "bare.parquet")
    assert [row.artist for row in catalogue.rows] == ["", "artist-4"]
    assert catalogue.repairs == {CellRepair.LABEL: 1}


def test_columns_are_mapped_the_image_itself_too(tmp_path: Path, png: Callable[[int], bytes]) -> None:
    columns = {"scan": [png(0), png(1)], "thumbnail": [png(2), png(3)], "who": ["Ann", "Bo"], "movement": ["Cubism", "Rococo"]}
    pq.write_table(table(**columns), tmp_path / "own.parquet")
    mapping = {"path": "Scan", "artist": "who", "styles": "movement"}
    catalogue = read_catalogue(tmp_path / "own.parquet", columns=mapping)
    assert [(row.artist, row.styles) for row in catalogue.rows] == [("Ann", "Cubism"), ("Bo", "Rococo")]
    assert contents(tmp_path / "own.parquet", columns=mapping) == [png(0), png(1)]
    with pytest.raises(CatalogueUnreadable, match="no column painter: its columns are who, movement"):
        read_catalogue(tmp_path / "own.parquet", columns={"artist": "painter", "path": "scan"})


def test_cells_of_parquet_are_cleaned_and_counted(tmp_path: Path, png: Callable[[int], bytes]) -> None:
    pq.write_table(table(image=[png(0)], artist=["An\0n "], note=["x\0y"]), tmp_path / "nul.parquet")
    catalogue = read_catalogue(tmp_path / "nul.parquet")
    assert (catalogue.rows[0].artist, catalogue.rows[0].extra) == ("Ann", {"note": "xy"})
    assert catalogue.repairs == {CellRepair.NUL: 2}


def encoded(rows: int = 50) -> bytes:
    data = io.BytesIO()
    pq.write_table(table(image=[bytes([number]) * 300 for number in range(rows)], artist=["Ann"] * rows), data)
    return data.getvalue()


@pytest.mark.parametrize("keep", [0, 3, 4, 8, 100, 0.25, 0.5, 0.9, 0.999, -1])
def test_a_cut_parquet_is_told(tmp_path: Path, unreadable: Callable[[Path], str], keep: float) -> None:
    data = encoded()
    (tmp_path / "cut.parquet").write_bytes(data[: int(keep * len(data)) if isinstance(keep, float) else keep])
    assert "fetch it again" in unreadable(tmp_path / "cut.parquet")


@pytest.mark.parametrize("start", ["footer", "middle", "length"])
def test_a_parquet_with_damaged_bytes_is_told_or_read(tmp_path: Path, unreadable: Callable[[Path], str], start: str) -> None:
    data = bytearray(encoded())
    at = {"footer": len(data) - 120, "middle": len(data) - 400, "length": len(data) - 8}[start]
    data[at : at + 4] = b"\xff\xff\xff\x7f"
    (tmp_path / "bad.parquet").write_bytes(data)
    if start == "length":
        assert "fetch it again" in unreadable(tmp_path / "bad.parquet")
        return
    try:
        assert len(read_catalogue(tmp_path / "bad.parquet").rows) == 50
    except CatalogueUnreadable:
        unreadable(tmp_path / "bad.parquet")


def test_a_broken_shard_is_refused_and_the_others_are_read(tmp_path: Path) -> None:
    (tmp_path / "0.parquet").write_bytes(encoded())
    (tmp_path / "1.parquet").write_bytes(encoded()[:-50])
    (tmp_path / "2.parquet").write_bytes(encoded(3))
    catalogue = read_catalogue(tmp_path)
    assert len(catalogue.rows) == 53
    ((path, reason),) = [(refused.path, refused.reason) for refused in catalogue.refused]
    assert path == "1.parquet"
    assert "broken or cut" in reason
    (tmp_path / "0.parquet").unlink()
    (tmp_path / "2.parquet").unlink()
    with pytest.raises(CatalogueUnreadable, match="no readable shard"):
        read_catalogue(tmp_path)


def test_a_shard_that_vanishes_or_is_cut_later_is_an_error_of_its_images(tmp_path: Path) -> None:
    (tmp_path / "a.parquet").write_bytes(encoded())
    content = read_catalogue(tmp_path / "a.parquet").files[20].content
    assert content is not None
    (tmp_path / "a.parquet").write_bytes(encoded()[:40])
    with pytest.raises(OSError, match=r"a\.parquet"):
        content.read()


@pytest.mark.parametrize("names", [["artist", "artist", "image"], ["image", "Artist", "artist"]])
def test_doubled_columns_of_parquet_are_told(tmp_path: Path, unreadable: Callable[[Path], str], names: list[str]) -> None:
    pq.write_table(
        pa.Table.from_arrays([pa.array([b"x"] if name == "image" else ["x"]) for name in names], names=names), tmp_path / "a.parquet"
    )
    assert "2 columns named artist" in unreadable(tmp_path / "a.parquet")


def test_parquet_without_images_is_no_catalogue_of_a_folder_and_an_error_alone(pictures: Path, unreadable: Callable[[Path], str]) -> None:
    pq.write_table(table(vector=[[0.5]], label=["x"]), pictures / "embeddings.parquet")
    assert read_catalogue(pictures).reader == "image tree"
    assert "no column with the images' paths" in unreadable(pictures / "embeddings.parquet")


def test_a_column_of_dictionary_strings_and_one_of_dates_are_text(tmp_path: Path, png: Callable[[int], bytes]) -> None:
    column = pa.array(["Cubism"]).dictionary_encode()
    dates = pa.array(pd.to_datetime(["1901-02-03"]).date)
    pq.write_table(table(image=[png(0)], style=column, made=dates, price=[1.5], sold=[True]), tmp_path / "a.parquet")
    (row,) = read_catalogue(tmp_path / "a.parquet").rows
    assert row.styles == "Cubism"
    assert row.extra == {"made": "1901-02-03", "price": "1.5", "sold": "True"}


def test_a_value_column_of_datasets_is_as_good_as_a_label(tmp_path: Path, png: Callable[[int], bytes]) -> None:
    features = Features({"image": ImageFeature(), "artist": Value("string"), "style": Value("large_string")})
    rows = {"image": [{"bytes": png(0), "path": None}], "artist": ["Ann"], "style": ["Cubism"]}
    Dataset.from_dict(rows, features=features).to_parquet(tmp_path / "a.parquet")
    (row,) = read_catalogue(tmp_path / "a.parquet").rows
    assert (row.artist, row.styles) == ("Ann", "Cubism")
