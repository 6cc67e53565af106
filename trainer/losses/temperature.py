"""The temperature t of a loss: fixed, or learned with the head."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Literal

import torch
from torch import nn

if TYPE_CHECKING:
    from torch import Tensor

#: Where a learned temperature starts, and the least it may become: below, one mistaken triplet outweighs a batch.
INITIAL_TEMPERATURE, LEAST_TEMPERATURE = 0.1, 0.01


class Temperature(nn.Module):
    """The t of the loss: fixed, or learned through its logarithm so that it stays positive."""

    log_t: Tensor

    def __init__(self, value: float | Literal["learned"]) -> None:
        super().__init__()
        self.learned = value == "learned"
        start = torch.tensor(math.log(INITIAL_TEMPERATURE if value == "learned" else value))
        if self.learned:
            self.log_t = nn.Parameter(start)
        else:
            self.register_buffer("log_t", start)

    def forward(self) -> Tensor:
        """The value of t, a scalar."""
        return self.log_t.exp()

    @torch.no_grad()
    def keep_above_least(self) -> None:
        """After each step, a learned t below the least is set to it: clamped in `forward` it would have no gradient to come back by."""
        if self.learned:
            self.log_t.clamp_(min=math.log(LEAST_TEMPERATURE))
