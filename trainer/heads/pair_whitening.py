"""Pair whitening: directions in which repaints leave their originals count little, those in which they stay count much."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from torch.nn import functional

from trainer.heads.closed_form import ClosedFormHead
from trainer.heads.second_moments import mean_of_pairs, principal_directions, unit_rows

if TYPE_CHECKING:
    from torch import Tensor

    from trainer.heads.closed_form import FittingPairs
    from trainer.heads.second_moments import Floats

#: Shares of the mean eigenvalue that validation chooses among.
SHRINKAGES, DEFAULT_SHRINKAGE = (0.01, 0.05, 0.2), 0.05


class PairWhiteningHead(ClosedFormHead):
    """x -> Sw^(-1/2) (x - mean), to unit length: relevant component analysis (Bar-Hillel et al., JMLR 6, 2005) of pairs.

    Sw = (1-s) D'D/m + s tr(D'D/m)/d I, with D the m differences repaint minus original of unit vectors. They are not centred: what all
    repaints share is no sign of the original, so it counts as noise like the rest. With V diag(values) V' = D'D/m, a = (1-s) values and
    b = s tr(D'D/m)/d the root is applied as

        x/sqrt(b) + V diag(1/sqrt(a+b) - 1/sqrt(b)) V'x

    (times sqrt(b), which the unit length takes away again). It is exact and, with fewer pairs than dimensions, needs no d x d matrix. If
    `out` is smaller than the dimension, the result is projected to the leading principal directions of the whitened originals.
    """

    directions: Tensor
    gains: Tensor
    projection: Tensor

    def __init__(self, *, dimension: int, hidden: int = 0, out: int | None = None, dropout: float = 0.0) -> None:
        super().__init__(dimension=dimension, hidden=hidden, out=out, dropout=dropout)
        self.register_buffer("directions", torch.zeros(dimension, 0))
        self.register_buffer("gains", torch.zeros(0))
        #: (dimension, out), without columns where all dimensions are kept.
        self.register_buffer("projection", torch.zeros(dimension, 0))

    def fit(self, train: FittingPairs, validation: FittingPairs | None = None) -> None:
        """Principal directions of the differences; shrinkage by validation."""

        def differences(wanted: slice) -> Floats:
            return unit_rows(train.repaints[wanted]) - unit_rows(train.originals[train.original_of_repaint[wanted]])

        found = principal_directions(differences, len(train.repaints), self.dimension)
        self.hold(mean=mean_of_pairs(train), directions=found.vectors)

        def use(shrinkage: float) -> None:
            a = (1 - shrinkage) * found.values
            b = shrinkage * found.values.sum() / self.dimension or 1.0  # pairs without any difference whiten nothing
            self.hold(gains=np.sqrt(b / (a + b)) - 1)

        self.chosen["shrinkage"] = self.choose(SHRINKAGES, use, validation, default=DEFAULT_SHRINKAGE)
        if self.most < self.dimension:
            self._project(train)

    def forward(self, vectors: Tensor) -> Tensor:
        """(N, dimension) to (N, out), each row of length 1."""
        whitened = self._whiten(functional.normalize(vectors.float(), dim=-1) - self.mean)
        return functional.normalize(whitened @ self.projection if self.projection.shape[1] else whitened, dim=-1)

    def _whiten(self, centred: Tensor) -> Tensor:
        return centred + ((centred @ self.directions) * self.gains) @ self.directions.T

    def _project(self, train: FittingPairs) -> None:
        mean = self.mean.double().numpy()

        def whitened(wanted: slice) -> Floats:
            centred = torch.from_numpy(unit_rows(train.originals[wanted]) - mean).float()
            rows: Floats = self._whiten(centred).double().numpy()
            return rows

        found = principal_directions(whitened, len(train.originals), self.dimension).leading(self.most)
        self.hold(projection=found.vectors)
        self.chosen["dimension"] = found.vectors.shape[1]
