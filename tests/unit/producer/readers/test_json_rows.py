from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pandas as pd
import pytest

from producer.readers import read_catalogue
from producer.readers.cells import CellRepair

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

ROWS = [
    {"path": "img/one.png", "artist": "Ann", "style": ["Cubism", "Rococo"], "year": 1901, "loan": None},
    {"path": "img/two.png", "artist": None, "width": 12.0, "place": {"room": 3}},
]


@pytest.mark.parametrize(
    "name", ["cat.jsonl", "cat.ndjson", "cat.json", "list.json", "list.jsonl", "data.json", "pandas.json", "pandas.jsonl"]
)
def test_rows_are_read_however_they_are_written(pictures: Path, name: str) -> None:
    path = pictures / name
    if name.startswith("pandas"):
        pd.DataFrame(ROWS).to_json(path, orient="records", lines=name.endswith("l"))
    elif name.startswith("list"):
        path.write_text(json.dumps(ROWS, indent=1))
    elif name.startswith("data"):
        path.write_text(json.dumps({"version": 1, "data": ROWS}))
    else:
        path.write_text("\ufeff" + "\n\n".join(json.dumps(row) for row in ROWS) + "\n", encoding="utf-8")
    catalogue = read_catalogue(path)
    assert [(row.path, row.artist, row.styles) for row in catalogue.rows] == [
        ("img/one.png", "Ann", '["Cubism", "Rococo"]'),
        ("img/two.png", "", ""),
    ]
    assert catalogue.rows[0].extra == {"year": "1901"}
    assert catalogue.rows[1].extra == {"width": "12", "place": '{"room": 3}'}
    assert [file.path for file in catalogue.files] == ["img/one.png", "img/two.png"]


#: Lines that are no row, with what is said of them.
BROKEN = {
    '{"path": "img/two.png"': "not JSON, or cut",
    "{'path': 'img/two.png'}": "not JSON, or cut",
    '{"path": "img/two.png"} {"path": "x.png"}': "not JSON, or cut",
    "path,artist": "not JSON, or cut",
    '{"path": }': "not JSON, or cut",
    '{"path": "a\tb"}': "not JSON, or cut",
    "1" * 5000: "not JSON, or cut",
    "[" * 100_000: "not JSON, or cut",
    "3": "not a JSON object",
    "null": "not a JSON object",
    '"img/two.png"': "not a JSON object",
    '["img/two.png", "Bo"]': "not a JSON object",
    '{"path": "x.png", "path": "y.png"}': "stands twice",
    '{"artist": "x", "Artist ": "y", "path": "y.png"}': "stands twice",
}


@pytest.mark.parametrize("line", BROKEN, ids=lambda line: line[:40])
def test_a_line_that_is_no_row_is_refused_and_the_others_are_read(pictures: Path, line: str) -> None:
    (pictures / "cat.jsonl").write_text(f'{{"path": "img/one.png"}}\n{line}\n{{"path": "img/two.png"}}\n')
    catalogue = read_catalogue(pictures / "cat.jsonl")
    assert [(row.number, row.path) for row in catalogue.rows] == [(1, "img/one.png"), (3, "img/two.png")]
    ((number, reason),) = [(refused.row, refused.reason) for refused in catalogue.refused]
    assert number == 2
    assert BROKEN[line] in reason


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("cat.json", "", "is empty"),
        ("cat.jsonl", "", "is empty"),
        ("cat.json", "[", "is not JSON"),
        ("cat.json", '[{"path": "img/one.png"}', "is the file complete?"),
        ("cat.json", '{"path": {"0": "img/one.png"}, "artist": {"0": "Ann"}}', 'orient="records"'),
        ("cat.json", '{"a": [1], "b": "x"}', "no list of rows"),
        ("cat.json", "3", "a single value"),
        ("cat.json", '"img/one.png"', "a single value"),
        ("cat.json", "[3, 4]", "no row that is a JSON object"),
        ("cat.jsonl", "3\n4\n", "no row that is a JSON object"),
        ("cat.json", '[{"artist": "Ann"}]', "its columns are artist"),
        ("cat.json", "[" * 100_000, "is not JSON"),
        ("cat.jsonl", '{"original_image": "a", "generated_image": "b"}\n', "import-results"),
    ],
)
def test_json_that_is_no_catalogue_says_why(tmp_path: Path, unreadable: Callable[[Path], str], name: str, text: str, said: str) -> None:
    (tmp_path / name).write_text(text)
    assert said in unreadable(tmp_path / name)


def test_escapes_that_no_database_stores_are_taken_out_and_counted(pictures: Path) -> None:
    (pictures / "cat.jsonl").write_text('{"path": "img/o\\u0000ne.png", "artist": "\\ud83d\\ude00 \\udc00", "note": ["\\u0000"]}\n')
    catalogue = read_catalogue(pictures / "cat.jsonl")
    (row,) = catalogue.rows
    assert (row.path, row.artist) == ("img/one.png", "\U0001f600 \ufffd")
    assert catalogue.repairs == {CellRepair.NUL: 1, CellRepair.SURROGATE: 1}
    assert "\0" not in row.extra["note"]
