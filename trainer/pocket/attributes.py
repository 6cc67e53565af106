"""Subject, count, style and palette of paintings as numbered answers, for models that learn to name them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import nn
from torch.nn import functional

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from torch import Tensor

    from trainer.pocket.paintings import PaintingLabel, Paintings

ATTRIBUTES = ("subject", "count", "style", "palette")


class AttributeHeads(nn.Module):
    """A linear classifier for each attribute, from features (N, width)."""

    def __init__(self, paintings: Paintings, width: int) -> None:
        super().__init__()
        #: The answers to each fact, in the order of the scores.
        self.known = {fact: sorted({_answer(label, fact) for label in paintings.labels}) for fact in ATTRIBUTES}
        self._true = {
            fact: torch.tensor([known.index(_answer(label, fact)) for label in paintings.labels]) for fact, known in self.known.items()
        }
        self.heads = nn.ModuleDict({fact: nn.Linear(width, len(known)) for fact, known in self.known.items()})

    def forward(self, seen: Tensor) -> dict[str, Tensor]:
        """Scores (N, answers) by fact."""
        return {fact: head(seen) for fact, head in self.heads.items()}

    def losses(self, seen: Tensor, places: NDArray[np.int64]) -> dict[str, Tensor]:
        """Cross entropy by attribute, for the paintings at these places."""
        return {fact: functional.cross_entropy(scores, self._true[fact][places].to(scores.device)) for fact, scores in self(seen).items()}


def _answer(label: PaintingLabel, fact: str) -> str:
    return str(getattr(label, fact))
