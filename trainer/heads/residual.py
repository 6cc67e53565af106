"""A network that adds to the vector what it learns, and starts as the identity."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from torch import nn
from torch.nn import functional

from trainer.heads.siamese import SiameseHead

if TYPE_CHECKING:
    from torch import Tensor


class ResidualHead(SiameseHead):
    """x -> x + W2 relu(W1 x) of the vector of length sqrt(dimension), to unit length (He et al., CVPR 2016).

    W2 starts at zero, so that before the first step every cosine is that of the frozen space. It keeps the dimension: `out` means nothing.
    """

    def __init__(self, *, dimension: int, hidden: int = 512, out: int = 0, dropout: float = 0.2) -> None:
        super().__init__(dimension=dimension, hidden=hidden, out=out, dropout=dropout)
        last = nn.Linear(hidden, dimension)
        nn.init.zeros_(last.weight)
        nn.init.zeros_(last.bias)
        self.length = math.sqrt(dimension)
        self.branch = nn.Sequential(nn.Linear(dimension, hidden), nn.ReLU(), nn.Dropout(dropout), last)

    def forward(self, vectors: Tensor) -> Tensor:
        """(N, dimension) to (N, dimension), each row of length 1."""
        scaled = self.length * functional.normalize(vectors.float(), dim=-1)
        return functional.normalize((scaled + self.branch(scaled)).float(), dim=-1)
