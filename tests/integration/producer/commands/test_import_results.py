"""What was published elsewhere becomes finished jobs: joined, checked, accounted for, and none of it made again."""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING

import pytest
from PIL import Image
from sqlalchemy import select

from db.enums import Stage
from db.errors import CampaignCancelled
from db.monitoring.progress import progress
from db.monitoring.work_left import work_left
from db.tables import attempts, captions, images, jobs, prompts, variations
from db.verification import verify
from producer.errors import NothingRegistered
from producer.results_import.errors import ResultsUnreadable
from tests.acceptance.campaign_file import fake_campaign
from tests.integration.producer.commands.published_results import PUBLISHED, Published, letterboxed, outcomes, painting, saved

if TYPE_CHECKING:
    from pathlib import Path


def test_a_published_data_set_becomes_finished_jobs(published: Published) -> None:
    # Given four registered originals, and their repaints on black bars as they were published
    published.register(4)
    for number in range(4):
        published.publish(number)

    # When they are imported
    report = published.take_in("--source", "https://example.org/data")

    # Then each row became a variation with its prompt and its repaint, done, and without its bars
    assert outcomes(report) == {"added": 4}
    assert report["canvases"] == {"letterbox": 4}
    made = published.repaints()
    assert [(one.prompt, one.caption, one.level) for one in made] == [(f"a city {number}", None, "unknown") for number in range(4)]
    assert {(one.width, one.height) for one in made} == {(96, 64)}
    assert {one.provenance["imported_from"] for one in made} == {"https://example.org/data"}
    with published.operator.database.read() as connection:
        assert set(connection.scalars(select(prompts.c.draft))) == {f"Transform {number} into a city, all of it" for number in range(4)}
        assert {tuple(row) for row in connection.execute(select(prompts.c.model, prompts.c.revision))} == {
            ("unknown", "imported from https://example.org/data")
        }
    # And everybody who asks is told that all of it is done, and that nobody made it
    status = published.operator.json_of("status")
    assert status["jobs"] == {"caption": {}, "prompt": {"done": 4}, "generate": {"done": 4}, "recaption": {}}
    assert status["stuck"] == {}
    assert progress(published.operator.database).costs.spent.gpu_hours == 0  # type: ignore[union-attr]
    assert published.count(attempts) == 0
    assert not work_left(published.operator.database, list(Stage))
    assert verify(published.operator.database, published.operator.runtime.store).is_sound


def test_importing_again_changes_nothing_and_what_changed_supersedes(published: Published) -> None:
    published.register(3)
    for number in range(3):
        published.publish(number, caption=f"a caption {number}", recaption=f"a city at night {number}")
    published.columns = (*PUBLISHED, "caption", "recaption")
    published.take_in()
    before = published.repaints()

    # When the same file is imported again
    assert outcomes(published.take_in()) == {"unchanged": 3}
    assert published.repaints() == before

    # And when one picture and one prompt are others
    saved(letterboxed(painting(7, hue=30), 96), published.folder / "published" / published.rows[1]["generated_image"])
    published.rows[2]["prompt_compressed"] = "a village"
    assert outcomes(published.take_in()) == {"superseded": 2, "unchanged": 1}

    # Then they are current, and the older ones are history
    after = published.repaints()
    assert [one.prompt for one in after] == ["a city 0", "a city 1", "a village"]
    assert [one.recaption for one in after] == [f"a city at night {number}" for number in range(3)]
    assert after[0] == before[0]
    assert after[1].pixel_hash != before[1].pixel_hash
    assert published.count(images, images.c.current.is_(False)) == 2
    assert published.count(jobs, jobs.c.state == "done") == published.count(jobs) == 3 * 4
    assert verify(published.operator.database, published.operator.runtime.store).is_sound
    assert outcomes(published.take_in()) == {"unchanged": 3}


