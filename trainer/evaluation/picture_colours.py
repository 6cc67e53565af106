"""Colour histograms of the pictures that are evaluated, read as embeddings are and kept in the same cache."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from trainer.data.embedding_cache import EmbeddingCache, EmbeddingSpace
from trainer.data.embeddings import ImageReference, embed, unit_length
from trainer.data.shown_parts import shown_parts
from trainer.evaluation.projection import project_rows
from trainer.metrics.similarities import CosineSimilarities
from trainer.probes.colours import ColourHistogram

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from db.results.pairs import Original, Repaint
    from db.store import Store
    from trainer.data.pair_table import PairTable


class PictureColours:
    """Colour histograms by content hash; only those that are asked for are computed."""

    def __init__(
        self,
        originals: Iterable[Original],
        repaints: Iterable[Repaint],
        store: Store,
        read_image: Callable[[str, str | None], bytes] | None = None,
    ) -> None:
        """`read_image` gives an image's bytes by content hash and link; from the store or the link, if it is not given."""
        made = list(repaints)
        parts = shown_parts(made)
        references = [
            *(ImageReference(content_hash=one.content_hash, link=one.link, box=parts.get(one.content_hash)) for one in originals),
            *(ImageReference(content_hash=one.content_hash) for one in made),
        ]
        self._references = {reference.content_hash: reference for reference in references}
        self._store = store
        self._read_image = read_image

    def similarities(self, table: PairTable) -> CosineSimilarities | None:
        """How alike the pictures of a table are by their colours; None if one of them can not be read."""
        hashes = dict.fromkeys([*table.originals.hashes, *table.repaints.hashes])
        histogram = ColourHistogram()
        embedded = embed(
            [self._references[one] for one in hashes],
            embedder=histogram,
            cache=EmbeddingCache(self._store, EmbeddingSpace(model=histogram.model, revision=histogram.revision)),
            store=self._store,
            read_image=self._read_image,
        )
        if embedded.unreadable:
            return None
        rows = [np.array([embedded.rows[one] for one in part.hashes], dtype=np.int64) for part in (table.originals, table.repaints)]
        return CosineSimilarities(*(project_rows(embedded.vectors, some, unit_length) for some in rows))
