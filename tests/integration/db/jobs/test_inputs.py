from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import update

from db.enums import Stage
from db.jobs.inputs import CaptionInput, MissingInput, MissingReason, PromptInput, RecaptionInput, RepaintInput, load_inputs
from db.tables import artworks, captions, images, prompts, variations
from tests.builders import harness_of

if TYPE_CHECKING:
    from db.engine import Database


def test_each_stage_gets_its_own_type_of_input(database: Database) -> None:
    harness = harness_of(database, 1)
    (artwork,) = harness.rows(artworks)
    key, blob = artwork["key"], artwork["content_hash"]

    batch = harness.claim(Stage.CAPTION)
    caption = CaptionInput(job_id=batch.jobs[0].job_id, artwork_id=artwork["id"], key=key, content_hash=blob, link=None)
    assert load_inputs(database, batch) == [caption]
    harness.finish(batch)

    batch = harness.claim(Stage.PROMPT, "radical")
    (found,) = load_inputs(database, batch)
    (variation,) = harness.rows(variations, variations.c.level == "radical")
    assert isinstance(found, PromptInput)
    assert (found.key, found.artist, found.title, found.style) == (key, artwork["artist"], artwork["title"], artwork["style"])
    assert (found.level, found.seed, found.caption) == ("radical", variation["seed"], f"original {blob}")
    harness.finish(batch)

    batch = harness.claim(Stage.GENERATE, "radical")
    (found,) = load_inputs(database, batch)
    (prompt,) = harness.rows(prompts)
    assert isinstance(found, RepaintInput)
    assert (found.key, found.level, found.seed, found.content_hash, found.link) == (key, "radical", variation["seed"], blob, None)
    assert (found.prompt, found.prompt_id) == (prompt["text"], prompt["id"])
    harness.finish(batch)

    batch = harness.claim(Stage.RECAPTION)
    (found,) = load_inputs(database, batch)
    (repaint,) = harness.rows(images)
    assert isinstance(found, RecaptionInput)
    assert (found.key, found.level, found.image_id, found.content_hash) == (key, "radical", repaint["id"], repaint["content_hash"])


def test_what_nobody_knows_of_an_artwork_is_empty(database: Database) -> None:
    harness = harness_of(database, 1)
    with database.engine.begin() as connection:
        connection.execute(update(artworks).values(artist=None, title=None, style=None))
    harness.run(Stage.CAPTION)

    (found,) = load_inputs(database, harness.claim(Stage.PROMPT, "radical"))

    assert isinstance(found, PromptInput)
    assert (found.artist, found.title, found.style) == ("", "", "")


def test_a_job_whose_predecessor_is_not_current_has_nothing_to_work_on(database: Database) -> None:
    harness = harness_of(database, 2)
    harness.run(Stage.CAPTION)
    batch = harness.claim(Stage.PROMPT, "radical")
    with database.engine.begin() as connection:
        connection.execute(update(captions).where(captions.c.artwork_id == batch.jobs[0].artwork_id).values(current=False))

    first, second = load_inputs(database, batch)

    job = batch.jobs[0]
    assert first == MissingInput(job_id=job.job_id, artwork_id=job.artwork_id, reason=MissingReason.SUPERSEDED)
    assert isinstance(second, PromptInput)


def test_a_job_of_an_artwork_without_its_original_has_nothing_to_work_on(database: Database) -> None:
    harness = harness_of(database, 1)
    batch = harness.claim(Stage.CAPTION)
    with database.engine.begin() as connection:
        connection.execute(update(artworks).values(content_hash=None))

    (found,) = load_inputs(database, batch)

    assert isinstance(found, MissingInput)
    assert found.reason is MissingReason.NO_ORIGINAL