def test_every_row_is_accounted_for_and_told(on_sqlite: Published) -> None:
    # Given rows of every kind that a published file may hold
    published = on_sqlite
    published.register(6)
    published.columns = (*PUBLISHED, "seed")
    good = published.publish(0, seed="7")
    published.rows.append(dict(good))
    published.publish(1)["original_image"] = "resize768/nobody_nothing_resize768.jpg"
    gone = published.publish(2)
    published.published(gone["generated_image"]).unlink()
    published.published(published.publish(3)["generated_image"]).write_bytes(b"\xff\xd8 no image")
    saved(Image.new("RGB", (96, 96)), published.published(published.publish(4)["generated_image"]))
    own = published.publish(5)
    (original,) = (published.folder / "originals").rglob("painter-5*")
    published.published(own["generated_image"]).write_bytes(original.read_bytes())
    published.rows.append({"original_image": good["original_image"]})
    published.rows.append({**good, "seed": "seven"})
    published.rows.append({**good, "generated_image": "../../originals/Baroque/painter-1_work-number-1.jpg"})
    published.rows.append({"prompt_complete": "a city of nobody"})

    # When they are imported
    report = published.take_in()

    # Then each has its outcome, and those of which nothing was taken in are told with their reasons
    assert report["rows"] == 11
    assert outcomes(report) == {
        "added": 1,
        "repeated": 1,
        "no_original": 2,
        "no_file": 2,
        "unreadable": 1,
        "degenerate": 2,
        "empty": 1,
        "bad_cell": 1,
    }
    reasons = {row["row"]: row["reason"] for row in report["skipped"]}
    assert sorted(reasons) == list(range(2, 12))
    assert "nobody_nothing" in reasons[3]
    assert "paragone ingest" in reasons[3]
    assert "not an image" in reasons[5] or "broken" in reasons[5]
    assert "black" in reasons[6]
    assert "equal" in reasons[7]
    assert "'seven'" in reasons[9]
    with open(report["skipped_file"], newline="") as file:  # noqa: PTH123  # as a spreadsheet would
        assert [int(row["row"]) for row in csv.DictReader(file)] == list(range(2, 12))
    (repaint,) = published.repaints()
    assert (repaint.seed, repaint.provenance["seed"]) == (7, 7)
    assert verify(published.operator.database, published.operator.runtime.store).is_sound


def test_a_file_of_which_nothing_fits_fails_and_says_why(on_sqlite: Published) -> None:
    published = on_sqlite
    published.register(1)
    published.publish(1)
    published.write()

    told = published.operator.output_of("import-results", str(published.file), exit_code=1)

    assert "0 of 1 rows" in told
    assert "no registered artwork is called" in told


def test_what_cannot_be_read_as_a_whole_is_one_clear_error(on_sqlite: Published) -> None:
    published = on_sqlite
    published.publish(0)
    published.write()
    with pytest.raises(NothingRegistered):
        published.operator.output_of("import-results", str(published.file))
    published.register(1)
    with pytest.raises(ResultsUnreadable, match="--repaints"):
        published.operator.output_of("import-results", str(published.file), "--repaints", str(published.folder / "nowhere"))


def test_a_dry_run_writes_nothing_and_says_what_would_be(on_sqlite: Published) -> None:
    published = on_sqlite
    published.register(3)
    for number in range(4):
        published.publish(number)

    report = published.take_in("--dry-run")

    assert outcomes(report) == {"added": 3, "no_original": 1}
    assert report["canvases"] == {"letterbox": 3}
    assert [published.count(table) for table in (jobs, variations, images, prompts)] == [0] * 4
    assert published.operator.json_of("status")["campaigns"] == {}
    assert not list((published.folder / "data" / "reports").glob("import-*"))


