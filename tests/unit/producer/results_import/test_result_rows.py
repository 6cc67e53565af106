"""Columns by their usual names or as they are given, and cells that are checked one by one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from producer.errors import WrongUse
from producer.results_import.columns import parse_column_options
from producer.results_import.errors import ResultsUnreadable
from producer.results_import.options import parse_model_options
from producer.results_import.result_rows import ResultRow, open_results

if TYPE_CHECKING:
    from pathlib import Path

PUBLISHED = "original_image,prompt_complete,prompt_compressed,generated_image"


def read(folder: Path, text: str, **columns: str) -> list[ResultRow]:
    path = folder / "data.csv"
    path.write_bytes(text.encode())
    return list(open_results(path, columns).rows())


def test_the_published_layout_is_known_by_its_header(tmp_path: Path) -> None:
    (row,) = read(tmp_path, f'{PUBLISHED}\nresize768/a_b.jpg,"Transform it, all",a city,SDXL/a_b.jpg\n')

    assert (row.original, row.draft, row.prompt, row.repaint) == ("resize768/a_b.jpg", "Transform it, all", "a city", "SDXL/a_b.jpg")
    assert (row.seed, row.level, row.caption, row.fault) == (None, "", "", "")


def test_other_layouts_and_columns_that_the_operator_names(tmp_path: Path) -> None:
    header = "file_name,processed_prompt,description,category,seed,phash\n"
    (row,) = read(tmp_path, header + "a_b.jpg,a city,a town by night,Radical,42.0,ff\n", caption="description")

    assert (row.original, row.prompt, row.caption, row.level, row.seed) == ("a_b.jpg", "a city", "a town by night", "radical", 42)
    assert list(open_results(tmp_path / "data.csv", {"caption": "description"}).unread) == ["phash"]


def test_what_programs_write_into_empty_cells_is_empty(tmp_path: Path) -> None:
    rows = read(tmp_path, f"{PUBLISHED},seed\na.jpg,nan,NaN,,\na.jpg,None,NULL,<NA>,nan\n")

    assert [(row.draft, row.prompt, row.repaint, row.seed, row.fault) for row in rows] == [("", "", "", None, "")] * 2


@pytest.mark.parametrize(
    ("cells", "fault"),
    [
        ("-1,", "seed '-1' is no number"),
        ("1.5,", "seed '1.5' is no number"),
        ("9223372036854775808,", "seed '9223372036854775808' is no number"),
        ("99999999999999999999999999,", "is no number"),
        ("²,", "is no number"),
        (",so/so", "'so/so' cannot be a level"),
        (f",{'x' * 33}", "cannot be a level"),
    ],
)
def test_a_wrong_cell_is_told(cells: str, fault: str, tmp_path: Path) -> None:
    (row,) = read(tmp_path, f"original,prompt,seed,level\na.jpg,a city,{cells}\n")

    assert fault in row.fault


def test_the_largest_seed_that_a_database_holds_is_taken(tmp_path: Path) -> None:
    assert read(tmp_path, f"original,prompt,seed\na.jpg,a city,{2**63 - 1}\n")[0].seed == 2**63 - 1


@pytest.mark.parametrize(
    ("header", "message"),
    [("prompt,seed", "no column names the originals"), ("file_name,style", "no column holds a caption, a prompt or a repaint")],
)
def test_a_file_that_cannot_be_results_is_refused_with_its_columns(header: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(ResultsUnreadable, match=message) as refused:
        read(tmp_path, f"{header}\na,b\n")

    assert header.replace(",", ", ") in str(refused.value)


def test_options_that_name_nothing_are_refused(tmp_path: Path) -> None:
    for columns, message in [({"caption": "text"}, "has no column 'text'"), ({"colour": "prompt"}, "no fact 'colour'")]:
        with pytest.raises(WrongUse, match=message):
            read(tmp_path, "file_name,prompt\na,b\n", **columns)
    for option in ["caption", "=x", "caption="]:
        with pytest.raises(WrongUse, match="OURS=THEIRS"):
            parse_column_options([option])
    assert parse_column_options(["Caption=Description"]) == {"caption": "description"}
    with pytest.raises(WrongUse, match="STAGE=MODEL"):
        parse_model_options(["sdxl"])
    assert parse_model_options(["generate=stabilityai/sdxl"]) == {"generate": "stabilityai/sdxl"}
