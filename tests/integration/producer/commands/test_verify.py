"""A database and a store that do not fit together any more, as after a restore: what `paragone verify` finds and what it mends."""

from __future__ import annotations

import hashlib
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import delete, insert, select, text, update

from db.campaigns import all_campaigns
from db.engine.bulk import runs
from db.enums import JobState, Stage
from db.errors import BlobMissing, StoreUnavailable, UnknownCampaign
from db.runtime import Runtime
from db.settings import Settings
from db.tables import artworks, captions, images, jobs, prompts
from db.verification import Verification, blobs, verify
from producer.steering import cancel_campaign
from tests.builders import CampaignHarness, artworks_of, harness_of
from tests.integration.producer.commands.conftest import Operator

if TYPE_CHECKING:
    from collections.abc import Iterator

    from db.engine import Database
    from db.store import Store

ARTWORKS = 3
REPAINTS = 2 * ARTWORKS
JOBS = ARTWORKS + 3 * REPAINTS


@dataclass(frozen=True, kw_only=True)
class Finished:
    """A campaign that is done, with every blob in its store."""

    operator: Operator
    harness: CampaignHarness

    @property
    def database(self) -> Database:
        return self.operator.database

    @property
    def store(self) -> Store:
        return self.operator.runtime.store

    def verify(self, **how: Any) -> Verification:
        return verify(self.database, self.store, **how)

    def run_all(self) -> None:
        """Workers finish what is ready; as they do, they put repaints into the store first."""
        self.harness.run_all(mark=" again")
        give_blobs(self.database, self.store)

    def change(self, statement: Any) -> None:
        with self.database.engine.begin() as connection:
            connection.execute(statement)

    def one(self, table: Any, *where: Any) -> Any:
        return self.harness.rows(table, *where)[0]

    def repaint(self) -> Any:
        return self.one(images, images.c.current)

    def original(self) -> Any:
        return self.one(artworks)


def give_blobs(database: Database, store: Store) -> None:
    """Put a blob for every row that has none, and let the row name it."""
    for table in (artworks, images):
        with database.read() as connection:
            rows = connection.execute(select(table.c.id, table.c.content_hash)).all()
        for row_id, content_hash in rows:
            if content_hash and store.exists(content_hash):
                continue
            data = f"{table.name} {row_id}".encode()
            named = {"content_hash": store.put(data), "byte_size": len(data)}
            with database.engine.begin() as connection:
                connection.execute(update(table).where(table.c.id == row_id).values(**named))


@pytest.fixture
def finished(database: Database, database_kind: str, tmp_path: Path) -> Iterator[Finished]:
    """On SQLite with a local store, on PostgreSQL with an object store."""
    yield from _finished(database, tmp_path, "" if database_kind == "sqlite" else f"memory://{uuid.uuid4().hex}")


@pytest.fixture
def finished_here(sqlite_database: Database, tmp_path: Path) -> Iterator[Finished]:
    """The same on SQLite with a local store, for what does not depend on either."""
    yield from _finished(sqlite_database, tmp_path, "")


def _finished(database: Database, tmp_path: Path, store_url: str) -> Iterator[Finished]:
    url = database.engine.url.render_as_string(hide_password=False)
    settings = {"data_dir": tmp_path / "data", "database_url": url, "store_url": store_url}
    runtime = Runtime(Settings.model_validate(settings))
    runtime.initialise()
    artworks_of(database, ARTWORKS)
    give_blobs(database, runtime.store)
    harness = harness_of(runtime.database)
    harness.run_all()
    give_blobs(database, runtime.store)
    yield Finished(operator=Operator(runtime=runtime), harness=harness)
    runtime.close()


def damage(store: Store, content_hash: str, data: bytes) -> None:
    store.put_named(f"blobs/{content_hash[:2]}/{content_hash[2:4]}/{content_hash}", data)


def test_a_campaign_that_is_whole_has_nothing_to_find(finished: Finished) -> None:
    result = finished.verify()

    assert (result.findings, result.is_sound) == ({}, True)
    assert (result.originals, result.repaints, result.superseded, result.jobs) == (ARTWORKS, REPAINTS, 0, JOBS)
    assert result.hashed == ARTWORKS + REPAINTS


