"""Collapse: do vectors of unit length still use their space, or have they fallen into a cone or onto a line?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from trainer.metrics.similarities import BLOCK_ENTRIES, cosines, row_blocks

if TYPE_CHECKING:
    import numpy.typing as npt

    from trainer.metrics.similarities import Vectors

    Floats = npt.NDArray[np.float64]

#: The temperature of `uniformity`, as in its source.
TEMPERATURE = 2.0


def effective_rank(vectors: Vectors) -> float:
    """exp(-sum p_i log p_i) of the singular values p_i = sigma_i / sum sigma: of (n, d) between 1 and min(n, d).

    Roy & Vetterli 2007, "The effective rank"; of embeddings Garrido et al. 2023, "RankMe". The mean is not subtracted, so that a cone
    shows.
    """
    gram: Floats = np.zeros((vectors.shape[1], vectors.shape[1]))
    for rows in row_blocks(len(vectors), vectors.shape[1]):
        part = np.asarray(vectors[rows[0] : rows[-1] + 1], dtype=np.float64)
        gram += part.T @ part
    # Rounding leaves squares of singular values at about 1e-16 of the largest.
    squares = np.linalg.eigvalsh(gram)
    values = np.sqrt(squares[squares > squares[-1] * len(squares) * np.finfo(np.float64).eps])
    p = values / values.sum()
    return float(np.exp(-(p * np.log(p)).sum()))


def mean_off_pair_cosine(vectors: Vectors, groups: npt.NDArray[np.int64]) -> float:
    """Mean cosine of two vectors (n, d) of different groups (n,): near 0 in a space that is used, near 1 in a cone.

    The sum over all pairs is the squared length of the sum, so no pair is looked at: (|S|^2 - sum |S_g|^2) / (n^2 - sum n_g^2).

    Raises:
        ValueError: All vectors are of one group.
    """
    _, numbers, counts = np.unique(groups, return_inverse=True, return_counts=True)
    if len(counts) == 1:
        raise ValueError("all vectors are of one group: there are no pairs of different ones")
    order = np.argsort(numbers, kind="stable")
    starts = np.concatenate([[0], np.cumsum(counts)])
    total: Floats = np.zeros(vectors.shape[1])
    own = 0.0
    step = max(1, BLOCK_ENTRIES // (vectors.shape[1] * int(counts.max())))
    for first in range(0, len(counts), step):
        bounds = starts[first : first + step + 1]
        members = np.asarray(vectors[order[bounds[0] : bounds[-1]]], dtype=np.float64)
        sums = np.add.reduceat(members, bounds[:-1] - bounds[0])
        total += sums.sum(axis=0)
        own += float(np.einsum("gd,gd->", sums, sums))
    return float((total @ total - own) / (len(vectors) ** 2 - (counts**2).sum()))


def uniformity(vectors: Vectors, temperature: float = TEMPERATURE) -> float:
    """The logarithm of the mean over all pairs x, y of exp(-t |x - y|^2), t = 2: lower is more uniform, 0 is one point.

    Wang & Isola 2020, "Understanding Contrastive Representation Learning through Alignment and Uniformity on the Hypersphere".
    """
    total = 0.0
    for rows in row_blocks(len(vectors), len(vectors)):
        exponents = (2 * temperature) * (cosines(vectors[rows], vectors) - 1)
        exponents[np.arange(len(rows)), rows] = -np.inf
        total += float(np.exp(exponents, out=exponents).sum(dtype=np.float64))
    return float(np.log(total / (len(vectors) * (len(vectors) - 1))))


def alignment(own: npt.NDArray[np.floating]) -> Floats:
    """(M,) |x - y|^2 = 2 - 2 cos of every pair, from its cosine (M,); lower is closer (Wang & Isola 2020, alpha = 2)."""
    distances: Floats = 2 - 2 * own.astype(np.float64)
    return distances
