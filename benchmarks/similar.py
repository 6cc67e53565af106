"""Search among random unit vectors: one query at a time by the exact index, and by plain NumPy in the same run.

`python benchmarks/similar.py --vectors 163000`; with `--approximate` also the index that is used above a million vectors.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import numpy as np

from trainer.search.approximate import CellIndex
from trainer.search.index import ExactIndex, has_faiss

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy.typing as npt

    Vectors = npt.NDArray[np.float32]

#: Vectors written to the file at once.
_CHUNK = 65_536


def main() -> None:
    """Measure, and print a line a way of searching."""
    arguments = _parser().parse_args()
    queries = _unit(np.random.default_rng(1), arguments.queries, arguments.dimension)
    with TemporaryDirectory() as folder:
        vectors = _written(Path(folder) / "vectors.f32", arguments.vectors, arguments.dimension)
        by = "faiss" if has_faiss() else "NumPy by blocks"
        print(f"{arguments.vectors:,} vectors of {arguments.dimension}, {arguments.queries} queries, {arguments.k} nearest; exact: {by}")
        plain = _timed("plain NumPy", queries, lambda query: _plain(vectors, query, arguments.k))
        index = ExactIndex(vectors)
        exact = _timed("exact index", queries, lambda query: index.search(query, arguments.k)[1][0])
        print(f"plain / exact, processor time: {plain / exact:.2f}")
        started = time.perf_counter()
        index.search(np.repeat(queries, -(-1000 // len(queries)), axis=0)[:1000], arguments.k)
        print(f"1,000 queries at once: {time.perf_counter() - started:.2f} s")
        if arguments.approximate:
            started = time.perf_counter()
            cells = CellIndex.build(vectors)
            built = time.perf_counter() - started
            print(f"approximate index: built in {built:.1f} s, {cells.cells} cells searched, recall {cells.recall:.3f}")
            approximate = _timed("approximate index", queries, lambda query: cells.search(query, arguments.k)[1][0])
            print(f"exact / approximate, processor time: {exact / approximate:.2f}")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--vectors", type=int, default=163_000)
    parser.add_argument("--dimension", type=int, default=512)
    parser.add_argument("--queries", type=int, default=100)
    parser.add_argument("--k", type=int, default=10)
    parser.add_argument("--approximate", action="store_true")
    return parser


def _timed(name: str, queries: Vectors, search: Callable[[Vectors], npt.NDArray[np.int64]]) -> float:
    """The median of processor time in milliseconds, the first search not counted: it reads the file."""
    search(queries[:1])
    times, processor = [], []
    for number in range(len(queries)):
        started, used = time.perf_counter(), time.process_time()
        search(queries[number : number + 1])
        times.append((time.perf_counter() - started) * 1000)
        processor.append((time.process_time() - used) * 1000)
    p50, p95 = np.percentile(times, [50, 95])
    print(f"{name}: p50 {p50:.1f} ms, p95 {p95:.1f} ms; of processor time p50 {np.median(processor):.1f} ms")
    return float(np.median(processor))


def _plain(vectors: Vectors, query: Vectors, count: int) -> npt.NDArray[np.int64]:
    products = vectors @ query[0]
    nearest = np.argpartition(-products, count)[:count]
    found: npt.NDArray[np.int64] = nearest[np.argsort(-products[nearest])]
    return found


def _written(path: Path, count: int, dimension: int) -> Vectors:
    """A file of unit vectors, mapped as a gallery's is."""
    rng = np.random.default_rng(0)
    with path.open("wb") as file:
        for start in range(0, count, _CHUNK):
            file.write(_unit(rng, min(_CHUNK, count - start), dimension).tobytes())
    return np.memmap(path, dtype="<f4", mode="r", shape=(count, dimension))


def _unit(rng: np.random.Generator, count: int, dimension: int) -> Vectors:
    vectors = rng.standard_normal((count, dimension), dtype=np.float32)
    scaled: Vectors = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return scaled


if __name__ == "__main__":
    main()
