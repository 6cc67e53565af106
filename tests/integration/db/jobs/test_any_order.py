from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule, run_state_machine_as_test
from sqlalchemy import func, select, update

from db.campaigns import variation_seed
from db.enums import FailureKind, ImageState, JobState, Stage
from db.jobs.claim import claim_batch, ready_batches
from db.jobs.complete import complete_batch
from db.jobs.control import set_paused
from db.jobs.lease import begin_on_device, release_batch, renew
from db.jobs.plan import Selection, plan_campaign
from db.jobs.requeue import JobFilter, count_requeueable, requeue
from db.jobs.sweep import sweep
from db.results.stage_results import Failure
from db.tables import artworks, attempts, captions, images, jobs, leases, metadata, prompts, variations
from tests.builders import artworks_of, harness_of, original_arrives, results_of
from tests.builders.campaign_harness import EFFORT
from tests.builders.moves import ALLOWED_MOVES, recorded_moves

if TYPE_CHECKING:
    from sqlalchemy import RowMapping

    from db.engine import Database
    from db.jobs.claim import Batch
    from db.results.stage_results import Result

KINDS = [FailureKind.INPUT, FailureKind.TRANSIENT, FailureKind.OOM, FailureKind.DEGENERATE]
STAGES = st.sampled_from(list(Stage))


