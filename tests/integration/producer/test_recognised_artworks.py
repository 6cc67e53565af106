"""One picture is one artwork, however often and under whatever names it comes; two pictures are two."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from PIL import Image
from sqlalchemy import insert, select

import producer.ingest
from db.store import Store
from db.tables import artwork_paths, artworks, campaigns, variations
from producer.ingest import CatalogueSource, dry_run_ingest, ingest_catalogue

if TYPE_CHECKING:
    from pathlib import Path

    from db.engine import Database
    from producer.cleaning.report import CleaningReport

COLOURS = ("red", "green", "blue", "yellow", "black")


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store.create(str(tmp_path / "store"))


def picture(path: Path, colour: str, form: str = "PNG") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (32, 24), colour).save(path, form)


def tree_of(folder: Path, colours: tuple[str, ...] = COLOURS) -> CatalogueSource:
    for colour in colours:
        picture(folder / f"Cubism/ana-b_{colour}-thing.png", colour)
    return CatalogueSource(catalogue=folder)


def csv_of(folder: Path, colours: tuple[str, ...] = COLOURS, artist: str = "Ana Böll") -> CatalogueSource:
    for colour in colours:
        picture(folder / f"img/{colour}.png", colour)
    rows = "".join(f"img/{colour}.png,{artist},note on {colour}\n" for colour in colours)
    (folder / "list.csv").write_text(f"path,artist,note\n{rows}")
    return CatalogueSource(catalogue=folder / "list.csv")


def rows(database: Database) -> dict[str, Any]:
    with database.engine.connect() as connection:
        return {row["key"]: dict(row) for row in connection.execute(select(artworks)).mappings()}


def everything(database: Database) -> list[Any]:
    with database.engine.connect() as connection:
        return [connection.execute(select(table).order_by(table.c.id)).all() for table in (artworks, artwork_paths)]


def unchanged(report: CleaningReport) -> bool:
    return not any(report.changes.values())


@pytest.mark.parametrize("at_once", [1, 2, 900])
def test_a_csv_of_the_pictures_of_a_tree_adds_facts_and_no_artwork(
    database: Database, store: Store, tmp_path: Path, at_once: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(producer.ingest, "WITH_IMAGES", at_once)
    tree, table = tree_of(tmp_path / "tree"), csv_of(tmp_path / "csv")
    ingest_catalogue(tree, database=database, store=store)

    report = ingest_catalogue(table, database=database, store=store)

    assert (report.artworks, report.complete, report.joined_by_content, report.changes["new"]) == (5, 5, 5, 0)
    found = rows(database)
    assert set(found) == {f"ana-b_{colour}-thing" for colour in COLOURS}, "seeds are made from the first name"
    red = found["ana-b_red-thing"]
    assert (red["artist"], red["title"], red["style"], red["incomplete"]) == ("Ana Böll", "red", "Cubism", None)
    assert red["extra"] == {"note": "note on red"}
    before = everything(database)
    for source in (tree, table, tree):
        again = ingest_catalogue(source, database=database, store=store)
        assert unchanged(again)
        assert again.artworks == 5
    assert everything(database) == before


def test_equal_pictures_of_one_ingest_are_one_artwork_across_its_transactions(
    database: Database, store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = tree_of(tmp_path / "tree", ("red", "green"))
    picture(tmp_path / "tree/Fauvism/zoe-c_other-name.png", "red")
    dry = dry_run_ingest(source)
    for at_once in (1, 900):
        monkeypatch.setattr(producer.ingest, "WITH_IMAGES", at_once)
        report = ingest_catalogue(source, database=database, store=store)
        assert (report.artworks, report.joined_by_content) == (dry.artworks, dry.joined_by_content) == (2, 1)
        assert report.details["joined_by_content"] == [{"name": "zoe-c_other-name", "artwork": "ana-b_red-thing"}]
    found = rows(database)
    assert set(found) == {"ana-b_red-thing", "ana-b_green-thing"}
    assert (found["ana-b_red-thing"]["artist"], found["ana-b_red-thing"]["styles"]) == ("ana b", ["Cubism", "Fauvism"])


def test_pictures_that_arrive_for_a_file_list_are_joined_to_it(database: Database, store: Store, tmp_path: Path) -> None:
    tree, table = tree_of(tmp_path / "tree"), csv_of(tmp_path / "csv")
    (tmp_path / "files.txt").write_text("".join(f"Cubism/ana-b_{colour}-thing.png\n" for colour in COLOURS))
    ingest_catalogue(CatalogueSource(catalogue=tmp_path / "files.txt"), database=database, store=store)
    ids = {key: row["id"] for key, row in rows(database).items()}

    assert ingest_catalogue(tree, database=database, store=store).changes["arrived"] == 5
    assert ingest_catalogue(table, database=database, store=store).changes["new"] == 0

    assert {key: row["id"] for key, row in rows(database).items()} == ids


@pytest.mark.parametrize("planned", [None, "first", "second", "both"])
def test_two_registered_artworks_that_turn_out_to_be_one_become_one_unless_both_are_planned(
    database: Database, store: Store, tmp_path: Path, planned: str | None
) -> None:
    tree, table = tree_of(tmp_path / "tree", ("red",)), csv_of(tmp_path / "csv", ("red",))
    (tmp_path / "files.txt").write_text("Cubism/ana-b_red-thing.png\n")
    ingest_catalogue(CatalogueSource(catalogue=tmp_path / "files.txt"), database=database, store=store)
    ingest_catalogue(table, database=database, store=store)
    first, second = "ana-b_red-thing", "img/red"
    assert set(rows(database)) == {first, second}, "nobody can know it yet"
    for key in {None: (), "both": (first, second), "first": (first,), "second": (second,)}[planned]:
        plan(database, rows(database)[key]["id"])

    report = ingest_catalogue(tree, database=database, store=store)

    found = rows(database)
    assert set(found) == {None: {first}, "first": {first}, "second": {second}, "both": {first, second}}[planned]
    if planned != "both":
        (kept,) = found.values()
        assert (kept["picture"], kept["style"], kept["extra"]) == ("present", "Cubism", {"note": "note on red"})
        assert kept["artist"] in {"Ana Böll", "ana b"}
    assert len({row["group_key"] for row in found.values()}) == 1
    assert report.artworks == 1
    assert unchanged(ingest_catalogue(tree, database=database, store=store))


def plan(database: Database, artwork_id: int) -> None:
    with database.engine.begin() as connection:
        campaign = connection.scalar(select(campaigns.c.id))
        if campaign is None:
            facts = {"name": "x", "config": {}, "config_hash": "x", "state": "open", "created_at": 0.0}
            campaign = connection.execute(insert(campaigns).values(facts).returning(campaigns.c.id)).scalar_one()
        one = {"campaign_id": campaign, "artwork_id": artwork_id, "level": "radical", "ordinal": 0, "seed": 1, "redraws": 0}
        connection.execute(insert(variations).values(one))


@pytest.mark.parametrize("paths", [("Cubism/ana_hill.png", "Fauvism/ana_hill.png"), ("Cubism/ana_hill.jpg", "Cubism/ana_hill.png")])
def test_two_pictures_of_one_name_are_two_artworks_and_told(
    database: Database, store: Store, tmp_path: Path, paths: tuple[str, str]
) -> None:
    picture(tmp_path / "tree" / paths[0], "red")
    picture(tmp_path / "tree" / paths[1], "blue")
    source = CatalogueSource(catalogue=tmp_path / "tree")

    report = ingest_catalogue(source, database=database, store=store)

    found = rows(database)
    first, second = sorted(found, key=len)
    assert (first, second[:9], len(second)) == ("ana_hill", "ana_hill~", 21)
    assert second.endswith(found[second]["content_hash"][:12])
    assert (found[second]["artist"], found[second]["title"], found[second]["incomplete"]) == ("ana", "hill", None)
    assert found[second]["style"] == paths[1].partition("/")[0]
    assert {row["group_key"] for row in found.values()} == {"ana_hill"}, (
        "often two photographs of one painting: a split keeps them together"
    )
    assert (report.artworks, report.same_name, report.second_copies, report.unexplained) == (2, 1, 0, 0)
    assert report.details["same_name"] == [{"artwork": second, "name": "ana_hill"}]
    assert report.details["files"]["other_picture"] == 1
    before = everything(database)
    again = ingest_catalogue(source, database=database, store=store)
    assert unchanged(again)
    assert (again.artworks, again.same_name, again.details["files"]) == (2, 1, report.details["files"])
    assert everything(database) == before
    dry = dry_run_ingest(source)
    assert (dry.artworks, dry.same_name) == (2, 1)


def test_a_row_of_its_own_describes_the_second_picture_of_a_name(sqlite_database: Database, store: Store, tmp_path: Path) -> None:
    picture(tmp_path / "a/one.png", "red")
    picture(tmp_path / "a/one.jpg", "blue", "JPEG")
    (tmp_path / "list.csv").write_text("path,artist,style\na/one.png,Ana,Cubism\na/one.jpg,Bo,Baroque\n")
    ingest_catalogue(CatalogueSource(catalogue=tmp_path / "list.csv", images=tmp_path), database=sqlite_database, store=store)
    found = rows(sqlite_database)
    assert sorted((row["artist"], row["style"]) for row in found.values()) == [("Ana", "Cubism"), ("Bo", "Baroque")]


def test_which_pictures_there_are_does_not_depend_on_the_order_of_ingests(sqlite_database: Database, store: Store, tmp_path: Path) -> None:
    picture(tmp_path / "one/Cubism/ana_hill.png", "red")
    picture(tmp_path / "two/Fauvism/ana_hill.png", "blue")
    one, two = CatalogueSource(catalogue=tmp_path / "one"), CatalogueSource(catalogue=tmp_path / "two")
    ingest_catalogue(one, database=sqlite_database, store=store)
    assert ingest_catalogue(two, database=sqlite_database, store=store).same_name == 1
    found = rows(sqlite_database)
    assert len(found) == 2
    assert found["ana_hill"]["styles"] == ["Cubism"]
    assert {row["style"] for row in found.values()} == {"Cubism", "Fauvism"}
    assert unchanged(ingest_catalogue(one, database=sqlite_database, store=store))
    assert unchanged(ingest_catalogue(two, database=sqlite_database, store=store))


def test_a_file_that_changes_keeps_its_artwork_and_its_copy_becomes_one_of_its_own(
    sqlite_database: Database, store: Store, tmp_path: Path
) -> None:
    source = tree_of(tmp_path / "tree", ("red",))
    picture(tmp_path / "tree/Fauvism/zoe-c_other-name.png", "red")
    ingest_catalogue(source, database=sqlite_database, store=store)
    assert set(rows(sqlite_database)) == {"ana-b_red-thing"}
    picture(tmp_path / "tree/Cubism/ana-b_red-thing.png", "green")
    report = ingest_catalogue(source, database=sqlite_database, store=store)
    assert report.details["replaced"] == ["ana-b_red-thing"]
    assert ingest_catalogue(source, database=sqlite_database, store=store).changes["new"] == 1, "its copy still holds the old picture"
    found = rows(sqlite_database)
    assert set(found) == {"ana-b_red-thing", "zoe-c_other-name"}
    assert len({row["group_key"] for row in found.values()}) == 2
    assert unchanged(ingest_catalogue(source, database=sqlite_database, store=store))
