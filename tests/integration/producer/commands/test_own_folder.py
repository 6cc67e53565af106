"""Her own folder of pictures: from the files of a camera to a plan, without a dead end."""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner
from PIL import Image
from sqlalchemy import select

from db.campaigns import all_campaigns
from db.errors import BadConfiguration, CampaignDiffers
from db.tables import artworks
from producer.commands.enqueue import enqueue
from producer.errors import NoArtworks, NothingToPlan, WrongUse
from producer.samples import paint_tree

if TYPE_CHECKING:
    from pathlib import Path

    from tests.integration.producer.commands.conftest import Operator

FAKES = """
[caption]
backend = "fake-caption"
[prompt]
backend = "fake-prompt"
[level.moderate]
backend = "fake-repaint"
strength = 0.5
steps = 4
[picture]
size = 64
"""
NAMES = ("IMG_1001.JPG", "IMG_1002.JPG", "Holiday/DSC_0042.JPG", "Holiday/beach_sunset.jpg")


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    folder = tmp_path / "mine"
    for number, name in enumerate(NAMES):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (48, 32), (number * 40, 90, 120)).save(folder / name, "JPEG")
    return folder


@pytest.fixture
def fakes(tmp_path: Path) -> str:
    (tmp_path / "fakes.toml").write_text(FAKES)
    return str(tmp_path / "fakes.toml")


def facts(operator: Operator) -> list[tuple[str | None, ...]]:
    with operator.database.engine.connect() as connection:
        columns = (artworks.c.key, artworks.c.artist, artworks.c.title, artworks.c.style)
        return [tuple(row) for row in connection.execute(select(*columns).order_by(artworks.c.key))]


def test_her_pictures_are_registered_without_artist_and_style_and_three_ways_on_are_named(sqlite_operator: Operator, mine: Path) -> None:
    shown = sqlite_operator.output_of("ingest", str(mine))
    assert facts(sqlite_operator) == [
        ("Holiday/DSC_0042", None, None, None),
        ("Holiday/beach_sunset", None, "beach sunset", None),
        ("IMG_1001", None, None, None),
        ("IMG_1002", None, None, None),
    ]
    assert f'paragone ingest {mine} --artist "NAME" --style "NAME"' in shown
    assert f"paragone ingest {mine} --template artworks.csv" in shown
    assert "paragone enqueue --include-incomplete" in shown


def test_an_artist_and_a_style_for_all_make_them_complete(operator: Operator, mine: Path) -> None:
    report = operator.json_of("ingest --artist Ann --style", "street art", str(mine))
    assert (report["complete"], report["filled"], report["details"]["filled"]) == (4, 4, {"artist": 4, "style": 4})
    assert {(artist, style) for _, artist, _, style in facts(operator)} == {("Ann", "Street art")}
    again = operator.json_of("ingest", str(mine))
    assert (again["complete"], again["changes"]["changed"]) == (4, 0), "what was given once stays"
    with pytest.raises(WrongUse, match="--artist"):
        operator.output_of("ingest --artist unknown", str(mine))
    with pytest.raises(WrongUse, match="--style"):
        operator.output_of("ingest --style -", str(mine))


def test_an_artist_for_all_is_no_artist_of_a_work_that_has_one(sqlite_operator: Operator, tmp_path: Path) -> None:
    for name in ("Cubism/juan-gris_table.png", "Cubism/IMG_1.png"):
        (tmp_path / "tree" / name).parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (48, 32), "red" if "gris" in name else "blue").save(tmp_path / "tree" / name)
    report = sqlite_operator.json_of("ingest --artist Ann", str(tmp_path / "tree"))
    assert {(artist, style) for _, artist, _, style in facts(sqlite_operator)} == {("juan gris", "Cubism"), ("Ann", "Cubism")}
    assert report["details"]["filled"] == {"artist": 1, "style": 0}


def test_a_template_is_filled_in_and_ingested_without_a_second_artwork(operator: Operator, mine: Path, tmp_path: Path) -> None:
    template = tmp_path / "my table.csv"
    shown = operator.output_of("ingest --template", str(template), str(mine))
    assert f"paragone ingest '{template}' --images {mine}" in shown
    with template.open(encoding="utf-8-sig", newline="") as file:
        written = list(csv.DictReader(file))
    assert sorted(row["path"] for row in written) == sorted(NAMES)
    assert list(written[0]) == ["path", "artist", "title", "style", "subset"]
    with template.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.DictWriter(file, list(written[0]))
        writer.writeheader()
        writer.writerows({**row, "artist": "Ann", "style": "Cubism"} for row in written)

    report = operator.json_of("ingest", str(template), "--images", str(mine))

    assert (report["artworks"], report["complete"], report["changes"]["new"], report["unexplained"]) == (4, 4, 0, 0)
    assert [style for *_, style in facts(operator)] == ["Cubism"] * 4
    with pytest.raises(WrongUse, match="exists already"):
        operator.output_of("ingest --template", str(template), str(mine))
    with pytest.raises(WrongUse, match="dry run"):
        operator.output_of("ingest --dry-run --template", str(tmp_path / "other.csv"), str(mine))


