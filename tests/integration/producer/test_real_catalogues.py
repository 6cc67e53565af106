from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from sqlalchemy import func, select

from db.store import Store
from db.tables import artwork_paths, artworks
from producer.cleaning import join_catalogue
from producer.ingest import CatalogueSource, ingest_catalogue
from producer.readers import read_catalogue

if TYPE_CHECKING:
    from pathlib import Path

    from db.engine import Database


@pytest.mark.slow(reason="80,097 rows and 81,446 names")
def test_every_row_and_file_of_wikiart_is_explained(sqlite_database: Database, shared_data: Path) -> None:
    folder = shared_data / "wikiart"
    source = CatalogueSource(catalogue=folder / "classes.csv.gz", file_list=folder / "files.txt.gz")
    report = ingest_catalogue(source, database=sqlite_database, store=None)
    assert (report.rows, report.files, report.artworks, report.second_copies) == (80_097, 81_446, 80_097, 1_349)
    assert (report.names_repaired, report.works_with_repaired_names, report.uncertain_artists) == (709, 696, 44)
    assert (report.incomplete, report.refused, report.missing_files, report.unexplained) == (0, 0, 0, 0)
    assert report.details["columns"]["file"] == {"of": 81_446, "missing": 2_045, "repaired": 2_045, "left": 0}
    with sqlite_database.engine.connect() as connection:
        assert connection.scalar(select(func.count()).select_from(artworks)) == 80_097
        assert connection.scalar(select(func.count()).select_from(artwork_paths).where(artwork_paths.c.repaired)) == 709
    again = ingest_catalogue(source, database=sqlite_database, store=None)
    assert not any(again.changes.values())


@pytest.mark.slow(reason="80,097 rows and 81,446 names")
def test_the_file_names_of_wikiart_alone_lead_to_the_same_artworks(shared_data: Path) -> None:
    folder = shared_data / "wikiart"
    by_rows = join_catalogue(read_catalogue(folder / "classes.csv.gz", file_list=folder / "files.txt.gz"))
    by_names = join_catalogue(read_catalogue(folder / "files.txt.gz"))
    assert {artwork.key for artwork in by_names} == {artwork.key for artwork in by_rows}
    assert sum(copy.repaired for artwork in by_names for copy in artwork.copies) == 709


def test_of_the_museum_91_artworks_are_complete_and_37_say_why_not(sqlite_database: Database, shared_data: Path, tmp_path: Path) -> None:
    store = Store.create(str(tmp_path / "store"))
    report = ingest_catalogue(CatalogueSource(catalogue=shared_data / "museum/classes.csv"), database=sqlite_database, store=store)
    assert (report.artworks, report.complete, report.incomplete, report.unreadable, report.unexplained) == (128, 91, 37, 0, 0)
    assert report.details["incomplete_reasons"] == {"no style, no artist": 24, "no style": 13}
    with sqlite_database.engine.connect() as connection:
        names = {
            artworks.c.artist.is_(None): 24,
            artworks.c.style.is_(None): 37,
            artworks.c.picture == "present": 128,
            artworks.c.mode == "P": 128,
        }
        for condition, count in names.items():
            assert connection.scalar(select(func.count()).select_from(artworks).where(condition)) == count
    assert len(list(store.blobs())) == 128
