"""What a plan will take: disk for its repaints, and the devices' time if work like it has been measured."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from db.enums import Stage
from db.monitoring.costs import content_share, measured_bytes, measured_seconds

if TYPE_CHECKING:
    from collections.abc import Mapping

    from db.campaigns import CampaignConfig
    from db.engine import Database
    from db.jobs.plan import PlannedWork

#: Bytes of a pixel in a finely textured painting at 1024 px and quality 95: the most that any of 14 museum paintings took.
BYTES_PER_PIXEL = {"jpeg": 0.6, "png": 0.95, "webp": 0.32}
#: Bytes of a file beside its pixels: headers, and the facts of its making.
BYTES_PER_FILE = 1500
#: Share of the square canvas that an original covers: the mean of those paintings.
CONTENT_SHARE = 0.77
#: Repaints of one format and size from which their own mean is taken.
ENOUGH = 20


@dataclass(frozen=True, kw_only=True)
class Forecast:
    """What the planned jobs will take."""

    disk_bytes: int
    #: How the disk was estimated.
    disk_basis: str
    #: Seconds of all devices together; None if a stage has never been measured with these models.
    device_seconds: float | None
    #: Stages of which nothing is known.
    unmeasured: tuple[str, ...]


def forecast(database: Database, config: CampaignConfig, plan: PlannedWork) -> Forecast:
    """Disk and device time of a plan. Time is measured, on the devices that did such work, or unknown: never guessed."""
    per_repaint, basis = _repaint_bytes(database, config)
    measured = _seconds_by_kind(database)
    seconds, unmeasured = 0.0, set()
    for stage, count, kind in _planned_by_kind(config, plan):
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


def _repaint_bytes(database: Database, config: CampaignConfig) -> tuple[float, str]:
    """Bytes of one repaint and where the number comes from."""
    picture = config.picture
    alike = measured_bytes(database, file_format=picture.format, size=picture.size)
    if alike.mean is not None and alike.repaints >= ENOUGH:
        return alike.mean, f"mean of {alike.repaints} repaints of this size and format"
    per_pixel = BYTES_PER_PIXEL[picture.format]
    pixels = picture.size**2 * (content_share(database) or CONTENT_SHARE)
    return (
        BYTES_PER_FILE + pixels * per_pixel,
        f"at {per_pixel} bytes a pixel, as finely textured pictures take: {picture.format}, {picture.size} px",
    )


#: What must be equal for two jobs to take about the same time: the stage with its backend, and for models the canvas, steps and strength.
_Kind = tuple[Any, ...]


def _seconds_by_kind(database: Database) -> dict[_Kind, float]:
    """Mean device seconds of one job, over the latest attempts that succeeded."""
    sums: dict[_Kind, tuple[int, float]] = {}
    for one in measured_seconds(database):
        kind = _kind(one.stage, one.parameters, one.parameters["settings"], size=one.parameters["picture"]["size"])
        count, seconds = sums.get(kind, (0, 0.0))
        sums[kind] = (count + one.jobs, seconds + one.seconds)
    return {kind: seconds / count for kind, (count, seconds) in sums.items()}


def _planned_by_kind(config: CampaignConfig, plan: PlannedWork) -> list[tuple[Stage, float, _Kind]]:
    """How many jobs of each kind the plan adds; levels in their shares."""
    size, caption, writer = config.picture.size, config.caption.model_dump(), config.prompt.model_dump()
    captions = plan.jobs - plan.variations * (len(config.stages) - 1)
    planned = [(Stage.CAPTION, float(captions), _kind(Stage.CAPTION, caption, caption, size=size))]
    for name, level in config.level.items():
        count = plan.variations * _share(config, name)
        generator = level.model_dump()
        planned.append((Stage.PROMPT, count, _kind(Stage.PROMPT, writer, writer, size=size)))
        planned.append((Stage.GENERATE, count, _kind(Stage.GENERATE, generator, generator, size=size)))
    if config.recaption:
        planned.append((Stage.RECAPTION, float(plan.variations), _kind(Stage.RECAPTION, caption, caption, size=size)))
    return planned


def _kind(stage: Stage, model: Mapping[str, Any], settings: Mapping[str, Any], *, size: int) -> _Kind:
    if stage is Stage.PROMPT:
        return stage, model["backend"]  # the model beside it only lends its tokenizer
    if stage is Stage.GENERATE:
        return stage, model["backend"], model["model"], size, settings.get("steps"), settings.get("strength")
    return stage, model["backend"], model["model"]


def _share(config: CampaignConfig, level: str) -> float:
    return 1 / len(config.level) if config.levels == "both" else config.levels.get(level, 0.0)
