"""What the record and the store hold of a campaign, embedded: all that a training needs to know of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from db.results.pairs import originals, repaints
from trainer.embedding_cache import EmbeddingCache, EmbeddingSpace
from trainer.embeddings import PictureSource, embed
from trainer.errors import NothingToTrainOn
from trainer.works import gather_works, group_styles

if TYPE_CHECKING:
    from collections.abc import Callable

    from db.campaigns import Campaign
    from db.engine import Database
    from db.results.pairs import Original, Repaint
    from db.store import Store
    from trainer.embeddings import Embedder, Embeddings
    from trainer.works import Work
    from workers.backends.protocol import ModelSource


@dataclass(frozen=True, kw_only=True)
class Corpus:
    """The originals and repaints of a campaign that have embeddings."""

    campaign: Campaign
    clip: ModelSource
    space: EmbeddingSpace
    works: tuple[Work, ...]
    repaints: tuple[Repaint, ...]
    embeddings: Embeddings
    #: Each group's style, for the groups that have a repaint.
    group_styles: dict[str, str]


def gather_corpus(
    database: Database,
    store: Store,
    campaign: Campaign,
    *,
    embedder: Embedder,
    clip: ModelSource,
    on_progress: Callable[[int, int], None] | None = None,
) -> Corpus:
    """Read a campaign and embed its pictures; raises `NothingToTrainOn` if it has no repaints yet."""
    found, painted = originals(database, campaign.id), repaints(database, campaign.id)
    if not painted:
        raise NothingToTrainOn(f"campaign {campaign.name!r} has no repaints yet: run `paragone work`")
    embedder.load()
    space = EmbeddingSpace(model=clip.location, revision=embedder.revision, dtype=clip.dtype)
    embeddings = embed(
        [*map(_original_source, found), *(PictureSource(content_hash=repaint.content_hash) for repaint in painted)],
        embedder=embedder,
        cache=EmbeddingCache(store, space),
        store=store,
        on_progress=on_progress,
    )
    seen = [original for original in found if original.content_hash in embeddings.rows]
    works = gather_works(seen)
    group_of = {work.artwork_id: work.group_key for work in works}
    kept = tuple(repaint for repaint in painted if repaint.content_hash in embeddings.rows and repaint.artwork_id in group_of)
    with_repaints = {group_of[repaint.artwork_id] for repaint in kept}
    styles = {group: style for group, style in group_styles(works, seen).items() if group in with_repaints}
    return Corpus(campaign=campaign, clip=clip, space=space, works=tuple(works), repaints=kept, embeddings=embeddings, group_styles=styles)


def _original_source(original: Original) -> PictureSource:
    return PictureSource(content_hash=original.content_hash, link=original.link)
