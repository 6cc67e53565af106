"""`paragone export` as an operator types it."""

from __future__ import annotations

import csv
import json
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import select

from db.quality import RepaintScore, ScoreSource, write_scores
from db.results.export_manifest import read_manifest
from db.tables import images
from producer.export.errors import ExportIncomplete, PushFailed
from tests.builders.exportable import exportable

if TYPE_CHECKING:
    from pathlib import Path

    from tests.integration.producer.commands.conftest import Operator


def test_export_writes_the_data_set_and_tells_what_it_wrote(operator: Operator, tmp_path: Path) -> None:
    exportable(operator.runtime, 6)
    line = "export --format csv --originals prepared --split 50/50 --split-seed 3 --rows-per-shard 4 --license cc0-1.0"

    told = operator.json_of(line, str(tmp_path / "out"))

    assert list(told) == [
        *("campaign", "format", "folder", "rows", "splits", "shards", "resumed", "bytes", "left_out", "first_left_out", "unscored"),
    ]
    assert (told["campaign"], told["format"], told["rows"], told["left_out"]) == ("trial", "csv", 12, 0)
    assert told["splits"] == {"train": 6, "test": 6}
    assert (told["shards"], told["resumed"]) == (4, 0)
    text = operator.output_of(line, str(tmp_path / "out"))
    assert "campaign trial: 12 pairs (6 train, 6 test)" in text
    assert "4 pieces, 4 of them from before" in text
    manifest = read_manifest(tmp_path / "out")
    assert manifest is not None
    assert (manifest.source.originals, manifest.source.split_seed) == ("prepared", 3)


def test_pairs_that_are_left_out_are_told_and_make_it_fail(sqlite_operator: Operator, tmp_path: Path) -> None:
    made = exportable(sqlite_operator.runtime, 3)
    sqlite_operator.runtime.store.delete(made.harness.rows(images)[0]["content_hash"])

    with pytest.raises(ExportIncomplete, match=r"^1 pairs are not in the export.*paragone verify"):
        sqlite_operator.output_of("export", str(tmp_path / "out"))


def test_options_that_mean_nothing_are_wrong_use(sqlite_operator: Operator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HF_TOKEN", raising=False)
    for wrong in ("--split 80/30", "--split half", "--format zip", "--originals raw", "--limit 0", "--rows-per-shard 0"):
        sqlite_operator.output_of(f"export {wrong}", str(tmp_path / "out"), exit_code=2)
    with pytest.raises(PushFailed, match="HF_TOKEN"):
        sqlite_operator.output_of("export --push-to me/pairs", str(tmp_path / "out"))
    assert not (tmp_path / "out").exists()


def test_where_chooses_among_scored_repaints_and_scores_stand_in_the_rows(operator: Operator, tmp_path: Path) -> None:
    exportable(operator.runtime, 3)
    database = operator.runtime.database
    with database.read() as connection:
        ids = list(connection.scalars(select(images.c.id).order_by(images.c.id)))
    source = ScoreSource(scorer="similarity", model="org/clip", revision="abc")
    measured = [RepaintScore(image_id=image_id, name="similarity", value=0.9 if at < 2 else 0.5) for at, image_id in enumerate(ids[:-1])]
    write_scores(database, source, measured)

    told = operator.json_of("export --format csv --where", "similarity < 0.8", str(tmp_path / "out"))

    assert (told["rows"], told["unscored"]) == (len(ids) - 3, 1)
    with (tmp_path / "out" / "pairs.csv").open(newline="") as file:
        assert [json.loads(row["scores"]) for row in csv.DictReader(file)] == [{"similarity": 0.5}] * (len(ids) - 3)
    assert "--where" in (tmp_path / "out" / "README.md").read_text()
