from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import openpyxl
import pandas as pd
import pytest

from producer.readers import read_catalogue
from producer.readers.cells import CellRepair

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def save(path: Path, *rows: list[object], **sheets: list[list[object]]) -> None:
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    for name, content in sheets.items():
        sheet = book.create_sheet(name)
        for row in content:
            sheet.append(row)
    book.save(path)


def test_a_frame_that_pandas_wrote_is_read(pictures: Path) -> None:
    frame = pd.DataFrame(
        {"path": ["img/one.png", "img/two.png"], "artist": ["Ann", None], "year": [1901, 1902], "style": ["Cubism", "Rococo"]}
    )
    frame.to_excel(pictures / "cat.xlsx", index=False)
    catalogue = read_catalogue(pictures / "cat.xlsx")
    assert catalogue.reader == "Excel"
    assert [(row.path, row.artist, row.styles, row.extra) for row in catalogue.rows] == [
        ("img/one.png", "Ann", "Cubism", {"year": "1901"}),
        ("img/two.png", "", "Rococo", {"year": "1902"}),
    ]
    assert [file.path for file in catalogue.files] == ["img/one.png", "img/two.png"]


def test_kinds_of_cells_become_the_text_that_a_csv_would_hold(pictures: Path) -> None:
    save(pictures / "cat.xlsx", ["path", "artist", "a", "b", "c", "d"], ["img/one.png", " Ann ", 1.0, 1.5, True, date(1901, 2, 3)])
    (row,) = read_catalogue(pictures / "cat.xlsx").rows
    assert (row.artist, row.extra) == ("Ann", {"a": "1", "b": "1.5", "c": "True", "d": "1901-02-03"})


def test_the_first_sheet_that_names_paths_is_read_below_blank_rows(pictures: Path) -> None:
    save(
        pictures / "cat.xlsx",
        ["A list of artworks"],
        catalogue=[[], [None, None], ["path", "artist"], ["img/one.png", "Ann"], [None, None], ["img/two.png", "Bo"]],
        more=[["path"], ["x.png"]],
    )
    assert [row.artist for row in read_catalogue(pictures / "cat.xlsx").rows] == ["Ann", "Bo"]


def test_formulas_without_a_value_and_errors_are_empty_and_counted(pictures: Path) -> None:
    save(pictures / "cat.xlsx", ["path", "artist", "style"], ["img/one.png", "=A1", "#N/A"], ["=A2", "Bo", "Cubism"])
    catalogue = read_catalogue(pictures / "cat.xlsx")
    assert [(row.path, row.artist, row.styles) for row in catalogue.rows] == [("img/one.png", "", "")]
    assert catalogue.repairs == {CellRepair.FORMULA: 2, CellRepair.EXCEL_ERROR: 1}
    assert [(refused.row, refused.reason) for refused in catalogue.refused] == [(2, "the row names no file")]


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([["img/one.png", "Ann"], ["img/two.png", "Bo"]], "its columns are img/one.png, Ann"),
        ([["path", "artist", "Artist"], ["img/one.png", "Ann", "Bo"]], "2 columns named artist"),
        ([["artist", "style"], ["Ann", "Cubism"]], "no column with the images' paths"),
        ([], "no sheet with anything in it"),
        ([["original_image", "prompt_complete", "generated_image"], ["a", "b", "c"]], "import-results"),
    ],
    ids=["no-header", "doubled", "no-paths", "empty", "results"],
)
def test_a_sheet_that_cannot_be_used_says_why(
    tmp_path: Path, unreadable: Callable[[Path], str], rows: list[list[object]], said: str
) -> None:
    save(tmp_path / "cat.xlsx", *rows)
    assert said.casefold() in unreadable(tmp_path / "cat.xlsx").casefold()


@pytest.mark.parametrize("keep", [0, 4, 30, 0.2, 0.5, 0.8, 0.99])
def test_a_cut_file_of_excel_is_told(tmp_path: Path, unreadable: Callable[[Path], str], keep: float) -> None:
    table: list[list[object]] = [[f"{number}.png", "Ann"] for number in range(50)]
    save(tmp_path / "cat.xlsx", ["path", "artist"], *table)
    data = (tmp_path / "cat.xlsx").read_bytes()
    (tmp_path / "cat.xlsx").write_bytes(data[: int(keep * len(data)) if isinstance(keep, float) else keep])
    assert "save it again" in unreadable(tmp_path / "cat.xlsx")


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(99), "password"),
        (b"<html><table><tr><td>path</td></tr></table></html>", "HTML"),
        (b"path,artist\nimg/one.png,Ann\n", "name it .csv"),
        (b"PK\x05\x06" + bytes(18), "broken Excel file"),
        (b"version https://git-lfs.github.com/spec/v1\n", "git lfs pull"),
    ],
)
def test_what_is_no_excel_file_is_told(tmp_path: Path, unreadable: Callable[[Path], str], data: bytes, said: str) -> None:
    (tmp_path / "cat.xlsx").write_bytes(data)
    assert said in unreadable(tmp_path / "cat.xlsx")
