from __future__ import annotations

import os
import struct
import uuid
import zlib
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from PIL import Image
from sqlalchemy import insert, select

from db.errors import StoreUnavailable
from db.store import Store
from db.tables import artwork_paths, artworks, batch_keys, campaigns, ingests, jobs
from producer.ingest import CatalogueSource, dry_run_ingest, ingest_catalogue

if TYPE_CHECKING:
    from db.engine import Database
    from producer.cleaning.report import CleaningReport


def image_bytes(colour: str = "red", form: str = "JPEG", size: tuple[int, int] = (40, 30)) -> bytes:
    buffer = BytesIO()
    Image.linear_gradient("L").resize(size).convert("RGB").save(buffer, form) if colour == "grey" else Image.new("RGB", size, colour).save(
        buffer, form
    )
    return buffer.getvalue()


def bomb() -> bytes:
    """A PNG whose header claims 60,000 x 60,000 pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0))
        + chunk(b"IDAT", zlib.compress(b""))
        + chunk(b"IEND", b"")
    )


class Tree:
    """A small Kaggle catalogue on disk."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.rows: list[str] = []

    def add(self, path: str, data: bytes | None, *, row: bool = True) -> None:
        if data is not None:
            (self.root / path).parent.mkdir(parents=True, exist_ok=True)
            (self.root / path).write_bytes(data)
        if row:
            style = path.partition("/")[0].replace("_", " ")
            self.rows.append(f"{path},,['{style}'],,,,,1,train\n")
        header = "filename,artist,genre,description,phash,width,height,genre_count,subset\n"
        (self.root / "classes.csv").write_text(header + "".join(self.rows))

    @property
    def source(self) -> CatalogueSource:
        return CatalogueSource(catalogue=self.root / "classes.csv")


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    (tmp_path / "tree").mkdir()
    return Tree(tmp_path / "tree")


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store.create(str(tmp_path / "store"))


def rows(database: Database) -> dict[str, Any]:
    with database.engine.connect() as connection:
        return {row["key"]: row for row in connection.execute(select(artworks)).mappings()}


def everything(database: Database) -> list[Any]:
    with database.engine.connect() as connection:
        return [connection.execute(select(table).order_by(table.c.id)).all() for table in (artworks, artwork_paths)]


def unchanged(report: CleaningReport) -> bool:
    return not any(report.changes.values())


def test_a_tree_is_registered_and_a_second_ingest_changes_nothing(database: Database, tree: Tree, store: Store) -> None:
    tree.add("Cubism/ana-b_sea-1901.jpg", image_bytes("blue"))
    tree.add("Fauvism/ana-b_sea-1901.jpg", image_bytes("blue"), row=False)
    tree.add("Cubism/bo-c_hill.jpg", None)
    report = ingest_catalogue(tree.source, database=database, store=store)
    assert (report.rows, report.files, report.artworks, report.second_copies, report.missing_files, report.unexplained) == (
        2,
        2,
        2,
        1,
        1,
        0,
    )
    assert report.changes == {"new": 2, "changed": 0, "arrived": 1, "new_paths": 2, "readied": 0}
    found = rows(database)["ana-b_sea-1901"]
    assert (found["artist"], found["title"], found["style"], found["styles"]) == ("ana b", "sea", "Cubism", ["Cubism", "Fauvism"])
    assert (found["picture"], found["width"], found["height"], found["mode"], found["link"]) == ("present", 40, 30, "RGB", None)
    assert store.get(found["content_hash"]) == image_bytes("blue")
    assert rows(database)["bo-c_hill"]["picture"] == "planned"
    before = everything(database)
    assert unchanged(ingest_catalogue(tree.source, database=database, store=store))
    assert everything(database) == before


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "empty"),
        (b"<html>not found</html>", "not an image"),
        (image_bytes("grey", size=(400, 300))[:1200], "truncated"),
        (image_bytes("grey", "PNG", size=(400, 300))[:200], ""),
        (bomb(), "decompression bomb"),
        (b"\xff\xd8\xff\xe0" + os.urandom(64), ""),
    ],
)
def test_a_broken_image_is_registered_with_its_reason_and_again_when_repaired(
    sqlite_database: Database, tree: Tree, store: Store, data: bytes, reason: str
) -> None:
    tree.add("Cubism/ana-b_sea.jpg", data)
    report = ingest_catalogue(tree.source, database=sqlite_database, store=store)
    assert report.unreadable == 1
    found = rows(sqlite_database)["ana-b_sea"]
    assert found["picture"] == "unreadable"
    assert reason in found["picture_reason"]
    assert found["picture_reason"]
    assert unchanged(ingest_catalogue(tree.source, database=sqlite_database, store=store))
    tree.add("Cubism/ana-b_sea.jpg", image_bytes(), row=False)
    assert ingest_catalogue(tree.source, database=sqlite_database, store=store).changes["arrived"] == 1
    found = rows(sqlite_database)["ana-b_sea"]
    assert (found["picture"], found["picture_reason"], found["width"]) == ("present", None, 40)


