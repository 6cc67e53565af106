"""Example pairs for the report: an original with its repaint, and with its negative, from the test split."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from db.images import prepared_original
from db.results.pairs import Repaint
from db.training import Split, triplets_of
from trainer.data.embeddings import ImageReference, unit_length
from trainer.data.shown_parts import shown_parts
from trainer.errors import BadModelFolder, UnknownComponent
from trainer.heads.projection import project
from trainer.model_folder import load_model
from trainer.negatives.registry import DEFAULT_NEGATIVES
from trainer.report.content import ExamplePair
from trainer.report.thumbnails import read_or_none
from trainer.spaces.saved_spaces import cached_vectors, space_slices
from trainer.spaces.space_slice import frozen_slice

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from db.engine import Database
    from db.results.pairs import Original
    from db.store import Store
    from db.training import TrainingRun
    from trainer.data.shown_parts import Box
    from trainer.model_folder import TrainedModel


@dataclass(frozen=True, kw_only=True)
class _ShownTriplet:
    """One test triplet with its pictures, and the caption of the negative."""

    anchor: Original
    positive: Repaint
    negative: Original | Repaint
    negative_caption: str | None


def example_pairs(
    database: Database, store: Store, runs: Sequence[TrainingRun], found: Sequence[Original], made: Sequence[Repaint]
) -> tuple[ExamplePair, ...]:
    """Two pairs compared by the first run's model, from embeddings that its training cached; none if either is missing."""
    if not runs:
        return ()
    try:
        model = load_model(Path(runs[0].directory))
    except (BadModelFolder, UnknownComponent):
        return ()
    parts = shown_parts(made)
    for triplet in _test_triplets(database, runs[0], found, made):
        pairs = _pairs(store, model, triplet, parts)
        if pairs:
            return pairs
    return ()


def _test_triplets(database: Database, run: TrainingRun, found: Sequence[Original], made: Sequence[Repaint]) -> Iterator[_ShownTriplet]:
    """The test triplets whose images are current, the strongest level first."""
    by_artwork, by_image = {original.artwork_id: original for original in found}, {repaint.image_id: repaint for repaint in made}
    captions = {repaint.artwork_id: repaint.caption for repaint in made}
    test = triplets_of(database, run.triplet_set_id, Split.TEST)
    for triplet in sorted(test, key=lambda triplet: triplet.level, reverse=True):
        anchor, positive = by_artwork.get(triplet.anchor_id), by_image.get(triplet.positive_id)
        image = triplet.negative_image_id
        negative = by_artwork.get(triplet.negative_id) if image is None else by_image.get(image)
        if anchor is not None and positive is not None and negative is not None:
            caption = negative.recaption if isinstance(negative, Repaint) else captions.get(negative.artwork_id)
            yield _ShownTriplet(anchor=anchor, positive=positive, negative=negative, negative_caption=caption)


def _pairs(store: Store, model: TrainedModel, triplet: _ShownTriplet, parts: Mapping[str, Box]) -> tuple[ExamplePair, ...]:
    hashes = [triplet.anchor.content_hash, triplet.positive.content_hash, triplet.negative.content_hash]
    keys = [ImageReference(content_hash=one, box=parts.get(one)).key for one in hashes]
    found = cached_vectors(store, model.config.embedded_in, keys)
    anchor, positive, negative = (read_or_none(store, image) for image in (triplet.anchor, triplet.positive, triplet.negative))
    if found is None or anchor is None or positive is None or negative is None:
        return ()
    anchor = prepared_original(anchor, triplet.positive.provenance)
    projected = project(model.head, found)
    vectors = unit_length(found[:, frozen_slice(space_slices(model.config.embedded_in)).columns])
    caption = triplet.positive.caption
    return tuple(
        ExamplePair(
            title=title,
            one=anchor,
            other=other,
            captions=(caption, other_caption),
            cosine=float(projected[0] @ projected[row]),
            clip_cosine=float(vectors[0] @ vectors[row]),
        )
        for row, title, other, other_caption in (
            (1, f"An original and its {triplet.positive.level} repaint", positive, triplet.positive.recaption),
            (2, _negative_title(model.config.triplets.negative_strategy), negative, triplet.negative_caption),
        )
    )


def _negative_title(strategy: str) -> str:
    if strategy == DEFAULT_NEGATIVES:
        return "The same original and one of another style"
    return f"The same original and a negative ({strategy})"
