"""InfoNCE in both directions: repaint to original, and original to repaint."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trainer.losses.infonce import cross_entropy
from trainer.losses.protocol import BatchLoss

if TYPE_CHECKING:
    from torch import Tensor


class InfoNceBothLoss(BatchLoss):
    """The mean of InfoNCE over rows and over columns of the same cosines: the loss of CLIP (Radford et al., ICML 2021)."""

    def __call__(self, originals: Tensor, repaints: Tensor, t: Tensor | float) -> Tensor:
        """Half the sum of the two cross entropies."""
        logits = repaints @ originals.T / t
        return (cross_entropy(logits) + cross_entropy(logits.T)) / 2
