"""PCA whitening: every direction of the training pictures gets the same weight."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING

import numpy as np

from trainer.heads.linear_map import LinearMapHead
from trainer.heads.second_moments import all_pictures, mean_of_pairs, principal_directions

if TYPE_CHECKING:
    from trainer.heads.closed_form import FittingPairs

#: Share of the mean eigenvalue mixed into each, and output dimensions, among which validation chooses.
SHRINKAGES, DEFAULT_SHRINKAGE = (0.05, 0.2, 0.5), 0.2
DIMENSIONS = (64, 128, 256, 512)


class PcaWhiteningHead(LinearMapHead):
    """x -> diag(1/sqrt((1-s) values + s mean value)) V' (x - mean), with V the leading principal directions of all training pictures.

    It knows nothing of pairs (Jegou and Chum, ECCV 2012, section 2). Directions in which the training pictures do not differ are dropped.
    """

    def fit(self, train: FittingPairs, validation: FittingPairs | None = None) -> None:
        """Principal directions of originals and repaints together; shrinkage and dimension by validation."""
        mean = mean_of_pairs(train)
        rows, count = all_pictures(train, mean)
        found = principal_directions(rows, count, self.dimension).leading(self.most)
        self.hold(mean=mean)

        def use(candidate: tuple[float, int]) -> None:
            shrinkage, dimension = candidate
            kept = found.leading(dimension)
            # Of the dropped directions nothing is known, so the mean is over all dimensions.
            spread = (1 - shrinkage) * kept.values + shrinkage * found.values.sum() / self.dimension
            self.hold(weight=kept.vectors.T / np.sqrt(spread)[:, None])

        rank = max(len(found.values), 1)
        dimensions = sorted({min(dimension, rank) for dimension in DIMENSIONS} | {rank})
        best = self.choose(list(product(SHRINKAGES, dimensions)), use, validation, default=(DEFAULT_SHRINKAGE, rank))
        self.chosen |= {"shrinkage": best[0], "dimension": best[1]}
