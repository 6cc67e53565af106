"""Text that is broken or is something else: each case is told in one line, or mended and counted."""

from __future__ import annotations

import codecs
import csv
import gzip
import io
import json
from typing import TYPE_CHECKING

import pytest

from producer.readers import read_catalogue
from producer.readers.cells import CellRepair

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

ROWS = [
    ["path", "artist", "title", "style"],
    ["img/one.png", "Ann Example", "One, two", "Cubism"],
    ["img/two.png", "Bo Example", "Two", "Fauvism"],
]
DELIMITERS = {"comma": ",", "semicolon": ";", "tab": "\t", "bar": "|"}

#: What is sent, saved or exported in place of a text, and what the error says of it.
FOREIGN = {
    "zip": (b"PK\x03\x04" + b"\0\xff" * 99, "Excel or ZIP"),
    "old-excel": (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(512), "old or password-protected Excel"),
    "parquet": (b"PAR1" + bytes(60) + b"PAR1", "parquet"),
    "sqlite": (b"SQLite format 3\0" + bytes(99), "SQLite"),
    "pdf": (b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n", "PDF"),
    "png": (b"\x89PNG\r\n\x1a\n" + bytes(99), "an image"),
    "jpeg": (b"\xff\xd8\xff\xe0\0\x10JFIF", "an image"),
    "html": (b"<!DOCTYPE html>\n<html><body>Sign in</body></html>\n", "HTML"),
    "html-after-blanks": (b"\n\n  <HTML lang=en><head><title>502</title>", "HTML"),
    "html-with-mark": (codecs.BOM_UTF8 + b"<html><body>moved</body></html>", "HTML"),
    "xml": (b"<?xml version='1.0'?><Workbook/>", "XML"),
    "lfs": (b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 12\n", "git lfs pull"),
    "bzip2": (b"BZh91AY&SY" + bytes(40), "bzip2"),
    "xz": (b"\xfd7zXZ\0" + bytes(40), "xz"),
    "zstd": (b"(\xb5/\xfd" + bytes(40), "zstd"),
    "7z": (b"7z\xbc\xaf\x27\x1c" + bytes(40), "7z"),
    "rtf": (b"{\\rtf1\\ansi path,artist}", "rich text"),
    "tar": (b"a.png" + bytes(252) + b"ustar\0" + bytes(300), "tar"),
    "zeros": (bytes(4096), "NUL bytes"),
    "noise": (bytes(range(256)) * 20, "no text"),
    "gzip-twice": (gzip.compress(gzip.compress(b"path,artist\n")), "twice"),
}
NAMES = ("cat.csv", "cat.tsv", "cat.jsonl", "cat.json", "cat.csv.gz")


def table(rows: list[list[str]], delimiter: str = ",") -> str:
    text = io.StringIO(newline="")
    csv.writer(text, delimiter=delimiter).writerows(rows)
    return text.getvalue()


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("kind", FOREIGN)
def test_a_file_of_another_kind_is_told_as_what_it_is(tmp_path: Path, unreadable: Callable[[Path], str], name: str, kind: str) -> None:
    data, said = FOREIGN[kind]
    (tmp_path / name).write_bytes(gzip.compress(data) if name.endswith(".gz") and kind != "gzip-twice" else data)
    assert said in unreadable(tmp_path / name)


@pytest.mark.parametrize("suffix", ["csv", "tsv", "jsonl"])
@pytest.mark.parametrize(
    ("encoding", "artist", "said"),
    [
        ("latin-1", "Joaqu\u00edn", "Latin-1"),
        ("cp1252", "O\u2019Brien", "Windows-1252"),
        ("utf-16-le", "Joaqu\u00edn", "UTF-16 (little endian) without a byte order mark"),
        ("utf-16-be", "Joaqu\u00edn", "UTF-16 (big endian) without a byte order mark"),
    ],
)
def test_another_encoding_is_named_with_the_mend(  # noqa: PLR0917  # three of them are parameters
    tmp_path: Path, unreadable: Callable[[Path], str], suffix: str, encoding: str, artist: str, said: str
) -> None:
    if suffix == "jsonl":
        text = "".join(json.dumps({"path": "img/one.png", "artist": artist}, ensure_ascii=False) + "\n" for _ in range(3))
    else:
        text = table([*ROWS[:2], ["img/two.png", artist, "Two", "Fauvism"]], "\t" if suffix == "tsv" else ",")
    (tmp_path / f"cat.{suffix}").write_bytes(text.encode(encoding))
    message = unreadable(tmp_path / f"cat.{suffix}")
    assert said in message
    assert "save it as UTF-8" in message


def test_bytes_that_are_not_utf8_are_named_by_their_line(tmp_path: Path, unreadable: Callable[[Path], str]) -> None:
    (tmp_path / "cat.csv").write_bytes(b"path,artist\n" + b"a.png,Ann\n" * 5000 + b"b.png,Joaqu\xedn\n")
    assert "byte 0xed in line 5,002" in unreadable(tmp_path / "cat.csv")


#: A stray quote in the first of two rows, with a mark of where it is told.
QUOTES = {
    "opened-before-the-artist": ('img/one.png{d}"Ann{d}One{d}Cubism\nimg/two.png{d}Bo{d}Two{d}Fauvism\n', "never closed"),
    "opened-before-the-path": ('"img/one.png{d}Ann{d}One{d}Cubism\nimg/two.png{d}Bo{d}Two{d}Fauvism\n', "never closed"),
    "opened-in-the-last-cell": ('img/one.png{d}Ann{d}One{d}"Cubism\nimg/two.png{d}Bo{d}Two{d}Fauvism\n', "never closed"),
    "closed-by-the-next-row's-quote": (
        'img/one.png{d}"Ann{d}One{d}Cubism\nimg/two.png{d}"Bo"{d}Two{d}Fauvism\n',
        "closes where no cell ends",
    ),
    "closed-within-the-cell": (
        'img/one.png{d}"Ann" the Elder{d}One{d}Cubism\nimg/two.png{d}Bo{d}Two{d}Fauvism\n',
        "closes where no cell ends",
    ),
    "escaped-by-a-backslash": (
        'img/one.png{d}Ann{d}"say \\"hi\\""{d}Cubism\nimg/two.png{d}Bo{d}Two{d}Fauvism\n',
        "closes where no cell ends",
    ),
    "two-make-one-cell": ('img/one.png{d}"Ann{d}One{d}Cubism\nimg/two.png{d}Bo{d}"{d}Two{d}Fauvism\n', "row of its own"),
    "two-take-in-a-row-between": (
        'img/one.png{d}"Ann{d}One{d}Cubism\nimg/two.png{d}Bo{d}Two{d}Fauvism\nimg/three.png{d}Cy"{d}Three{d}Rococo\n',
        "row of its own",
    ),
}


@pytest.mark.parametrize("delimiter", DELIMITERS)
@pytest.mark.parametrize("kind", QUOTES)
def test_a_stray_quote_never_swallows_rows(tmp_path: Path, unreadable: Callable[[Path], str], delimiter: str, kind: str) -> None:
    body, said = QUOTES[kind]
    mark = DELIMITERS[delimiter]
    (tmp_path / "cat.csv").write_text(mark.join(ROWS[0]) + "\n" + body.replace("{d}", mark))
    message = unreadable(tmp_path / "cat.csv")
    assert said in message
    assert "line 2:" in message


def test_the_line_of_a_stray_quote_is_where_its_row_begins(tmp_path: Path, unreadable: Callable[[Path], str]) -> None:
    rows = 'a.png,Ann,"of\ntwo lines",Cubism\n' * 3 + 'b.png,"Bo,Two,Fauvism\n' + "c.png,Cy,Three,Rococo\n" * 3
    (tmp_path / "cat.csv").write_text("sep=,\npath,artist,title,style\n" + rows)
    assert "line 9:" in unreadable(tmp_path / "cat.csv")


def test_quoted_line_breaks_and_doubled_quotes_are_read(pictures: Path) -> None:
    (pictures / "cat.csv").write_text(table([*ROWS[:2], ["img/two.png", "Bo\nExample", 'say "hi", twice\r\nover', "Fauvism"]]), newline="")
    catalogue = read_catalogue(pictures / "cat.csv")
    assert [row.artist for row in catalogue.rows] == ["Ann Example", "Bo\nExample"]
    assert catalogue.rows[1].title == 'say "hi", twice\r\nover'


@pytest.mark.parametrize("delimiter", DELIMITERS)
@pytest.mark.parametrize("declared", [False, True])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("ends", ["\r\n", "\n", "\r"])
def test_every_way_to_write_a_csv_gives_the_same_rows(pictures: Path, delimiter: str, declared: bool, encoding: str, ends: str) -> None:
    mark = DELIMITERS[delimiter]
    text = f"sep={mark}\r\n" * declared + table(ROWS, mark)
    (pictures / "cat.csv").write_bytes(text.replace("\r\n", ends).encode(encoding))
    catalogue = read_catalogue(pictures / "cat.csv")
    assert [(row.path, row.artist, row.title, row.styles) for row in catalogue.rows] == [tuple(row) for row in ROWS[1:]]
    assert not catalogue.refused


def test_excels_unicode_text_is_read_as_a_table_and_a_file_list_as_a_list(pictures: Path) -> None:
    (pictures / "cat.txt").write_bytes(table(ROWS, "\t").encode("utf-16"))
    assert [row.artist for row in read_catalogue(pictures / "cat.txt").rows] == ["Ann Example", "Bo Example"]
    (pictures / "files.txt").write_text("img/one.png\nimg/two.png\n")
    assert read_catalogue(pictures / "files.txt").reader == "file list"


@pytest.mark.parametrize(
    ("header", "said"),
    [
        ("path,artist,artist,style", "2 columns named artist"),
        ("path,Artist, ARTIST ,style", "2 columns named artist"),
        ("path,path,artist,style", "2 columns named path"),
        ("path,note,x,note", "2 columns named note"),
        ("artist,title,style,year", "no column with the images' paths"),
        ("img/one.png,Ann,One,Cubism", "its columns are img/one.png"),
        (",,,", "no column with the images' paths"),
        ("", "is empty: write a header"),
        ('"path,artist', "line 1: a quote is opened and never closed"),
        ('{"path": "img/one.png"}', "JSON, not CSV"),
        ("original_image,prompt_complete,prompt_compressed,generated_image", "import-results"),
        ("original_image,generated_image,negative_image,description", "import-results"),
    ],
)
@pytest.mark.parametrize("suffix", ["csv", "tsv"])
def test_a_header_that_cannot_be_used_says_why(
    tmp_path: Path, unreadable: Callable[[Path], str], header: str, said: str, suffix: str
) -> None:
    if suffix == "tsv":
        header, said = header.replace(",", "\t"), said.replace(",", "\t") if "JSON" not in said else said
    (tmp_path / f"cat.{suffix}").write_text(header + ("\n" + "img/one.png" + "\n" if header else ""))
    assert said.split("\t")[0] in unreadable(tmp_path / f"cat.{suffix}")


def test_blank_column_names_are_called_by_their_position(pictures: Path) -> None:
    (pictures / "cat.csv").write_text(",path,artist,,\n0,img/one.png,Ann,x,\n1,img/two.png,Bo,,y\n")
    first, second = read_catalogue(pictures / "cat.csv").rows
    assert first.extra == {"column 1": "0", "column 4": "x"}
    assert second.extra == {"column 1": "1", "column 5": "y"}


@pytest.mark.parametrize(
    ("cell", "clean", "repair", "times"),
    [
        (b"Bo\0 Example", "Bo Example", CellRepair.NUL, 1),
        (b"\0Bo Example\0\0", "Bo Example", CellRepair.NUL, 3),
        (b"Bo\xed\xa0\x80 Example", "Bo\ufffd Example", CellRepair.SURROGATE, 1),
        (b"Bo\xed\xb0\x80 Example", "Bo\ufffd Example", CellRepair.SURROGATE, 1),
        (b"Bo\xed\xa0\xbd\xed\xb8\x80 Example", "Bo\U0001f600 Example", None, 0),
    ],
    ids=["nul", "nuls-around", "high-surrogate", "low-surrogate", "pair-of-surrogates"],
)
@pytest.mark.parametrize("suffix", ["csv", "tsv", "jsonl"])
def test_what_no_database_stores_is_taken_out_and_counted(  # noqa: PLR0917  # five of them are parameters
    pictures: Path, suffix: str, cell: bytes, clean: str, repair: CellRepair | None, times: int
) -> None:
    if suffix == "jsonl":
        data = b'{"path": "img/one.png", "artist": "' + cell.replace(b"\0", b"\\u0000") + b'"}\n'
    else:
        data = b"path,artist\nimg/one.png,".replace(b",", b"\t" if suffix == "tsv" else b",") + cell + b"\n"
    (pictures / f"cat.{suffix}").write_bytes(data)
    catalogue = read_catalogue(pictures / f"cat.{suffix}")
    assert [row.artist for row in catalogue.rows] == [clean]
    assert catalogue.repairs == ({repair: times} if repair else {})


def test_a_nul_in_a_path_is_taken_out_and_the_row_finds_its_file(pictures: Path) -> None:
    (pictures / "cat.csv").write_bytes(b"path,artist\nimg/o\0ne.png,Ann\n")
    assert [row.path for row in read_catalogue(pictures / "cat.csv").rows] == ["img/one.png"]


def test_rows_with_more_cells_than_columns_are_counted(pictures: Path) -> None:
    (pictures / "cat.csv").write_text("path,artist,style\nimg/one.png,Ann,Cubism\nimg/two.png,Bo, the Elder,Fauvism\n")
    catalogue = read_catalogue(pictures / "cat.csv")
    assert catalogue.repairs == {CellRepair.SURPLUS: 1}
    assert catalogue.rows[1].extra == {"surplus": "Fauvism"}


@pytest.mark.parametrize("cut", [20, 40, 60, -1])
def test_a_cut_gzip_is_told(tmp_path: Path, unreadable: Callable[[Path], str], cut: int) -> None:
    text = "".join(f"img/{number}.png,{number * 7919}\n" for number in range(999))
    (tmp_path / "cat.csv.gz").write_bytes(gzip.compress(b"path,artist\n" + text.encode(), mtime=0)[:cut])
    assert "is the file complete?" in unreadable(tmp_path / "cat.csv.gz")


def test_a_cell_of_many_million_characters_is_told_by_its_line(tmp_path: Path, unreadable: Callable[[Path], str]) -> None:
    (tmp_path / "cat.csv").write_text(f"path,artist\na.png,Ann\nb.png,{'x' * 17_000_000}\n")
    message = unreadable(tmp_path / "cat.csv")
    assert "line 3:" in message
    assert "16,777,216 characters" in message


@pytest.mark.parametrize("name", ["cat.xls", "cat.ods", "shard.tar.gz", "pictures.zip", "cat.pkl", "one.jpg", "cat.mdb"])
def test_a_format_that_is_not_read_is_told_with_a_way_on(tmp_path: Path, unreadable: Callable[[Path], str], name: str) -> None:
    (tmp_path / name).write_bytes(b"x")
    assert "no reader accepts" in unreadable(tmp_path / name)
