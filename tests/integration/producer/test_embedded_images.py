from __future__ import annotations

import os
from io import BytesIO
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image
from sqlalchemy import select

from db.store import Store
from db.tables import artworks
from producer.ingest import CatalogueSource, ingest_catalogue
from producer.readers import CatalogueUnreadable
from producer.readers.parquet_images import ParquetImages

if TYPE_CHECKING:
    from pathlib import Path

    from db.engine import Database

IMAGE = pa.struct([("bytes", pa.binary()), ("path", pa.string())])


def encoded(number: int) -> bytes:
    data = BytesIO()
    Image.new("RGB", (20, 10), (number * 20 % 256, 80, 160)).save(data, "PNG")
    return data.getvalue()


def write_shard(path: Path, numbers: range, artist: str = "Ann Example") -> None:
    images = pa.array([{"bytes": encoded(number), "path": None} for number in numbers], IMAGE)
    columns = {"image": images, "artist": [artist] * len(numbers), "style": ["Cubism"] * len(numbers)}
    pq.write_table(pa.table(columns), path, row_group_size=2)


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The rows of shards that were read."""
    rows: list[int] = []
    read = ParquetImages.read

    def counted(self: ParquetImages, shard: Path, layout: object, row: int) -> bytes:
        rows.append(row)
        return read(self, shard, layout, row)  # type: ignore[arg-type]

    monkeypatch.setattr(ParquetImages, "read", counted)
    return rows


def test_images_of_shards_are_stored_once_and_not_opened_again(database: Database, tmp_path: Path, reads: list[int]) -> None:
    (tmp_path / "art").mkdir()
    for shard, numbers in enumerate((range(5), range(5, 8))):
        write_shard(tmp_path / f"art/train-{shard:05}-of-00002.parquet", numbers)
    store = Store.create(str(tmp_path / "store"))
    source = CatalogueSource(catalogue=tmp_path / "art")
    report = ingest_catalogue(source, database=database, store=store)
    assert (report.rows, report.files, report.artworks, report.complete) == (8, 8, 8, 8)
    assert (report.unreadable, report.refused, report.unexplained) == (0, 0, 0)
    assert len(list(store.blobs())) == 8
    with database.engine.connect() as connection:
        kept = connection.execute(select(artworks.c.key, artworks.c.picture, artworks.c.style, artworks.c.link)).all()
    assert sorted(kept) == sorted((f"art/train-{number // 5:05}-of-00002/{number % 5}", "present", "Cubism", None) for number in range(8))
    assert len(reads) == 8
    reads.clear()
    assert not any(ingest_catalogue(source, database=database, store=store).changes.values())
    assert reads == []
    later = tmp_path / "art/train-00001-of-00002.parquet"
    os.utime(later, ns=(later.stat().st_atime_ns, later.stat().st_mtime_ns + 10**9))
    ingest_catalogue(source, database=database, store=store)
    assert sorted(reads) == [0, 1, 2]


def test_images_inside_shards_are_not_linked(database: Database, tmp_path: Path) -> None:
    write_shard(tmp_path / "art.parquet", range(3))
    with pytest.raises(CatalogueUnreadable, match="ingest without --link") as caught:
        ingest_catalogue(CatalogueSource(catalogue=tmp_path / "art.parquet"), database=database, store=None)
    assert "\n" not in str(caught.value)
    with database.engine.connect() as connection:
        assert connection.execute(select(artworks.c.id)).all() == []


def test_an_embedded_image_that_cannot_be_decoded_is_reported_and_the_others_go_on(database: Database, tmp_path: Path) -> None:
    images = pa.array([{"bytes": data, "path": None} for data in (encoded(1), b"no image", encoded(2))], IMAGE)
    pq.write_table(pa.table({"image": images, "artist": ["Ann"] * 3, "style": ["Cubism"] * 3}), tmp_path / "art.parquet")
    report = ingest_catalogue(
        CatalogueSource(catalogue=tmp_path / "art.parquet"), database=database, store=Store.create(str(tmp_path / "s"))
    )
    assert (report.artworks, report.unreadable, report.unexplained) == (3, 1, 0)
    assert report.details["unreadable"][0]["path"] == "art/1"


def test_cells_with_nuls_and_surrogates_reach_every_database(database: Database, tmp_path: Path) -> None:
    rows = b"path,artist,note,style\na.png,An\0n\xed\xa0\x80,x\0y,Cubism\n../b\0.png,Bo,z,Cubism\n"
    (tmp_path / "cat.csv").write_bytes(rows)
    report = ingest_catalogue(CatalogueSource(catalogue=tmp_path / "cat.csv"), database=database, store=Store.create(str(tmp_path / "s")))
    assert (report.artworks, report.refused, report.unexplained) == (1, 1, 0)
    assert report.details["repairs"] == {"NUL characters removed": 3, "lone surrogates replaced": 1}
    with database.engine.connect() as connection:
        assert connection.execute(select(artworks.c.artist, artworks.c.extra)).one() == ("Ann\ufffd", {"note": "xy"})


def test_columns_are_mapped_and_own_data_left_out(database: Database, tmp_path: Path) -> None:
    (tmp_path / "own/report").mkdir(parents=True)
    for path in ("a.png", "own/report/sheet.png"):
        (tmp_path / path).write_bytes(encoded(3))
    (tmp_path / "cat.csv").write_text("Bild;Maler;Epoche\na.png;Ann;Cubism\n")
    source = CatalogueSource(
        catalogue=tmp_path / "cat.csv", columns={"path": "Bild", "artist": "Maler", "styles": "Epoche"}, exclude=(tmp_path / "own",)
    )
    report = ingest_catalogue(source, database=database, store=Store.create(str(tmp_path / "s")))
    assert (report.rows, report.files, report.complete) == (1, 1, 1)
    assert report.details["skipped"] == {"Paragone's own data": 1}
