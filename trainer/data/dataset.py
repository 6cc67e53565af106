"""A campaign's originals and repaints with their embeddings, from database and store or from an export: all that a training needs."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from trainer.data.embedding_cache import EmbeddingCache, EmbeddingSpace
from trainer.data.embeddings import ImageReference, embed
from trainer.data.original_hashes import OriginalHashes
from trainer.data.originals import group_originals, style_by_group
from trainer.data.pair_source import DatabasePairs
from trainer.data.shown_parts import shown_parts
from trainer.errors import NothingToTrainOn

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from db.campaigns import Campaign
    from db.engine import Database
    from db.results.pairs import Original, Repaint
    from db.store import Store
    from trainer.data.embeddings import Embedder, Embeddings
    from trainer.data.originals import GroupedOriginal
    from trainer.data.pair_source import GivenSplits, PairSource
    from trainer.data.shown_parts import Box
    from workers.backends.protocol import ModelSource


@dataclass(frozen=True, kw_only=True)
class EmbeddingDataset:
    """The originals and repaints of a campaign that have embeddings."""

    campaign: Campaign
    clip: ModelSource
    space: EmbeddingSpace
    originals: tuple[GroupedOriginal, ...]
    repaints: tuple[Repaint, ...]
    embeddings: Embeddings
    #: Each group's style, for the groups that have a repaint.
    group_styles: dict[str, str]
    #: Splits that came with the data.
    given_splits: GivenSplits = field(default_factory=dict)
    #: What reads the originals for their difference hashes; None where their files are out of reach.
    hashes: OriginalHashes | None = None

    @property
    def groups_by_key(self) -> dict[str, str]:
        """The group of each original, by the original's key."""
        return {original.key: original.group_key for original in self.originals}


def load_dataset(
    database: Database,
    store: Store,
    campaign: Campaign,
    *,
    embedder: Embedder,
    clip: ModelSource,
    on_progress: Callable[[int, int], None] | None = None,
) -> EmbeddingDataset:
    """Read a campaign and embed its images; raises `NothingToTrainOn` if it has no repaints yet."""
    return embed_pairs(DatabasePairs(database, store, campaign), store, embedder=embedder, clip=clip, on_progress=on_progress)


def embed_pairs(
    source: PairSource,
    store: Store,
    *,
    embedder: Embedder,
    clip: ModelSource,
    on_progress: Callable[[int, int], None] | None = None,
) -> EmbeddingDataset:
    """Embed the images of a source, whose vectors are kept in the store; raises `NothingToTrainOn` if it has no repaints."""
    campaign = source.campaign
    found, made = source.originals(), source.repaints()
    if not made:
        raise NothingToTrainOn(f"campaign {campaign.name!r} has no repaints yet: run `paragone work`")
    parts = shown_parts(made)
    embedder.load()
    space = EmbeddingSpace(model=clip.location, revision=embedder.revision, dtype=clip.dtype)
    embeddings = embed(
        [*(_reference(original, parts) for original in found), *(ImageReference(content_hash=repaint.content_hash) for repaint in made)],
        embedder=embedder,
        cache=EmbeddingCache(store, space),
        store=store,
        read_image=source.read_image,
        on_progress=on_progress,
    )
    embedded = [original for original in found if original.content_hash in embeddings.rows]
    grouped = group_originals(embedded)
    group_of = {original.artwork_id: original.group_key for original in grouped}
    kept = tuple(repaint for repaint in made if repaint.content_hash in embeddings.rows and repaint.artwork_id in group_of)
    with_repaints = {group_of[repaint.artwork_id] for repaint in kept}
    styles = {group: style for group, style in style_by_group(grouped, embedded).items() if group in with_repaints}
    return EmbeddingDataset(
        campaign=campaign,
        clip=clip,
        space=space,
        originals=tuple(grouped),
        repaints=kept,
        embeddings=embeddings,
        group_styles=styles,
        given_splits=source.given_splits(embedded),
        hashes=OriginalHashes(source.read_image, {original.content_hash: original.link for original in embedded}),
    )


def _reference(original: Original, parts: Mapping[str, Box]) -> ImageReference:
    return ImageReference(content_hash=original.content_hash, link=original.link, box=parts.get(original.content_hash))
