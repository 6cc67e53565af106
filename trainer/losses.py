"""The contrastive loss over one positive and one negative, and its temperature."""

from __future__ import annotations

import math
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

#: Where a learned temperature starts, and the least it may become: below, one mistaken triplet outweighs a batch.
INITIAL_TEMPERATURE, LEAST_TEMPERATURE = 0.1, 0.01


def contrastive_loss(s_plus: Tensor, s_minus: Tensor, t: Tensor | float) -> Tensor:
    """Mean of `-log(exp(s+/t) / (exp(s+/t) + exp(s-/t)))`.

    Dividing by exp(s+/t) gives log(1 + exp((s- - s+)/t)), the softplus, which neither overflows nor loses small values.
    """
    return functional.softplus((s_minus - s_plus) / t).mean()


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
        return self.log_t.exp().clamp(min=LEAST_TEMPERATURE) if self.learned else self.log_t.exp()
