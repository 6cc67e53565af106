from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from producer.cleaning import Cell, CleanWork, clean, join, reconcile
from producer.readers import Catalogue, CatalogueFile, CatalogueRow, Refusal


def catalogue(rows: list[CatalogueRow], files: list[str], refused: tuple[Refusal, ...] = ()) -> Catalogue:
    found = tuple(CatalogueFile(path=path) for path in files)
    return Catalogue(
        source="test",
        reader="test",
        rows=tuple(rows),
        files=found,
        refused=refused,
        columns={},
        empty={},
        names_tell=True,
        pictures=False,
    )


def row(number: int, path: str, artist: str = "Juan Gris", styles: str = "['Cubism']", title: str = "") -> CatalogueRow:
    return CatalogueRow(number=number, path=path, artist=artist, styles=styles, title=title)


def works(rows: list[CatalogueRow], files: list[str]) -> list[CleanWork]:
    return [clean(draft) for draft in join(catalogue(rows, files))]


def test_a_second_copy_in_another_style_folder_is_the_same_work_with_both_styles() -> None:
    (work,) = works([row(1, "Cubism/juan-gris_table.jpg")], ["Fauvism/juan-gris_table.jpg", "Cubism/juan-gris_table.jpg"])
    assert work.styles == ("Cubism", "Fauvism")
    assert [copy.file.path for copy in work.copies] == ["Cubism/juan-gris_table.jpg", "Fauvism/juan-gris_table.jpg"]


def test_a_broken_name_finds_its_row() -> None:
    (work,) = works([row(1, "Realism/joaquín-sorolla_sea.jpg", artist="joaquín sorolla")], ["Realism/joaquã\xadn-sorolla_sea.jpg"])
    assert work.artist == "joaquín sorolla"
    assert work.copies[0].repaired
    assert work.cells["file"] is Cell.REPAIRED


def test_a_name_that_lost_letters_for_good_finds_the_one_row_with_the_same_rest() -> None:
    (work,) = works([row(1, "Realism/joaquín-sorolla_sea.jpg")], ["Realism/joaqu\ufffdn-sorolla_sea.jpg"])
    assert work.key == "joaquín-sorolla_sea"
    assert work.copies[0].repaired


def test_lost_letters_that_fit_two_rows_are_not_guessed() -> None:
    rows = [row(1, "Realism/ján_sea.jpg"), row(2, "Realism/jén_sea.jpg")]
    found = works(rows, ["Realism/j\ufffdn_sea.jpg"])
    assert len(found) == 3
    assert [len(work.copies) for work in found] == [0, 0, 1]


def test_a_file_without_a_row_takes_its_facts_from_its_name() -> None:
    (work,) = works([], ["Pop_Art/roy-halftone_late-houses-1964.jpg"])
    assert (work.artist, work.title, work.style, work.listed, work.incomplete) == ("roy halftone", "late houses", "Pop Art", False, None)


def test_gaps_of_a_row_are_filled_from_the_name() -> None:
    (work,) = works([row(1, "Cubism/juan-gris_table.jpg", artist="", styles="")], ["Cubism/juan-gris_table.jpg"])
    assert (work.artist, work.style, work.incomplete) == ("juan gris", "Cubism", None)
    assert work.cells["artist"] is work.cells["style"] is Cell.REPAIRED


def test_what_nobody_knows_is_named() -> None:
    (work,) = works([row(1, "Unclassified/unknown_vase.jpg", artist="", styles="")], ["Unclassified/unknown_vase.jpg"])
    assert work.incomplete == "no style, no artist"
    (work,) = works([row(1, "Unclassified/moche_vase.jpg", artist="moche", styles="")], ["Unclassified/moche_vase.jpg"])
    assert work.incomplete == "no style"


def test_a_second_row_of_one_work_fills_the_gaps_of_the_first() -> None:
    first = CatalogueRow(number=1, path="Cubism/juan-gris_table.jpg", styles="['Cubism']", extra={"date": "1914"})
    second = CatalogueRow(
        number=2, path="Fauvism/juan-gris_table.jpg", artist="Juan Gris", styles="['Fauvism']", extra={"date": "1915", "url": "x"}
    )
    (work,) = works([first, second], ["Cubism/juan-gris_table.jpg"])
    assert (work.artist, work.styles, work.extra) == ("Juan Gris", ("Cubism", "Fauvism"), {"date": "1914", "url": "x"})


_PATHS = st.tuples(st.sampled_from(["Cubism", "Fauvism", ""]), st.sampled_from(["a_b", "ã©_b", "é_b", "c", "unknown_x", "a\ufffd_b"])).map(
    lambda parts: "/".join(part for part in parts if part) + ".jpg"
)


@given(st.lists(_PATHS), st.lists(_PATHS))
def test_every_row_and_every_file_ends_somewhere(row_paths: list[str], files: list[str]) -> None:
    rows = [row(number, path) for number, path in enumerate(row_paths, start=1)]
    refused = (Refusal(path="../x.jpg", reason="leaves", row=99), Refusal(path="../y.jpg", reason="leaves"))
    told = catalogue(rows, files, refused)
    found = reconcile(told, join(told))
    assert found.unexplained == ()
    assert sum(found.row_outcomes.values()) == found.rows == len(rows) + 1
    assert sum(found.file_outcomes.values()) == found.files == len(files) + 1


def test_the_account_notices_a_work_that_got_lost() -> None:
    told = catalogue([row(1, "Cubism/a_b.jpg"), row(2, "Cubism/c_d.jpg")], ["Cubism/a_b.jpg", "Cubism/c_d.jpg"])
    assert reconcile(told, join(told)[:1]).unexplained == ("row 2", "Cubism/c_d.jpg")
