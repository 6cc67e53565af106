"""Several views of a query: a repaint that was mirrored or cut is like its original in one of them. Galleries have the plain view alone."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

import numpy as np

from trainer.spaces.views import view_names, views_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt
    from PIL.Image import Image

    from trainer.search.index import VectorIndex

    Vectors = npt.NDArray[np.float32]
    Numbers = npt.NDArray[np.int64]


class QueryViews(StrEnum):
    """How a query is seen; its similarity to a picture is the largest over the views."""

    #: As it is.
    NONE = "none"
    #: Also mirrored left to right.
    MIRROR = "mirror"
    #: Also its middle and its four corners.
    MIRROR_AND_CROPS = "mirror+crops"
    #: Also within borders, as if its edges had been cut off.
    MIRROR_AND_FRAMES = "mirror+frames"
    #: All of them.
    ALL = "mirror+crops+frames"

    @property
    def names(self) -> tuple[str, ...]:
        """The name of each view, in order."""
        return view_names(self.value)


class ImageEncoder(Protocol):
    """Gives images unit vectors, such as `SiameseModel`."""

    def embed(self, images: Sequence[Image]) -> Vectors:
        """(N, d), each row of length 1."""
        ...


def embed_views(encoder: ImageEncoder, images: Sequence[Image], views: QueryViews) -> Vectors:
    """(n, V, d): the vectors of every view of every image, in the order of `views.names`."""
    seen = [view for image in images for view in views_of(image, views.value)]
    vectors = encoder.embed(seen)
    return vectors.reshape(len(images), len(views.names), -1) if images else np.zeros((0, len(views.names), 0), dtype=np.float32)


def search_views(index: VectorIndex, vectors: Vectors, count: int) -> list[tuple[Vectors, Numbers, Numbers]]:
    """For each query of (n, V, d): similarities, rows and views, all (k,), of its nearest.

    A row's similarity is the largest over the views. The nearest by that are among the nearest of each view, so none is missed.
    """
    queries, views, dimension = vectors.shape
    products, rows = index.search(vectors.reshape(queries * views, dimension), count)
    width = products.shape[1]
    found = []
    for p, r in zip(products.reshape(queries, views * width), rows.reshape(queries, views * width), strict=True):
        # By row, within a row by falling product: the first of each row is its best view.
        order = np.lexsort((-p, r))
        _, first = np.unique(r[order], return_index=True)
        best = order[first]
        nearest = best[np.lexsort((r[best], -p[best]))][:count]
        found.append((p[nearest], r[nearest], nearest // max(width, 1)))
    return found
