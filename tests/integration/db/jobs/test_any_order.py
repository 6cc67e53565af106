from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule, run_state_machine_as_test
from sqlalchemy import select, update

import db.jobs.control
import db.jobs.plan
import db.jobs.requeue
from db.engine import connect
from db.engine.clock import now
from db.enums import FailureKind, ImageState, JobState, Stage, WorkerEnd
from db.jobs.backoff import WRITTEN_AHEAD_SECONDS, end_pauses
from db.jobs.claim import claim_batch, ready_batches
from db.jobs.complete import complete_batch
from db.jobs.control import cancel, set_paused
from db.jobs.lease import begin_on_device, end_on_device, excuse_leases, release_batch, renew
from db.jobs.plan import Selection, plan_campaign
from db.jobs.requeue import JobFilter, count_requeueable, requeue
from db.jobs.sweep import CLOCK_SLACK, return_jobs_of, sweep
from db.results.stage_results import Failure
from db.tables import attempts, images, jobs, leases, metadata
from tests.builders import artworks_of, harness_of, original_arrives, results_of
from tests.builders.campaign_harness import EFFORT
from tests.builders.moves import ALLOWED_MOVES, recorded_moves
from tests.integration.db.jobs.life_on_record import on_record, running_under

if TYPE_CHECKING:
    from collections.abc import Iterator

    from db.engine import Database
    from db.jobs.claim import Batch
    from db.results.stage_results import Result

KINDS = [FailureKind.INPUT, FailureKind.TRANSIENT, FailureKind.OOM, FailureKind.DEGENERATE]
STAGES = st.sampled_from(list(Stage))
WORKERS = st.sampled_from(["one", "other"])
LEASE = 60.0
#: Every column that holds a time.
MOMENTS = (
    *(leases.c.expires_at, leases.c.claimed_at, leases.c.started_at),
    *(jobs.c.not_before, jobs.c.changed_at, jobs.c.finished_at),
    attempts.c.ended_at,
)


