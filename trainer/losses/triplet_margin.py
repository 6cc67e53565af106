"""The triplet margin loss on cosines."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch.nn import functional

if TYPE_CHECKING:
    from torch import Tensor

#: By how much a positive has to be nearer than a negative (FaceNet, Schroff et al., CVPR 2015).
MARGIN = 0.2


class TripletMarginLoss:
    """Mean of `max(0, s- - s+ + margin)`. The temperature means nothing to it."""

    def __call__(self, s_plus: Tensor, s_minus: Tensor, t: Tensor | float) -> Tensor:  # noqa: ARG002  # of the protocol
        """Triplets that hold the margin already count as zero."""
        return functional.relu(s_minus - s_plus + MARGIN).mean()