def test_a_lost_repaint_is_made_again(finished: Finished) -> None:
    lost = finished.repaint()
    finished.store.delete(lost["content_hash"])

    result = finished.verify(repair=True)

    assert (result.findings, result.requeued) == ({"repaint missing": 1}, 1)
    assert result.first[0].subject == finished.harness.job(lost["job_id"])["job_key"]
    assert lost["content_hash"] in result.first[0].detail
    assert finished.harness.job(lost["job_id"])["state"] == JobState.READY
    assert not finished.verify(repair=True).requeued  # it is being made
    finished.run_all()
    again = finished.verify()
    assert (again.findings, again.jobs, again.superseded) == ({}, JOBS, 1)
    (old,) = finished.harness.rows(images, images.c.current.is_(False))
    finished.store.delete(old["content_hash"])
    history = finished.verify()
    assert (history.findings, history.is_sound) == ({"superseded repaint lost": 1}, True)


@pytest.mark.parametrize("data", [b"other bytes of another length", b"short", b""])
def test_a_damaged_repaint_is_set_aside_and_made_again(finished: Finished, data: bytes) -> None:
    broken = finished.repaint()
    damage(finished.store, broken["content_hash"], data)

    assert finished.verify(sample=0).findings == {"repaint damaged": 1}  # of another size: read in any case
    result = finished.verify(repair=True)

    assert (result.findings, result.requeued, result.corrected) == ({"repaint damaged": 1}, 1, 1)
    assert finished.store.get_named(f"damaged/{broken['content_hash']}") == data
    with pytest.raises(BlobMissing):
        finished.store.get(broken["content_hash"])


def test_bytes_that_changed_in_place_are_found_by_reading_alone(finished: Finished) -> None:
    broken = finished.repaint()
    sound = finished.store.get(broken["content_hash"])
    damage(finished.store, broken["content_hash"], sound[::-1])

    assert finished.verify(sample=0).findings == {}
    assert finished.verify(sample=None).findings == {"repaint damaged": 1}


def test_a_sample_reads_about_so_many_files(finished_here: Finished) -> None:
    assert finished_here.verify(sample=3).hashed == 3
    assert finished_here.verify(sample=0).hashed == 0
    assert finished_here.verify(sample=1000).hashed == ARTWORKS + REPAINTS


def test_lost_and_damaged_originals_are_told_and_no_job_can_mend_them(finished: Finished) -> None:
    first, second = finished.harness.rows(artworks)[:2]
    finished.store.delete(first["content_hash"])
    damage(finished.store, second["content_hash"], b"rubbish")

    result = finished.verify(repair=True)

    assert result.findings == {"original missing": 1, "original damaged": 1}
    assert (result.requeued, result.corrected) == (0, 1)
    # What `ingest` does with the same files.
    for number, artwork in ((1, first), (2, second)):
        assert finished.store.put(f"artworks {number}".encode()) == artwork["content_hash"]
    assert finished.verify().is_sound


def test_linked_originals_are_looked_for_where_they_were_left(finished_here: Finished, tmp_path: Path) -> None:
    paths = [tmp_path / f"links/{number}.jpg" for number in range(ARTWORKS)]
    paths[0].parent.mkdir()
    for path, row in zip(paths, finished_here.harness.rows(artworks), strict=True):
        path.write_bytes(path.name.encode())
        named = {"link": str(path), "content_hash": hashlib.sha256(path.name.encode()).hexdigest()}
        finished_here.change(update(artworks).where(artworks.c.id == row["id"]).values(**named))
    assert finished_here.verify().is_sound

    paths[0].unlink()
    paths[1].write_bytes(b"another picture")
    assert finished_here.verify().findings == {"linked original missing": 1, "linked original changed": 1}

    paths[1].unlink()
    paths[2].unlink()
    with pytest.raises(StoreUnavailable, match="is the disk mounted"):
        finished_here.verify()


