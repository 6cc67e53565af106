"""The training loop: seeded epochs over triplets or pairs of embeddings, early stopping, a checkpoint after each epoch."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch.optim import AdamW
from torch.optim.swa_utils import update_bn

from trainer.errors import BadCheckpoint, NothingToTrainOn
from trainer.fit.checkpoint import CHECKPOINT, Checkpoint, load_checkpoint, optimizer_state, save_checkpoint
from trainer.fit.fitted import FittedHead
from trainer.fit.fitting_pairs import fitting_pairs
from trainer.fit.history import Epoch, History
from trainer.fit.objectives import objective
from trainer.heads.linear import WarmStartedHead
from trainer.heads.registry import new_head
from trainer.losses.registry import LOSSES
from trainer.losses.temperature import Temperature

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    import numpy.typing as npt
    from torch import Tensor

    from trainer.data.triplet_indices import TripletIndices
    from trainer.fit.config import TrainingConfig

#: Pictures of the training side over which BatchNorm's statistics are computed, at most; of more, so many evenly spaced ones.
STATISTICS_OF = 8192


class TrainingLoop:
    """One training of a head on rows of the embeddings; raises `NothingToTrainOn` without a training triplet."""

    def __init__(
        self,
        config: TrainingConfig,
        *,
        vectors: npt.NDArray[np.float32],
        train: TripletIndices,
        validation: TripletIndices,
        directory: Path,
        triplet_hash: str,
        device: str = "cpu",
    ) -> None:
        if not len(train):
            raise NothingToTrainOn
        self._config = config
        self._device = device
        self._vectors = torch.from_numpy(vectors).to(device)
        self._checkpoint = directory / CHECKPOINT
        self._fingerprint = config.fingerprint(triplet_hash)
        with _seeded(config.seed, 0, device):
            self._head = new_head(vectors.shape[1], config).to(device)
        loss = LOSSES.load(config.loss)()
        self._train, self._validation = objective(loss, train, device), objective(loss, validation, device)
        self._passes = config.passes(self._train.steps(config.batch_size))
        self._epochs = config.total_epochs(self._passes * self._train.steps(config.batch_size))
        pictures = np.unique(np.concatenate([train.anchors, train.positives, train.negatives]))
        self._pictures = torch.from_numpy(_evenly_spaced(pictures)).to(device)
        self._pairs = (train, validation)
        self._temperature = Temperature(config.temperature).to(device)
        self._optimizer = AdamW(self._parameter_groups(), lr=config.learning_rate)
        self._history = History()
        self._best: dict[str, Tensor] = {}

    @property
    def epochs_done(self) -> int:
        """Epochs done, counting those of the checkpoint that was resumed."""
        return len(self._history.epochs)

    def resume(self) -> bool:
        """Continue from the checkpoint; False if there is none. Raises `BadCheckpoint` if it belongs to another training."""
        if not self._checkpoint.exists():
            return False
        saved = load_checkpoint(self._checkpoint)
        saved.check(self._fingerprint, self._checkpoint)
        if len(saved.history.epochs) > self._epochs:
            done, asked = len(saved.history.epochs), self._epochs
            raise BadCheckpoint(
                f"{self._checkpoint} holds {done} epochs, more than the {asked} asked for: ask for more, or start with --fresh"
            )
        try:
            self._head.load_state_dict(saved.head)
            self._temperature.load_state_dict(saved.temperature)
            self._optimizer.load_state_dict(saved.optimizer)
        except (RuntimeError, ValueError, KeyError):
            raise BadCheckpoint(f"{self._checkpoint} does not fit this version's model: start anew with --fresh") from None
        self._history, self._best = saved.history, saved.best
        return True

    def forget(self) -> None:
        """Remove the checkpoint of an earlier training."""
        self._checkpoint.unlink(missing_ok=True)

    def run(self, on_epoch: Callable[[Epoch], None] | None = None) -> FittedHead:
        """Train to the end and return the best epoch's head; `on_epoch` is called with each epoch as it ends."""
        if not self._history.epochs and isinstance(self._head, WarmStartedHead):
            vectors = self._vectors.cpu().numpy()
            train, validation = (fitting_pairs(vectors, side) for side in self._pairs)
            if train is not None:
                self._head.warm_start(train, validation)
        for number in range(len(self._history.epochs) + 1, self._epochs + 1):
            if self._history.stopped_early:
                break
            epoch = self._epoch(number)
            self._history = self._history.with_epoch(epoch, patience=self._config.patience)
            if self._history.best_epoch == number:
                self._best = self._weights()
            save_checkpoint(self._checkpoint, self._snapshot())
            if on_epoch is not None:
                on_epoch(epoch)
        return self._fitted()

    def _epoch(self, number: int) -> Epoch:
        with _seeded(self._config.seed, number, self._device):
            self._head.train()
            losses, hits, items = 0.0, 0.0, 0
            for _ in range(self._passes):
                for rows in self._train.shuffled(self._config.batch_size):
                    loss, right = self._step(rows)
                    losses += loss * rows.shape[1]
                    hits += right
                    items += rows.shape[1]
            if self._config.judges_by_right_statistics:
                self._update_statistics()
        validation_loss, validation_accuracy = self._validate()
        return Epoch(
            number=number,
            train_loss=losses / items,
            train_accuracy=hits / items,
            validation_loss=validation_loss,
            validation_accuracy=validation_accuracy,
            temperature=float(self._temperature().detach()),
        )

    def _step(self, rows: Tensor) -> tuple[float, float]:
        with self._mixed_precision():
            outputs = self._train.outputs(self._head, self._vectors[rows])
        loss = self._train.loss(outputs, self._temperature())
        self._optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        self._optimizer.step()
        self._temperature.keep_above_least()
        one, other = outputs
        return float(loss.detach()), self._train.right((one.detach(), other.detach()))

    def _update_statistics(self) -> None:
        """BatchNorm's mean and variance over pictures of the training side, in place of the running ones.

        Those lag behind the weights, and after few steps they are still near what they were set to at first.
        """
        update_bn([self._vectors[self._pictures]], self._head)

    @torch.no_grad()
    def _validate(self) -> tuple[float | None, float | None]:
        if not len(self._validation):
            return None, None
        self._head.eval()
        losses, hits, items = 0.0, 0.0, 0
        for rows in self._validation.in_order(self._config.batch_size):
            outputs = self._validation.outputs(self._head, self._vectors[rows])
            losses += float(self._validation.loss(outputs, self._temperature())) * rows.shape[1]
            hits += self._validation.right(outputs)
            items += rows.shape[1]
        return losses / items, hits / items

    def _mixed_precision(self) -> torch.autocast:
        """bfloat16 where the GPU has it: it needs no loss scaling, so no scaler's state to keep. The loss itself stays in float32."""
        enabled = self._device.startswith("cuda") and torch.cuda.is_bf16_supported()
        return torch.autocast("cuda" if enabled else "cpu", dtype=torch.bfloat16, enabled=enabled)

    def _parameter_groups(self) -> list[dict[str, object]]:
        """Weights decay; biases, BatchNorm's scales and the temperature do not."""
        parameters = list(self._head.parameters())
        return [
            {"params": [p for p in parameters if p.ndim > 1], "weight_decay": self._config.weight_decay},
            {"params": [p for p in parameters if p.ndim <= 1] + list(self._temperature.parameters()), "weight_decay": 0.0},
        ]

    def _weights(self) -> dict[str, Tensor]:
        weights = {f"head.{name}": tensor for name, tensor in self._head.state_dict().items()}
        weights |= {f"temperature.{name}": tensor for name, tensor in self._temperature.state_dict().items()}
        return {name: tensor.detach().cpu().clone() for name, tensor in weights.items()}

    def _snapshot(self) -> Checkpoint:
        return Checkpoint(
            fingerprint=self._fingerprint,
            history=self._history,
            head=self._head.state_dict(),
            temperature=self._temperature.state_dict(),
            best=self._best,
            optimizer=optimizer_state(self._optimizer),
        )

    def _fitted(self) -> FittedHead:
        config = self._config
        with _seeded(config.seed, 0, self._device):  # its first weights are replaced, but drawing them must not disturb the caller
            head = new_head(self._vectors.shape[1], config)
        head.load_state_dict({name.removeprefix("head."): tensor for name, tensor in self._best.items() if name.startswith("head.")})
        temperature = Temperature(config.temperature)
        temperature.load_state_dict({"log_t": self._best["temperature.log_t"]})
        return FittedHead(head=head.eval(), temperature=float(temperature().detach()), history=self._history)


def _evenly_spaced(rows: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    if len(rows) <= STATISTICS_OF:
        return rows
    return rows[np.linspace(0, len(rows) - 1, STATISTICS_OF).round().astype(np.int64)]


@contextmanager
def _seeded(seed: int, epoch: int, device: str) -> Iterator[None]:
    """Random numbers that follow from the seed and the epoch alone, so a resumed training draws what an uninterrupted one would."""
    with torch.random.fork_rng(devices=[torch.cuda.current_device()] if device.startswith("cuda") else []):
        torch.manual_seed(int(np.random.SeedSequence([seed, epoch]).generate_state(1, np.uint64)[0] >> np.uint64(1)))
        yield
