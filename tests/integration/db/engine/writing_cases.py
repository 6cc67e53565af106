"""For each function that writes: a call of it, and what it leaves in the database."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from unittest.mock import MagicMock

from sqlalchemy import func, select, update

from db.campaigns import freeze_revision, frozen_revision, open_campaign
from db.catalogue.types import ArtworkImage, ArtworkPath, CatalogueArtwork
from db.catalogue.upsert import save_ingest_report, upsert_artworks
from db.enums import FailureKind, Stage, WorkerEnd
from db.jobs.backoff import end_pauses
from db.jobs.claim import claim_batch, ready_batches
from db.jobs.complete import complete_batch
from db.jobs.control import cancel, set_paused
from db.jobs.drain import set_drained
from db.jobs.lease import begin_on_device, end_on_device, excuse_leases, release_batch, renew
from db.jobs.plan import Selection, plan_campaign
from db.jobs.prune import prune_attempts
from db.jobs.requeue import JobFilter, requeue
from db.jobs.sweep import Swept, return_jobs_of, sweep
from db.monitoring.worker_registry import deregister_worker, record_heartbeat, register_worker, retire_silent_workers
from db.results.stage_results import Failure
from db.store import Store
from db.store.identity import read_store_id, register_store
from db.tables import (
    artwork_paths,
    artworks,
    attempts,
    batch_keys,
    captions,
    drained_hosts,
    ingests,
    jobs,
    leases,
    workers,
)
from db.verification.findings import Finding, FindingKind, Verification
from db.verification.mend import mend
from tests.builders import CampaignHarness, artworks_of, fake_config, results_of
from tests.builders.campaign_harness import EFFORT

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy import Table


@dataclass(frozen=True, kw_only=True)
class Case:
    """A call that writes, what it returns (None where that does not matter), and what is in the database afterwards."""

    call: Callable[[], Any]
    returns: Any = None
    leaves: Callable[[], Any]
    expected: Any


CASES: dict[str, Callable[[CampaignHarness], Case]] = {}


def case(prepare: Callable[[CampaignHarness], Case]) -> Callable[[CampaignHarness], Case]:
    """The case of the function of that name."""
    CASES[prepare.__name__.removeprefix("of_")] = prepare
    return prepare


def count(harness: CampaignHarness, table: Table) -> int:
    with harness.database.read() as connection:
        return int(connection.scalar(select(func.count()).select_from(table)) or 0)


@case
def of_open_campaign(harness: CampaignHarness) -> Case:
    return Case(
        call=lambda: open_campaign(harness.database, "another", fake_config()).name,
        returns="another",
        leaves=lambda: open_campaign(harness.database, "another", fake_config()).id > harness.campaign.id,
        expected=True,
    )


@case
def of_freeze_revision(harness: CampaignHarness) -> Case:
    model = {"backend": "sdxl", "model": "org/model"}
    return Case(
        call=lambda: freeze_revision(harness.database, harness.campaign.id, revision="abc", **model),
        returns="abc",
        leaves=lambda: frozen_revision(harness.database, harness.campaign.id, **model),
        expected="abc",
    )


@case
def of_upsert_artworks(harness: CampaignHarness) -> Case:
    facts: Any = {"artist": "A", "title": "T", "style": "S", "styles": ("S",), "subset": None, "incomplete": None}
    path = ArtworkPath(path="S/a_t.jpg", style="S", repaired=False)
    image = ArtworkImage(path="S/a_t.jpg", content_hash="0" * 64, byte_size=9, width=3, height=3, mode="RGB")
    artwork = CatalogueArtwork(key="a_t", **facts, paths=(path,), picture=image)

    def call() -> Any:
        changes = upsert_artworks(harness.database, [artwork])
        return changes.new, changes.changed, changes.arrived, changes.new_paths, changes.readied

    return Case(
        call=call, returns=(1, 0, 1, 1, 0), leaves=lambda: (count(harness, artworks), count(harness, artwork_paths)), expected=(5, 1)
    )


@case
def of_save_ingest_report(harness: CampaignHarness) -> Case:
    return Case(
        call=lambda: save_ingest_report(harness.database, "list.csv", {"artworks": 4}) > 0,
        returns=True,
        leaves=lambda: [row["report"] for row in harness.rows(ingests)],
        expected=[{"artworks": 4}],
    )


@case
def of_register_store(harness: CampaignHarness) -> Case:
    return Case(
        call=lambda: register_store(harness.database, lambda: "an id"),
        returns="an id",
        leaves=lambda: read_store_id(harness.database),
        expected="an id",
    )


@case
def of_plan_campaign(harness: CampaignHarness) -> Case:
    artworks_of(harness.database, 2)

    def leaves() -> Any:
        planned = {row["batch_key"].split("/", 1)[1]: row["planned_jobs"] for row in harness.rows(batch_keys)}
        return planned, {stage: sum(states.values()) for stage, states in harness.counts().items()}

    both = {f"{stage}/{level}": 6 for stage in ("prompt", "generate") for level in ("moderate", "radical")}
    return Case(
        call=lambda: plan_campaign(harness.database, harness.campaign, Selection()).jobs,
        returns=14,
        leaves=leaves,
        expected=({"caption": 6, "recaption": 12, **both}, {"caption": 6, "prompt": 12, "generate": 12, "recaption": 12}),
    )


@case
def of_claim_batch(harness: CampaignHarness) -> Case:
    (candidate,) = ready_batches(harness.database, [Stage.CAPTION])

    def call() -> Any:
        batch = claim_batch(harness.database, worker_id="w", candidate=candidate, limit=3, lease_seconds=60.0)
        return batch and len(batch.jobs)

    return Case(
        call=call,
        returns=3,
        leaves=lambda: (harness.states(Stage.CAPTION), count(harness, leases)),
        expected=({"running": 3, "ready": 1}, 1),
    )


@case
def of_renew(harness: CampaignHarness) -> Case:
    batch = harness.claim(Stage.CAPTION)
    harness.expire_leases(batch)
    return Case(
        call=lambda: renew(harness.database, [batch.token], lease_seconds=60.0),
        returns=1,
        leaves=lambda: sweep(harness.database, lease_seconds=0.0).returned,
        expected=0,
    )


@case
def of_begin_on_device(harness: CampaignHarness) -> Case:
    batch = harness.claim(Stage.CAPTION)
    return Case(
        call=lambda: begin_on_device(harness.database, batch.token),
        returns=True,
        leaves=lambda: [row["started_at"] is not None for row in harness.rows(leases)],
        expected=[True],
    )


@case
def of_end_on_device(harness: CampaignHarness) -> Case:
    batch = harness.claim(Stage.CAPTION)
    begin_on_device(harness.database, batch.token)
    return Case(
        call=lambda: end_on_device(harness.database, batch.token),
        leaves=lambda: [row["started_at"] for row in harness.rows(leases)],
        expected=[None],
    )


@case
def of_complete_batch(harness: CampaignHarness) -> Case:
    batch = harness.claim(Stage.CAPTION)
    bad, *good = results_of(harness.database, batch)
    failure = Failure(job_id=bad.job_id, kind=FailureKind.INPUT, error="truncated")

    def call() -> Any:
        completed = complete_batch(harness.database, batch, results=good, failures=[failure], effort=EFFORT)
        return len(completed.done), completed.failed, completed.readied

    return Case(
        call=call,
        returns=(3, {bad.job_id: None}, 6),
        leaves=lambda: (harness.states(Stage.CAPTION), *(count(harness, table) for table in (captions, attempts, leases))),
        expected=({"done": 3, "failed": 1}, 3, 4, 0),
    )


@case
def of_release_batch(harness: CampaignHarness) -> Case:
    batch = harness.claim(Stage.CAPTION)
    return Case(
        call=lambda: release_batch(harness.database, batch.token, [job.job_id for job in batch.jobs]),
        returns=4,
        leaves=lambda: (harness.states(Stage.CAPTION), count(harness, leases)),
        expected=({"ready": 4}, 0),
    )


@case
def of_sweep(harness: CampaignHarness) -> Case:
    batch = harness.claim(Stage.CAPTION)
    harness.expire_leases(batch)
    return Case(
        call=lambda: sweep(harness.database, lease_seconds=0.0),
        returns=Swept(returned=4, poisoned=0),
        leaves=lambda: (harness.states(Stage.CAPTION), count(harness, attempts), count(harness, leases)),
        expected=({"ready": 4}, 4, 0),
    )


@case
def of_return_jobs_of(harness: CampaignHarness) -> Case:
    batch = harness.claim(Stage.CAPTION)
    return Case(
        call=lambda: return_jobs_of(harness.database, batch.worker_id, end=WorkerEnd.CRASHED),
        returns=Swept(returned=4, poisoned=0),
        leaves=lambda: (harness.states(Stage.CAPTION), count(harness, attempts), count(harness, leases)),
        expected=({"ready": 4}, 4, 0),
    )


@case
def of_excuse_leases(harness: CampaignHarness) -> Case:
    batch = harness.claim(Stage.CAPTION)
    return Case(
        call=lambda: excuse_leases(harness.database, batch.worker_id),
        returns=1,
        leaves=lambda: [row["excused"] for row in harness.rows(leases)],
        expected=[True],
    )


@case
def of_end_pauses(harness: CampaignHarness) -> Case:
    harness.fail(harness.claim(Stage.CAPTION), FailureKind.TRANSIENT)
    harness.database.write(lambda connection: connection.execute(update(jobs).where(jobs.c.not_before > 0).values(not_before=1.0)))
    return Case(
        call=lambda: end_pauses(harness.database),
        returns=4,
        leaves=lambda: {row["not_before"] for row in harness.jobs(Stage.CAPTION)},
        expected={0.0},
    )


@case
def of_requeue(harness: CampaignHarness) -> Case:
    harness.fail(harness.claim(Stage.CAPTION), FailureKind.INPUT)
    return Case(
        call=lambda: requeue(harness.database, JobFilter()),
        returns=4,
        leaves=lambda: {(row["state"], row["round"]) for row in harness.jobs(Stage.CAPTION)},
        expected={("ready", 1)},
    )


@case
def of_mend(harness: CampaignHarness) -> Case:
    harness.run_all()
    (lost, *_) = harness.jobs(Stage.GENERATE)
    finding = Finding(kind=FindingKind.REPAINT_MISSING, subject=lost["job_key"], detail="", job_id=lost["id"])
    return Case(
        call=lambda: mend(harness.database, MagicMock(spec=Store), Verification(), [finding]),
        leaves=lambda: [row["id"] for row in harness.jobs(Stage.GENERATE) if row["state"] == "ready"],
        expected=[lost["id"]],
    )


@case
def of_prune_attempts(harness: CampaignHarness) -> Case:
    harness.run(Stage.CAPTION)
    return Case(
        call=lambda: prune_attempts(harness.database, -60),
        returns=4,
        leaves=lambda: count(harness, attempts),
        expected=0,
    )


@case
def of_set_paused(harness: CampaignHarness) -> Case:
    return Case(
        call=lambda: set_paused(harness.database, harness.campaign.id, None, paused=True),
        returns=6,
        leaves=lambda: ready_batches(harness.database, list(Stage)),
        expected=[],
    )


@case
def of_cancel(harness: CampaignHarness) -> Case:
    return Case(
        call=lambda: cancel(harness.database, harness.campaign.id, Stage.CAPTION),
        returns=4,
        leaves=lambda: harness.states(Stage.CAPTION),
        expected={"cancelled": 4},
    )


def register(harness: CampaignHarness) -> None:
    register_worker(harness.database, worker_id="gpu0", host="here", pid=1, device="cpu", stages=[Stage.CAPTION], threads=2, versions={})


@case
def of_register_worker(harness: CampaignHarness) -> Case:
    return Case(call=lambda: register(harness), leaves=lambda: [row["id"] for row in harness.rows(workers)], expected=["gpu0"])


@case
def of_record_heartbeat(harness: CampaignHarness) -> Case:
    register(harness)
    return Case(
        call=lambda: record_heartbeat(harness.database, "gpu0", trouble="slow disk") is not None,
        returns=True,
        leaves=lambda: [row["trouble"] for row in harness.rows(workers)],
        expected=["slow disk"],
    )


@case
def of_set_drained(harness: CampaignHarness) -> Case:
    register(harness)
    return Case(
        call=lambda: set_drained(harness.database, "here", drained=True),
        leaves=lambda: [row["host"] for row in harness.rows(drained_hosts)],
        expected=["here"],
    )


@case
def of_retire_silent_workers(harness: CampaignHarness) -> Case:
    register(harness)
    return Case(
        call=lambda: retire_silent_workers(harness.database, within_seconds=-1.0),
        returns=1,
        leaves=lambda: [row["stopped_at"] is not None for row in harness.rows(workers)],
        expected=[True],
    )


@case
def of_deregister_worker(harness: CampaignHarness) -> Case:
    register(harness)
    return Case(
        call=lambda: deregister_worker(harness.database, "gpu0"),
        leaves=lambda: [row["stopped_at"] is not None for row in harness.rows(workers)],
        expected=[True],
    )
