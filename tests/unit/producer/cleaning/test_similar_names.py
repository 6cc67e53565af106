from __future__ import annotations

import pytest

from producer.cleaning import CleanedArtwork, clean_artwork, join_catalogue
from producer.cleaning.similar_names import closest, loose_name
from producer.readers import Catalogue, CatalogueFile, CatalogueRow


def cleaned(rows: list[str], files: list[str], *, names_identify: bool = False, **cells: object) -> list[CleanedArtwork]:
    catalogue = Catalogue(
        source="test",
        reader="test",
        rows=tuple(CatalogueRow(number=number, path=path, **cells) for number, path in enumerate(rows, start=1)),  # type: ignore[arg-type]
        files=tuple(CatalogueFile(path=path) for path in files),
        refused=(),
        columns={},
        empty={},
        names_identify=names_identify,
        on_disk=False,
    )
    return [clean_artwork(artwork) for artwork in join_catalogue(catalogue)]


def joins(rows: list[str], files: list[str], *, names_identify: bool = False) -> list[tuple[str, str]]:
    found = cleaned(rows, files, names_identify=names_identify)
    return [(artwork.named[0], copy.file.path) for artwork in found if artwork.named for copy in artwork.copies]


@pytest.mark.parametrize(
    "file",
    [
        *("Cubism/juan-gris_table_resize1024.jpg", "resized/juan-gris_table-resize768.jpg", "SDXL/juan-gris_table_generated.png"),
        *(
            "Cubism/juan-gris_table(1).jpg",
            "Cubism/juan-gris_table-copy.jpg",
            "small/juan-gris_table_small.jpg",
            "juan-gris_table_thumb.png",
        ),
        *(
            "Cubism/juan_gris-table.jpg",
            "Cubism/Juan Gris_Table.JPG",
            "x/juan-gris_table_1024x768.jpg",
            "x/juan-gris_table_resize1024_generated.jpg",
        ),
    ],
)
@pytest.mark.parametrize("names_identify", [True, False])
def test_a_row_finds_its_file_in_spite_of_what_tools_append(file: str, names_identify: bool) -> None:
    row = "Cubism/juan-gris_table.jpg"
    assert joins([row], [file], names_identify=names_identify) == [(row, file)]
    (artwork,) = cleaned([row], [file], names_identify=names_identify)
    assert artwork.copies[0].similar


def test_a_row_with_a_suffix_finds_the_file_without() -> None:
    assert joins(["a/juan-gris_table_resize1024.jpg"], ["b/juan-gris_table.jpg"]) != []


@pytest.mark.parametrize(
    ("rows", "files"),
    [
        (["a/ana-b_sea.jpg"], ["b/ana-b_sea_small.jpg", "c/ana-b_sea_thumb.jpg"]),
        (["a/ana-b_sea.jpg", "b/ana-b_sea.jpg"], ["c/ana-b_sea_small.jpg"]),
        (["a/ana-b_sea(1).jpg"], ["a/ana-b_sea(2).jpg"]),
        (["a/ana-b_sea.jpg"], ["a/ana-b_hill.jpg"]),
        (["a/IMG_1001.jpg"], ["b/IMG_1001_small.jpg"]),
        (["a/01.jpg"], ["b/01.png"]),
    ],
)
def test_names_that_several_could_mean_are_joined_to_none(rows: list[str], files: list[str]) -> None:
    assert joins(rows, files) == []


def test_a_thumbnail_of_a_picture_that_has_its_row_is_not_joined_to_another_row() -> None:
    assert joins(["a/ana-b_sea.jpg", "a/ana-b_sea(1).jpg"], ["a/ana-b_sea.jpg", "a/ana-b_sea_thumb.jpg"]) == [
        ("a/ana-b_sea.jpg", "a/ana-b_sea.jpg")
    ]


def test_an_example_of_what_did_not_join_is_one_that_looks_alike() -> None:
    assert closest(["x/one-thing.jpg", "x/ana-b_blue-sea.jpg"], ["y/zoe.jpg", "y/ana-b_sea.jpg"]) == (
        "x/ana-b_blue-sea.jpg",
        "y/ana-b_sea.jpg",
    )
    assert closest(["x/one.jpg"], []) is None


def test_a_loose_name_never_loses_all_of_a_name() -> None:
    assert (loose_name("a/copy.jpg").core, loose_name("a/Small.jpg").core) == ("copy", "small")


@pytest.mark.parametrize(
    ("path", "description", "title"),
    [
        ("img/0001.jpg", "sunset", None),
        ("img/ann-lee_sunset.jpg", "sunset", "sunset"),
        ("img/0001.jpg", "la-plage-1886", "la plage"),
        ("img/0001.jpg", "a boat on the sea", None),
        ("img/0001.jpg", "nan", None),
    ],
)
def test_one_word_of_a_description_is_a_title_only_where_the_file_is_named_so(path: str, description: str, title: str | None) -> None:
    (artwork,) = cleaned([path], [path], extra={"description": description})
    assert artwork.title == title


@pytest.mark.parametrize("empty", ["", "nan", "NaN", "None", "NULL", "N/A", "-", "<NA>"])
def test_a_cell_that_says_it_is_empty_is_empty_in_every_column(empty: str) -> None:
    (artwork,) = cleaned(["img/0001.jpg"], [], artist=empty, title=empty, styles=empty, subset=empty, extra={"note": empty, "date": "1900"})
    assert (artwork.artist, artwork.title, artwork.styles, artwork.subset, artwork.extra) == (None, None, (), None, {"date": "1900"})
