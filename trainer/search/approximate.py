"""Nearest vectors, approximately, above a million: faiss looks into the cells nearest to the query alone, and its recall is measured."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from trainer.search.index import ExactIndex, in_order

if TYPE_CHECKING:
    from pathlib import Path

    import numpy.typing as npt

    Vectors = npt.NDArray[np.float32]
    Numbers = npt.NDArray[np.int64]

#: Share of the ten true nearest that has to be found; cells are added until it is.
WANTED_RECALL = 0.98

#: Vectors whose nearest are looked for when recall is measured.
_PROBES = 200
_NEAREST = 10

#: Vectors by which each cell's centre is learned.
_PER_CELL = 64


class CellIndex:
    """An inverted file (IVF) over `vectors` (n, d): about 4 sqrt(n) cells by k-means, of which `cells` are searched."""

    def __init__(self, index: Any, *, cells: int, recall: float) -> None:
        self._index = index
        #: Cells that are searched for each query.
        self.cells = cells
        #: Share of the ten true nearest found, over vectors of its own drawn by a fixed seed.
        self.recall = recall

    def __len__(self) -> int:
        return int(self._index.ntotal)

    @classmethod
    def build(cls, vectors: Vectors) -> CellIndex:
        """Learn the cells, fill them, and choose how many are searched."""
        import faiss

        rng = np.random.default_rng(0)
        count, dimension = vectors.shape
        cells = max(1, min(int(4 * count**0.5), count // _PER_CELL))
        index = faiss.IndexIVFFlat(faiss.IndexFlatIP(dimension), dimension, cells, faiss.METRIC_INNER_PRODUCT)
        index.cp.seed, index.cp.min_points_per_centroid = 0, 1
        index.train(np.ascontiguousarray(vectors[np.sort(rng.choice(count, min(count, _PER_CELL * cells), replace=False))]))
        for start in range(0, count, 65_536):
            index.add(np.ascontiguousarray(vectors[start : start + 65_536]))
        probes = np.ascontiguousarray(vectors[np.sort(rng.choice(count, min(count, _PROBES), replace=False))])
        _, wanted = ExactIndex(vectors).search(probes, _NEAREST)
        searched = 1
        while True:
            index.nprobe = searched
            recall = _recall(index.search(probes, wanted.shape[1])[1], wanted)
            if recall >= WANTED_RECALL or searched == cells:
                return cls(index, cells=searched, recall=recall)
            searched = min(2 * searched, cells)

    def search(self, queries: Vectors, count: int) -> tuple[Vectors, Numbers]:
        """Products and rows, each (q, k) with k at most `count`: the nearest of the cells that are searched."""
        if not len(queries):
            return np.zeros((0, 0), dtype=np.float32), np.zeros((0, 0), dtype=np.int64)
        products, rows = self._index.search(np.ascontiguousarray(queries), min(count, len(self)))
        found = int((rows >= 0).sum(axis=1).min())  # few cells may hold fewer than were asked for
        return in_order(products[:, :found], rows[:, :found])

    def write(self, path: Path) -> None:
        """Keep it as faiss writes it."""
        import faiss

        faiss.write_index(self._index, str(path))

    @classmethod
    def read(cls, path: Path, *, cells: int, recall: float) -> CellIndex:
        """What `write` has kept."""
        import faiss

        index: Any = faiss.read_index(str(path))
        index.nprobe = cells
        return cls(index, cells=cells, recall=recall)


def _recall(found: Numbers, wanted: Numbers) -> float:
    hits = [len(set(one) & set(other)) for one, other in zip(found.tolist(), wanted.tolist(), strict=True)]
    return float(np.mean(hits) / wanted.shape[1])
