"""A campaign under way: its planner, its workers and what the database holds of it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, select, update

from db.campaigns import open_campaign
from db.enums import FailureKind, JobState, Stage
from db.jobs.claim import claim_batch, ready_batches
from db.jobs.complete import complete_batch
from db.jobs.plan import Selection, plan_campaign
from db.jobs.sweep import sweep
from db.results.stage_results import Effort, Failure
from db.tables import attempts, jobs, leases
from tests.builders.catalogue import artworks_of
from tests.builders.recipe import fake_config
from tests.builders.results import results_of

if TYPE_CHECKING:
    from collections.abc import Collection

    from sqlalchemy import ColumnElement, RowMapping

    from db.campaigns import Campaign
    from db.engine import Database
    from db.jobs.claim import Batch
    from db.jobs.complete import CompletedBatch
    from db.jobs.plan import PlannedWork
    from db.jobs.sweep import Swept

EFFORT = Effort(seconds=0.5, batch_size=2)


@dataclass(frozen=True, kw_only=True)
class CampaignHarness:
    """One campaign in one database."""

    database: Database
    campaign: Campaign

    def plan(self, **selection: Any) -> PlannedWork:
        """Plan the chosen artworks, all complete ones by default."""
        return plan_campaign(self.database, self.campaign, Selection(**selection))

    def offer(self, stage: Stage, level: str = "", *, limit: int = 999, worker: str = "first", lease_seconds: float = 60.0) -> Batch | None:
        """What a worker gets that looks for work of this stage (and level), None if there is nothing."""
        for candidate in ready_batches(self.database, [stage]):
            if candidate.campaign_id == self.campaign.id and candidate.batch_key.endswith(level):
                return claim_batch(self.database, worker_id=worker, candidate=candidate, limit=limit, lease_seconds=lease_seconds)
        return None

    def claim(self, stage: Stage, level: str = "", *, limit: int = 999, worker: str = "first", lease_seconds: float = 60.0) -> Batch:
        """The same, where there must be something."""
        batch = self.offer(stage, level, limit=limit, worker=worker, lease_seconds=lease_seconds)
        assert batch is not None, f"nothing to claim for {stage}: {self.counts()}"
        return batch

    def finish(self, batch: Batch, mark: str = "") -> CompletedBatch:
        """Complete every job of the batch with a result."""
        return complete_batch(self.database, batch, results=results_of(self.database, batch, mark), effort=EFFORT)

    def fail(self, batch: Batch, kind: FailureKind, error: str = "it did not work") -> CompletedBatch:
        """Complete every job of the batch with a failure."""
        failures = [Failure(job_id=job.job_id, kind=kind, error=error) for job in batch.jobs]
        return complete_batch(self.database, batch, failures=failures, effort=EFFORT)

    def run(self, *stages: Stage, mark: str = "") -> int:
        """Claim and finish what is ready in these stages, one after the other; returns how many jobs that were."""
        finished = 0
        for stage in stages:
            while (batch := self.offer(stage)) is not None:
                finished += len(self.finish(batch, mark).done)
        return finished

    def run_all(self, mark: str = "") -> int:
        """Claim and finish everything there is."""
        return self.run(*Stage, mark=mark)

    def expire_leases(self, *batches: Batch) -> None:
        """Let the time of these leases run out."""
        tokens = [batch.token for batch in batches]
        with self.database.engine.begin() as connection:
            connection.execute(update(leases).where(leases.c.token.in_(tokens)).values(expires_at=1.0))

    def crash_workers(self, *batches: Batch) -> Swept:
        """The workers of these batches vanish, and a sweep notices."""
        self.expire_leases(*batches)
        return sweep(self.database, lease_seconds=0.0)

    def skip_retry_delays(self) -> None:
        """Let the pauses before retries pass."""
        with self.database.engine.begin() as connection:
            connection.execute(update(jobs).values(not_before=0.0))

    def job(self, job_id: int) -> RowMapping:
        """The row of one job."""
        return self.rows(jobs, jobs.c.id == job_id)[0]

    def jobs(self, stage: Stage, state: JobState | None = None) -> list[RowMapping]:
        """The rows of the campaign's jobs of one stage."""
        state_too = [] if state is None else [jobs.c.state == str(state)]
        return self.rows(jobs, jobs.c.stage == str(stage), jobs.c.campaign_id == self.campaign.id, *state_too)

    def counts(self) -> dict[str, dict[str, int]]:
        """Stage to state to number of jobs."""
        found: dict[str, dict[str, int]] = {}
        query = select(jobs.c.stage, jobs.c.state, func.count()).where(jobs.c.campaign_id == self.campaign.id)
        with self.database.read() as connection:
            for stage, state, count in connection.execute(query.group_by(jobs.c.stage, jobs.c.state)):
                found.setdefault(stage, {})[state] = count
        return found

    def states(self, stage: Stage) -> dict[str, int]:
        """State to number of jobs of one stage."""
        return self.counts().get(stage, {})

    def outcomes(self, job_ids: Collection[int] | None = None) -> Counter[str]:
        """How often attempts ended how."""
        which = [] if job_ids is None else [attempts.c.job_id.in_(job_ids)]
        return Counter(row["outcome"] for row in self.rows(attempts, *which))

    def rows(self, table: Any, *where: ColumnElement[bool]) -> list[RowMapping]:
        """Rows of any table, oldest first."""
        with self.database.read() as connection:
            return list(connection.execute(select(table).where(*where).order_by(*table.primary_key)).mappings())


def harness_of(database: Database, count: int = 0, *, name: str = "trial", planned: bool = True, **settings: Any) -> CampaignHarness:
    """So many artworks, a campaign of fakes, planned unless asked otherwise."""
    if count:
        artworks_of(database, count)
    harness = CampaignHarness(database=database, campaign=open_campaign(database, name, fake_config(**settings)))
    if planned:
        harness.plan()
    return harness
