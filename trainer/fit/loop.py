"""The training loop: seeded epochs over triplets of embeddings, early stopping, a checkpoint after each epoch."""

from __future__ import annotations

import logging
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor
from torch.optim import AdamW

from trainer.errors import BadCheckpoint, NothingToTrainOn
from trainer.fit.checkpoint import CHECKPOINT, Checkpoint, load_checkpoint, optimizer_state, save_checkpoint
from trainer.fit.history import Epoch, History
from trainer.heads.registry import new_head
from trainer.losses.registry import LOSSES
from trainer.losses.temperature import Temperature

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    import numpy.typing as npt

    from trainer.data.triplet_indices import TripletIndices
    from trainer.fit.config import TrainingConfig
    from trainer.heads.siamese import SiameseHead

_log = logging.getLogger(__name__)

#: Triplets validated at once: bounds memory, changes nothing else.
_VALIDATION_BATCH = 4096


@dataclass(frozen=True, kw_only=True)
class FittedHead:
    """The head of the best epoch, on the CPU and in evaluation mode, with its history."""

    head: SiameseHead
    temperature: float
    history: History


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
        self._train, self._validation = _indices(train, device), _indices(validation, device)
        self._checkpoint = directory / CHECKPOINT
        self._fingerprint = config.fingerprint(triplet_hash)
        with _seeded(config.seed, 0, device):
            self._head = new_head(vectors.shape[1], config).to(device)
        self._loss = LOSSES.load(config.loss)()
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
        if saved.fingerprint != self._fingerprint:
            raise BadCheckpoint(f"{self._checkpoint} belongs to a training with other parameters or triplets: start anew with --fresh")
        if len(saved.history.epochs) > self._config.epochs:
            done, asked = len(saved.history.epochs), self._config.epochs
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

    def run(self, on_epoch: Callable[[Epoch], None] | None = None) -> FittedHead:
        """Train to the end and return the best epoch's head; `on_epoch` is called with each epoch as it ends."""
        for number in range(len(self._history.epochs) + 1, self._config.epochs + 1):
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
            order = torch.randperm(self._train.shape[1], device="cpu").to(self._device)
            self._head.train()
            losses, hits = 0.0, 0.0
            for chosen in torch.split(order, self._config.batch_size):
                loss, correct = self._step(self._train[:, chosen])
                losses += loss * len(chosen)
                hits += correct
        validation_loss, validation_accuracy = self._validate()
        return Epoch(
            number=number,
            train_loss=losses / len(order),
            train_accuracy=hits / len(order),
            validation_loss=validation_loss,
            validation_accuracy=validation_accuracy,
            temperature=float(self._temperature().detach()),
        )

    def _step(self, rows: Tensor) -> tuple[float, float]:
        with self._mixed_precision():
            s_plus, s_minus = self._head.similarities(*self._vectors[rows])
        loss = self._loss(s_plus, s_minus, self._temperature())
        self._optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        self._optimizer.step()
        return float(loss.detach()), _hits(s_plus.detach(), s_minus.detach())

    @torch.no_grad()
    def _validate(self) -> tuple[float | None, float | None]:
        rows = self._validation
        total = rows.shape[1]
        if not total:
            return None, None
        self._head.eval()
        losses, hits = 0.0, 0.0
        for chosen in torch.split(rows, _VALIDATION_BATCH, dim=1):
            s_plus, s_minus = self._head.similarities(*self._vectors[chosen])
            losses += float(self._loss(s_plus, s_minus, self._temperature())) * chosen.shape[1]
            hits += _hits(s_plus, s_minus)
        return losses / total, hits / total

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


def _indices(rows: TripletIndices, device: str) -> Tensor:
    """(3, N) row numbers of anchors, positives and negatives."""
    return torch.from_numpy(np.stack([rows.anchors, rows.positives, rows.negatives])).to(device)


def _hits(s_plus: Tensor, s_minus: Tensor) -> float:
    """Triplets with s+ > s-; a tie counts half."""
    return float((s_plus > s_minus).sum() + 0.5 * (s_plus == s_minus).sum())


@contextmanager
def _seeded(seed: int, epoch: int, device: str) -> Iterator[None]:
    """Random numbers that follow from the seed and the epoch alone, so a resumed training draws what an uninterrupted one would."""
    with torch.random.fork_rng(devices=[torch.cuda.current_device()] if device.startswith("cuda") else []):
        torch.manual_seed(int(np.random.SeedSequence([seed, epoch]).generate_state(1, np.uint64)[0] >> np.uint64(1)))
        yield
