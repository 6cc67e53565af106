"""Whether a fine-tuning helped: repaint -> original over the originals of one side of a split, before and after."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from trainer.metrics.retrieval import retrieve_vectors

if TYPE_CHECKING:
    from collections.abc import Collection

    from trainer.data.dataset import EmbeddingDataset


def first_places(dataset: EmbeddingDataset, groups: Collection[str]) -> dict[str, float]:
    """R@1 by level, and of all: the share of repaints of these groups whose nearest original, among theirs, is of their own group.

    Originals that are equally near count as what a coin would make of them.
    """
    rows, numbers = dataset.embeddings.rows, {group: number for number, group in enumerate(sorted(groups))}
    gallery = {one.content_hash: one.group_key for one in dataset.originals if one.group_key in numbers}
    group_of = {one.artwork_id: one.group_key for one in dataset.originals if one.group_key in numbers}
    queries = [one for one in dataset.repaints if one.artwork_id in group_of]
    vectors = dataset.embeddings.vectors
    owners = np.array([numbers[group] for group in gallery.values()])
    wanted = np.array([numbers[group_of[one.artwork_id]] for one in queries])
    made, kept = ([rows[one.content_hash] for one in queries], [rows[key] for key in gallery])
    hits = retrieve_vectors(vectors[made], vectors[kept], wanted, owners).recall_at_1
    levels = np.array([one.level for one in queries])
    return {"all": float(hits.mean()), **{str(level): float(hits[levels == level].mean()) for level in np.unique(levels)}}
