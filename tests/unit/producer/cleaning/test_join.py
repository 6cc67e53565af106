from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from producer.cleaning import CellOutcome, CleanedArtwork, clean_artwork, join_catalogue, reconcile
from producer.readers import Catalogue, CatalogueFile, CatalogueRow, RefusedPath


def catalogue(rows: list[CatalogueRow], files: list[str], refused: tuple[RefusedPath, ...] = ()) -> Catalogue:
    found = tuple(CatalogueFile(path=path) for path in files)
    return Catalogue(
        source="test",
        reader="test",
        rows=tuple(rows),
        files=found,
        refused=refused,
        columns={},
        empty={},
        names_identify=True,
        on_disk=False,
    )


def row(number: int, path: str, artist: str = "Juan Gris", styles: str = "['Cubism']", title: str = "") -> CatalogueRow:
    return CatalogueRow(number=number, path=path, artist=artist, styles=styles, title=title)


def cleaned(rows: list[CatalogueRow], files: list[str]) -> list[CleanedArtwork]:
    return [clean_artwork(joined) for joined in join_catalogue(catalogue(rows, files))]


def test_a_second_copy_in_another_style_folder_is_the_same_artwork_with_both_styles() -> None:
    (artwork,) = cleaned([row(1, "Cubism/juan-gris_table.jpg")], ["Fauvism/juan-gris_table.jpg", "Cubism/juan-gris_table.jpg"])
    assert artwork.styles == ("Cubism", "Fauvism")
    assert [copy.file.path for copy in artwork.copies] == ["Cubism/juan-gris_table.jpg", "Fauvism/juan-gris_table.jpg"]


def test_a_file_with_a_broken_name_is_joined_to_its_row() -> None:
    (artwork,) = cleaned([row(1, "Realism/joaquín-sorolla_sea.jpg", artist="joaquín sorolla")], ["Realism/joaquã\xadn-sorolla_sea.jpg"])
    assert artwork.artist == "joaquín sorolla"
    assert artwork.copies[0].repaired
    assert artwork.cells["file"] is CellOutcome.REPAIRED


def test_a_file_name_that_lost_letters_is_joined_to_the_only_row_with_the_same_ascii_letters() -> None:
    (artwork,) = cleaned([row(1, "Realism/joaquín-sorolla_sea.jpg")], ["Realism/joaqu\ufffdn-sorolla_sea.jpg"])
    assert artwork.key == "joaquín-sorolla_sea"
    assert artwork.copies[0].repaired


def test_a_file_name_whose_lost_letters_fit_two_rows_is_joined_to_neither() -> None:
    rows = [row(1, "Realism/ján_sea.jpg"), row(2, "Realism/jén_sea.jpg")]
    found = cleaned(rows, ["Realism/j\ufffdn_sea.jpg"])
    assert len(found) == 3
    assert [len(artwork.copies) for artwork in found] == [0, 0, 1]


def test_an_artwork_without_a_row_takes_its_facts_from_its_file_name() -> None:
    (artwork,) = cleaned([], ["Pop_Art/roy-halftone_late-houses-1964.jpg"])
    assert (artwork.artist, artwork.title, artwork.style, artwork.listed, artwork.incomplete) == (
        "roy halftone",
        "late houses",
        "Pop Art",
        False,
        None,
    )


def test_gaps_of_a_row_are_filled_from_the_file_name() -> None:
    (artwork,) = cleaned([row(1, "Cubism/juan-gris_table.jpg", artist="", styles="")], ["Cubism/juan-gris_table.jpg"])
    assert (artwork.artist, artwork.style, artwork.incomplete) == ("juan gris", "Cubism", None)
    assert artwork.cells["artist"] is artwork.cells["style"] is CellOutcome.REPAIRED


def test_facts_that_stay_unknown_make_an_artwork_incomplete_and_are_named() -> None:
    (artwork,) = cleaned([row(1, "Unclassified/unknown_vase.jpg", artist="", styles="")], ["Unclassified/unknown_vase.jpg"])
    assert artwork.incomplete == "no style, no artist"
    (artwork,) = cleaned([row(1, "Unclassified/moche_vase.jpg", artist="moche", styles="")], ["Unclassified/moche_vase.jpg"])
    assert artwork.incomplete == "no style"


def test_a_second_row_of_one_artwork_fills_the_gaps_of_the_first() -> None:
    first = CatalogueRow(number=1, path="Cubism/juan-gris_table.jpg", styles="['Cubism']", extra={"date": "1914"})
    second = CatalogueRow(
        number=2, path="Fauvism/juan-gris_table.jpg", artist="Juan Gris", styles="['Fauvism']", extra={"date": "1915", "url": "x"}
    )
    (artwork,) = cleaned([first, second], ["Cubism/juan-gris_table.jpg"])
    assert (artwork.artist, artwork.styles, artwork.extra) == ("Juan Gris", ("Cubism", "Fauvism"), {"date": "1914", "url": "x"})


_PATHS = st.tuples(st.sampled_from(["Cubism", "Fauvism", ""]), st.sampled_from(["a_b", "ã©_b", "é_b", "c", "unknown_x", "a\ufffd_b"])).map(
    lambda parts: "/".join(part for part in parts if part) + ".jpg"
)


@given(st.lists(_PATHS), st.lists(_PATHS))
def test_every_row_and_every_file_has_an_outcome(row_paths: list[str], files: list[str]) -> None:
    rows = [row(number, path) for number, path in enumerate(row_paths, start=1)]
    refused = (RefusedPath(path="../x.jpg", reason="leaves", row=99), RefusedPath(path="../y.jpg", reason="leaves"))
    given = catalogue(rows, files, refused)
    found = reconcile(given, join_catalogue(given))
    assert found.unexplained == ()
    assert sum(found.row_outcomes.values()) == found.rows == len(rows) + 1
    assert sum(found.file_outcomes.values()) == found.files == len(files) + 1


def test_reconciliation_notices_an_artwork_that_got_lost() -> None:
    given = catalogue([row(1, "Cubism/a_b.jpg"), row(2, "Cubism/c_d.jpg")], ["Cubism/a_b.jpg", "Cubism/c_d.jpg"])
    assert reconcile(given, join_catalogue(given)[:1]).unexplained == ("row 2", "Cubism/c_d.jpg")
