"""What the jobs of a claimed batch work on: one type and one query for each stage."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, bindparam, func, select

from db.campaigns.tables import variations
from db.catalogue.tables import artworks
from db.enums import Stage
from db.jobs.tables import jobs
from db.results.tables import captions, images, prompts

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sqlalchemy import RowMapping, Select

    from db.engine import Database
    from db.jobs.claim import Batch, ClaimedJob


@dataclass(frozen=True, kw_only=True)
class CaptionInput:
    """The original that is to be described."""

    job_id: int
    artwork_id: int
    #: The artwork's name in the catalogue.
    key: str
    #: The original's blob, or where it is linked the hash that it had when it was ingested.
    content_hash: str
    #: Where the original lies if it was not copied into the store.
    link: str | None


@dataclass(frozen=True, kw_only=True)
class PromptInput:
    """The facts from which the prompt of one variation is written; what nobody knows of an artwork is empty."""

    job_id: int
    artwork_id: int
    key: str
    artist: str
    title: str
    style: str
    level: str
    seed: int
    #: The current caption of the original.
    caption: str


@dataclass(frozen=True, kw_only=True)
class RepaintInput:
    """The original and the prompt of one variation."""

    job_id: int
    artwork_id: int
    key: str
    content_hash: str
    link: str | None
    level: str
    seed: int
    #: The current prompt.
    prompt: str
    prompt_id: int


@dataclass(frozen=True, kw_only=True)
class RecaptionInput:
    """The repaint that is to be described."""

    job_id: int
    artwork_id: int
    key: str
    level: str
    #: The current repaint and its blob.
    image_id: int
    content_hash: str


class MissingReason(StrEnum):
    """Why a job has nothing to work on."""

    #: What it works on is no longer current: its predecessor is being made again.
    SUPERSEDED = "superseded"
    #: The artwork is known from a list alone; its original is not there.
    NO_ORIGINAL = "no original"


@dataclass(frozen=True, kw_only=True)
class MissingInput:
    """A job that cannot be worked on now."""

    job_id: int
    artwork_id: int
    reason: MissingReason


JobInput = CaptionInput | PromptInput | RepaintInput | RecaptionInput


def load_inputs(database: Database, batch: Batch) -> list[JobInput | MissingInput]:
    """What each job of the batch works on, in the batch's order; all of them are of its stage's type."""
    source = _SOURCES[batch.stage]
    with database.read() as connection:
        rows = connection.execute(source.query, {"ids": [job.job_id for job in batch.jobs]}).mappings().all()
    found = {row["job_id"]: row for row in rows}
    return [_input(source, job, found.get(job.job_id)) for job in batch.jobs]


@dataclass(frozen=True, kw_only=True)
class _Source:
    query: Select[Any]
    build: Callable[..., JobInput]


def _input(source: _Source, job: ClaimedJob, row: RowMapping | None) -> JobInput | MissingInput:
    if row is None:
        return MissingInput(job_id=job.job_id, artwork_id=job.artwork_id, reason=MissingReason.SUPERSEDED)
    if "content_hash" in row and row["content_hash"] is None:
        return MissingInput(job_id=job.job_id, artwork_id=job.artwork_id, reason=MissingReason.NO_ORIGINAL)
    return source.build(**row)


def _facts(columns: Sequence[Any]) -> Select[Any]:
    facts = select(jobs.c.id.label("job_id"), jobs.c.artwork_id, artworks.c.key, *columns)
    return facts.join(artworks, artworks.c.id == jobs.c.artwork_id).where(jobs.c.id.in_(bindparam("ids", expanding=True)))


def _known(name: str) -> Any:
    return func.coalesce(artworks.c[name], "").label(name)


_VARIATION = variations.c.id == jobs.c.variation_id
_CURRENT_CAPTION = and_(
    captions.c.artwork_id == jobs.c.artwork_id,
    captions.c.campaign_id == jobs.c.campaign_id,
    captions.c.variation_id.is_(None),
    captions.c.current,
)
_CURRENT_PROMPT = and_(prompts.c.variation_id == jobs.c.variation_id, prompts.c.current)
_CURRENT_REPAINT = and_(images.c.variation_id == jobs.c.variation_id, images.c.current)

_ORIGINAL = (artworks.c.content_hash, artworks.c.link)
_PROMPT = (_known("artist"), _known("title"), _known("style"), variations.c.level, variations.c.seed, captions.c.text.label("caption"))
_REPAINT = (*_ORIGINAL, variations.c.level, variations.c.seed, prompts.c.text.label("prompt"), prompts.c.id.label("prompt_id"))
_RECAPTION = (variations.c.level, images.c.id.label("image_id"), images.c.content_hash)

_SOURCES = {
    Stage.CAPTION: _Source(query=_facts(_ORIGINAL), build=CaptionInput),
    Stage.PROMPT: _Source(query=_facts(_PROMPT).join(variations, _VARIATION).join(captions, _CURRENT_CAPTION), build=PromptInput),
    Stage.GENERATE: _Source(query=_facts(_REPAINT).join(variations, _VARIATION).join(prompts, _CURRENT_PROMPT), build=RepaintInput),
    Stage.RECAPTION: _Source(query=_facts(_RECAPTION).join(variations, _VARIATION).join(images, _CURRENT_REPAINT), build=RecaptionInput),
}