def test_a_file_that_could_not_be_read_is_read_when_permissions_change_though_nothing_else_does(
    sqlite_database: Database, tree: Tree, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    tree.add("Cubism/ana-b_sea.jpg", image_bytes())

    def denied(_path: Path) -> bytes:
        raise PermissionError(13, "Permission denied")

    with monkeypatch.context() as patch:
        patch.setattr(Path, "read_bytes", denied)
        assert ingest_catalogue(tree.source, database=sqlite_database, store=store).unreadable == 1
    assert "Permission denied" in rows(sqlite_database)["ana-b_sea"]["picture_reason"]
    assert ingest_catalogue(tree.source, database=sqlite_database, store=store).unreadable == 0


def test_the_first_readable_copy_of_an_artwork_is_its_original(sqlite_database: Database, tree: Tree, store: Store) -> None:
    tree.add("Cubism/ana-b_sea.jpg", b"broken")
    tree.add("Fauvism/ana-b_sea.jpg", image_bytes("green"), row=False)
    report = ingest_catalogue(tree.source, database=sqlite_database, store=store)
    assert report.unreadable == 0
    assert [case["path"] for case in report.details["unreadable"]] == ["Cubism/ana-b_sea.jpg"]
    assert chosen(sqlite_database) == ["Fauvism/ana-b_sea.jpg"]
    tree.add("Cubism/ana-b_sea.jpg", image_bytes("green"), row=False)
    ingest_catalogue(tree.source, database=sqlite_database, store=store)
    assert chosen(sqlite_database) == ["Cubism/ana-b_sea.jpg"]
    (tree.root / "Cubism/ana-b_sea.jpg").unlink()
    tree.add("Fauvism/ana-b_sea.jpg", image_bytes("yellow"), row=False)
    ingest_catalogue(tree.source, database=sqlite_database, store=store)
    assert "Fauvism/ana-b_sea.jpg" in chosen(sqlite_database)


def chosen(database: Database) -> list[str]:
    with database.engine.connect() as connection:
        return list(connection.scalars(select(artwork_paths.c.path).where(artwork_paths.c.chosen)))


def test_a_changed_file_brings_its_new_content(database: Database, tree: Tree, store: Store) -> None:
    tree.add("Cubism/ana-b_sea.jpg", image_bytes("red"))
    ingest_catalogue(tree.source, database=database, store=store)
    before = rows(database)["ana-b_sea"]["content_hash"]
    tree.add("Cubism/ana-b_sea.jpg", image_bytes("blue", size=(64, 20)), row=False)
    assert ingest_catalogue(tree.source, database=database, store=store).changes["arrived"] == 1
    after = rows(database)["ana-b_sea"]
    assert after["content_hash"] != before
    assert (after["width"], after["height"]) == (64, 20)
    assert store.get(after["content_hash"]) == image_bytes("blue", size=(64, 20))


@pytest.mark.parametrize("kind", ["local", "memory"])
def test_originals_that_the_store_has_lost_are_put_back_and_counted(
    sqlite_database: Database, tree: Tree, store: Store, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = store if kind == "local" else Store.create(f"memory://{uuid.uuid4().hex}")
    tree.add("Cubism/ana-b_sea.jpg", image_bytes("red"))
    tree.add("Cubism/bo-c_hill.jpg", image_bytes("blue"))
    tree.add("Cubism/cy-d_bay.jpg", image_bytes("green"))
    ingest_catalogue(tree.source, database=sqlite_database, store=store)
    before = everything(sqlite_database)
    for key in ("ana-b_sea", "bo-c_hill"):
        store.delete(rows(sqlite_database)[key]["content_hash"])
    opened: list[Path] = []
    read = Path.read_bytes

    def counted(path: Path) -> bytes:
        opened.append(path)
        return read(path)

    monkeypatch.setattr(Path, "read_bytes", counted)

    report = ingest_catalogue(tree.source, database=sqlite_database, store=store)

    assert report.refilled == 2
    assert {path.name for path in opened} == {"ana-b_sea.jpg", "bo-c_hill.jpg"}
    assert unchanged(report)
    assert everything(sqlite_database) == before
    assert all(store.exists(row["content_hash"]) for row in rows(sqlite_database).values())
    assert ingest_catalogue(tree.source, database=sqlite_database, store=store).refilled == 0
    for row in rows(sqlite_database).values():
        store.delete(row["content_hash"])
    assert ingest_catalogue(tree.source, database=sqlite_database, store=None).refilled == 0, "linked images are not in the store"


def test_an_ingest_into_a_store_that_is_away_says_so_before_it_reads_anything(
    sqlite_database: Database, tree: Tree, store: Store, tmp_path: Path
) -> None:
    (tmp_path / "store").rename(tmp_path / "unmounted")
    (tmp_path / "store").mkdir()

    with pytest.raises(StoreUnavailable, match="has no marker of this database"):
        ingest_catalogue(tree.source, database=sqlite_database, store=store)

    assert rows(sqlite_database) == {}
    assert list((tmp_path / "store").iterdir()) == []


def test_linked_images_stay_where_they_are_until_they_are_wanted_in_the_store(sqlite_database: Database, tree: Tree, store: Store) -> None:
    tree.add("Cubism/ana-b_sea.jpg", image_bytes("red"))
    ingest_catalogue(tree.source, database=sqlite_database, store=None)
    found = rows(sqlite_database)["ana-b_sea"]
    assert found["link"] == str(tree.root.resolve() / "Cubism/ana-b_sea.jpg")
    assert not list(store.blobs())
    assert unchanged(ingest_catalogue(tree.source, database=sqlite_database, store=None))
    ingest_catalogue(tree.source, database=sqlite_database, store=store)
    found = rows(sqlite_database)["ana-b_sea"]
    assert found["link"] is None
    assert store.exists(found["content_hash"])


def test_artworks_of_a_file_list_are_planned_and_their_jobs_wait_for_the_image(database: Database, tree: Tree, store: Store) -> None:
    (tree.root / "files.txt").write_text("Realism/joaquã\xadn_sea.jpg\nRealism/ana_hill.jpg\n")
    report = ingest_catalogue(CatalogueSource(catalogue=tree.root / "files.txt"), database=database, store=store)
    assert (report.artworks, report.names_repaired) == (2, 1)
    found = rows(database)
    assert {key: row["picture"] for key, row in found.items()} == {"joaquín_sea": "planned", "ana_hill": "planned"}
    wait_for(database, found["joaquín_sea"]["id"])
    tree.add("Realism/joaquã\xadn_sea.jpg", image_bytes())
    report = ingest_catalogue(tree.source, database=database, store=store)
    assert report.changes["readied"] == 1
    with database.engine.connect() as connection:
        assert connection.scalar(select(jobs.c.state)) == "ready"
    ingest_catalogue(CatalogueSource(catalogue=tree.root / "files.txt"), database=database, store=store)
    assert rows(database)["joaquín_sea"]["picture"] == "present"


def wait_for(database: Database, artwork_id: int) -> None:
    with database.engine.begin() as connection:
        facts = {"name": "x", "config": {}, "config_hash": "x", "state": "open", "created_at": 0.0}
        campaign = connection.execute(insert(campaigns).values(facts).returning(campaigns.c.id)).scalar_one()
        connection.execute(insert(batch_keys).values(batch_key="k", campaign_id=campaign, stage="caption", parameters={}))
        job = {"job_key": "j", "campaign_id": campaign, "artwork_id": artwork_id, "stage": "caption", "batch_key": "k", "state": "waiting"}
        connection.execute(insert(jobs).values(**job, created_at=0.0, changed_at=0.0))


def test_a_later_ingest_of_file_names_alone_overwrites_no_fact_of_a_catalogue(database: Database, tree: Tree, store: Store) -> None:
    tree.add("Cubism/ana_hill.jpg", image_bytes(), row=False)
    (tree.root / "classes.csv").write_text(
        "filename,artist,genre,title,subset\nCubism/ana_hill.jpg,Ana Böll,\"['Cubism']\",The Hill,test\n"
    )
    ingest_catalogue(tree.source, database=database, store=store)
    (tree.root / "Fauvism").mkdir()
    (tree.root / "Fauvism/ana_hill.jpg").write_bytes(image_bytes())
    (tree.root / "classes.csv").unlink()
    ingest_catalogue(replace(tree.source, catalogue=tree.root), database=database, store=store)
    found = rows(database)["ana_hill"]
    assert (found["artist"], found["title"], found["subset"], found["styles"]) == ("Ana Böll", "The Hill", "test", ["Cubism", "Fauvism"])


def test_a_dry_run_of_ingest_opens_everything_and_writes_nothing(tree: Tree) -> None:
    tree.add("Cubism/ana-b_sea.jpg", image_bytes())
    tree.add("Cubism/bo-c_hill.jpg", b"broken")
    before = sorted(tree.root.parent.rglob("*"))
    report = dry_run_ingest(tree.source)
    assert (report.artworks, report.unreadable, report.details["sizes"]["pixels"]) == (2, 1, [[40, 30, 1]])
    assert sorted(tree.root.parent.rglob("*")) == before


def test_the_report_of_an_ingest_is_kept_and_drawn(sqlite_database: Database, tree: Tree, store: Store, tmp_path: Path) -> None:
    tree.add("Cubism/ana-b_sea.jpg", image_bytes())
    tree.add("Unclassified/unknown_vase.jpg", image_bytes("green"))
    report = ingest_catalogue(tree.source, database=sqlite_database, store=store, charts=tmp_path / "reports")
    assert [Path(chart).name for chart in report.charts] == ["columns.png", "styles.png", "sizes.png"]
    for chart in report.charts:
        with Image.open(chart) as drawn:
            assert min(drawn.size) > 200
            assert len(drawn.convert("RGB").getcolors(1 << 24) or []) > 2
    with sqlite_database.engine.connect() as connection:
        kept = connection.scalar(select(ingests.c.report))
    assert kept == report.as_json()
    assert kept["details"]["incomplete_reasons"] == {"no style, no artist": 1}
