"""`unexplained` is 0 because every row and every file has exactly one outcome, counted here without the code that joins them."""

from __future__ import annotations

import csv
import tempfile
from collections import Counter
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from producer.cleaning import clean_artwork, join_catalogue, reconcile
from producer.readers import read_catalogue

FOLDERS = st.sampled_from(["", "Cubism", "Fauvism", "img", "Holiday/2019", "resized"])
STEMS = st.sampled_from(
    [
        *("ana-b_sea", "ana-b_sea_resize1024", "Ana B_Sea", "ana-b_sea(1)", "ana-b_sea(2)", "IMG_1001", "IMG_1001 (1)", "0001", "c", "a_b"),
        *("é_b", "ã©_b", "gr├⌐goire_b", "bo-c_hill-thumb", "bo-c_hill", "BO-C_HILL", "unknown_x", "beach_sunset", "_", "_x", "x_"),
    ]
)
PATHS = st.tuples(FOLDERS, STEMS, st.sampled_from([".jpg", ".png"])).map(lambda parts: f"{parts[0]}/{parts[1]}{parts[2]}".lstrip("/"))
ROWS = st.lists(st.one_of(PATHS, st.sampled_from(["", "../outside.jpg", "img/nothing.jpg", "C:\\x.jpg"])), max_size=8)


@settings(deadline=None, max_examples=150)
@given(files=st.sets(PATHS, max_size=8), rows=ROWS, column=st.sampled_from(["path", "filename"]))
def test_rows_and_files_are_divided_among_artworks_and_refusals(files: set[str], rows: list[str], column: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        for path in files:
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_bytes(b"")
        with (root / "classes.csv").open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            writer.writerow([column, "artist", "genre", "description"])
            writer.writerows([path, "Ana", "['Cubism']", "sea"] for path in rows)
        catalogue = read_catalogue(root / "classes.csv")
        on_disk = sorted(path.relative_to(root).as_posix() for path in root.rglob("*.*") if path.suffix in {".jpg", ".png"})
    joined = join_catalogue(catalogue)
    found = reconcile(catalogue, joined)
    artworks = [clean_artwork(artwork) for artwork in joined]

    assert found.unexplained == ()
    assert found.rows == len(rows) == sum(found.row_outcomes.values())
    assert found.files == len(on_disk) == sum(found.file_outcomes.values())
    taken = Counter(copy.file.path for artwork in artworks for copy in artwork.copies)
    assert sorted(taken.elements()) == on_disk
    numbers = [row.number for artwork in joined for row in artwork.rows] + [one.row for one in catalogue.refused if one.row is not None]
    assert sorted(numbers) == list(range(1, len(rows) + 1))
    assert len({artwork.key for artwork in artworks}) == len(artworks)
