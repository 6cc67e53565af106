from __future__ import annotations

import gzip
import os
from typing import TYPE_CHECKING

import pytest

from producer.readers import CatalogueUnreadable, read_catalogue, reader_for

if TYPE_CHECKING:
    from pathlib import Path

KAGGLE = "filename,artist,genre,description,phash,width,height,genre_count,subset,title,museum\n"


def create(root: Path, *paths: str) -> None:
    for path in paths:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(b"x")


def test_the_kaggle_catalogue_is_read_with_its_tree_and_its_further_columns(tmp_path: Path) -> None:
    (tmp_path / "classes.csv").write_text(KAGGLE + "Cubism/a_b.jpg,A,['Cubism'],b,,10,20,1,train,B,Louvre\n")
    create(tmp_path, "Cubism/a_b.jpg", "Cubism/notes.txt", ".hidden/c_d.jpg", "Cubism/.DS_Store.jpg")
    catalogue = read_catalogue(tmp_path / "classes.csv")
    (row,) = catalogue.rows
    assert (row.artist, row.styles, row.subset, row.title) == ("A", "['Cubism']", "train", "B")
    assert row.extra == {"description": "b", "width": "10", "height": "20", "genre_count": "1", "museum": "Louvre"}
    assert [file.path for file in catalogue.files] == ["Cubism/a_b.jpg"]
    assert catalogue.empty["phash"] == 1


def test_a_folder_with_a_catalogue_is_read_through_it_and_one_without_as_a_tree(tmp_path: Path) -> None:
    create(tmp_path, "Cubism/a_b.jpg")
    assert read_catalogue(tmp_path).reader == "image tree"
    with gzip.open(tmp_path / "classes.csv.gz", "wt") as file:
        file.write(KAGGLE + "Cubism/a_b.jpg,A,['Cubism'],b,,10,20,1,train,B,Louvre\n")
    catalogue = read_catalogue(tmp_path)
    assert (catalogue.reader, len(catalogue.rows), len(catalogue.files)) == ("Kaggle classes.csv", 1, 1)


def test_a_plain_csv_is_read_by_the_usual_column_names(tmp_path: Path) -> None:
    (tmp_path / "artworks.csv").write_text("\ufeffPath,Creator,Title,Style\nx/1.png,Ana,Sea,Cubism\n", encoding="utf-8")
    create(tmp_path, "x/1.png")
    catalogue = read_catalogue(tmp_path / "artworks.csv")
    assert (catalogue.rows[0].path, catalogue.rows[0].artist, catalogue.rows[0].styles) == ("x/1.png", "Ana", "Cubism")
    assert not catalogue.names_identify


def test_a_file_list_stands_in_for_the_tree_and_keeps_blanks_of_names(tmp_path: Path) -> None:
    names = ["Symbolism/lacombeâ\xa0_death.jpg", "Realism/ã\x85_x.jpg", "./Realism/a_b.jpg", "Realism/readme.md"]
    (tmp_path / "files.txt").write_bytes("\r\n".join(names).encode() + b"\r\n\r\n")
    catalogue = read_catalogue(tmp_path / "files.txt")
    assert [file.path for file in catalogue.files] == ["Symbolism/lacombeâ\xa0_death.jpg", "Realism/ã\x85_x.jpg", "Realism/a_b.jpg"]
    assert not catalogue.on_disk


@pytest.mark.parametrize("path", ["../out.jpg", "/etc/passwd.jpg", "a/../../out.jpg", "..\\out.jpg", "C:\\out.jpg"])
def test_a_row_whose_path_leaves_the_image_root_is_refused(tmp_path: Path, path: str) -> None:
    (tmp_path / "artworks.csv").write_text(f"path,artist\n{path},Ana\nok.jpg,Ana\n")
    catalogue = read_catalogue(tmp_path / "artworks.csv")
    assert [row.path for row in catalogue.rows] == ["ok.jpg"]
    assert [(refused.row, "leaves" in refused.reason) for refused in catalogue.refused] == [(1, True)]


def test_links_out_of_the_root_are_refused_and_links_within_are_read(tmp_path: Path) -> None:
    root, outside = tmp_path / "tree", tmp_path / "outside"
    create(root, "Cubism/a_b.jpg")
    create(outside, "secret_x.jpg")
    (root / "Cubism/linked_x.jpg").symlink_to(outside / "secret_x.jpg")
    (root / "Cubism/dangling_x.jpg").symlink_to(outside / "gone.jpg")
    (root / "Cubism/inner_x.jpg").symlink_to(root / "Cubism/a_b.jpg")
    (root / "Fauvism").symlink_to(outside)
    os.mkfifo(root / "Cubism/pipe_x.jpg")
    catalogue = read_catalogue(root)
    assert [file.path for file in catalogue.files] == ["Cubism/a_b.jpg", "Cubism/inner_x.jpg"]
    assert {refused.path for refused in catalogue.refused} == {
        "Cubism/linked_x.jpg",
        "Cubism/dangling_x.jpg",
        "Cubism/pipe_x.jpg",
        "Fauvism",
    }


def test_a_file_name_that_is_not_utf8_is_read_as_latin1(tmp_path: Path) -> None:
    (tmp_path / "Realism").mkdir()
    (tmp_path / "Realism" / os.fsdecode(b"joaqu\xedn_sea.jpg")).write_bytes(b"x")
    (file,) = read_catalogue(tmp_path).files
    assert file.path == "Realism/joaquín_sea.jpg"
    assert file.location is not None
    assert file.location.read_bytes() == b"x"


@pytest.mark.parametrize(
    ("name", "data", "reason"),
    [
        ("classes.csv.gz", gzip.compress(b"filename,genre\n" * 999, mtime=0)[:40], "cannot be read"),
        ("classes.csv", b"filename,genre\n\xff\xfe,x\n", "not UTF-8"),
        ("other.csv", b"a,b\n1,2\n", "no column"),
        ("other.csv", b"", "is empty"),
        ("other.mdb", b"x", "no reader"),
    ],
    ids=["truncated gzip", "not UTF-8", "no path column", "empty", "unknown format"],
)
def test_a_catalogue_that_cannot_be_read_says_why(tmp_path: Path, name: str, data: bytes, reason: str) -> None:
    (tmp_path / name).write_bytes(data)
    with pytest.raises(CatalogueUnreadable, match=reason):
        read_catalogue(tmp_path / name)


def test_a_missing_catalogue_or_image_root_is_named(tmp_path: Path) -> None:
    with pytest.raises(CatalogueUnreadable, match="no catalogue at"):
        reader_for(tmp_path / "nothing")
    (tmp_path / "artworks.csv").write_text("path\nx.jpg\n")
    with pytest.raises(CatalogueUnreadable, match="--images"):
        read_catalogue(tmp_path / "artworks.csv", images=tmp_path / "nothing")


def test_rows_of_a_csv_with_missing_surplus_and_long_cells_are_read(tmp_path: Path) -> None:
    (tmp_path / "artworks.csv").write_text(f"path,artist,note\nx.jpg,Ana\n\ny.jpg,Bo,{'n' * 200_000},surplus,more\n")
    first, second = read_catalogue(tmp_path / "artworks.csv").rows
    assert (first.artist, first.extra) == ("Ana", {})
    assert second.extra["surplus"] == "surplus,more"
