"""A head in closed form that is one linear map of the centred vector."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch.nn import functional

from trainer.heads.closed_form import ClosedFormHead

if TYPE_CHECKING:
    from torch import Tensor


class LinearMapHead(ClosedFormHead):
    """x -> A (x - mean), to unit length, of the unit vector x; subclasses compute A, (out, dimension)."""

    weight: Tensor

    def __init__(self, *, dimension: int, hidden: int = 0, out: int | None = None, dropout: float = 0.0) -> None:
        super().__init__(dimension=dimension, hidden=hidden, out=out, dropout=dropout)
        self.register_buffer("weight", torch.zeros(0, dimension))

    def forward(self, vectors: Tensor) -> Tensor:
        """(N, dimension) to (N, out), each row of length 1."""
        centred = functional.normalize(vectors.float(), dim=-1) - self.mean
        return functional.normalize(centred @ self.weight.T, dim=-1)
