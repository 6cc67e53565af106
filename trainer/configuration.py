"""What a training is told; saved beside the model it leads to."""

from __future__ import annotations

import hashlib
import json
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class TrainingConfig(BaseModel):
    """One training's parameters; with equal parameters, triplets and kind of machine the weights come out equal."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    seed: int = 0
    #: Passes over the training triplets at most; early stopping may end sooner.
    epochs: int = Field(default=60, ge=1)
    #: Epochs without a better validation loss after which training ends.
    patience: int = Field(default=10, ge=1)
    #: Triplets of one step; the forward pass holds three times as many pictures.
    batch_size: int = Field(default=256, ge=1)
    learning_rate: float = Field(default=1e-3, gt=0)
    weight_decay: float = Field(default=1e-2, ge=0)
    hidden: int = Field(default=512, ge=1)
    out: int = Field(default=512, ge=1)
    dropout: float = Field(default=0.2, ge=0, lt=1)
    #: t of the loss; "learned" starts at 0.1.
    temperature: float | Literal["learned"] = 0.1

    def fingerprint(self, triplet_hash: str) -> str:
        """What a checkpoint must share to be taken up. More epochs only go on from where it stopped, so their number does not count."""
        facts = {**self.model_dump(mode="json", exclude={"epochs"}), "triplets": triplet_hash}
        return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()
