"""A training's losses and accuracies, epoch by epoch; of a head in closed form, what was chosen."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class Epoch(BaseModel):
    """One pass over the training triplets, or several where they are few; validation is None where that split is empty."""

    model_config = ConfigDict(frozen=True)

    number: int
    #: Mean over the steps, with dropout on.
    train_loss: float
    train_accuracy: float
    validation_loss: float | None
    validation_accuracy: float | None
    temperature: float

    @property
    def monitored_loss(self) -> float:
        """The loss by which early stopping decides."""
        return self.train_loss if self.validation_loss is None else self.validation_loss


class History(BaseModel):
    """All epochs so far and where the best was; of a head in closed form none, the best being number 0."""

    model_config = ConfigDict(frozen=True)

    epochs: tuple[Epoch, ...] = ()
    best_epoch: int = 0
    best_loss: float | None = None
    #: True if early stopping ended it.
    stopped_early: bool = False
    #: What a closed form chose on validation, by name: shrinkage, dimension, the weights of a fused head's parts.
    chosen: dict[str, float] = Field(default_factory=dict)

    def with_epoch(self, epoch: Epoch, *, patience: int) -> History:
        """The history with one more epoch."""
        better = self.best_loss is None or epoch.monitored_loss < self.best_loss
        best_epoch = epoch.number if better else self.best_epoch
        return History(
            epochs=(*self.epochs, epoch),
            best_epoch=best_epoch,
            best_loss=epoch.monitored_loss if better else self.best_loss,
            stopped_early=epoch.number - best_epoch >= patience,
        )
