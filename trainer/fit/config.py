"""The parameters of a training; saved beside the model it leads to."""

from __future__ import annotations

import hashlib
import json
import math
from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from trainer.heads.parts import FUSED, HeadPart, default_parts, placed_parts
from trainer.heads.registry import DEFAULT_HEAD
from trainer.losses.registry import DEFAULT_LOSS

if TYPE_CHECKING:
    from collections.abc import Mapping

#: Parameters that trainings of earlier versions did not write down, with the value that they all had.
_ADDED: dict[str, Any] = {"loss": "contrastive", "head": "mlp", "recipe": 1, "steps": None, "parts": [], "components": None}

#: Where a pass over the triplets has fewer steps, an epoch takes as many passes as make these: a small set is judged, and training is
#: ended, after as much learning as on a large one.
LEAST_STEPS_OF_AN_EPOCH = 10


class TrainingConfig(BaseModel):
    """One training's parameters; with equal parameters, triplets and kind of machine the weights come out equal."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    seed: int = 0
    #: Epochs at most; early stopping may end sooner. One is a pass over the training triplets, or several where they are few.
    epochs: int = Field(default=60, ge=1)
    #: Optimiser steps at most, rounded up to whole epochs; given, it decides instead of `epochs`.
    steps: int | None = Field(default=None, ge=1)
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
    #: The parts of a fused head, each over the vectors of one space; none for one head over everything.
    parts: tuple[HeadPart, ...] = ()
    #: Dimensions of a head in closed form at most; None for as many as it finds.
    components: int | None = Field(default=None, ge=1)
    #: How training is done. 1, by earlier versions: an epoch is one pass, BatchNorm is judged by its running statistics, and `mlp` takes
    #: vectors of length 1. 2: see `LEAST_STEPS_OF_AN_EPOCH`, `TrainingLoop` and `MlpHead`.
    recipe: Literal[1, 2] = 2

    @property
    def judges_by_right_statistics(self) -> bool:
        """Whether BatchNorm's statistics are computed over the training side before a head is judged."""
        return self.recipe > 1

    def passes(self, steps_of_a_pass: int) -> int:
        """Passes over the training triplets in one epoch."""
        return 1 if self.recipe == 1 else max(1, math.ceil(LEAST_STEPS_OF_AN_EPOCH / steps_of_a_pass))

    def total_epochs(self, steps_of_an_epoch: int) -> int:
        """Epochs at most."""
        return self.epochs if self.steps is None else math.ceil(self.steps / steps_of_an_epoch)

    def of_part(self, part: HeadPart) -> TrainingConfig:
        """The parameters for one part of a fused head."""
        return self.model_copy(update={"head": part.head, "parts": ()})

    def in_spaces(self, spaces: Mapping[str, int]) -> TrainingConfig:
        """With each part's columns; `spaces` is each space's dimension, in the order in which their vectors lie side by side.

        Raises:
            UnknownComponent: a part is of a space that the vectors do not have.
        """
        if self.head != FUSED:
            return self
        return self.model_copy(update={"parts": placed_parts(self.parts or default_parts(spaces), spaces)})

    def fingerprint(self, triplet_hash: str) -> str:
        """What a checkpoint must share to be resumed.

        The number of epochs or steps does not count: more of them only continue from where it stopped. Parameters added since count where
        they differ from what trainings had before, so that a training by recipe 1 still resumes checkpoints of earlier versions.
        """
        facts = self.model_dump(mode="json", exclude={"epochs", "steps"})
        facts = {name: value for name, value in facts.items() if name not in _ADDED or _ADDED[name] != value}
        return hashlib.sha256(json.dumps({**facts, "triplets": triplet_hash}, sort_keys=True).encode()).hexdigest()


def run_record(split: str, config: TrainingConfig) -> dict[str, Any]:
    """What the database keeps of a run's configuration."""
    return {"split": split, **config.model_dump(mode="json")}


def complete_record(kept: dict[str, Any]) -> dict[str, Any]:
    """A kept record with the parameters that earlier versions left out."""
    return {**_ADDED, **kept}
