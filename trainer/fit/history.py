"""A training's losses and accuracies, epoch by epoch."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Epoch(BaseModel):
    """One pass over the training triplets; validation is None where that split is empty."""

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
    """All epochs so far and where the best was."""

    model_config = ConfigDict(frozen=True)

    epochs: tuple[Epoch, ...] = ()
    best_epoch: int = 0
    best_loss: float = float("inf")
    #: True if early stopping ended it.
    stopped_early: bool = False

    def with_epoch(self, epoch: Epoch, *, patience: int) -> History:
        """The history with one more epoch."""
        better = epoch.monitored_loss < self.best_loss
        best_epoch = epoch.number if better else self.best_epoch
        return History(
            epochs=(*self.epochs, epoch),
            best_epoch=best_epoch,
            best_loss=epoch.monitored_loss if better else self.best_loss,
            stopped_early=epoch.number - best_epoch >= patience,
        )