def test_a_store_that_is_away_is_no_reason_to_call_anything_missing(finished_here: Finished) -> None:
    place = Path(finished_here.operator.runtime.settings.store_location)
    place.rename(place.with_name("unmounted"))

    with pytest.raises(StoreUnavailable, match="is the disk mounted"):
        finished_here.verify(repair=True)

    assert finished_here.harness.states(Stage.GENERATE) == {"done": REPAINTS}


@pytest.mark.parametrize("stage", list(Stage))
def test_a_done_job_without_a_result_is_done_again(finished: Finished, stage: Stage) -> None:
    table = {Stage.CAPTION: captions, Stage.PROMPT: prompts, Stage.GENERATE: images, Stage.RECAPTION: captions}[stage]
    job = finished.harness.jobs(stage)[0]
    # As a restore of half a table leaves it: the row is there, but is not the current one.
    finished.change(update(table).where(table.c.job_id == job["id"]).values(current=False))

    result = finished.verify(repair=True)

    assert result.findings["result missing"] == 1
    assert finished.harness.job(job["id"])["state"] == JobState.READY
    finished.run_all()
    finished.verify(repair=True)
    finished.run_all()
    last = finished.verify()
    assert last.is_sound, last.findings
    assert last.jobs == JOBS


def test_what_follows_from_a_broken_job_waits_for_it(finished_here: Finished) -> None:
    job = finished_here.harness.jobs(Stage.PROMPT)[0]
    made = finished_here.one(images, images.c.variation_id == job["variation_id"])
    finished_here.change(update(prompts).where(prompts.c.job_id == job["id"]).values(current=False))
    finished_here.store.delete(made["content_hash"])

    result = finished_here.verify(repair=True)

    assert result.findings["repaint missing"] == 1
    assert finished_here.harness.job(job["id"])["state"] == JobState.READY
    assert finished_here.harness.job(made["job_id"])["state"] == JobState.WAITING
    finished_here.run_all()
    assert finished_here.verify().is_sound


def test_a_repaint_of_an_old_prompt_and_a_caption_of_an_old_repaint_are_made_again(finished: Finished) -> None:
    repaint, other = finished.harness.rows(images)[:2]
    prompt = finished.one(prompts, prompts.c.id == repaint["prompt_id"])
    with finished.database.engine.begin() as connection:
        connection.execute(update(prompts).where(prompts.c.id == prompt["id"]).values(current=False))
        connection.execute(insert(prompts).values(**{**prompt, "id": 9_001, "current": True}))
        connection.execute(update(images).where(images.c.id == other["id"]).values(current=False))
        connection.execute(insert(images).values(**{**other, "id": 9_002, "current": True}))

    result = finished.verify(repair=True)

    assert result.findings == {"repaint of a superseded prompt": 1, "caption of a superseded repaint": 1}
    assert result.requeued == 2
    finished.run_all()
    assert finished.verify().is_sound


def test_of_several_current_results_the_latest_stays(finished: Finished) -> None:
    repaint = finished.repaint()
    with finished.database.engine.begin() as connection:
        connection.execute(text("DROP INDEX uq_images_current"))  # or the database would not let it happen
        connection.execute(insert(images).values(**{**repaint, "id": 9_001}))
    try:
        result = finished.verify(repair=True)

        # The caption of the one that is no longer current describes what is history now.
        assert result.findings == {"several results current": 1, "caption of a superseded repaint": 1}
        assert (result.corrected, result.requeued) == (1, 1)
        kept = finished.harness.rows(images, images.c.variation_id == repaint["variation_id"], images.c.current)
        assert [row["id"] for row in kept] == [9_001]
        finished.run_all()
        assert finished.verify().is_sound
    finally:
        with finished.database.engine.begin() as connection:
            connection.execute(text("CREATE UNIQUE INDEX uq_images_current ON images (variation_id) WHERE current"))


def test_a_planned_repaint_without_its_job_is_told(finished: Finished) -> None:
    job = finished.harness.jobs(Stage.RECAPTION)[0]
    with finished.database.engine.begin() as connection:
        connection.execute(delete(captions).where(captions.c.job_id == job["id"]))
        connection.execute(text("DELETE FROM attempts WHERE job_id = :id"), {"id": job["id"]})
        connection.execute(delete(jobs).where(jobs.c.id == job["id"]))

    result = finished.verify(repair=True)

    assert (result.findings, result.requeued) == ({"job missing": 1}, 0)
    assert result.first[0].subject == f"variation {job['variation_id']} of campaign trial"


