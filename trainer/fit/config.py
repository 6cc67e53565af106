"""The parameters of a training; saved beside the model it leads to."""

from __future__ import annotations

import hashlib
import json
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from trainer.heads.registry import DEFAULT_HEAD
from trainer.losses.registry import DEFAULT_LOSS

#: Parameters that trainings of earlier versions did not write down, with the value that they all had.
_ADDED = {"loss": "contrastive", "head": "mlp"}


class TrainingConfig(BaseModel):
    """One training's parameters; with equal parameters, triplets and kind of machine the weights come out equal."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    seed: int = 0
    #: Passes over the training triplets at most; early stopping may end sooner.
    epochs: int = Field(default=60, ge=1)
    #: Epochs without a better validation loss after which training ends.
    patience: int = Field(default=10, ge=1)
    #: Triplets of one step; the forward pass holds three times as many vectors.
    batch_size: int = Field(default=256, ge=1)
    learning_rate: float = Field(default=1e-3, gt=0)
    weight_decay: float = Field(default=1e-2, ge=0)
    hidden: int = Field(default=512, ge=1)
    out: int = Field(default=512, ge=1)
    dropout: float = Field(default=0.2, ge=0, lt=1)
    #: t of the loss; "learned" starts at 0.1.
    temperature: float | Literal["learned"] = 0.1
    #: Names in the entry point groups `paragone.losses` and `paragone.heads`.
    loss: str = DEFAULT_LOSS
    head: str = DEFAULT_HEAD

    def fingerprint(self, triplet_hash: str) -> str:
        """What a checkpoint must share to be resumed.

        The number of epochs does not count: more of them only continue from where it stopped. Parameters added since count where they
        differ from what trainings had before, so that checkpoints of earlier versions are still resumed.
        """
        facts = self.model_dump(mode="json", exclude={"epochs"})
        facts = {name: value for name, value in facts.items() if _ADDED.get(name) != value}
        return hashlib.sha256(json.dumps({**facts, "triplets": triplet_hash}, sort_keys=True).encode()).hexdigest()


def run_record(split: str, config: TrainingConfig) -> dict[str, Any]:
    """What the database keeps of a run's configuration."""
    return {"split": split, **config.model_dump(mode="json")}


def complete_record(kept: dict[str, Any]) -> dict[str, Any]:
    """A kept record with the parameters that earlier versions left out."""
    return {**_ADDED, **kept}
