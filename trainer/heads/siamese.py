"""What a siamese head is: one network over CLIP vectors, the same for anchor, positive and negative."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

import torch
from torch import nn

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor


class SiameseHead(nn.Module, ABC):
    """Base class of heads; registered under its name in the entry point group `paragone.heads`.

    A head is built as `Head(dimension=..., hidden=..., out=..., dropout=...)` from the embeddings' width and the training's configuration,
    and ignores what it has no use for. Its state dict is what a model folder keeps.
    """

    def __init__(self, *, dimension: int, hidden: int, out: int, dropout: float) -> None:  # noqa: ARG002  # subclasses build from these
        super().__init__()

    @abstractmethod
    def forward(self, vectors: Tensor) -> Tensor:
        """(N, dimension) to (N, out), each row of length 1."""

    def make_room(self, shapes: Mapping[str, tuple[int, ...]]) -> None:
        """Take on the shapes of saved weights, by name, where they follow from what the head was fitted on; most heads know their own."""

    def similarities(self, anchors: Tensor, positives: Tensor, negatives: Tensor) -> tuple[Tensor, Tensor]:
        """Cosines (s+, s-), each (N,).

        All three go through in one pass, so that BatchNorm normalises originals and repaints by the same statistics: three passes would
        centre each kind by itself and take away what distinguishes them.
        """
        anchor, positive, negative = self(torch.cat([anchors, positives, negatives])).chunk(3)
        return (anchor * positive).sum(-1), (anchor * negative).sum(-1)