class Life(RuleBasedStateMachine):
    """Four artworks with two repaints each, and workers, sweepers and an operator who act in any order."""

    database: Database

    @initialize(present=st.integers(1, 4))
    def begin(self, present: int) -> None:
        with self.database.engine.begin() as connection:
            for table in reversed(metadata.sorted_tables):
                connection.execute(table.delete())
        artworks_of(self.database, present)
        self.absent = artworks_of(self.database, 4 - present, picture=ImageState.PLANNED) if present < 4 else []
        self.harness = harness_of(self.database, planned=False)
        self.held: list[tuple[Batch, list[Result]]] = []
        self.known: set[int] = set()
        self.round = 0
        self.plan(limit=2)

    @rule(limit=st.integers(1, 4))
    def plan(self, limit: int) -> None:
        plan_campaign(self.database, self.harness.campaign, Selection(limit=limit))

    @precondition(lambda self: self.absent)
    @rule()
    def an_original_arrives(self) -> None:
        original_arrives(self.database, self.absent.pop())

    @rule(data=st.data(), workers=st.integers(1, 3), limit=st.integers(1, 4), begun=st.booleans())
    def workers_claim(self, data: st.DataObject, workers: int, limit: int, begun: bool) -> None:
        for _ in range(workers):
            offered = ready_batches(self.database, list(Stage))
            batch = offered and claim_batch(
                self.database, worker_id="w", candidate=data.draw(st.sampled_from(offered)), limit=limit, lease_seconds=60.0
            )
            if not batch:
                return
            self.round += 1
            assert len(batch.jobs) <= limit
            assert len(batch.jobs) == 1 or not any(job.suspect for job in batch.jobs)
            self.held.append((batch, results_of(self.database, batch, f" #{self.round}")))
            if begun:
                assert begin_on_device(self.database, batch.token)

    @rule(until=STAGES)
    def all_goes_well_for_a_while(self, until: Stage) -> None:
        self.round += 1
        for stage in until.up_to:
            self.harness.run(stage, mark=f" #{self.round}")
            self.the_database_is_consistent()

    @precondition(lambda self: self.held)
    @rule(data=st.data())
    def begin_on_the_device(self, data: st.DataObject) -> None:
        batch, _ = data.draw(st.sampled_from(self.held))
        assert begin_on_device(self.database, batch.token) <= (batch.token in self._leases())

    @precondition(lambda self: self.held)
    @rule(data=st.data())
    def complete_everything(self, data: st.DataObject) -> None:
        batch, results = data.draw(st.sampled_from(self.held))
        self._complete(batch, results, [])

    @precondition(lambda self: self.held)
    @rule(data=st.data())
    def complete_some_and_fail_some(self, data: st.DataObject) -> None:
        batch, results = data.draw(st.sampled_from(self.held))
        fates = data.draw(st.lists(st.sampled_from(["done", "kept", *KINDS]), min_size=len(results), max_size=len(results)))
        good = [result for result, fate in zip(results, fates, strict=True) if fate == "done"]
        bad = [(result.job_id, fate) for result, fate in zip(results, fates, strict=True) if isinstance(fate, FailureKind)]
        self._complete(batch, good, [Failure(job_id=job_id, kind=kind, error="by chance") for job_id, kind in bad])

    @precondition(lambda self: self.held)
    @rule(data=st.data(), some=st.booleans())
    def release_batch(self, data: st.DataObject, some: bool) -> None:
        batch, _ = data.draw(st.sampled_from(self.held))
        release_batch(self.database, batch.token, [job.job_id for job in batch.jobs[:1]] if some else None)

    @precondition(lambda self: self.held)
    @rule(data=st.data())
    def renew(self, data: st.DataObject) -> None:
        batch, _ = data.draw(st.sampled_from(self.held))
        assert renew(self.database, [batch.token], lease_seconds=60.0) == (batch.token in self._leases())

    @precondition(lambda self: self.held)
    @rule(data=st.data(), forgotten=st.booleans())
    def a_worker_falls_silent(self, data: st.DataObject, forgotten: bool) -> None:
        lost = data.draw(st.sampled_from(self.held))
        self.harness.crash_workers(lost[0])
        if forgotten:
            self.held.remove(lost)

    @rule()
    def sweep(self) -> None:
        assert sweep(self.database, lease_seconds=0.0).returned == 0

    @rule()
    def pauses_pass(self) -> None:
        self.harness.skip_retry_delays()

    @rule(done=st.booleans(), stage=st.none() | STAGES, new_seed=st.booleans())
    def requeue(self, done: bool, stage: Stage | None, new_seed: bool) -> None:
        chosen = JobFilter(done=done, stage=stage)
        counted = count_requeueable(self.database, chosen).total
        assert requeue(self.database, chosen, new_seed=new_seed) == counted

    @rule(stage=st.none() | STAGES, paused=st.booleans())
    def pause_or_resume(self, stage: Stage | None, paused: bool) -> None:
        set_paused(self.database, self.harness.campaign.id, stage, paused=paused)

    @invariant()
    def the_database_is_consistent(self) -> None:
        with self.database.read() as connection:
            rows = {row["id"]: row for row in connection.execute(select(jobs)).mappings()}
            made = {
                table.name: list(connection.execute(select(table).where(table.c.current)).mappings())
                for table in (captions, prompts, images)
            }
            tried: dict[int, int] = dict(connection.execute(select(attempts.c.job_id, func.count()).group_by(attempts.c.job_id)).all())
            planned = list(connection.execute(select(variations, artworks.c.key).join(artworks)).mappings())
            tokens = set(connection.scalars(select(leases.c.token)))
        results = Counter(row["job_id"] for table in made.values() for row in table)
        assert set(results.values()) <= {1}, "two current results of one job"
        assert max(Counter(row["variation_id"] for row in made["images"]).values(), default=0) <= 1
        self._each_job_stands_right(rows, results, tokens)
        self._chains_hold(rows, results)
        self._results_belong_together(made)
        assert {job_id: row["attempt_count"] for job_id, row in rows.items() if row["attempt_count"]} == tried
        for row in planned:
            facts = {"artwork_key": row["key"], "level": row["level"], "ordinal": row["ordinal"], "redraws": row["redraws"]}
            assert row["seed"] == variation_seed(campaign_seed=11, **facts)

    def _each_job_stands_right(self, rows: dict[int, RowMapping], results: Counter[int], tokens: set[str]) -> None:
        for job_id, row in rows.items():
            state = row["state"]
            if state == JobState.RUNNING:
                assert row["lease_token"] in tokens, "a running job without a lease"
            elif state != JobState.READY:
                assert row["lease_token"] is None
            if state == JobState.DONE:
                assert results[job_id] == 1
            if state == JobState.WAITING:
                assert results[job_id] == 0
            assert (row["error_kind"] is not None) >= (state == JobState.FAILED)
        assert self.known <= rows.keys(), "a job is gone"
        self.known = set(rows)

    def _chains_hold(self, rows: dict[int, RowMapping], results: Counter[int]) -> None:
        by_place = {(row["stage"], row["variation_id"] or row["artwork_id"]): row for row in rows.values()}
        for row in rows.values():
            stage = Stage(row["stage"])
            if not stage.position:
                absent = row["artwork_id"] in self.absent
                assert (row["state"] == JobState.WAITING) == absent
                continue
            before = stage.up_to[-2]
            previous = by_place[before, row["variation_id"] if before.per_variation else row["artwork_id"]]
            if row["state"] == JobState.WAITING:
                assert previous["state"] != JobState.DONE, "a job waits for what is done"
            else:
                assert results[previous["id"]] == 1, "a job went ahead of what it is made from"

    def _results_belong_together(self, made: dict[str, list[RowMapping]]) -> None:
        texts = {row["artwork_id"]: row["text"] for row in made["captions"] if row["variation_id"] is None}
        sources = {row["id"]: row["artwork_id"] for row in self.harness.rows(variations)}
        for row in made["prompts"]:
            assert row["text"].startswith(texts[sources[row["variation_id"]]] + ", "), "a prompt from an older caption"
        written = {row["id"] for row in made["prompts"]}
        assert {row["prompt_id"] for row in made["images"]} <= written, "a repaint from an older prompt"
        repainted = {row["id"] for row in made["images"]}
        assert {row["image_id"] for row in made["captions"] if row["variation_id"]} <= repainted, "a caption of an older repaint"

    def teardown(self) -> None:
        """Whatever happened: when all originals are there and all is resumed and requeued, everything can be done."""
        if not hasattr(self, "harness"):
            return
        with self.database.engine.begin() as connection:
            connection.execute(update(leases).values(expires_at=1.0))
        sweep(self.database, lease_seconds=0.0)
        if self.absent:
            original_arrives(self.database, *self.absent)
            self.absent = []
        set_paused(self.database, self.harness.campaign.id, None, paused=False)
        plan_campaign(self.database, self.harness.campaign, Selection())
        requeue(self.database, JobFilter())
        self.harness.skip_retry_delays()
        self.harness.run_all(" at last")
        self.the_database_is_consistent_at_the_end()

    def the_database_is_consistent_at_the_end(self) -> None:
        assert self.harness.counts() == {"caption": {"done": 4}, "prompt": {"done": 8}, "generate": {"done": 8}, "recaption": {"done": 8}}
        assert len(self.harness.rows(images, images.c.current)) == 8
        assert self._leases() == set()

    def _complete(self, batch: Batch, results: list[Result], failures: list[Failure]) -> None:
        mine = {row["id"] for row in self.harness.rows(jobs, jobs.c.lease_token == batch.token)}
        completed = complete_batch(self.database, batch, results=results, failures=failures, effort=EFFORT)
        assert completed.done == mine & {result.job_id for result in results}
        assert completed.failed.keys() == mine & {failure.job_id for failure in failures}

    def _leases(self) -> set[str]:
        return {row["token"] for row in self.harness.rows(leases)}


@pytest.mark.parametrize("examples", [4, pytest.param(40, marks=pytest.mark.slow(reason="forty long orders of events"))])
def test_no_order_of_events_breaks_the_life_of_a_job(lasting_sqlite: Database, examples: int) -> None:
    moderate: Any = settings(
        max_examples=examples,
        stateful_step_count=40,
        deadline=None,
        database=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
    )
    with recorded_moves(lasting_sqlite) as moves:
        run_state_machine_as_test(type("Life", (Life,), {"database": lasting_sqlite}), settings=moderate)
        assert moves() <= ALLOWED_MOVES
