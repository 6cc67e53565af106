"""Fisher's linear discriminant analysis: an original and its repaints are one class."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING

import numpy as np
from scipy.linalg import eigh

from trainer.heads.linear_map import LinearMapHead
from trainer.heads.second_moments import all_pictures, mean_of_pairs, principal_directions

if TYPE_CHECKING:
    import numpy.typing as npt

    from trainer.heads.closed_form import FittingPairs
    from trainer.heads.second_moments import Floats, Rows

#: Shares of the mean variance mixed into the scatter within, and output dimensions, among which validation chooses.
SHRINKAGES, DEFAULT_SHRINKAGE = (0.01, 0.05, 0.2, 0.5), 0.2
DIMENSIONS, DEFAULT_DIMENSION = (64, 128, 256, 512), 128

#: The discriminant is sought among so many leading principal directions: the eigenproblem grows with their cube.
MOST_DIRECTIONS = 1024

#: Below this share of the scatter between them, classes have no spread but rounding's: nothing is whitened then.
_NO_SPREAD = 1e-12

_BLOCK = 4096


class LdaHead(LinearMapHead):
    """The directions w with the largest w'Sb w / w'Sw w (Fisher, 1936), scaled so that w'Sw w = 1.

    A class is a group of copies with its repaints. Sw = (1-s) Sw + s tr(Sw)/d I is shrunk, since there are few pictures of a class.
    """

    def fit(self, train: FittingPairs, validation: FittingPairs | None = None) -> None:
        """The generalised eigenproblem Sb w = value Sw w; shrinkage and dimension by validation."""
        mean = mean_of_pairs(train)
        rows, count = all_pictures(train, mean)
        basis: Floats | None = None
        if count < self.dimension or self.dimension > MOST_DIRECTIONS:
            basis = principal_directions(rows, count, self.dimension).leading(MOST_DIRECTIONS).vectors
        groups = np.concatenate([train.groups, train.groups[train.original_of_repaint]])
        scatters = _scatters(rows, groups, basis, self.dimension)
        self.hold(mean=mean)
        solved: dict[float, Floats] = {}

        def use(candidate: tuple[float, int]) -> None:
            shrinkage, dimension = candidate
            if shrinkage not in solved:
                solved[shrinkage] = scatters.discriminants(shrinkage)
            directions = solved[shrinkage][:, :dimension]
            self.hold(weight=directions.T if basis is None else (basis @ directions).T)

        # There are no more directions than classes that differ.
        rank = max(min(self.most, len(scatters.within), len(np.unique(groups)) - 1), 1)
        dimensions = sorted({min(dimension, rank) for dimension in DIMENSIONS})
        default = (DEFAULT_SHRINKAGE, min(DEFAULT_DIMENSION, rank))
        best = self.choose(list(product(SHRINKAGES, dimensions)), use, validation, default=default)
        self.chosen |= {"shrinkage": best[0], "dimension": best[1]}


@dataclass(frozen=True)
class _Scatters:
    #: Each (k, k).
    within: Floats
    between: Floats

    def discriminants(self, shrinkage: float) -> Floats:
        """(k, k), a direction a column, the most telling first."""
        size = len(self.within)
        spread = np.trace(self.within)
        without = spread <= _NO_SPREAD * np.trace(self.between)
        ridge = 1.0 if without else shrinkage * spread / size
        within = (1 - shrinkage) * self.within + ridge * np.eye(size)
        _, vectors = eigh(self.between, within)
        directions: Floats = vectors[:, ::-1]
        return directions


def _scatters(rows: Rows, groups: npt.NDArray[np.int64], basis: Floats | None, dimension: int) -> _Scatters:
    """Sw and Sb, in the basis if there is one: the mean products of pictures about their class's mean, and of these about the middle."""
    _, classes, sizes = np.unique(groups, return_inverse=True, return_counts=True)
    k = dimension if basis is None else basis.shape[1]
    sums, total = np.zeros((len(sizes), k)), np.zeros((k, k))
    for start in range(0, len(groups), _BLOCK):
        block = rows(slice(start, min(start + _BLOCK, len(groups))))
        block = block if basis is None else block @ basis
        np.add.at(sums, classes[start : start + _BLOCK], block)
        total += block.T @ block
    means = sums / sizes[:, None]
    about_zero = (means * sizes[:, None]).T @ means / len(groups)
    middle = sums.sum(axis=0) / len(groups)
    return _Scatters(within=total / len(groups) - about_zero, between=about_zero - np.outer(middle, middle))