class Life(RuleBasedStateMachine):
    """Four artworks with two repaints each, two workers with clients of their own, sweepers, a clock and an operator, in any order."""

    database: Database
    #: Worker to its client.
    clients: dict[str, Database]

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
        self.cancelled = 0
        self.plan(limit=2)

    @rule(limit=st.integers(1, 4))
    def plan(self, limit: int) -> None:
        plan_campaign(self.database, self.harness.campaign, Selection(limit=limit))

    @precondition(lambda self: self.absent)
    @rule()
    def an_original_arrives(self) -> None:
        original_arrives(self.database, self.absent.pop())

    @rule(data=st.data(), worker=WORKERS, batches=st.integers(1, 3), limit=st.integers(1, 4), begun=st.booleans())
    def a_worker_claims(self, data: st.DataObject, worker: str, batches: int, limit: int, begun: bool) -> None:
        client = self.clients[worker]
        for _ in range(batches):
            offered = ready_batches(client, list(Stage))
            chosen = data.draw(st.sampled_from(offered)) if offered else None
            if chosen is None:
                return
            batch = claim_batch(client, worker_id=worker, candidate=chosen, limit=limit, lease_seconds=LEASE)
            assert batch is not None
            self.round += 1
            assert len(batch.jobs) <= limit
            assert len(batch.jobs) == 1 or not any(job.suspect for job in batch.jobs)
            self.held.append((batch, results_of(client, batch, f" #{self.round}")))
            if begun:
                assert begin_on_device(client, batch.token)

    @rule(until=STAGES)
    def all_goes_well_for_a_while(self, until: Stage) -> None:
        self.round += 1
        for stage in until.up_to:
            self.harness.run(stage, mark=f" #{self.round}")
            self.the_database_is_consistent()

    @precondition(lambda self: self.held)
    @rule(data=st.data(), ends=st.booleans())
    def a_batch_comes_to_the_device_or_leaves_it(self, data: st.DataObject, ends: bool) -> None:
        batch, _ = data.draw(st.sampled_from(self.held))
        if ends:
            end_on_device(self.clients[batch.worker_id], batch.token)
        else:
            assert begin_on_device(self.clients[batch.worker_id], batch.token) <= (batch.token in self._leases())

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
        release_batch(self.clients[batch.worker_id], batch.token, [job.job_id for job in batch.jobs[:1]] if some else None)

    @precondition(lambda self: self.held)
    @rule(data=st.data())
    def renew(self, data: st.DataObject) -> None:
        batch, _ = data.draw(st.sampled_from(self.held))
        assert renew(self.clients[batch.worker_id], [batch.token], lease_seconds=LEASE) == (batch.token in self._leases())

    @precondition(lambda self: self.held)
    @rule(data=st.data(), forgotten=st.booleans())
    def a_worker_falls_silent(self, data: st.DataObject, forgotten: bool) -> None:
        lost = data.draw(st.sampled_from(self.held))
        self.harness.crash_workers(lost[0])
        if forgotten:
            self.held.remove(lost)

    @rule(worker=WORKERS, end=st.sampled_from(WorkerEnd), excused=st.booleans())
    def a_worker_is_known_to_be_dead(self, worker: str, end: WorkerEnd, excused: bool) -> None:
        tokens = {row["token"] for row in self.harness.rows(leases, leases.c.worker_id == worker)}
        if excused:
            assert excuse_leases(self.clients[worker], worker) == len(tokens)
        before, running = self._suspects(), running_under(self.database, tokens)

        swept = return_jobs_of(self.database, worker, end=end)

        assert swept.returned + swept.poisoned == running
        assert not tokens & self._leases()
        if excused or end is WorkerEnd.STOPPED:
            assert self._suspects() == before
        self.held = [held for held in self.held if held[0].worker_id != worker]

    @rule()
    def sweep(self) -> None:
        self._check_sweep()

    @rule(seconds=st.sampled_from([5.0, 70.0, 900.0, -30.0, -5000.0]))
    def the_clock_moves(self, seconds: float) -> None:
        """By so many seconds: everything that was written before lies that much further back, or ahead."""
        with self.database.engine.begin() as connection:
            for column in MOMENTS:
                connection.execute(update(column.table).where(column > 0).values({column: column - seconds}))

    @rule()
    def pauses_end(self) -> None:
        with self.database.read() as connection:
            at = float(connection.scalar(select(now())) or 0)
        pausing = self.harness.rows(jobs, jobs.c.not_before > 0)
        due = {row["id"] for row in pausing if row["not_before"] <= at or row["changed_at"] > at + WRITTEN_AHEAD_SECONDS}

        assert end_pauses(self.database) == len(due)

        assert {row["id"] for row in self.harness.rows(jobs, jobs.c.not_before > 0)} == {row["id"] for row in pausing} - due

    @rule(done=st.booleans(), stage=st.none() | STAGES, new_seed=st.booleans())
    def requeue(self, done: bool, stage: Stage | None, new_seed: bool) -> None:
        chosen = JobFilter(done=done, stage=stage)
        counted = count_requeueable(self.database, chosen).total
        assert requeue(self.database, chosen, new_seed=new_seed) == counted

    @rule(stage=st.none() | STAGES, paused=st.booleans())
    def pause_or_resume(self, stage: Stage | None, paused: bool) -> None:
        set_paused(self.database, self.harness.campaign.id, stage, paused=paused)

    @precondition(lambda self: self.cancelled < 2)
    @rule(stage=st.none() | STAGES, sure=st.integers(0, 2))
    def cancel(self, stage: Stage | None, sure: int) -> None:
        if sure:
            return
        cancelled = cancel(self.database, self.harness.campaign.id, stage)
        if cancelled and stage is None:
            self.cancelled += 1
            self.harness = harness_of(self.database, planned=False, name=f"after {self.cancelled} others")

    @invariant()
    def the_database_is_consistent(self) -> None:
        record = on_record(self.database)
        record.check(absent=self.absent)
        assert self.known <= record.jobs.keys(), "a job is gone"
        self.known = set(record.jobs)

    def teardown(self) -> None:
        """Whatever happened: when all originals are there and all is resumed and requeued, everything can be done."""
        if not hasattr(self, "harness"):
            return
        self.the_clock_moves(LEASE + 3600.0)
        self._check_sweep()
        assert self._leases() == set(), "a lease that nobody needs"
        if self.absent:
            original_arrives(self.database, *self.absent)
            self.absent = []
        set_paused(self.database, self.harness.campaign.id, None, paused=False)
        plan_campaign(self.database, self.harness.campaign, Selection())
        requeue(self.database, JobFilter())
        end_pauses(self.database)
        self.harness.run_all(" at last")
        self.the_database_is_consistent_at_the_end()

    def the_database_is_consistent_at_the_end(self) -> None:
        self.the_database_is_consistent()
        record = on_record(self.database)
        mine = [row for row in record.jobs.values() if row["campaign_id"] == self.harness.campaign.id]
        taken_out = {(row["artwork_id"], row["variation_id"]) for row in mine if row["state"] == JobState.CANCELLED}
        assert len(mine) == 4 + 3 * 8
        for row in mine:
            cut = {(row["artwork_id"], row["variation_id"]), (row["artwork_id"], None)} & taken_out
            assert row["state"] == JobState.DONE or cut, "a job that nothing keeps from being done"
        repainted = [row for row in mine if row["stage"] == Stage.GENERATE and row["state"] == JobState.DONE]
        current = self.harness.rows(images, images.c.current, images.c.campaign_id == self.harness.campaign.id)
        assert len(current) >= len(repainted)
        assert self._leases() == set()

    def _check_sweep(self) -> None:
        """Sweep, and see that it takes the leases that are over, or lie ahead of the clock, and no others."""
        with self.database.read() as connection:
            at = float(connection.scalar(select(now())) or 0)
        over = {row["token"] for row in self.harness.rows(leases) if not at <= row["expires_at"] <= at + 2 * LEASE + CLOCK_SLACK}
        kept, running = self._leases() - over, running_under(self.database, over)

        swept = sweep(self.database, lease_seconds=0.0)

        assert swept.returned + swept.poisoned == running
        assert self._leases() == kept

    def _complete(self, batch: Batch, results: list[Result], failures: list[Failure]) -> None:
        mine = {row["id"] for row in self.harness.rows(jobs, jobs.c.lease_token == batch.token)}
        client = self.clients[batch.worker_id]
        completed = complete_batch(client, batch, results=results, failures=failures, effort=EFFORT)
        assert completed.done == mine & {result.job_id for result in results}
        assert completed.failed.keys() == mine & {failure.job_id for failure in failures}

    def _suspects(self) -> set[int]:
        return {row["id"] for row in self.harness.rows(jobs, jobs.c.suspect)}

    def _leases(self) -> set[str]:
        return {row["token"] for row in self.harness.rows(leases)}


