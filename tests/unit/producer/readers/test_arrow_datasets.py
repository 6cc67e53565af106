from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING

import pyarrow as pa
import pytest
from datasets import ClassLabel, Dataset, DatasetDict, Features, Value
from datasets import Image as ImageFeature

from producer.readers import CatalogueUnreadable, read_catalogue

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

FEATURES = Features({"image": ImageFeature(), "artist": ClassLabel(names=["ann", "bo"]), "style": Value("string")})


def data_set(images: list[bytes]) -> Dataset:
    rows = {
        "image": [{"bytes": data, "path": None} for data in images],
        "artist": [number % 2 for number in range(len(images))],
        "style": ["Cubism"] * len(images),
    }
    return Dataset.from_dict(rows, features=FEATURES)


def contents(path: Path) -> list[bytes]:
    return [file.content.read() for file in read_catalogue(path).files if file.content is not None]


def test_a_saved_data_set_is_read_in_the_order_of_its_shards(tmp_path: Path, png: Callable[[int], bytes]) -> None:
    images = [png(number) for number in range(6)]
    data_set(images).save_to_disk(tmp_path / "art", num_shards=3)
    catalogue = read_catalogue(tmp_path / "art")
    assert catalogue.reader == "datasets folder"
    assert [(row.artist, row.styles) for row in catalogue.rows] == [("ann", "Cubism"), ("bo", "Cubism")] * 3
    assert catalogue.rows[2].path == "art/data-00001-of-00003/0"
    assert contents(tmp_path / "art") == images
    assert {file.byte_size for file in catalogue.files} == {path.stat().st_size for path in (tmp_path / "art").glob("*.arrow")}


def test_a_dictionary_of_splits_gives_each_row_its_subset(tmp_path: Path, png: Callable[[int], bytes]) -> None:
    splits = DatasetDict({"train": data_set([png(0), png(1)]), "test": data_set([png(2)])})
    splits.save_to_disk(tmp_path / "art")
    assert [(row.subset, row.path) for row in read_catalogue(tmp_path / "art").rows] == [
        ("train", "art/train/data-00000-of-00001/0"),
        ("train", "art/train/data-00000-of-00001/1"),
        ("test", "art/test/data-00000-of-00001/0"),
    ]
    assert contents(tmp_path / "art") == [png(0), png(1), png(2)]


def test_an_arrow_file_of_either_format_is_read_alone(tmp_path: Path, png: Callable[[int], bytes]) -> None:
    table = pa.table({"image": [png(0), png(1)], "artist": ["Ann", "Bo"]})
    for name, writer in (("stream", pa.ipc.new_stream), ("file", pa.ipc.new_file)):
        with writer(tmp_path / f"{name}.arrow", table.schema) as file:
            file.write_table(table, max_chunksize=1)
        assert [row.artist for row in read_catalogue(tmp_path / f"{name}.arrow").rows] == ["Ann", "Bo"]
        assert contents(tmp_path / f"{name}.arrow") == [png(0), png(1)]


def test_a_data_set_that_keeps_its_images_as_files_is_read_from_them(pictures: Path) -> None:
    rows = {"image": [str(pictures / "img/one.png"), str(pictures / "img/two.png")], "artist": [0, 1], "style": ["Cubism", "Rococo"]}
    data = Dataset.from_dict(rows, features=FEATURES)
    with pa.ipc.new_stream(pictures / "linked.arrow", data.data.table.schema) as file:
        file.write_table(data.data.table)
    catalogue = read_catalogue(pictures / "linked.arrow")
    assert [(row.path, row.artist) for row in catalogue.rows] == [("img/one.png", "ann"), ("img/two.png", "bo")]
    assert [file.location for file in catalogue.files] == [pictures / "img/one.png", pictures / "img/two.png"]


def stream(rows: int = 40) -> bytes:
    table = pa.table({"image": [bytes([number]) * 99 for number in range(rows)], "artist": ["Ann"] * rows})
    data = io.BytesIO()
    with pa.ipc.new_stream(data, table.schema) as file:
        file.write_table(table, max_chunksize=10)
    return data.getvalue()


@pytest.mark.parametrize("keep", [0, 4, 40, 0.1, 0.3, 0.7, 0.95])
def test_a_cut_arrow_file_is_told(tmp_path: Path, unreadable: Callable[[Path], str], keep: float) -> None:
    data = stream()
    (tmp_path / "cut.arrow").write_bytes(data[: int(keep * len(data)) if isinstance(keep, float) else keep])
    assert "fetch it again" in unreadable(tmp_path / "cut.arrow")


def test_a_missing_or_broken_shard_is_refused_and_the_others_are_read(tmp_path: Path, png: Callable[[int], bytes]) -> None:
    data_set([png(number) for number in range(6)]).save_to_disk(tmp_path / "art", num_shards=3)
    (tmp_path / "art/data-00000-of-00003.arrow").unlink()
    (tmp_path / "art/data-00001-of-00003.arrow").write_bytes(b"<html><body>gone</body></html>")
    catalogue = read_catalogue(tmp_path / "art")
    assert len(catalogue.rows) == 2
    assert [(refused.path, refused.reason.split(":")[0]) for refused in catalogue.refused] == [
        ("data-00000-of-00003.arrow", "the shard is missing"),
        ("data-00001-of-00003.arrow", f"{tmp_path}/art/data-00001-of-00003.arrow is an HTML page, perhaps one that asks to sign in"),
    ]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("dataset_dict.json", "{"),
        ("dataset_dict.json", "[]"),
        ("dataset_dict.json", '{"splits": 3}'),
        ("dataset_dict.json", '{"splits": ["train", "gone"]}'),
        ("dataset_dict.json", '{"splits": ["../elsewhere"]}'),
    ],
)
def test_a_damaged_list_of_splits_is_told(tmp_path: Path, png: Callable[[int], bytes], name: str, content: str) -> None:
    DatasetDict({"train": data_set([png(0)])}).save_to_disk(tmp_path / "art")
    (tmp_path / "art" / name).write_text(content)
    with pytest.raises(CatalogueUnreadable, match=r"save the data set again|copy the whole folder again"):
        read_catalogue(tmp_path / "art")


@pytest.mark.parametrize("state", ["{", "{}", json.dumps({"_data_files": "x"})])
def test_a_damaged_state_is_told(tmp_path: Path, png: Callable[[int], bytes], state: str) -> None:
    data_set([png(0)]).save_to_disk(tmp_path / "art")
    (tmp_path / "art/state.json").write_text(state)
    with pytest.raises(CatalogueUnreadable, match="save the data set again"):
        read_catalogue(tmp_path / "art")
