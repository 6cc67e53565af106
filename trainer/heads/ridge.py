"""Ridge regression from a repaint back to its original."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from trainer.heads.linear_map import LinearMapHead
from trainer.heads.second_moments import mean_of_pairs, principal_directions, unit_rows

if TYPE_CHECKING:
    from trainer.heads.closed_form import FittingPairs
    from trainer.heads.second_moments import Floats

#: Penalties in units of the mean eigenvalue, among which validation chooses.
ALPHAS, DEFAULT_ALPHA = (0.01, 0.1, 1.0, 10.0), 1.0

_BLOCK = 4096


class RidgeHead(LinearMapHead):
    """The map A with the least sum of |A x - o|^2 + alpha |A|^2, where x is a repaint or an original and o its original.

    Siamese by its training rows: one map has to bring a repaint to its original and leave an original where it is, and it is applied to
    both kinds of picture. With C = X'X/m = V diag(values) V' it is A = (Y'X/m) V diag(1/(values + alpha)) V'; directions that no
    training picture has are mapped to zero.
    """

    def fit(self, train: FittingPairs, validation: FittingPairs | None = None) -> None:
        """One eigendecomposition for all penalties, of which validation chooses one."""
        mean = mean_of_pairs(train)
        pairs = len(train.repaints)

        def targets(wanted: slice) -> Floats:
            return unit_rows(train.originals[train.original_of_repaint[wanted]]) - mean

        def inputs(wanted: slice) -> Floats:
            """Repaints, then for each of them its original once more."""
            first = unit_rows(train.repaints[wanted.start : min(wanted.stop, pairs)]) - mean
            return np.concatenate([first, targets(slice(max(wanted.start - pairs, 0), max(wanted.stop - pairs, 0)))])

        found = principal_directions(inputs, 2 * pairs, self.dimension)
        products = np.zeros((self.dimension, len(found.values)))
        for start in range(0, pairs, _BLOCK):
            rows = slice(start, min(start + _BLOCK, pairs))
            wanted = targets(rows)
            products += wanted.T @ ((unit_rows(train.repaints[rows]) - mean + wanted) @ found.vectors) / (2 * pairs)
        self.hold(mean=mean)

        def use(alpha: float) -> None:
            penalty = alpha * found.values.sum() / self.dimension
            self.hold(weight=(products / (found.values + penalty)) @ found.vectors.T)

        self.chosen["alpha"] = self.choose(ALPHAS, use, validation, default=DEFAULT_ALPHA)
