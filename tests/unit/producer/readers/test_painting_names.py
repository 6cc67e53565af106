from __future__ import annotations

import csv
import gzip
from typing import TYPE_CHECKING

import pytest

from producer.cleaning import join_catalogue
from producer.readers import read_catalogue

if TYPE_CHECKING:
    from pathlib import Path

HEADER = "file_name,genre,artist,painting_name,phash,description,subset\n"


def test_a_catalogue_with_painting_names_is_read_with_titles_and_subsets(tmp_path: Path) -> None:
    rows = "Cubism/ann-one_blue-sea.jpg,['Cubism'],ann one,blue sea,,a blue sea with boats,train\n"
    rows += "Fauvism/ann-one_blue-sea.jpg,\"['Cubism', 'Fauvism']\",ann one,blue sea,ff,a sea,test\n"
    (tmp_path / "cat.csv").write_text(HEADER + rows)
    (tmp_path / "files.txt").write_text("Cubism/ann-one_blue-sea.jpg\nFauvism/ann-one_blue-sea.jpg\n")
    catalogue = read_catalogue(tmp_path / "cat.csv", file_list=tmp_path / "files.txt")
    assert catalogue.reader == "WikiArt CSV with painting_name"
    assert catalogue.names_identify
    assert [(row.title, row.subset) for row in catalogue.rows] == [("blue sea", "train"), ("blue sea", "test")]
    assert catalogue.rows[0].extra == {"description": "a blue sea with boats"}
    (artwork,) = join_catalogue(catalogue)
    assert artwork.key == "ann-one_blue-sea"
    assert len(artwork.copies) == 2


def test_names_that_do_not_begin_with_their_artist_identify_nothing(tmp_path: Path) -> None:
    rows = "a/img_1.jpg,Cubism,Ann One,Sea,,x,train\nb/img_1.jpg,Cubism,Bo Two,Hill,,x,train\nb/7.jpg,Cubism,Bo Two,Hill,,x,train\n"
    (tmp_path / "cat.csv").write_text(HEADER + rows)
    (tmp_path / "files.txt").write_text("a/img_1.jpg\nb/img_1.jpg\n")
    catalogue = read_catalogue(tmp_path / "cat.csv", file_list=tmp_path / "files.txt")
    assert not catalogue.names_identify
    assert [row.title for row in catalogue.rows] == ["Sea", "Hill", "Hill"]
    assert len(join_catalogue(catalogue)) == 3


@pytest.mark.slow(reason="80,097 rows and 81,446 names")
def test_wikiart_under_this_header_joins_its_1349_second_copies(tmp_path: Path, shared_data: Path) -> None:
    with (
        gzip.open(shared_data / "wikiart/files.txt.gz", "rt", encoding="utf-8") as names,
        (tmp_path / "cat.csv").open("w", newline="") as file,
    ):
        written = csv.writer(file)
        written.writerow(HEADER.strip().split(","))
        for line in names:
            style, name = line.rstrip("\n").split("/")
            artist, title = name.removesuffix(".jpg").split("_", 1)
            written.writerow([f"{style}/{name}", style, artist.replace("-", " "), title.replace("-", " "), "", "a painting", "train"])
    catalogue = read_catalogue(tmp_path / "cat.csv", file_list=shared_data / "wikiart/files.txt.gz")
    artworks = join_catalogue(catalogue)
    assert (len(catalogue.rows), len(artworks)) == (81_446, 80_097)
    assert sum(len(artwork.copies) - 1 for artwork in artworks) == 1_349
