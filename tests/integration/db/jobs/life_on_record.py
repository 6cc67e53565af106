"""What must be true of the database at every moment, whoever did what before."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import func, select

from db.campaigns import variation_seed
from db.enums import CampaignState, JobState, Stage
from db.jobs.fail import RETRIES
from db.jobs.sweep import CRASHES_ALLOWED
from db.tables import artworks, attempts, batch_keys, campaigns, captions, images, jobs, leases, prompts, variations

if TYPE_CHECKING:
    from collections.abc import Collection

    from sqlalchemy import RowMapping

    from db.engine import Database


@dataclass(frozen=True, kw_only=True)
class LifeOnRecord:
    """All that a database holds of the work at one moment."""

    #: By id.
    jobs: dict[int, RowMapping]
    #: The current ones, by table.
    results: dict[str, list[RowMapping]]
    attempts: list[RowMapping]
    variations: dict[int, RowMapping]
    #: Job id to the number of its current results.
    made: Counter[int]
    tokens: set[str]
    planned: dict[str, int]
    #: Campaigns that were cancelled.
    cancelled: set[int]

    def check(self, *, absent: Collection[int]) -> None:
        """Everything; `absent` are the artworks whose originals have not arrived."""
        assert set(self.made.values()) <= {1}, "two current results of one job"
        assert max(Counter(row["variation_id"] for row in self.results["images"]).values(), default=0) <= 1
        for row in self.jobs.values():
            self._stands_right(row)
        self._chains_hold(absent)
        self._results_belong_together()
        self._attempts_are_bounded()
        assert self.planned == Counter(row["batch_key"] for row in self.jobs.values())
        for row in self.variations.values():
            facts = {"artwork_key": row["key"], "level": row["level"], "ordinal": row["ordinal"], "redraws": row["redraws"]}
            assert row["seed"] == variation_seed(campaign_seed=11, **facts)

    def _stands_right(self, row: RowMapping) -> None:
        state = row["state"]
        if state == JobState.RUNNING:
            assert row["lease_token"] in self.tokens, "a running job without a lease"
        elif state != JobState.READY:
            assert row["lease_token"] is None
        if state == JobState.DONE:
            assert self.made[row["id"]] == 1, "a done job without a current result"
            assert not row["suspect"]
        if state == JobState.WAITING:
            assert self.made[row["id"]] == 0
        if row["campaign_id"] in self.cancelled:
            assert state in {JobState.DONE, JobState.FAILED, JobState.CANCELLED}, "a cancelled campaign has work"
        assert (row["not_before"] > 0) <= (state == JobState.READY), "only ready jobs pause"
        assert (row["error_kind"] is not None) >= (state == JobState.FAILED)
        assert row["crashes"] < CRASHES_ALLOWED or (state == JobState.FAILED and row["error_kind"] == "poison")

    def _chains_hold(self, absent: Collection[int]) -> None:
        by_place = {(row["campaign_id"], row["stage"], row["variation_id"] or row["artwork_id"]): row for row in self.jobs.values()}
        for row in self.jobs.values():
            stage = Stage(row["stage"])
            if row["state"] == JobState.CANCELLED:
                continue
            if not stage.position:
                assert (row["state"] == JobState.WAITING) == (row["artwork_id"] in absent)
                continue
            before = stage.up_to[-2]
            previous = by_place[row["campaign_id"], before, row["variation_id"] if before.per_variation else row["artwork_id"]]
            if row["state"] == JobState.WAITING:
                assert previous["state"] != JobState.DONE, "a job waits for what is done"
            else:
                assert self.made[previous["id"]] == 1, "a job went ahead of what it is made from"

    def _results_belong_together(self) -> None:
        made = self.results
        texts = {(row["campaign_id"], row["artwork_id"]): row["text"] for row in made["captions"] if row["variation_id"] is None}
        for row in made["prompts"]:
            caption = texts[row["campaign_id"], self.variations[row["variation_id"]]["artwork_id"]]
            assert row["text"].startswith(caption + ", "), "a prompt from an older caption"
        written = {row["id"] for row in made["prompts"]}
        assert {row["prompt_id"] for row in made["images"]} <= written, "a repaint from an older prompt"
        repainted = {row["id"] for row in made["images"]}
        assert {row["image_id"] for row in made["captions"] if row["variation_id"]} <= repainted, "a caption of an older repaint"

    def _attempts_are_bounded(self) -> None:
        tried = Counter(row["job_id"] for row in self.attempts)
        assert {job_id: row["attempt_count"] for job_id, row in self.jobs.items() if row["attempt_count"]} == tried
        failed = Counter((row["job_id"], row["round"], row["error_kind"]) for row in self.attempts if row["error_kind"])
        for (_, _, kind), count in failed.items():
            assert count <= RETRIES[kind] + 1, "more tries than its kind allows"
        finished = Counter((row["job_id"], row["round"]) for row in self.attempts if row["outcome"] == "done")
        assert max(finished.values(), default=1) == 1, "done twice in one round"


def on_record(database: Database) -> LifeOnRecord:
    """What the database holds now."""
    with database.read() as connection:
        results = {
            table.name: list(connection.execute(select(table).where(table.c.current)).mappings()) for table in (captions, prompts, images)
        }
        shown = select(variations, artworks.c.key).join(artworks)
        planned = select(batch_keys.c.batch_key, batch_keys.c.planned_jobs).where(batch_keys.c.planned_jobs > 0)
        ended = select(campaigns.c.id).where(campaigns.c.state == str(CampaignState.CANCELLED))
        return LifeOnRecord(
            jobs={row["id"]: row for row in connection.execute(select(jobs)).mappings()},
            results=results,
            attempts=list(connection.execute(select(attempts)).mappings()),
            variations={row["id"]: row for row in connection.execute(shown).mappings()},
            made=Counter(row["job_id"] for rows in results.values() for row in rows),
            tokens=set(connection.scalars(select(leases.c.token))),
            planned=dict(connection.execute(planned).all()),
            cancelled=set(connection.scalars(ended)),
        )


def running_under(database: Database, tokens: Collection[str]) -> int:
    """How many running jobs these leases hold."""
    held = select(func.count()).where(jobs.c.lease_token.in_(tokens), jobs.c.state == str(JobState.RUNNING))
    with database.read() as connection:
        return int(connection.scalar(held) or 0)
