"""The siamese head: one small network over CLIP vectors, the same for anchor, positive and negative."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional


class SiameseHead(nn.Module):
    """Fully connected layers `dimension -> hidden -> out` with BatchNorm, ReLU and Dropout; vectors of unit length in and out."""

    def __init__(self, *, dimension: int = 512, hidden: int = 512, out: int = 512, dropout: float = 0.2) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Linear(dimension, hidden),
            nn.BatchNorm1d(hidden),
            nn.ReLU(),
            nn.Dropout(dropout),
            nn.Linear(hidden, out),
        )

    def forward(self, vectors: Tensor) -> Tensor:
        """(N, dimension) to (N, out), each row of length 1."""
        projected: Tensor = self.layers(functional.normalize(vectors.float(), dim=-1))
        return functional.normalize(projected.float(), dim=-1)

    def similarities(self, anchors: Tensor, positives: Tensor, negatives: Tensor) -> tuple[Tensor, Tensor]:
        """Cosines (s+, s-), each (N,).

        All three go through in one pass, so that BatchNorm normalises originals and repaints by the same statistics: three passes would
        centre each kind by itself and take away what tells them apart.
        """
        anchor, positive, negative = self(torch.cat([anchors, positives, negatives])).chunk(3)
        return (anchor * positive).sum(-1), (anchor * negative).sum(-1)
