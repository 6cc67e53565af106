"""The default head: two fully connected layers with BatchNorm, ReLU and Dropout between."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from torch import nn
from torch.nn import functional

from trainer.heads.siamese import SiameseHead

if TYPE_CHECKING:
    from torch import Tensor


class MlpHead(SiameseHead):
    """Fully connected layers `dimension -> hidden -> out`; vectors of unit length in and out.

    Vectors come in scaled to length sqrt(dimension), so that a coordinate's mean square is 1, which is what layers are initialised for
    and where BatchNorm's running variance starts. `scaled=False` is the head of trainings by recipe 1, which had vectors of length 1.
    """

    def __init__(self, *, dimension: int = 512, hidden: int = 512, out: int = 512, dropout: float = 0.2, scaled: bool = True) -> None:
        super().__init__(dimension=dimension, hidden=hidden, out=out, dropout=dropout)
        self.length = math.sqrt(dimension) if scaled else 1.0
        self.layers = nn.Sequential(
            nn.Linear(dimension, hidden),
            nn.BatchNorm1d(hidden),
            nn.ReLU(),
            nn.Dropout(dropout),
            nn.Linear(hidden, out),
        )

    def forward(self, vectors: Tensor) -> Tensor:
        """(N, dimension) to (N, out), each row of length 1."""
        projected: Tensor = self.layers(self.length * functional.normalize(vectors.float(), dim=-1))
        return functional.normalize(projected.float(), dim=-1)
