"""The parameters of a fine-tuning; saved beside the model it leads to."""

from __future__ import annotations

import hashlib
import json
from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field


class FinetuneMethod(StrEnum):
    """What of the last blocks is trained."""

    #: Low-rank matrices beside their linear layers (LoRA, arXiv 2106.09685), added to the weights at the end.
    LORA = "lora"
    #: All their weights, and the projection after them.
    BLOCKS = "blocks"


class FinetuneConfig(BaseModel):
    """One fine-tuning's parameters; with equal parameters, pairs, number of processes and kind of machine the weights come out equal."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    seed: int = 0
    method: FinetuneMethod = FinetuneMethod.LORA
    #: The last blocks of the image tower that change.
    blocks: int = Field(default=4, ge=1)
    #: Rank of the matrices of LoRA.
    rank: int = Field(default=16, ge=1)
    steps: int = Field(default=1000, ge=1)
    #: Pairs of one step, over all processes; each is the negative of all others.
    batch_size: int = Field(default=128, ge=2)
    #: Reached after `warmup` steps, falling to 0 along a cosine.
    learning_rate: float = Field(default=1e-4, gt=0)
    warmup: int = Field(default=50, ge=0)
    weight_decay: float = Field(default=1e-2, ge=0)
    #: t of the loss.
    temperature: float = Field(default=0.07, gt=0)
    #: Compute activations again in the backward pass: less memory, a third more time.
    gradient_checkpointing: bool = True

    def fingerprint(self, pairs_hash: str) -> str:
        """What a checkpoint must share to be resumed."""
        return hashlib.sha256(json.dumps({**self.model_dump(mode="json"), "pairs": pairs_hash}, sort_keys=True).encode()).hexdigest()