@pytest.mark.parametrize("more", [(), ("--dry-run",), ("--json",)])
def test_a_folder_without_a_picture_is_an_error_of_one_line(sqlite_operator: Operator, tmp_path: Path, more: tuple[str, ...]) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty/notes.txt").write_text("nothing")
    with pytest.raises(NoArtworks, match="holds no picture and no row: name a folder"):
        sqlite_operator.output_of("ingest", str(tmp_path / "empty"), *more)


def test_a_catalogue_whose_rows_are_all_refused_says_why(sqlite_operator: Operator, tmp_path: Path) -> None:
    (tmp_path / "list.csv").write_text("path,artist\n../outside.jpg,Ann\n")
    (tmp_path / "pictures").mkdir()
    with pytest.raises(NoArtworks, match=r"all 1 rows and files were refused .*correct their paths"):
        sqlite_operator.output_of("ingest", str(tmp_path / "list.csv"), "--images", str(tmp_path / "pictures"))


def test_enqueue_of_incomplete_artworks_alone_fails_with_the_way_on_and_opens_no_campaign(
    operator: Operator, mine: Path, fakes: str
) -> None:
    operator.output_of("ingest", str(mine))
    for line in ("enqueue --config", "enqueue --dry-run --config"):
        with pytest.raises(NothingToPlan, match=r"4 no style, no artist\).*--artist NAME --style NAME.*--include-incomplete"):
            operator.output_of(line, fakes)
    assert all_campaigns(operator.database) == []

    planned = operator.json_of("enqueue --include-incomplete --config", fakes)

    assert (planned["artworks"], planned["jobs"], planned["left_out"]) == (4, 16, {})
    assert operator.json_of("enqueue --config", fakes)["jobs"] == 0, "the campaign keeps what it was opened with"
    assert operator.json_of("enqueue")["jobs"] == 0
    assert "nothing to add" in operator.output_of("enqueue")


def test_a_campaign_that_leaves_incomplete_artworks_out_says_what_include_incomplete_needs(
    sqlite_operator: Operator, mine: Path, fakes: str
) -> None:
    sqlite_operator.output_of("ingest --artist Ann --style Cubism", str(mine))
    sqlite_operator.output_of("enqueue --config", fakes)
    for line in ("enqueue --include-incomplete", f"enqueue --include-incomplete --config {fakes}"):
        with pytest.raises(
            CampaignDiffers, match=r"leaves out artworks without style or artist.*frozen.*--campaign NAME --include-incomplete"
        ):
            sqlite_operator.output_of(line)


def test_the_pocket_models_are_said_to_know_only_samples_unless_there_are_only_samples(
    sqlite_operator: Operator, mine: Path, tmp_path: Path
) -> None:
    paint_tree(tmp_path / "samples", count=12, size=32, seed=0)
    sqlite_operator.output_of("ingest", str(tmp_path / "samples"))
    silent = CliRunner().invoke(enqueue, ["--models", "pocket", "--dry-run"], obj=sqlite_operator.runtime)
    assert (silent.exit_code, silent.stderr) == (0, "")
    sqlite_operator.output_of("ingest", str(mine))
    warned = CliRunner().invoke(enqueue, ["--models", "pocket", "--dry-run", "--json"], obj=sqlite_operator.runtime)
    assert warned.exit_code == 0
    assert "know only the sample paintings" in warned.stderr
    assert len(warned.stderr.splitlines()) == 1


def test_a_misspelled_pocket_is_understood(sqlite_operator: Operator, mine: Path) -> None:
    sqlite_operator.output_of("ingest --artist Ann --style Cubism", str(mine))
    with pytest.raises(BadConfiguration, match="did you mean `--models pocket`"):
        sqlite_operator.output_of("enqueue --models poket")


def test_two_folders_with_the_same_counters_are_told_apart_by_their_bytes(operator: Operator, mine: Path, tmp_path: Path) -> None:
    operator.output_of("ingest", str(mine))
    report = operator.json_of("ingest", str(mine / "Holiday"))
    assert (report["changes"]["new"], report["joined_by_content"]) == (0, 2), "the same pictures under shorter paths"
    other = tmp_path / "other"
    other.mkdir()
    for name in NAMES[:2]:
        Image.new("RGB", (48, 32), "white" if "1001" in name else "black").save(other / name, "JPEG")

    report = operator.json_of("ingest", str(other))

    assert (report["changes"]["new"], report["same_name"], report["details"]["replaced"]) == (2, 2, [])
    assert len(facts(operator)) == 6
    for folder in (mine, other, mine):
        again = operator.json_of("ingest", str(folder))
        assert (again["changes"]["new"], again["details"]["replaced"]) == (0, [])