def test_captions_levels_seeds_and_models_are_kept_with_where_they_are_from(published: Published) -> None:
    published.register(2)
    published.columns = ("file_name", "description", "prompt", "generated_image", "recaption", "category", "seed", "museum")
    for number, level in enumerate(["radical", "moderate"]):
        row = published.publish(number)
        published.rows[-1] = {
            "file_name": f"painter-{number}_work-number-{number}.jpg",
            "description": "a still life",
            "prompt": f"a harbour {number}",
            "generated_image": row["generated_image"],
            "recaption": "a harbour at night",
            "category": level,
            "seed": str(2**63 - 1 - number),
            "museum": "Prado",
        }
    models = ("--model", "caption=blip2", "--model", "generate=sdxl-refiner", "--model", "prompt=llama")

    report = published.take_in("--column", "caption=description", "--source", "their set", *models)

    assert report["unread_columns"] == ["museum"]
    made = published.repaints()
    assert [(one.level, one.seed, one.caption, one.recaption) for one in made] == [
        ("radical", 2**63 - 1, "a still life", "a harbour at night"),
        ("moderate", 2**63 - 2, "a still life", "a harbour at night"),
    ]
    assert {one.provenance["model"] for one in made} == {"sdxl-refiner"}
    with published.operator.database.read() as connection:
        told = {tuple(row) for row in connection.execute(select(captions.c.model, captions.c.revision))}
        assert told == {("blip2", "imported from their set"), ("unknown", "imported from their set")}
        assert {tuple(row) for row in connection.execute(select(prompts.c.model, prompts.c.draft))} == {
            ("llama", f"a harbour {n}") for n in (0, 1)
        }
    assert verify(published.operator.database, published.operator.runtime.store).is_sound


def test_the_catalogue_s_own_category_is_the_level_of_rows_that_tell_none(on_sqlite: Published) -> None:
    published = on_sqlite
    path = "Baroque/painter-0_work-number-0.jpg"
    saved(painting(0), published.folder / "originals" / path)
    rows = f"filename,artist,genre,description,subset,category\n{path},painter 0,['Baroque'],x,train,Moderate\n"
    (published.folder / "originals" / "classes.csv").write_text(rows)
    published.operator.output_of("ingest", str(published.folder / "originals"))
    published.publish(0)

    published.take_in()

    assert [one.level for one in published.repaints()] == ["moderate"]


def test_with_a_campaign_file_its_models_make_what_is_missing(published: Published, tmp_path: Path) -> None:
    # Given a campaign of models of its own, and results of two of three artworks
    published.register(3)
    for number in range(2):
        published.publish(number)
    config = str(fake_campaign(tmp_path / "mixed.toml"))

    # When they are imported into it
    report = published.take_in("--config", config, "--campaign", "mixed", "--level", "moderate")

    # Then prompts and repaints are done, their captions are to be made, and so is all that was not given
    assert outcomes(report) == {"added": 2}
    counts = published.operator.json_of("status --campaign mixed")["jobs"]
    assert counts == {"caption": {"ready": 2}, "prompt": {"done": 2}, "generate": {"done": 2}, "recaption": {"ready": 2}}
    published.operator.output_of("enqueue --campaign mixed")
    counts = published.operator.json_of("status --campaign mixed")["jobs"]
    assert counts["caption"] == {"ready": 3}
    assert counts["generate"] == {"waiting": 1, "done": 2}
    assert verify(published.operator.database, published.operator.runtime.store).is_sound
    assert outcomes(published.take_in("--config", config, "--campaign", "mixed", "--level", "moderate")) == {"unchanged": 2}
    # Until it is cancelled, which is final
    published.operator.output_of("cancel --campaign mixed --yes")
    with pytest.raises(CampaignCancelled):
        published.operator.output_of("import-results", str(published.file), "--campaign", "mixed")


def test_a_level_that_the_campaign_does_not_have_is_told(on_sqlite: Published, tmp_path: Path) -> None:
    published = on_sqlite
    published.register(1)
    published.publish(0)
    published.write()
    config = str(fake_campaign(tmp_path / "mixed.toml"))

    told = published.operator.output_of("import-results", str(published.file), "--config", config, "--campaign", "mixed", exit_code=1)

    assert "the campaign has no level unknown, only moderate: say which with --level" in told
