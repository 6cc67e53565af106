"""What the jobs of a claimed batch work on, read in one query for each batch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, bindparam, select

from db.campaigns.tables import variations
from db.catalogue.tables import artworks
from db.enums import Stage
from db.jobs.tables import jobs
from db.results.tables import captions, images, prompts

if TYPE_CHECKING:
    from sqlalchemy import Select

    from db.engine import Database
    from db.jobs.claim import Batch


@dataclass(frozen=True, kw_only=True)
class JobInput:
    """The facts of one job; which of them are given depends on its stage."""

    job_id: int
    artwork_id: int
    #: False if what the job works on is no longer current: its predecessor is being made again.
    known: bool = True
    #: The original, or for `recaption` the repaint.
    content_hash: str | None = None
    link: str | None = None
    key: str = ""
    artist: str | None = None
    title: str | None = None
    style: str | None = None
    level: str = ""
    seed: int = 0
    caption: str = ""
    prompt: str = ""
    prompt_id: int | None = None
    image_id: int | None = None


def load_inputs(database: Database, batch: Batch) -> list[JobInput]:
    """One `JobInput` for each job of the batch, in its order."""
    ids = [job.job_id for job in batch.jobs]
    with database.read() as connection:
        found = {row["job_id"]: JobInput(**row) for row in connection.execute(_QUERIES[batch.stage], {"ids": ids}).mappings()}
    return [found.get(job.job_id, JobInput(job_id=job.job_id, artwork_id=job.artwork_id, known=False)) for job in batch.jobs]


def _base(*columns: Any) -> Select[Any]:
    return select(jobs.c.id.label("job_id"), jobs.c.artwork_id, *columns).join(artworks, artworks.c.id == jobs.c.artwork_id)


def _for_caption() -> Select[Any]:
    return _base(artworks.c.key, artworks.c.content_hash, artworks.c.link)


def _for_prompt() -> Select[Any]:
    facts = _base(
        artworks.c.key,
        artworks.c.artist,
        artworks.c.title,
        artworks.c.style,
        variations.c.level,
        variations.c.seed,
        captions.c.text.label("caption"),
    ).join(variations, variations.c.id == jobs.c.variation_id)
    said = and_(
        captions.c.artwork_id == jobs.c.artwork_id,
        captions.c.campaign_id == jobs.c.campaign_id,
        captions.c.variation_id.is_(None),
        captions.c.current,
    )
    return facts.join(captions, said)


def _for_generate() -> Select[Any]:
    facts = _base(
        artworks.c.content_hash,
        artworks.c.link,
        artworks.c.key,
        variations.c.level,
        variations.c.seed,
        prompts.c.text.label("prompt"),
        prompts.c.id.label("prompt_id"),
    ).join(variations, variations.c.id == jobs.c.variation_id)
    return facts.join(prompts, and_(prompts.c.variation_id == jobs.c.variation_id, prompts.c.current))


def _for_recaption() -> Select[Any]:
    facts = _base(artworks.c.key, variations.c.level, images.c.content_hash, images.c.id.label("image_id"))
    facts = facts.join(variations, variations.c.id == jobs.c.variation_id)
    return facts.join(images, and_(images.c.variation_id == jobs.c.variation_id, images.c.current))


_BUILDERS = {
    Stage.CAPTION: _for_caption,
    Stage.PROMPT: _for_prompt,
    Stage.GENERATE: _for_generate,
    Stage.RECAPTION: _for_recaption,
}
_QUERIES = {stage: build().where(jobs.c.id.in_(bindparam("ids", expanding=True))) for stage, build in _BUILDERS.items()}
