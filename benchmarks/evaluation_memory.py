"""The memory and the time of evaluating a head on 163,000 repaints.

    python benchmarks/evaluation_memory.py [--repaints 163000] [--per-repaint 4] [--dimension 512]

Synthetic unit vectors: half as many originals as repaints, as in a campaign of two levels over all of WikiArt; all artworks are in the test
split, so the gallery is all originals. Printed: seconds, and the most memory that the process held, before the evaluation (interpreter,
libraries, the vectors themselves) and in all. Needed: under 2 GB in all.

What is measured is `evaluate`, below: replace its body when the evaluation changes, and nothing else.
"""

from __future__ import annotations

import argparse
import resource
import time
from typing import TYPE_CHECKING

import numpy as np
import torch

from trainer.data.triplet_indices import TripletIndices
from trainer.evaluate.evaluation import evaluate_head
from trainer.heads.mlp import MlpHead

if TYPE_CHECKING:
    import numpy.typing as npt

LEVELS = ("moderate", "radical")
NEEDED_MB = 2048
#: Vectors drawn at once, so that the drawing does not set the peak.
BLOCK = 8192


def main() -> None:
    parser = argparse.ArgumentParser(description="Memory and time of evaluating a head.")
    parser.add_argument("--repaints", type=int, default=163_000)
    parser.add_argument("--per-repaint", type=int, default=4)
    parser.add_argument("--dimension", type=int, default=512)
    given = parser.parse_args()
    vectors, indices = _drawn(given.repaints // len(LEVELS), given.per_repaint, given.dimension)
    before = _peak_mb()
    began = time.perf_counter()
    accuracy = evaluate(vectors, indices)
    seconds, peak = time.perf_counter() - began, _peak_mb()
    print(
        f"{given.repaints:,} repaints, {len(indices):,} triplets, {given.dimension} dimensions, {torch.get_num_threads()} threads: "
        f"{seconds:.0f} s, peak {peak:.0f} MB, before {before:.0f} MB, of which vectors {vectors.nbytes / 2**20:.0f} MB; "
        f"accuracy of the untrained head {accuracy:.3f}"
    )
    print(f"needed: under {NEEDED_MB} MB: {'yes' if peak < NEEDED_MB else 'NO'}")


def evaluate(vectors: npt.NDArray[np.float32], indices: TripletIndices) -> float:
    """What `paragone train` does after training; the accuracy over all triplets.

    An evaluation over a `PairTable` and `Similarities` needs neither the triplets nor the matrix of both: give it
    `CosineSimilarities(projected[:N], projected[N:])`, originals being the first N rows, and the table.
    """
    torch.manual_seed(0)
    head = MlpHead(dimension=vectors.shape[1]).eval()
    return evaluate_head(head, vectors, indices).find("trained").accuracy


def _drawn(originals: int, per_repaint: int, dimension: int) -> tuple[npt.NDArray[np.float32], TripletIndices]:
    random = np.random.default_rng(0)
    count = originals * (1 + len(LEVELS))
    vectors = np.empty((count, dimension), dtype=np.float32)
    starts = [*range(0, originals, BLOCK), *range(originals, count, BLOCK)]
    for start, stop in zip(starts, [*starts[1:], count], strict=True):
        rows = np.arange(start, stop)
        block = random.standard_normal((len(rows), dimension), dtype=np.float32)
        if start >= originals:
            block += vectors[rows % originals] * np.float32(dimension**0.5)
        vectors[rows] = block / np.linalg.norm(block, axis=1, keepdims=True)
    repaint = np.repeat(np.arange(originals, count), per_repaint)
    anchor = repaint % originals
    indices = TripletIndices(
        anchors=anchor,
        positives=repaint,
        negatives=(anchor + random.integers(1, originals, len(anchor))) % originals,
        levels=np.array(LEVELS)[repaint // originals - 1],
        groups=anchor,
        group_of_row=dict(enumerate(range(originals))),
    )
    return vectors, indices


def _peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    main()
