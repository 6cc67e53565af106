"""Example pairs for the report: an original with its repaint, and with a picture of another style, from the test side."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from db.training import Split, triplets_of
from trainer.embedding_cache import EmbeddingCache, EmbeddingSpace
from trainer.embeddings import unit_length
from trainer.errors import BadModelFolder
from trainer.evaluation import project
from trainer.model_folder import load_model
from trainer.report.facts import Pair
from trainer.report.pictures import read_or_none

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from db.engine import Database
    from db.results.pairs import Original, Repaint
    from db.store import Store
    from db.training import TrainingRun
    from trainer.model_folder import TrainedModel


@dataclass(frozen=True, kw_only=True)
class _Trio:
    """One test triplet with its pictures' facts; the last is what was said of the negative."""

    anchor: Original
    positive: Repaint
    negative: Original
    negative_caption: str | None


def example_pairs(
    database: Database, store: Store, runs: Sequence[TrainingRun], found: Sequence[Original], painted: Sequence[Repaint]
) -> tuple[Pair, ...]:
    """Two pairs judged by the first run's model, from embeddings that its training left in the cache; none if they are not to be had."""
    if not runs:
        return ()
    try:
        model = load_model(Path(runs[0].directory))
    except BadModelFolder:
        return ()
    for trio in _trios(database, runs[0], found, painted):
        pairs = _pairs(store, model, trio)
        if pairs:
            return pairs
    return ()


def _trios(database: Database, run: TrainingRun, found: Sequence[Original], painted: Sequence[Repaint]) -> Iterator[_Trio]:
    """The test triplets whose pictures are current, the boldest level first."""
    known, made = {original.artwork_id: original for original in found}, {repaint.image_id: repaint for repaint in painted}
    said = {repaint.artwork_id: repaint.caption for repaint in painted}
    test = triplets_of(database, run.triplet_set_id, Split.TEST)
    for triplet in sorted(test, key=lambda triplet: triplet.level, reverse=True):
        if triplet.positive_id in made and triplet.anchor_id in known and triplet.negative_id in known:
            yield _Trio(
                anchor=known[triplet.anchor_id],
                positive=made[triplet.positive_id],
                negative=known[triplet.negative_id],
                negative_caption=said.get(triplet.negative_id),
            )


def _pairs(store: Store, model: TrainedModel, trio: _Trio) -> tuple[Pair, ...]:
    clip = model.config.clip
    cache = EmbeddingCache(store, EmbeddingSpace(model=clip.location, revision=clip.revision or "", dtype=clip.dtype))
    hashes = [trio.anchor.content_hash, trio.positive.content_hash, trio.negative.content_hash]
    kept = cache.read(set(hashes))
    anchor, positive, negative = (read_or_none(store, picture) for picture in (trio.anchor, trio.positive, trio.negative))
    if len(kept) < len(set(hashes)) or anchor is None or positive is None or negative is None:
        return ()
    vectors = unit_length(np.stack([kept[content_hash] for content_hash in hashes]))
    heads = project(model.head, vectors)
    caption = trio.positive.caption
    return tuple(
        Pair(
            what=what,
            one=anchor,
            other=other,
            captions=(caption, said),
            cosine=float(heads[0] @ heads[row]),
            clip_cosine=float(vectors[0] @ vectors[row]),
        )
        for row, what, other, said in (
            (1, f"An original and its {trio.positive.level} repaint", positive, trio.positive.recaption),
            (2, "The same original and one of another style", negative, trio.negative_caption),
        )
    )
