"""What a plan will take: disk for its repaints, and the devices' time if the record has measured work like it."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import case, func, select

from db.enums import AttemptOutcome, Stage
from db.tables import artworks, attempts, batch_keys, images, jobs

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy import Connection

    from db.campaigns import CampaignConfig
    from db.engine import Database
    from db.jobs.plan import PlannedWork

#: Bytes of a pixel in a finely textured painting at 1024 px and quality 95: the most that any of 14 museum pictures took.
BYTES_PER_PIXEL = {"jpeg": 0.6, "png": 0.95, "webp": 0.32}
#: Bytes of a file beside its pixels: headers, and the facts of its making.
BYTES_PER_FILE = 1500
#: Share of the square canvas that a picture covers: the mean of those pictures.
CONTENT_SHARE = 0.77
#: The latest repaints and attempts that are measured: enough for a mean, whatever the size of the record.
LATEST = 20_000
#: Repaints of one format and size from which their own mean is taken.
ENOUGH = 20


@dataclass(frozen=True, kw_only=True)
class Forecast:
    """What the planned jobs will take."""

    disk_bytes: int
    #: How the disk was reckoned.
    disk_basis: str
    #: Seconds of all devices together; None if a stage has never been measured with these models.
    device_seconds: float | None
    #: Stages of which nothing is known.
    unmeasured: tuple[str, ...]


def forecast(database: Database, config: CampaignConfig, plan: PlannedWork) -> Forecast:
    """Disk and device time of a plan. Time is measured, on the devices that did such work, or unknown: never guessed."""
    with database.read() as connection:
        per_repaint, basis = _repaint_bytes(connection, config)
        measured = _seconds_by_kind(connection)
    seconds, unmeasured = 0.0, set()
    for stage, count, kind in _work(config, plan):
        if count and kind not in measured:
            unmeasured.add(stage)
        seconds += count * measured.get(kind, 0.0)
    return Forecast(
        disk_bytes=round(plan.variations * per_repaint),
        disk_basis=basis,
        device_seconds=None if unmeasured else round(seconds, 1),
        unmeasured=tuple(str(stage) for stage in Stage if stage in unmeasured),
    )


def free_bytes(store_location: str) -> int | None:
    """What is free where a local store lies; None for a store elsewhere."""
    if "://" in store_location:
        return None
    place = Path(store_location)
    while not place.exists() and place != place.parent:
        place = place.parent
    return shutil.disk_usage(place).free


def _repaint_bytes(connection: Connection, config: CampaignConfig) -> tuple[float, str]:
    """Bytes of one repaint and where the number comes from."""
    picture = config.picture
    latest = select(images.c.byte_size, images.c.width, images.c.height, images.c.format).order_by(images.c.id.desc()).limit(LATEST)
    some = latest.subquery()
    alike = (some.c.format == picture.format, case((some.c.width > some.c.height, some.c.width), else_=some.c.height) == picture.size)
    count, mean = connection.execute(select(func.count(), func.avg(some.c.byte_size)).where(*alike)).one()
    if count >= ENOUGH:
        return float(mean), f"mean of {count} repaints of this size and format"
    per_pixel = BYTES_PER_PIXEL[picture.format]
    pixels = picture.size**2 * _content_share(connection)
    return (
        BYTES_PER_FILE + pixels * per_pixel,
        f"at {per_pixel} bytes a pixel, as finely textured pictures take: {picture.format}, {picture.size} px",
    )


def _content_share(connection: Connection) -> float:
    """Mean share of a square that the registered pictures cover."""
    short = case((artworks.c.width < artworks.c.height, artworks.c.width), else_=artworks.c.height)
    long = case((artworks.c.width < artworks.c.height, artworks.c.height), else_=artworks.c.width)
    known = select(short.label("short"), long.label("long")).where(artworks.c.width > 0).limit(LATEST).subquery()
    return float(connection.scalar(select(func.avg(known.c.short * 1.0 / known.c.long))) or CONTENT_SHARE)


#: What must be equal for two jobs to take about the same time: the stage with its backend, and for models the canvas, steps and strength.
_Kind = tuple[Any, ...]


def _seconds_by_kind(connection: Connection) -> dict[_Kind, float]:
    """Mean device seconds of one job, over the latest attempts that succeeded."""
    latest = select(attempts.c.job_id, attempts.c.seconds).where(
        attempts.c.outcome == str(AttemptOutcome.DONE), attempts.c.seconds.is_not(None)
    )
    some = latest.order_by(attempts.c.id.desc()).limit(LATEST).subquery()
    query = (
        select(jobs.c.batch_key, func.count(), func.sum(some.c.seconds)).join(some, some.c.job_id == jobs.c.id).group_by(jobs.c.batch_key)
    )
    sums = {key: (count, seconds) for key, count, seconds in connection.execute(query)}
    found: dict[_Kind, tuple[int, float]] = {}
    for row in connection.execute(select(batch_keys).where(batch_keys.c.batch_key.in_(sums))).mappings():
        count, seconds = sums[row["batch_key"]]
        kind = _kind(Stage(row["stage"]), row["parameters"], row["parameters"]["settings"], size=row["parameters"]["picture"]["size"])
        before = found.get(kind, (0, 0.0))
        found[kind] = (before[0] + count, before[1] + seconds)
    return {kind: seconds / count for kind, (count, seconds) in found.items()}


def _work(config: CampaignConfig, plan: PlannedWork) -> list[tuple[Stage, float, _Kind]]:
    """How many jobs of each kind the plan adds; levels in their shares."""
    size, caption, writer = config.picture.size, config.caption.model_dump(), config.prompt.model_dump()
    captions = plan.jobs - plan.variations * (len(config.stages) - 1)
    work = [(Stage.CAPTION, float(captions), _kind(Stage.CAPTION, caption, caption, size=size))]
    for name, level in config.level.items():
        count = plan.variations * _share(config, name)
        painter = level.model_dump()
        work.append((Stage.PROMPT, count, _kind(Stage.PROMPT, writer, writer, size=size)))
        work.append((Stage.GENERATE, count, _kind(Stage.GENERATE, painter, painter, size=size)))
    if config.recaption:
        work.append((Stage.RECAPTION, float(plan.variations), _kind(Stage.RECAPTION, caption, caption, size=size)))
    return work


def _kind(stage: Stage, model: Mapping[str, Any], settings: Mapping[str, Any], *, size: int) -> _Kind:
    if stage is Stage.PROMPT:
        return stage, model["backend"]  # the model beside it only lends its tokenizer
    if stage is Stage.GENERATE:
        return stage, model["backend"], model["model"], size, settings.get("steps"), settings.get("strength")
    return stage, model["backend"], model["model"]


def _share(config: CampaignConfig, level: str) -> float:
    return 1 / len(config.level) if config.levels == "both" else config.levels.get(level, 0.0)
