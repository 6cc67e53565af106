"""An export as a whole: resumed, refused, replaced, with images missing, linked, split, described, pushed."""

from __future__ import annotations

import json
import tomllib
from typing import TYPE_CHECKING, Any

import pytest

from db.campaigns import parse_config
from db.errors import StoreUnavailable
from db.results.export_manifest import MANIFEST, BadExport, read_manifest
from db.results.export_rows import rows_of
from db.tables import artworks, images, prompts
from producer.errors import UnknownStyle, WrongUse
from producer.export.errors import ExportRefused, PushFailed
from producer.export.formats.parquet import ParquetFormat
from producer.export.options import ExportOptions, ExportSplit
from producer.export.push import check_hub_id, hub_token, push_export
from producer.export.run import ExportResult, export_campaign
from tests.builders.exportable import link_original

if TYPE_CHECKING:
    from pathlib import Path

    from db.results.export_manifest import ExportManifest
    from tests.builders.exportable import Exportable


def export(made: Exportable, folder: Path, **options: Any) -> ExportResult:
    return export_campaign(made.runtime, folder, ExportOptions(**{"rows_per_shard": 5, **options}))


def contents(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def manifest_in(folder: Path) -> ExportManifest:
    found = read_manifest(folder)
    assert found is not None
    return found


class Interrupted(Exception):
    pass


def interrupt_after(pieces: int) -> Any:
    def watch(manifest: ExportManifest) -> None:
        if len(manifest.shards) == pieces:
            raise Interrupted

    return watch


@pytest.mark.parametrize("name", ["parquet", "hf", "csv", "webdataset", "imagefolder"])
def test_an_interrupted_export_is_resumed_to_the_same_bytes(made: Exportable, tmp_path: Path, name: str) -> None:
    whole = export(made, tmp_path / "whole", format=name)
    options = ExportOptions(format=name, rows_per_shard=5)
    with pytest.raises(Interrupted):
        export_campaign(made.runtime, tmp_path / "cut", options, interrupt_after(2))
    assert not manifest_in(tmp_path / "cut").complete

    resumed = export_campaign(made.runtime, tmp_path / "cut", options)

    assert (resumed.resumed, resumed.shards, whole.resumed) == (2, 5, 0)
    assert contents(tmp_path / "cut") == contents(tmp_path / "whole")


def test_a_piece_that_was_cut_off_while_it_was_written_leaves_nothing_in_its_place(
    made: Exportable, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def half(self: ParquetFormat, path: Path, pairs: Any) -> None:
        next(iter(pairs))
        path.write_bytes(b"PAR1 half")
        raise Interrupted

    with monkeypatch.context() as cut:
        cut.setattr(ParquetFormat, "write", half)
        with pytest.raises(Interrupted):
            export(made, tmp_path / "out")
    assert [name for name in contents(tmp_path / "out") if name.endswith(".parquet") and not name.startswith(".writing-")] == []

    assert export(made, tmp_path / "out").rows == 24
    assert not [name for name in contents(tmp_path / "out") if ".writing-" in name]


def test_a_finished_piece_that_was_damaged_since_is_written_again(made: Exportable, tmp_path: Path) -> None:
    export(made, tmp_path / "out")
    before = contents(tmp_path / "out")
    (tmp_path / "out/train-00001-of-00005.parquet").write_bytes(b"PAR1")

    again = export(made, tmp_path / "out")

    assert again.resumed == 4
    assert contents(tmp_path / "out") == before


def test_rows_that_changed_since_are_refused_in_one_line_and_replaced_by_force(made: Exportable, tmp_path: Path) -> None:
    export(made, tmp_path / "out", format="csv")
    made.change(prompts, prompts.c.id == 1, text="another prompt")

    with pytest.raises(ExportRefused, match="the database has changed since"):
        export(made, tmp_path / "out", format="csv")
    with pytest.raises(ExportRefused, match=r"format: csv, now parquet.*--force"):
        export(made, tmp_path / "out")

    assert export(made, tmp_path / "out", force=True).rows == 24
    assert {name.rpartition(".")[2] for name in contents(tmp_path / "out")} == {"parquet", "json", "md"}


def test_a_folder_that_holds_something_else_is_left_alone(made: Exportable, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/thesis.txt").write_text("years of work")

    with pytest.raises(ExportRefused, match="holds no export"):
        export(made, tmp_path / "mine", force=True)
    assert contents(tmp_path / "mine") == {"thesis.txt": b"years of work"}

    (tmp_path / "mine" / MANIFEST).write_text("{")
    with pytest.raises(BadExport, match="is no manifest"):
        export(made, tmp_path / "mine", force=True)
    with pytest.raises(ExportRefused, match="is a URL"):
        export(made, tmp_path / "s3://bucket/export")


def test_pairs_whose_images_are_gone_are_counted_named_and_back_in_the_next_run(made: Exportable, tmp_path: Path) -> None:
    store = made.runtime.store
    lost = made.harness.rows(images)[3]
    original = made.harness.rows(artworks, artworks.c.id == 9)[0]
    kept = {content_hash: store.get(content_hash) for content_hash in (lost["content_hash"], original["content_hash"])}
    for content_hash in kept:
        store.delete(content_hash)

    result = export(made, tmp_path / "out", format="webdataset")

    assert (result.rows, result.left_out) == (21, 3)
    reasons = sorted(pair.reason for pair in result.first_left_out)
    assert reasons == ["original: missing", "original: missing", "repaint: missing"]
    assert {pair.artwork for pair in result.first_left_out if pair.reason.startswith("original")} == {original["key"]}
    for data in kept.values():
        store.put(data)
    again = export(made, tmp_path / "out", format="webdataset")
    assert (again.rows, again.left_out) == (24, 0)
    export(made, tmp_path / "whole", format="webdataset")
    assert contents(tmp_path / "out") == contents(tmp_path / "whole")


def test_a_blob_with_other_bytes_than_its_name_says_does_not_go_out(made: Exportable, tmp_path: Path) -> None:
    from pathlib import Path

    victim = made.harness.rows(images)[0]["content_hash"]
    path = Path(made.runtime.store.path(victim))
    path.chmod(0o644)
    path.write_bytes(b"noise")

    assert [pair.reason for pair in export(made, tmp_path / "out").first_left_out] == ["repaint: damaged"]


def test_a_store_that_is_away_ends_the_export_and_is_nobodys_fault(
    made: Exportable, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: Any) -> bytes:
        raise StoreUnavailable("the store is away")

    with monkeypatch.context() as outage:
        outage.setattr("producer.export.pictures.read_image_bytes", away)
        with pytest.raises(StoreUnavailable):
            export(made, tmp_path / "out")
    assert export(made, tmp_path / "out").left_out == 0


def test_linked_originals_are_read_from_where_they_lie(made: Exportable, tmp_path: Path) -> None:
    path = link_original(made, tmp_path)
    assert export(made, tmp_path / "out").left_out == 0

    path.write_bytes(b"another picture")
    result = export(made, tmp_path / "other")

    assert {pair.reason for pair in result.first_left_out} == {"original: another file than the one that was ingested"}
    assert result.left_out == 2


def test_the_catalogues_subset_is_the_split_and_copies_stay_together(made: Exportable, tmp_path: Path) -> None:
    # Artworks 2, 5, 8 and 11 are of the subset "test"; 5 gets a copy that is of "train".
    made.change(artworks, artworks.c.id.in_([4, 5]), group_key="copies")
    made.change(artworks, artworks.c.id == 8, subset=" Testing ")

    export(made, tmp_path / "out", format="imagefolder", split=ExportSplit.parse("catalogue"))

    found = [json.loads(line) for path in (tmp_path / "out").rglob("metadata.jsonl") for line in path.read_text().splitlines()]
    keys = {row["key"]: row["id"] for row in made.harness.rows(artworks)}
    assert {keys[record["artwork"]] for record in found if record["split"] == "test"} == {2, 8, 11}
    assert {record["split"] for record in found} == {"train", "test"}


def test_a_drawn_split_has_every_style_on_every_side_and_follows_from_its_seed(made: Exportable, tmp_path: Path) -> None:
    def sides(name: str, seed: int) -> dict[str, str]:
        export(made, tmp_path / name, format="imagefolder", split=ExportSplit.parse("50/50"), split_seed=seed)
        lines = [line for path in (tmp_path / name).rglob("metadata.jsonl") for line in path.read_text().splitlines()]
        return {record["artwork"]: record["split"] for record in map(json.loads, lines)}

    first, again, other = sides("a", 1), sides("b", 1), sides("c", 2)
    assert first == again != other
    styles = {row["key"]: row["style"] for row in made.harness.rows(artworks)}
    assert {(styles[key], side) for key, side in first.items()} == {(s, side) for s in set(styles.values()) for side in ("train", "test")}


def test_the_card_tells_the_counts_and_how_to_make_it_again(made: Exportable, tmp_path: Path) -> None:
    export(made, tmp_path / "out", split=ExportSplit.parse("50/25/25"), levels=("radical",))
    card = (tmp_path / "out/README.md").read_text()

    for line in ("| radical | 12 |", "| Baroque | 4 |", "| train | 6 |", "| generate | `painter` | `r1` | 12 |", "**fill this in**"):
        assert line in card, line
    assert "moderate |" not in card
    assert "| `provenance` | json |" in card
    written = tomllib.loads(card.split("```toml\n")[1].split("```")[0])
    assert parse_config(written).config_hash == made.harness.campaign.config.config_hash
    command = next(line for line in card.splitlines() if line.startswith("paragone export"))
    assert command == (
        "paragone export DEST --campaign trial --format parquet --originals as-is --split 50/25/25 --split-seed 0 --level radical "
        "--rows-per-shard 5"
    )


@pytest.mark.parametrize("name", ["parquet", "hf", "csv", "webdataset", "imagefolder"])
def test_croissant_metadata_names_files_that_are_there_and_every_column(made: Exportable, tmp_path: Path, name: str) -> None:
    export(made, tmp_path / "out", format=name, license="cc0-1.0")
    document = json.loads((tmp_path / "out/croissant.json").read_text())

    assert (document["@type"], document["conformsTo"]) == ("sc:Dataset", "http://mlcommons.org/croissant/1.0")
    assert document["license"] == "cc0-1.0"
    ids = {entry["@id"]: entry for entry in document["distribution"]}
    assert ids["tables"]["containedIn"] == {"@id": "export"}
    assert list((tmp_path / "out").glob(ids["tables"]["includes"]))
    fields = document["recordSet"][0]["field"]
    assert {field["name"] for field in fields} >= {"prompt", "caption", "seed", "level", "split", "provenance"}
    assert all(field["source"]["fileSet"]["@id"] in ids and field["@id"].startswith("pairs/") for field in fields)
    assert {field["dataType"] for field in fields} <= {"sc:Text", "sc:Integer", "sc:ImageObject"}


def test_wrong_uses_are_told(made: Exportable, tmp_path: Path) -> None:
    with pytest.raises(UnknownStyle, match="did you mean Baroque"):
        export(made, tmp_path / "out", styles=("baroq",))
    with pytest.raises(WrongUse, match="has no level wild, only moderate, radical"):
        export(made, tmp_path / "out", levels=("wild",))
    made.change(images, images.c.id > 2, current=False)
    with pytest.raises(WrongUse, match=r"2 different artworks are too few to split 3 ways"):
        export(made, tmp_path / "out", split=ExportSplit.parse("80/10/10"))
    made.change(images, images.c.id > 0, current=False)
    with pytest.raises(ExportRefused, match="no repaint yet"):
        export(made, tmp_path / "out")


class FakeHub:
    """Remembers what it was given, or fails as it is told."""

    def __init__(self, error: Exception | None = None) -> None:
        self.error = error
        self.made: dict[str, bool] = {}
        self.files: dict[str, bytes] = {}

    def create(self, hub_id: str, *, private: bool) -> None:
        self.made[hub_id] = private

    def upload(self, hub_id: str, folder: Path) -> None:
        if self.error is not None:
            raise self.error
        self.files = contents(folder)


def test_a_finished_export_is_pushed_whole_and_the_token_is_never_shown(made: Exportable, tmp_path: Path) -> None:
    export(made, tmp_path / "out", format="hf")
    hub = FakeHub()
    push_export(tmp_path / "out", "me/pairs", private=True, uploader=hub, token="hf_secret")  # noqa: S106
    assert hub.made == {"me/pairs": True}
    assert hub.files == contents(tmp_path / "out")

    refusing = FakeHub(RuntimeError("401 for Bearer hf_secret\nat the hub"))
    with pytest.raises(PushFailed, match=r"me/pairs was not pushed \(401 for Bearer \*\*\* at the hub\)"):
        push_export(tmp_path / "out", "me/pairs", private=False, uploader=refusing, token="hf_secret")  # noqa: S106
    with pytest.raises(PushFailed, match="HF_TOKEN_FILE"):
        hub_token({})
    with pytest.raises(WrongUse, match="OWNER/NAME"):
        check_hub_id("https://huggingface.co/me/pairs")


def test_few_pairs_are_held_at_once(made: Exportable, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []

    def counted(database: Any, image_ids: Any) -> Any:
        asked.append(len(image_ids))
        return rows_of(database, image_ids)

    monkeypatch.setattr("producer.export.run.READ_TOGETHER", 4)
    monkeypatch.setattr("producer.export.run.rows_of", counted)
    export(made, tmp_path / "out", rows_per_shard=10)
    assert asked == [4, 4, 2, 4, 4, 2, 4]
