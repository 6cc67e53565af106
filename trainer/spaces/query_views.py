"""The vectors of the views of a data set's repaints, as queries: one view after the other, kept in the store like every other vector."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from trainer.data.embeddings import ImageReference, embed_side_by_side
from trainer.heads.projection import project
from trainer.spaces.side_by_side import side_by_side
from trainer.spaces.views import view_names

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    import numpy.typing as npt

    from db.store import Store
    from trainer.data.embeddings import Embedder, Embeddings
    from trainer.data.pair_source import PairSource
    from trainer.heads.siamese import SiameseHead
    from workers.backends.protocol import ModelSource


def embed_query_views(
    source: PairSource,
    store: Store,
    hashes: Sequence[str],
    *,
    embedder: Embedder,
    clip: ModelSource,
    views: str,
    directory: Path | None = None,
) -> Iterator[Embeddings]:
    """The embeddings of each view of these repaints, the plain view first; one view is in memory at a time.

    `embedder` and `clip` are those of `embed_pairs`, loaded already. Raises `UnknownComponent` for other views than those of `VIEW_SETS`.
    """
    columns = side_by_side(embedder, clip).cached_columns(store)
    for view in view_names(views):
        references = [ImageReference(content_hash=content_hash, view=view) for content_hash in hashes]
        yield embed_side_by_side(references, columns, store=store, read_image=source.read_image, directory=directory)


def project_query_views(head: SiameseHead, seen: Iterator[Embeddings], hashes: Sequence[str]) -> npt.NDArray[np.float32]:
    """(n, V, out): what a head makes of the views of the repaints of these hashes.

    A view that could not be embedded (a device that gave NaN) stands as the plain one, so that the largest similarity is none of its.
    """
    views: list[npt.NDArray[np.float32]] = []
    for embeddings in seen:
        projected = project(head, embeddings.vectors)
        rows = np.array([embeddings.rows.get(content_hash, -1) for content_hash in hashes], dtype=np.int64)
        if not views and (rows < 0).any():
            raise ValueError("a repaint without a plain vector has no views")
        views.append(np.where(rows[:, np.newaxis] < 0, views[0], projected[rows]) if views else projected[rows])
    return np.stack(views, axis=1)
