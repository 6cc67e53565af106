from __future__ import annotations

import gc
import json
from typing import TYPE_CHECKING

import pytest
from datasets import load_dataset

from producer.readers import read_catalogue

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # datasets leaves the table open
@pytest.mark.parametrize("name", ["metadata.csv", "metadata.jsonl"])
def test_a_folder_with_metadata_is_read_through_it_as_datasets_reads_it(pictures: Path, name: str) -> None:
    rows = [{"file_name": "img/one.png", "artist": "Ann", "text": "a sea"}, {"file_name": "img/two.png", "artist": "Bo", "text": "a hill"}]
    if name.endswith("csv"):
        (pictures / name).write_text("file_name,artist,text\n" + "".join(",".join(row.values()) + "\n" for row in rows))
    else:
        (pictures / name).write_text("".join(json.dumps(row) + "\n" for row in rows))
    catalogue = read_catalogue(pictures)
    assert catalogue.reader == "image folder with metadata"
    assert [(row.path, row.artist, row.extra) for row in catalogue.rows] == [
        ("img/one.png", "Ann", {"text": "a sea"}),
        ("img/two.png", "Bo", {"text": "a hill"}),
    ]
    theirs = load_dataset("imagefolder", data_dir=str(pictures), split="train", cache_dir=str(pictures.parent / f"{pictures.name}-cache"))
    assert theirs["artist"] == [row.artist for row in catalogue.rows]
    gc.collect()


def test_tables_of_splits_name_their_images_from_their_own_folders(tmp_path: Path, png: Callable[[int], bytes]) -> None:
    for split in ("train", "test"):
        (tmp_path / split).mkdir()
        (tmp_path / split / "a.png").write_bytes(png(1))
        (tmp_path / split / "metadata.csv").write_text("file_name,artist\na.png,Ann\n../out/x.png,Bo\n../../out.png,Cy\n")
    catalogue = read_catalogue(tmp_path)
    assert [(row.number, row.path, row.subset) for row in catalogue.rows] == [
        (1, "test/a.png", "test"),
        (2, "out/x.png", "test"),
        (4, "train/a.png", "train"),
        (5, "out/x.png", "train"),
    ]
    assert [(refused.row, refused.reason) for refused in catalogue.refused] == [(row, "the path leaves the image root") for row in (3, 6)]
    assert [file.path for file in catalogue.files] == ["test/a.png", "train/a.png"]