def test_a_campaign_without_recaptions_lacks_none(finished_here: Finished) -> None:
    other = harness_of(finished_here.database, name="plain", recaption=False)
    other.run_all()
    give_blobs(finished_here.database, finished_here.store)

    assert finished_here.verify(campaign=all_campaigns(finished_here.database)[1]).findings == {}


def test_only_the_campaign_that_is_named_is_looked_at(finished_here: Finished) -> None:
    artworks_of(finished_here.database, 1)  # without a blob, and in no campaign
    finished_here.store.delete(finished_here.repaint()["content_hash"])
    other = harness_of(finished_here.database, name="other", planned=False)

    assert finished_here.verify().findings == {"original missing": 1, "repaint missing": 1}
    assert finished_here.verify(campaign=finished_here.harness.campaign).findings == {"repaint missing": 1}
    assert finished_here.verify(campaign=other.campaign).findings == {}


def test_the_jobs_of_a_cancelled_campaign_stay_as_they_are(finished_here: Finished) -> None:
    other = harness_of(finished_here.database, name="unfinished")
    other.run(Stage.CAPTION, Stage.PROMPT, Stage.GENERATE)
    finished_here.store.delete(finished_here.repaint()["content_hash"])
    cancel_campaign(finished_here.operator.runtime, "unfinished")
    lost = finished_here.one(images, images.c.campaign_id == other.campaign.id)

    result = finished_here.verify(repair=True, campaign=other.campaign)

    assert result.findings["repaint missing"] == REPAINTS
    assert result.requeued == 0
    assert finished_here.harness.job(lost["job_id"])["state"] == JobState.DONE


def test_pages_are_smaller_than_what_is_looked_at(finished: Finished, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blobs, "PAGE", 2)
    monkeypatch.setattr("db.verification.chains.PAGE", 2)
    same = finished.repaint()["content_hash"]
    finished.change(update(images).values(content_hash=same, byte_size=len(finished.store.get(same))))  # equal repaints are one blob

    result = finished.verify()

    assert (result.findings, result.originals, result.repaints, result.jobs) == ({}, ARTWORKS, REPAINTS, JOBS)
    finished.store.delete(same)
    assert finished.verify().findings == {"repaint missing": REPAINTS}


def test_many_findings_are_counted_and_the_first_are_told(finished_here: Finished) -> None:
    for some in runs([row["id"] for row in finished_here.harness.rows(captions)]):
        finished_here.change(update(captions).where(captions.c.id.in_(some)).values(current=False))
    for row in finished_here.harness.rows(images):
        finished_here.store.delete(row["content_hash"])
    for row in finished_here.harness.rows(artworks):
        finished_here.store.delete(row["content_hash"])
    finished_here.change(update(prompts).values(current=False))

    printed = finished_here.operator.output_of("verify", exit_code=1)

    lost = ARTWORKS + 2 * REPAINTS
    assert f"{lost} x result missing: `paragone verify --repair` has it made again" in printed
    assert f"{ARTWORKS} x original missing: only the files can mend it: `paragone ingest`" in printed
    total = lost + REPAINTS + REPAINTS + ARTWORKS
    assert f"and {total - 20} more" in printed


def test_the_command_prints_counts_json_and_its_exit_code(finished: Finished) -> None:
    printed = finished.operator.output_of("verify")
    assert f"looked at {ARTWORKS} originals, {REPAINTS} repaints, 0 superseded ones ({ARTWORKS + REPAINTS} read and hashed)" in printed
    assert "all is in order" in printed
    finished.store.delete(finished.repaint()["content_hash"])

    line = finished.operator.output_of("verify --repair --all --json", exit_code=1)

    assert '"sound": false' in line
    assert '"repaint missing": 1' in line
    assert '"requeued": 1' in line


def test_a_campaign_that_is_not_there_is_an_error(finished_here: Finished) -> None:
    with pytest.raises(UnknownCampaign):
        finished_here.operator.output_of("verify --campaign nowhere")
