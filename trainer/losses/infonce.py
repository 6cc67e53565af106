"""InfoNCE: a repaint has to find its original among those of its batch."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch.nn import functional

from trainer.losses.protocol import BatchLoss

if TYPE_CHECKING:
    from torch import Tensor


class InfoNceLoss(BatchLoss):
    """Mean over i of `-log(exp(s_ii/t) / sum_j exp(s_ij/t))`, with s_ij the cosine of repaint i and original j.

    Source: van den Oord et al., 2018.
    """

    def __call__(self, originals: Tensor, repaints: Tensor, t: Tensor | float) -> Tensor:
        """Cross entropy of the cosines over t, with the diagonal as the classes."""
        return cross_entropy(repaints @ originals.T / t)


def cross_entropy(logits: Tensor) -> Tensor:
    """Of (N, N) logits, with row i of class i."""
    return functional.cross_entropy(logits, torch.arange(len(logits), device=logits.device))