@pytest.fixture
def in_small_slices(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(db.jobs.plan, "VARIATIONS_AT_ONCE", 4)
    monkeypatch.setattr(db.jobs.plan, "GAP_SECONDS", {True: 0.0, False: 0.0})
    monkeypatch.setattr(db.jobs.requeue, "AT_ONCE", 3)
    monkeypatch.setattr(db.jobs.control, "AT_ONCE", 3)


@pytest.fixture
def clients(lasting_sqlite: Database) -> Iterator[dict[str, Database]]:
    other = connect(lasting_sqlite.engine.url.render_as_string(hide_password=False))
    yield {"one": lasting_sqlite, "other": other}
    other.dispose()


@pytest.mark.usefixtures("in_small_slices")
@pytest.mark.timeout(900)  # a busy machine takes ten times as long
@pytest.mark.parametrize("examples", [5, pytest.param(40, marks=pytest.mark.slow(reason="forty long orders of events"))])
def test_no_order_of_events_breaks_the_life_of_a_job(lasting_sqlite: Database, clients: dict[str, Database], examples: int) -> None:
    moderate: Any = settings(
        max_examples=examples,
        stateful_step_count=50,
        deadline=None,
        database=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
    )
    with recorded_moves(lasting_sqlite) as moves:
        run_state_machine_as_test(type("Life", (Life,), {"database": lasting_sqlite, "clients": clients}), settings=moderate)
        assert moves() <= ALLOWED_MOVES
