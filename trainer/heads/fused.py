"""A head over several spaces: one head a part, their unit vectors side by side."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import nn

from trainer.heads.siamese import SiameseHead

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from torch import Tensor


class FusedHead(SiameseHead):
    """Unit vectors of the parts, each times sqrt(weight), in one vector: its cosine is the weighted sum of the parts' cosines.

    The weights sum to 1. A part of weight 0 adds no dimension and costs nothing, so with one weight left the head is that part's alone.
    """

    weights: Tensor

    def __init__(self, heads: Sequence[SiameseHead], columns: Sequence[slice], weights: Sequence[float] | None = None) -> None:
        super().__init__(dimension=max(part.stop for part in columns), hidden=0, out=0, dropout=0.0)
        self.parts = nn.ModuleList(heads)
        self.columns = tuple(columns)
        even = [1 / len(heads)] * len(heads)
        self.register_buffer("weights", torch.tensor(even if weights is None else list(weights), dtype=torch.float64))

    def forward(self, vectors: Tensor) -> Tensor:
        """(N, dimension) to (N, sum of the parts' out), each row of length 1."""
        pieces = [
            part(vectors[:, columns]) * weight**0.5
            for part, columns, weight in zip(self.parts, self.columns, self.weights.tolist(), strict=True)
            if weight > 0
        ]
        return torch.cat(pieces, dim=-1)

    def make_room(self, shapes: Mapping[str, tuple[int, ...]]) -> None:
        """Each part takes on the shapes under its own prefix."""
        for number, part in enumerate(self.parts):
            prefix = f"parts.{number}."
            own = {name.removeprefix(prefix): shape for name, shape in shapes.items() if name.startswith(prefix)}
            if isinstance(part, SiameseHead):
                part.make_room(own)
