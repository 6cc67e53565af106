"""The contrastive loss over one positive and one negative."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch.nn import functional

if TYPE_CHECKING:
    from torch import Tensor


class ContrastiveLoss:
    """Mean of `-log(exp(s+/t) / (exp(s+/t) + exp(s-/t)))`."""

    def __call__(self, s_plus: Tensor, s_minus: Tensor, t: Tensor | float) -> Tensor:
        """Dividing by exp(s+/t) gives log(1 + exp((s- - s+)/t)), the softplus, which neither overflows nor loses small values."""
        return functional.softplus((s_minus - s_plus) / t).mean()
