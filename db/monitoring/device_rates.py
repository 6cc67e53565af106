"""Seconds of a device for one job of each batch key: measured in its campaign, else on the same work elsewhere, else assumed.

Nothing here grows with the number of jobs: what is measured are the latest attempts of all, and for batch keys that are not among them a
few done jobs of their campaign and stage, found by ix_jobs_progress.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, literal, select, tuple_

from db.enums import AttemptOutcome, JobState, Stage
from db.jobs.batch_keys import batch_key, parameters_of
from db.jobs.tables import attempts, batch_keys, jobs
from db.monitoring.assumptions import assumed_seconds

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from sqlalchemy import Connection, Select

    from db.campaigns import CampaignConfig

#: The latest attempts that are looked at.
LATEST = 3_000
#: Done jobs of a campaign and stage that are looked at where the latest attempts tell nothing.
SAMPLE = 60
#: Campaign and stage pairs that one call samples at most.
SAMPLES_AT_ONCE = 8

#: What must be equal for two jobs to take about the same time.
Kind = tuple[Any, ...]


class RateSource(StrEnum):
    """Where the seconds of a job are known from."""

    #: Attempts of this very campaign.
    CAMPAIGN = "measured in this campaign"
    #: Attempts of other campaigns with the same model and settings.
    ELSEWHERE = "measured in other campaigns with the same model"
    #: Nothing like it was measured.
    ASSUMED = "assumed"


@dataclass(frozen=True, kw_only=True)
class WorkKey:
    """A batch key as far as its cost is concerned, of a campaign that is there or only planned."""

    batch_key: str
    #: None for a campaign that is only planned.
    campaign_id: int | None
    stage: Stage
    #: As the table batch_keys holds them.
    parameters: Mapping[str, Any]
    #: Share of its campaign's jobs of this stage, 0 to 1.
    share: float

    @property
    def kind(self) -> Kind:
        """Equal for keys whose jobs take about as long: for models their canvas, steps and strength count too."""
        model, settings = self.parameters["model"], self.parameters["settings"]
        if self.stage is Stage.PROMPT:
            return self.stage, self.parameters["backend"]  # the model beside it only lends its tokenizer
        if self.stage is Stage.GENERATE:
            canvas = self.parameters["picture"]["size"]
            return self.stage, self.parameters["backend"], model, canvas, settings.get("steps"), settings.get("strength")
        return self.stage, self.parameters["backend"], model


@dataclass(frozen=True, kw_only=True)
class DeviceRate:
    """What one job of a batch key takes."""

    seconds: float
    source: RateSource
    #: Jobs that were measured.
    jobs: int


@dataclass(kw_only=True)
class _Sum:
    jobs: int = 0
    seconds: float = 0.0

    def add(self, jobs: int, seconds: float) -> None:
        self.jobs += jobs
        self.seconds += seconds

    def rate(self, source: RateSource) -> DeviceRate:
        return DeviceRate(seconds=self.seconds / self.jobs, source=source, jobs=self.jobs)


def planned_keys(config: CampaignConfig, campaign_id: int | None) -> list[WorkKey]:
    """The keys that a campaign of this configuration has or will have."""
    keys = []
    for one in parameters_of(config):
        share = 1.0
        if one.level is not None:
            share = 1 / len(config.level) if config.levels == "both" else config.levels.get(one.level, 0.0)
        name = batch_key(campaign_id or 0, one.stage, one.level)
        keys.append(WorkKey(batch_key=name, campaign_id=campaign_id, stage=one.stage, parameters=vars(one.parameters), share=share))
    return keys


def known_keys(connection: Connection) -> list[WorkKey]:
    """The keys of all campaigns, each with its share of what its campaign planned of the stage."""
    rows = connection.execute(select(batch_keys).order_by(batch_keys.c.campaign_id, batch_keys.c.batch_key)).mappings().all()
    planned: dict[tuple[int, str], int] = defaultdict(int)
    for row in rows:
        planned[row["campaign_id"], row["stage"]] += row["planned_jobs"]
    return [
        WorkKey(
            batch_key=row["batch_key"],
            campaign_id=row["campaign_id"],
            stage=Stage(row["stage"]),
            parameters=row["parameters"],
            share=row["planned_jobs"] / max(1, planned[row["campaign_id"], row["stage"]]),
        )
        for row in rows
    ]


def device_rates(connection: Connection, wanted: Collection[WorkKey], everywhere: Collection[WorkKey]) -> dict[str, DeviceRate]:
    """Batch key to the seconds of one of its jobs: means over jobs that were done; what failed is not counted.

    `everywhere`: what `known_keys` gives, the keys that may have been measured.
    """
    sums = _by_key(connection, _LATEST_ATTEMPTS)
    for campaign_id, stage in _to_sample(wanted, everywhere, sums):
        for name, found in _by_key(connection, _some_done(campaign_id, stage)).items():
            sums.setdefault(name, found)
    pooled: dict[Kind, _Sum] = defaultdict(_Sum)
    for key in everywhere:
        if (measured := sums.get(key.batch_key)) is not None:
            pooled[key.kind].add(measured.jobs, measured.seconds)
    return {key.batch_key: _rate(key, sums, pooled) for key in wanted}


def _rate(key: WorkKey, sums: Mapping[str, _Sum], pooled: Mapping[Kind, _Sum]) -> DeviceRate:
    if key.campaign_id is not None and key.batch_key in sums:
        return sums[key.batch_key].rate(RateSource.CAMPAIGN)
    if key.kind in pooled:
        return pooled[key.kind].rate(RateSource.ELSEWHERE)
    return DeviceRate(seconds=assumed_seconds(key.stage, key.parameters), source=RateSource.ASSUMED, jobs=0)


def _to_sample(wanted: Collection[WorkKey], everywhere: Collection[WorkKey], sums: Mapping[str, _Sum]) -> list[tuple[int, Stage]]:
    """Campaigns and stages whose done jobs may tell what the latest attempts do not: the wanted ones first, then others, latest first."""
    missing = [key for key in wanted if key.batch_key not in sums]
    kinds = {key.kind for key in missing}
    latest_first = sorted(everywhere, key=lambda key: -(key.campaign_id or 0))
    own = {key.batch_key for key in missing if key.campaign_id is not None}
    ordered = [key for key in latest_first if key.batch_key in own] + [key for key in latest_first if key.kind in kinds]
    pairs = dict.fromkeys((key.campaign_id, key.stage) for key in ordered if key.campaign_id is not None and key.batch_key not in sums)
    return [(campaign_id, stage) for campaign_id, stage in pairs if campaign_id is not None][:SAMPLES_AT_ONCE]


def _by_key(connection: Connection, query: Select[Any]) -> dict[str, _Sum]:
    return {name: _Sum(jobs=int(count), seconds=float(seconds)) for name, count, seconds in connection.execute(query)}


_MEASURED = (attempts.c.outcome == str(AttemptOutcome.DONE), attempts.c.seconds.is_not(None))


def _latest_attempts() -> Select[Any]:
    # Limited before it is filtered: a million failures in a row are not gone through.
    columns = (attempts.c.job_id, attempts.c.outcome, attempts.c.seconds)
    some = select(*columns).order_by(attempts.c.id.desc()).limit(LATEST).subquery()
    measured = (some.c.outcome == str(AttemptOutcome.DONE), some.c.seconds.is_not(None))
    joined = select(jobs.c.batch_key, func.count(), func.sum(some.c.seconds)).join(some, some.c.job_id == jobs.c.id)
    return joined.where(*measured).group_by(jobs.c.batch_key)


def _some_done(campaign_id: int, stage: Stage) -> Select[Any]:
    # As a range of ix_jobs_progress in its order: told as equality, PostgreSQL may look for so few rows by going through all jobs.
    columns = (jobs.c.campaign_id, jobs.c.stage, jobs.c.state)
    key = tuple_(*columns)
    wanted = tuple_(*(literal(one) for one in (campaign_id, str(stage), str(JobState.DONE))))
    some = select(jobs.c.id, jobs.c.batch_key).where(key >= wanted, key <= wanted).order_by(*columns).limit(SAMPLE).subquery()
    joined = select(some.c.batch_key, func.count(), func.sum(attempts.c.seconds)).join(attempts, attempts.c.job_id == some.c.id)
    return joined.where(*_MEASURED).group_by(some.c.batch_key)


_LATEST_ATTEMPTS = _latest_attempts()
