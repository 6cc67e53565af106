"""No head at all: the space's own vectors, as they are or about their mean; what every other head has to beat."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from torch.nn import functional

from trainer.heads.closed_form import ClosedFormHead
from trainer.heads.second_moments import mean_of_pairs

if TYPE_CHECKING:
    from torch import Tensor

    from trainer.heads.closed_form import FittingPairs


class FrozenHead(ClosedFormHead):
    """The identity."""

    #: Whether the mean of the training pictures is taken off.
    centred: ClassVar[bool] = False

    def fit(self, train: FittingPairs, validation: FittingPairs | None = None) -> None:  # noqa: ARG002  # nothing is free
        """The mean, if it is taken off."""
        if self.centred:
            self.hold(mean=mean_of_pairs(train))

    def forward(self, vectors: Tensor) -> Tensor:
        """(N, dimension) to (N, dimension), each row of length 1."""
        return functional.normalize(functional.normalize(vectors.float(), dim=-1) - self.mean, dim=-1)


class CentredFrozenHead(FrozenHead):
    """x - mean: takes away what all pictures share, which makes cosines of anisotropic spaces tell more (Mu and Viswanath, ICLR 2018)."""

    centred: ClassVar[bool] = True
