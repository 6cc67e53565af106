from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from PIL import Image

from producer.readers import CatalogueUnreadable

if TYPE_CHECKING:
    from pathlib import Path

    from tests.integration.producer.commands.conftest import Operator


@pytest.fixture
def table(tmp_path: Path) -> Path:
    folder = tmp_path / "art"
    folder.mkdir()
    Image.new("RGB", (20, 10), "red").save(folder / "a.png")
    (folder / "cat.tsv").write_text("Bild\tMaler\tEpoche\na.png\tAnn\tCubism\n")
    (folder / "columns.toml").write_text('[columns]\npath = "Bild"\nartist = "Epoche"\n')
    return folder / "cat.tsv"


def test_columns_are_named_on_the_command_line_which_goes_before_the_file(sqlite_operator: Operator, table: Path) -> None:
    report = sqlite_operator.json_of("ingest", str(table), "--columns", str(table.parent / "columns.toml"), "--column", "artist=Maler")
    assert (report["rows"], report["complete"], report["details"]["incomplete_reasons"]) == (1, 0, {"no style": 1})
    report = sqlite_operator.json_of("ingest", str(table), "--column", "path=Bild", "--column", "artist=Maler", "--column", "style=Epoche")
    assert (report["complete"], report["unexplained"]) == (1, 0)


def test_a_column_that_is_not_there_ends_the_command_in_one_line(sqlite_operator: Operator, table: Path) -> None:
    with pytest.raises(CatalogueUnreadable, match="no column movement: its columns are bild, maler, epoche"):
        sqlite_operator.output_of("ingest", str(table), "--column", "path=Bild", "--column", "style=movement")


def test_the_data_directory_inside_the_image_root_is_no_catalogue(sqlite_operator: Operator, table: Path) -> None:
    data = sqlite_operator.runtime.settings.data_dir
    (data / "report").mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (20, 10), "blue").save(data / "report/sheet.png")
    report = sqlite_operator.json_of("ingest", str(data.parent))
    assert list(report["details"]["skipped"]) == ["Paragone's own data"]
    assert report["files"] == 1
