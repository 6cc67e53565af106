from __future__ import annotations

import pytest

from producer.cleaning import known_artist, parse_file_name, split_names, style_name


@pytest.mark.parametrize(
    ("cell", "names"),
    [
        ("['Cubism']", ("Cubism",)),
        ("['Abstract Expressionism', 'Color Field Painting']", ("Abstract Expressionism", "Color Field Painting")),
        ('["Cubism"]', ("Cubism",)),
        ("['Cubism', 'Fauv", ("Cubism", "Fauv")),
        ("[None, 'Cubism', '']", ("Cubism",)),
        ("('Cubism')", ("Cubism",)),
        ("Cubism", ("Cubism",)),
        ("Cubism; Fauvism", ("Cubism", "Fauvism")),
        ("[]", ()),
        ("", ()),
    ],
)
def test_a_stringified_list_is_read_as_its_names(cell: str, names: tuple[str, ...]) -> None:
    assert split_names(cell) == names


@pytest.mark.parametrize("label", ["Post_Impressionism", "Post-Impressionism", "post impressionism", " Post  Impressionism "])
def test_a_style_has_one_spelling(label: str) -> None:
    assert style_name(label) == "Post Impressionism"


@pytest.mark.parametrize("label", ["", "Unclassified", "unknown", "nan"])
def test_a_label_that_means_no_style_is_none(label: str) -> None:
    assert style_name(label) is None


def test_an_unlisted_style_keeps_its_letters() -> None:
    assert style_name("ABC_Punk") == "ABC Punk"
    assert style_name("street_art") == "Street art"


@pytest.mark.parametrize("name", ["unknown", "unknown artist", "Unidentified-artist", "unidentified", "", "nan", None])
def test_a_name_that_means_unknown_is_no_artist(name: str | None) -> None:
    assert known_artist(name) is None


def test_an_artist_with_a_broken_name_is_repaired() -> None:
    assert known_artist("joaquã\xadn sorolla") == "joaquín sorolla"
    assert known_artist("american 19th century") == "american 19th century"


def test_a_file_name_is_split_into_artist_title_and_folder() -> None:
    name = parse_file_name("Art_Nouveau_Modern/gustav-klimt_mäda-primavesi-1912(2).jpg")
    assert (name.key, name.artist, name.title, name.folder, name.broken) == (
        "gustav-klimt_mäda-primavesi-1912(2)",
        "gustav klimt",
        "mäda primavesi",
        "Art_Nouveau_Modern",
        False,
    )


def test_a_file_name_that_does_not_identify_its_artwork_is_distinguished_by_its_folder() -> None:
    assert parse_file_name("Cubism/0001.jpg").key != parse_file_name("Fauvism/0001.jpg").key
    assert parse_file_name("a/x_y.jpg", names_identify=False).key != parse_file_name("b/x_y.jpg", names_identify=False).key


def test_a_title_that_is_only_a_year_is_kept() -> None:
    assert parse_file_name("Cubism/x_1914.jpg").title == "1914"
