"""What jobs and repaints have cost so far: seconds of device by batch key, bytes by format and size, the share of a canvas."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import case, func, select

from db.catalogue.tables import artworks
from db.enums import AttemptOutcome, Stage
from db.jobs.tables import attempts, batch_keys, jobs
from db.results.tables import images

if TYPE_CHECKING:
    from db.engine import Database

#: The latest repaints, attempts and artworks that are measured: enough for a mean, whatever the size of the database.
LATEST = 20_000


@dataclass(frozen=True, kw_only=True)
class MeasuredSeconds:
    """The device seconds of jobs of one batch key that succeeded lately."""

    stage: Stage
    #: As the batch key holds them: backend, model, settings, picture, ...
    parameters: dict[str, Any]
    jobs: int
    seconds: float


@dataclass(frozen=True, kw_only=True)
class MeasuredBytes:
    """The files of some repaints."""

    repaints: int
    #: Mean bytes of one; None if there is none.
    mean: float | None


def measured_seconds(database: Database) -> list[MeasuredSeconds]:
    """Device seconds over the latest attempts that succeeded, by batch key."""
    latest = select(attempts.c.job_id, attempts.c.seconds).where(
        attempts.c.outcome == str(AttemptOutcome.DONE), attempts.c.seconds.is_not(None)
    )
    some = latest.order_by(attempts.c.id.desc()).limit(LATEST).subquery()
    by_key = (
        select(jobs.c.batch_key, func.count(), func.sum(some.c.seconds)).join(some, some.c.job_id == jobs.c.id).group_by(jobs.c.batch_key)
    )
    with database.read() as connection:
        sums = {key: (int(count), float(seconds)) for key, count, seconds in connection.execute(by_key)}
        rows = connection.execute(select(batch_keys).where(batch_keys.c.batch_key.in_(sums))).mappings().all()
    return [
        MeasuredSeconds(
            stage=Stage(row["stage"]), parameters=row["parameters"], jobs=sums[row["batch_key"]][0], seconds=sums[row["batch_key"]][1]
        )
        for row in rows
    ]


def measured_bytes(database: Database, *, file_format: str, size: int) -> MeasuredBytes:
    """The latest repaints of a format ("jpeg", "png", "webp") whose longer side is `size` pixels."""
    latest = select(images.c.byte_size, images.c.width, images.c.height, images.c.format).order_by(images.c.id.desc()).limit(LATEST)
    some = latest.subquery()
    longer = case((some.c.width > some.c.height, some.c.width), else_=some.c.height)
    alike = select(func.count(), func.avg(some.c.byte_size)).where(some.c.format == file_format, longer == size)
    with database.read() as connection:
        count, mean = connection.execute(alike).one()
    return MeasuredBytes(repaints=int(count), mean=None if mean is None else float(mean))


def content_share(database: Database) -> float | None:
    """Mean share of a square canvas that originals cover, 0 to 1; None if none is known."""
    shorter = case((artworks.c.width < artworks.c.height, artworks.c.width), else_=artworks.c.height)
    longer = case((artworks.c.width < artworks.c.height, artworks.c.height), else_=artworks.c.width)
    known = select(shorter.label("shorter"), longer.label("longer")).where(artworks.c.width > 0).limit(LATEST).subquery()
    with database.read() as connection:
        share = connection.scalar(select(func.avg(known.c.shorter * 1.0 / known.c.longer)))
    return None if share is None else float(share)
