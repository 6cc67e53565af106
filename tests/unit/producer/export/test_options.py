from __future__ import annotations

import pytest

from producer.export.errors import UnknownExportFormat
from producer.export.options import ExportSplit
from producer.export.registry import format_names, load_format


@pytest.mark.parametrize(
    ("text", "percents"),
    [("80/10/10", (80, 10, 10)), ("80/20", (80, 0, 20)), ("50/1/49", (50, 1, 49)), ("none", None), ("catalogue", None)],
)
def test_a_split_is_read_as_it_is_written(text: str, percents: tuple[int, int, int] | None) -> None:
    split = ExportSplit.parse(text)
    assert split.percents == percents
    assert str(split) == text
    assert split.catalogue == (text == "catalogue")


@pytest.mark.parametrize(
    "text", ["", "100", "80/30", "0/100", "100/0", "80/-10/30", "40/30/20/10", "80/10/10/0", "a/b", "80 / 20", "08/92"]
)
def test_what_is_no_split_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is no split"):
        ExportSplit.parse(text)


def test_the_formats_are_found_by_name() -> None:
    assert set(format_names()) >= {"csv", "hf", "imagefolder", "parquet", "webdataset"}
    assert all(load_format(name).shard_name("train", 3, 12).startswith(("train", "data/train", "images/train")) for name in format_names())
    with pytest.raises(UnknownExportFormat, match="known: csv"):
        load_format("zip")
