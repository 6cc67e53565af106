"""Fitting any head: in closed form, by the training loop, or part by part and then side by side."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Protocol

from trainer.errors import NothingToTrainOn
from trainer.fit.checkpoint import CHECKPOINT, Checkpoint, load_checkpoint, save_checkpoint
from trainer.fit.fitted import FittedHead
from trainer.fit.fitting_pairs import fitting_pairs
from trainer.fit.history import History
from trainer.fit.loop import TrainingLoop
from trainer.heads.closed_form import ClosedFormHead
from trainer.heads.fused import FusedHead
from trainer.heads.fusion_weights import choose_fusion_weights
from trainer.heads.projection import project
from trainer.heads.registry import HEADS, new_head
from trainer.losses.temperature import INITIAL_TEMPERATURE

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import numpy as np
    import numpy.typing as npt
    from torch import Tensor

    from trainer.data.triplet_indices import TripletIndices
    from trainer.fit.config import TrainingConfig
    from trainer.fit.history import Epoch
    from trainer.heads.closed_form import FittingPairs
    from trainer.heads.parts import HeadPart

#: Folder of the checkpoints of a fused head's parts.
PARTS = "parts"


@dataclass(frozen=True, kw_only=True)
class FittingData:
    """What a head is fitted on, and where its checkpoints lie."""

    #: (rows, dimension): the vectors of all pictures.
    vectors: npt.NDArray[np.float32]
    train: TripletIndices
    #: Empty if there is nothing to choose by.
    validation: TripletIndices
    directory: Path
    #: Names triplets and vectors: a checkpoint of others is refused.
    triplet_hash: str
    device: str = "cpu"
    #: By what closed forms and the weights of parts are chosen, such as the validation pairs with mirrored and cropped queries as levels
    #: of their own; None for the pairs that the validation triplets name.
    judged_by: FittingPairs | None = None

    @property
    def training_pairs(self) -> FittingPairs | None:
        """The pairs that the training triplets name."""
        return fitting_pairs(self.vectors, self.train)

    @property
    def validation_pairs(self) -> FittingPairs | None:
        """What is chosen by; None if there is nothing."""
        return self.judged_by or fitting_pairs(self.vectors, self.validation)

    def of_part(self, part: HeadPart, directory: Path) -> FittingData:
        """The same in the columns of one part."""
        return replace(
            self,
            vectors=self.vectors[:, part.columns],
            directory=directory,
            triplet_hash=f"{self.triplet_hash}/{part.space}:{part.start}+{part.dimension}",
            judged_by=None if self.judged_by is None else self.judged_by.of_columns(part.columns),
        )


class HeadFit(Protocol):
    """The fitting of one head, which can be interrupted and resumed."""

    @property
    def epochs_done(self) -> int:
        """Epochs done, counting those of the checkpoint that was resumed."""
        ...

    def resume(self) -> bool:
        """Continue from what an earlier fit left; False if it left nothing. Raises `BadCheckpoint` if that is of another fit."""
        ...

    def forget(self) -> None:
        """Remove what an earlier fit left."""
        ...

    def run(self, on_epoch: Callable[[Epoch], None] | None = None) -> FittedHead:
        """Fit to the end; `on_epoch` is called with each epoch as it ends, never where there are none."""
        ...


def head_fit(config: TrainingConfig, data: FittingData) -> HeadFit:
    """The fit of the configured head, not begun.

    Raises:
        NothingToTrainOn: there is no training triplet.
        UnknownComponent: head or loss is not installed.
    """
    if not len(data.train):
        raise NothingToTrainOn
    if config.parts:
        return FusedFit(config, data)
    if issubclass(HEADS.load(config.head), ClosedFormHead):
        return ClosedFormFit(config, data)
    return TrainingLoop(
        config,
        vectors=data.vectors,
        train=data.train,
        validation=data.validation,
        directory=data.directory,
        triplet_hash=data.triplet_hash,
        device=data.device,
    )


def fit_head(config: TrainingConfig, data: FittingData, on_epoch: Callable[[Epoch], None] | None = None) -> FittedHead:
    """Fit the configured head anew; raises what `head_fit` raises."""
    fit = head_fit(config, data)
    fit.forget()
    return fit.run(on_epoch)


class ClosedFormFit:
    """A head in closed form: done in one go, without epochs; the checkpoint holds the finished head."""

    epochs_done = 0

    def __init__(self, config: TrainingConfig, data: FittingData) -> None:
        self._config, self._data = config, data
        self._checkpoint = data.directory / CHECKPOINT
        self._fingerprint = config.fingerprint(data.triplet_hash)
        self._resumed: Checkpoint | None = None

    def resume(self) -> bool:
        """Take the finished head."""
        if not self._checkpoint.exists():
            return False
        saved = load_checkpoint(self._checkpoint)
        saved.check(self._fingerprint, self._checkpoint)
        self._resumed = saved
        return True

    def forget(self) -> None:
        """Remove the finished head."""
        self._checkpoint.unlink(missing_ok=True)

    def run(self, on_epoch: Callable[[Epoch], None] | None = None) -> FittedHead:  # noqa: ARG002  # there are no epochs
        """Fit on the pairs that the training triplets name; what is free is chosen on those of the validation triplets."""
        head = new_head(self._data.vectors.shape[1], self._config)
        if not isinstance(head, ClosedFormHead):
            raise TypeError(f"{type(head).__name__} is no head in closed form")
        if self._resumed is not None:
            head.make_room({name: tuple(tensor.shape) for name, tensor in self._resumed.head.items()})
            head.load_state_dict(self._resumed.head)
            history = self._resumed.history
        else:
            history = self._fit(head)
        return FittedHead(head=head.eval(), temperature=_temperature(self._config), history=history)

    def _fit(self, head: ClosedFormHead) -> History:
        train = self._data.training_pairs
        if train is None:
            raise NothingToTrainOn
        head.fit(train, self._data.validation_pairs)
        history = History(chosen=head.chosen)
        nothing: dict[str, Tensor] = {}
        save_checkpoint(
            self._checkpoint,
            Checkpoint(
                fingerprint=self._fingerprint,
                history=history,
                head=head.state_dict(),
                temperature=nothing,
                best=nothing,
                optimizer={"state": {}, "param_groups": []},
            ),
        )
        return history


class FusedFit:
    """The parts one after the other, each on the columns of its space, then their weights on validation: even without any."""

    def __init__(self, config: TrainingConfig, data: FittingData) -> None:
        self._config, self._data = config, data
        self._fits = [
            head_fit(config.of_part(part), data.of_part(part, data.directory / PARTS / f"{number}-{part.space}-{part.head}"))
            for number, part in enumerate(config.parts)
        ]

    @property
    def epochs_done(self) -> int:
        """Of the learned part that has most."""
        return max(fit.epochs_done for fit in self._fits)

    def resume(self) -> bool:
        """Each part for itself."""
        resumed = [fit.resume() for fit in self._fits]
        return any(resumed)

    def forget(self) -> None:
        """Remove what any parts left."""
        shutil.rmtree(self._data.directory / PARTS, ignore_errors=True)

    def run(self, on_epoch: Callable[[Epoch], None] | None = None) -> FittedHead:
        """The history is that of the first learned part, if there is one, with what all parts chose."""
        fitted = [fit.run(on_epoch) for fit in self._fits]
        parts, heads = self._config.parts, [one.head for one in fitted]
        chosen = {f"{part}/{name}": value for part, one in zip(parts, fitted, strict=True) for name, value in one.history.chosen.items()}
        columns = [part.columns for part in parts]
        validation = self._data.validation_pairs
        weights: tuple[float, ...] | None = None
        if validation is not None:
            found = choose_fusion_weights([partial(project, head) for head in heads], columns, validation)
            weights = found.weights
            chosen |= {"shortfall": found.shortfall, "validation_mean": found.mean}
        fused = FusedHead(heads, columns, weights).eval()
        chosen |= {f"{part}/weight": weight for part, weight in zip(parts, fused.weights.tolist(), strict=True)}
        learned = [one for one in fitted if one.history.epochs]
        history = learned[0].history if learned else History()
        temperature = learned[0].temperature if learned else _temperature(self._config)
        return FittedHead(head=fused, temperature=temperature, history=history.model_copy(update={"chosen": chosen}))


def _temperature(config: TrainingConfig) -> float:
    """What a head without a loss is recorded with."""
    return INITIAL_TEMPERATURE if config.temperature == "learned" else float(config.temperature)
