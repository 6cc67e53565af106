from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from producer.readers import CatalogueUnreadable, parse_columns, read_catalogue, read_columns

if TYPE_CHECKING:
    from pathlib import Path

CSV = "Bild,Maler,Werk,Epoche,title,teil\nimg/one.png,Ann,Sea,Cubism,wrong,train\n"


def test_columns_are_named_by_options_or_a_file(pictures: Path) -> None:
    (pictures / "cat.csv").write_text(CSV)
    (pictures / "columns.toml").write_text(
        '[columns]\npath = "Bild"\nartist = "maler"\nstyle = " EPOCHE "\nsubset = "teil"\ntitle = "Werk"\n'
    )
    options = parse_columns(["path=Bild", "artist=Maler", "title=Werk", "style=Epoche", "subset=teil"])
    for mapping in (options, read_columns(pictures / "columns.toml")):
        catalogue = read_catalogue(pictures / "cat.csv", columns=mapping)
        (row,) = catalogue.rows
        assert (row.path, row.artist, row.title, row.styles, row.subset) == ("img/one.png", "Ann", "Sea", "Cubism", "train")
        assert row.extra == {"title": "wrong"}
        assert catalogue.columns["styles"] == "epoche"


def test_the_usual_names_do_for_what_is_not_mapped_and_an_empty_name_means_none(pictures: Path) -> None:
    (pictures / "cat.csv").write_text("path,artist,title,genre\nimg/one.png,Ann,Sea,portrait\n")
    (row,) = read_catalogue(pictures / "cat.csv", columns=parse_columns(["title=artist", "style="])).rows
    assert (row.path, row.artist, row.title, row.styles, row.extra) == ("img/one.png", "", "Ann", "", {"title": "Sea", "genre": "portrait"})


def test_a_mapping_holds_for_kaggles_catalogue_too(pictures: Path) -> None:
    (pictures / "classes.csv").write_text("filename,genre,artist,movement\nimg/one.png,landscape,Ann,Cubism\n")
    (row,) = read_catalogue(pictures, columns={"styles": "movement"}).rows
    assert (row.styles, row.extra) == ("Cubism", {"genre": "landscape"})


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (["artist"], "--column artist names no column: write it as --column style=movement"),
        (["painter=artist"], "painter is none of path, image, artist"),
        (["=artist"], "an empty name is none of"),
        (["artist=a", "artist=b"], "artist has a column already, a"),
    ],
)
def test_an_option_that_maps_nothing_says_why(given: list[str], said: str) -> None:
    with pytest.raises(CatalogueUnreadable, match=said):
        parse_columns(given)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("columns = 3\n", r"has no table \[columns\]"),
        ("[column]\npath = 'x'\n", r"has no table \[columns\]"),
        ("[columns]\n", r"has no table \[columns\]"),
        ("[columns]\npath = 3\n", "write it in quotes"),
        ("[columns]\npainter = 'x'\n", "painter is none of"),
        ("[columns\n", "no readable TOML"),
        ("[columns]\nstyle = 'a'\nstyles = 'b'\n", "has a column already"),
    ],
)
def test_a_file_that_maps_nothing_says_why(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "columns.toml").write_text(text)
    with pytest.raises(CatalogueUnreadable, match=said):
        read_columns(tmp_path / "columns.toml")


def test_a_missing_file_of_columns_is_told(tmp_path: Path) -> None:
    with pytest.raises(CatalogueUnreadable, match="check --columns"):
        read_columns(tmp_path / "none.toml")


@pytest.mark.parametrize("suffix", ["csv", "jsonl", "xlsx"])
def test_a_column_that_is_not_there_is_told_with_those_that_are(pictures: Path, suffix: str) -> None:
    if suffix == "csv":
        (pictures / "cat.csv").write_text(CSV)
    elif suffix == "jsonl":
        (pictures / "cat.jsonl").write_text('{"Bild": "img/one.png", "Maler": "Ann"}\n')
    else:
        import openpyxl

        book = openpyxl.Workbook()
        book.active.append(["Bild", "Maler"])
        book.save(pictures / "cat.xlsx")
    with pytest.raises(CatalogueUnreadable, match="no column movement: its columns are bild, maler"):
        read_catalogue(pictures / f"cat.{suffix}", columns={"path": "Bild", "styles": "movement"})


@pytest.mark.parametrize("name", ["img", "files.txt"])
def test_what_has_no_columns_takes_no_mapping(pictures: Path, name: str) -> None:
    (pictures / "files.txt").write_text("img/one.png\n")
    with pytest.raises(CatalogueUnreadable, match="leave --column out"):
        read_catalogue(pictures / name, columns={"path": "x"})
