"""One trained linear layer, from the identity or from what a closed form found."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import torch
from torch import nn
from torch.nn import functional

from trainer.heads.lda import LdaHead
from trainer.heads.pca_whitening import PcaWhiteningHead
from trainer.heads.siamese import SiameseHead

if TYPE_CHECKING:
    from torch import Tensor

    from trainer.heads.closed_form import FittingPairs
    from trainer.heads.linear_map import LinearMapHead


class LinearHead(SiameseHead):
    """x -> A x + b, to unit length. A starts as the identity, or as an orthogonal map if `out` is another number than `dimension`."""

    def __init__(self, *, dimension: int, hidden: int = 0, out: int = 512, dropout: float = 0.0) -> None:
        super().__init__(dimension=dimension, hidden=hidden, out=out, dropout=dropout)
        self.map = nn.Linear(dimension, out)
        with torch.no_grad():
            nn.init.zeros_(self.map.bias)
            nn.init.eye_(self.map.weight) if dimension == out else nn.init.orthogonal_(self.map.weight)

    def forward(self, vectors: Tensor) -> Tensor:
        """(N, dimension) to (N, out), each row of length 1."""
        return functional.normalize(self.map(functional.normalize(vectors.float(), dim=-1)).float(), dim=-1)


class WarmStartedHead(LinearHead):
    """A linear layer that starts as a head in closed form; `warm_start` is called before the first step."""

    closed_form: ClassVar[type[LinearMapHead]]

    def warm_start(self, train: FittingPairs, validation: FittingPairs | None) -> None:
        """A (x - mean) of the closed form, scaled so that a vector has length 1 on average; dimensions it does not use stay zero."""
        layer = self.map
        head = self.closed_form(dimension=layer.in_features, out=layer.out_features)
        head.fit(train, validation)
        with torch.no_grad():
            weight = torch.zeros_like(layer.weight, device="cpu")
            weight[: len(head.weight)] = head.weight
            bias = -weight @ head.mean
            vectors = functional.normalize(torch.from_numpy(train.originals[:4096]), dim=-1) @ weight.T + bias
            length = vectors.norm(dim=-1).mean().clamp(min=1e-12)
            layer.weight.copy_(weight / length)
            layer.bias.copy_(bias / length)


class LdaLinearHead(WarmStartedHead):
    """Starts as Fisher's linear discriminant analysis."""

    closed_form = LdaHead


class WhitenedLinearHead(WarmStartedHead):
    """Starts as PCA whitening."""

    closed_form = PcaWhiteningHead
