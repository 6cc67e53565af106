"""A small transformer encoder over the chunks of a vector."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch
from torch import nn
from torch.nn import functional

from trainer.heads.siamese import SiameseHead

if TYPE_CHECKING:
    from torch import Tensor

#: Numbers in a chunk, which is also the width of a token, and the encoder's layers and attention heads.
CHUNK, LAYERS, ATTENTION_HEADS = 64, 2, 4


class TransformerHead(SiameseHead):
    """Chunks of 64 numbers as tokens with learned positions, two encoder layers (Vaswani et al., 2017), their mean, one linear layer."""

    def __init__(self, *, dimension: int, hidden: int = 512, out: int = 512, dropout: float = 0.2) -> None:
        super().__init__(dimension=dimension, hidden=hidden, out=out, dropout=dropout)
        tokens = math.ceil(dimension / CHUNK)
        self.length = math.sqrt(dimension)
        self.padding = tokens * CHUNK - dimension
        self.positions = nn.Parameter(0.02 * torch.randn(tokens, CHUNK))
        layer = nn.TransformerEncoderLayer(CHUNK, ATTENTION_HEADS, hidden, dropout, batch_first=True, norm_first=True)
        self.encoder = nn.TransformerEncoder(layer, LAYERS, enable_nested_tensor=False)
        self.last = nn.Linear(CHUNK, out)

    def forward(self, vectors: Tensor) -> Tensor:
        """(N, dimension) to (N, out), each row of length 1."""
        scaled = functional.pad(self.length * functional.normalize(vectors.float(), dim=-1), (0, self.padding))
        tokens = self.encoder(scaled.reshape(len(scaled), -1, CHUNK) + self.positions)
        return functional.normalize(self.last(tokens.mean(dim=1)).float(), dim=-1)
