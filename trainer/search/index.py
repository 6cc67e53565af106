"""Nearest vectors, exactly: every product is computed. faiss does it where it is installed, NumPy by blocks where not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    Vectors = npt.NDArray[np.float32]
    Numbers = npt.NDArray[np.int64]

#: Vectors that NumPy compares at once: 32 MB of them at 512 dimensions.
_BLOCK = 16_384


class VectorIndex(Protocol):
    """Vectors that can be searched."""

    #: What of the true nearest it finds; 1.0 where every product is computed.
    recall: float

    def __len__(self) -> int:
        """How many vectors there are."""
        ...

    def search(self, queries: Vectors, count: int) -> tuple[Vectors, Numbers]:
        """Products and rows, each (q, min(count, n)): the nearest first, of equal ones the lower row first."""
        ...


class ExactIndex:
    """Over `vectors` (n, d), float32, which may be mapped from a file; none is copied, so that it is ready at once."""

    recall = 1.0

    def __init__(self, vectors: Vectors, *, faiss: bool = True) -> None:
        """Without `faiss` NumPy does it, as where it is not installed."""
        self._vectors = vectors
        self._search = _faiss_search if faiss and has_faiss() else _block_search

    def __len__(self) -> int:
        return len(self._vectors)

    def search(self, queries: Vectors, count: int) -> tuple[Vectors, Numbers]:
        """Products and rows, each (q, min(count, n)): the nearest first, of equal ones the lower row first."""
        count = min(count, len(self))
        if not count or not len(queries):
            return np.zeros((len(queries), count), dtype=np.float32), np.zeros((len(queries), count), dtype=np.int64)
        return in_order(*self._search(self._vectors, queries, count))


def has_faiss() -> bool:
    """Whether faiss is installed."""
    from importlib.util import find_spec

    return find_spec("faiss") is not None


def in_order(products: Vectors, rows: Numbers) -> tuple[Vectors, Numbers]:
    """Each row by falling product, equal ones by row number."""
    order = np.lexsort((rows, -products), axis=-1)
    return np.take_along_axis(products, order, axis=-1), np.take_along_axis(rows, order, axis=-1)


def _faiss_search(vectors: Vectors, queries: Vectors, count: int) -> tuple[Vectors, Numbers]:
    """What `IndexFlatIP` computes, without the copy of the vectors that it would hold."""
    import faiss

    # A mapped array is not one to faiss once a library has loaded its torch bindings: a plain view of it is.
    products, rows = faiss.knn(np.asarray(queries), np.asarray(vectors), count, metric=faiss.METRIC_INNER_PRODUCT)
    return products, rows


def _block_search(vectors: Vectors, queries: Vectors, count: int) -> tuple[Vectors, Numbers]:
    products = np.zeros((len(queries), 0), dtype=np.float32)
    rows = np.zeros((len(queries), 0), dtype=np.int64)
    for start in range(0, len(vectors), _BLOCK):
        block = queries @ vectors[start : start + _BLOCK].T
        numbers = np.broadcast_to(np.arange(start, start + block.shape[1]), block.shape)
        products, rows = _greatest(np.hstack([products, block]), np.hstack([rows, numbers]), count)
    return products, rows


def _greatest(products: Vectors, rows: Numbers, count: int) -> tuple[Vectors, Numbers]:
    if products.shape[1] <= count:
        return products, rows
    chosen = np.argpartition(-products, count - 1, axis=1)[:, :count]
    return np.take_along_axis(products, chosen, axis=1), np.take_along_axis(rows, chosen, axis=1)
