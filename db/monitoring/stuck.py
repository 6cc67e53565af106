"""Why work that is not done does not go on: each reason is a function that counts what it holds up."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import Select, and_, func, select, union

from db.catalogue.tables import artworks
from db.enums import ImageState, JobState, Stage
from db.jobs.keys_in_use import BACKING_OFF
from db.jobs.tables import batch_keys, jobs
from db.jobs.transitions import in_state
from db.monitoring.counts import added_up, of_campaign

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from sqlalchemy import Connection

    from db.monitoring.counts import StageCounts
    from db.monitoring.worker_registry import RegisteredWorker

#: Jobs that stop their successors until somebody requeues them.
_ENDED = (JobState.FAILED, JobState.CANCELLED)


@dataclass(frozen=True, kw_only=True)
class Situation:
    """What the reasons are found from."""

    connection: Connection
    #: None for all campaigns.
    campaign_id: int | None
    #: By campaign, and over all of them.
    counts: dict[int, StageCounts]
    total: StageCounts
    #: The living ones.
    workers: Sequence[RegisteredWorker]
    #: Stage to ready jobs of campaigns in which it is paused.
    paused: Mapping[str, int]
    #: The present moment by the database's clock.
    at: float

    def ready(self, stage: str) -> int:
        """Ready jobs of a stage."""
        return self.total[stage].get(str(JobState.READY), 0)


def find_stuck(
    connection: Connection, campaign_id: int | None, counts: dict[int, StageCounts], workers: Sequence[RegisteredWorker], at: float
) -> dict[str, int]:
    """Reason to number of jobs (or workers) that it concerns; reasons that concern none are left out."""
    pauses = select(batch_keys.c.campaign_id, batch_keys.c.stage).where(batch_keys.c.paused, *of_campaign(batch_keys, campaign_id))
    held: dict[str, int] = {}
    for paused_campaign, stage in connection.execute(pauses.distinct()):
        held[stage] = held.get(stage, 0) + counts[paused_campaign][stage].get(str(JobState.READY), 0)
    situation = Situation(
        connection=connection,
        campaign_id=campaign_id,
        counts=counts,
        total=added_up(counts.values()),
        workers=workers,
        paused=held,
        at=at,
    )
    found: dict[str, int] = {}
    for reason in REASONS:
        for text, count in reason(situation).items():
            if count:
                found[text] = found.get(text, 0) + count
    return found


def waiting_for_originals(situation: Situation) -> dict[str, int]:
    """Captions of artworks whose original has not arrived."""
    if not situation.total[Stage.CAPTION].get(str(JobState.WAITING)):
        return {}
    absent = and_(jobs.c.artwork_id == artworks.c.id, artworks.c.picture != str(ImageState.PRESENT))
    query = select(func.count()).select_from(jobs).join(artworks, absent)
    query = query.where(jobs.c.stage == str(Stage.CAPTION), in_state(JobState.WAITING), *of_campaign(jobs, situation.campaign_id))
    return {"waiting for their picture: run ingest on the images": situation.connection.scalar(query) or 0}


def behind_ended_jobs(situation: Situation) -> dict[str, int]:
    """Waiting jobs of chains that an ended job has cut, found from the few that ended."""
    cutting = {stage: [one for one, stages in situation.counts.items() if _cuts(stages, stage)] for stage in Stage}
    behind = [_cut(campaign_ids, stage) for stage, campaign_ids in cutting.items() if campaign_ids]
    if not behind:
        return {}
    query = select(func.count()).select_from(union(*behind).subquery())
    return {"waiting behind a failed or cancelled job": situation.connection.scalar(query) or 0}


def backing_off(situation: Situation) -> dict[str, int]:
    """Ready jobs that pause before they are tried again."""
    if not any(situation.ready(stage) for stage in situation.total):
        return {}
    query = select(func.count()).select_from(jobs).where(*BACKING_OFF, jobs.c.not_before > situation.at)
    if situation.campaign_id is not None:
        # By their keys, which the index of jobs that back off begins with.
        keys = select(batch_keys.c.batch_key).where(batch_keys.c.campaign_id == situation.campaign_id)
        query = query.where(jobs.c.batch_key.in_(keys))
    return {"backing off before a retry": situation.connection.scalar(query) or 0}


def paused(situation: Situation) -> dict[str, int]:
    """Ready jobs of stages that the operator paused."""
    return {f"paused at {stage}: `paragone resume`": count for stage, count in situation.paused.items()}


def without_workers(situation: Situation) -> dict[str, int]:
    """Ready jobs of stages that no living worker serves."""
    served = {stage for worker in situation.workers for stage in worker.stages}
    return {
        f"ready for {stage}, but no living worker serves it: `paragone work`": situation.ready(stage) - situation.paused.get(stage, 0)
        for stage in Stage
        if str(stage) not in served
    }


def worker_troubles(situation: Situation) -> dict[str, int]:
    """What keeps living workers from some of their work, with the number of such workers."""
    found: dict[str, int] = {}
    for worker in situation.workers:
        if worker.trouble:
            found[worker.trouble] = found.get(worker.trouble, 0) + 1
    return found


#: In the order in which they are shown.
REASONS: tuple[Callable[[Situation], dict[str, int]], ...] = (
    waiting_for_originals,
    behind_ended_jobs,
    backing_off,
    paused,
    without_workers,
    worker_troubles,
)


def _cuts(stages: StageCounts, stage: Stage) -> bool:
    """Whether jobs of a stage ended before others that wait."""
    ended = any(stages[str(stage)].get(str(state)) for state in _ENDED)
    return ended and any(stages[str(later)].get(str(JobState.WAITING)) for later in stage.later)


def _cut(campaign_ids: Sequence[int], stage: Stage) -> Select[Any]:
    ended = jobs.alias("ended")
    same_artwork = and_(jobs.c.artwork_id == ended.c.artwork_id, jobs.c.campaign_id + 0 == ended.c.campaign_id)
    same_variation = jobs.c.variation_id == ended.c.variation_id
    return (
        select(jobs.c.id)
        .join(ended, same_variation if stage.per_variation else same_artwork)
        .where(ended.c.campaign_id.in_(campaign_ids), ended.c.stage == str(stage), ended.c.state.in_([str(state) for state in _ENDED]))
        .where(jobs.c.stage.in_([str(later) for later in stage.later]), in_state(JobState.WAITING))
    )
